import { setTimeout as sleep } from 'node:timers/promises';
import { brokerError, disposition, NO_ERROR } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import type { BrokerConnection } from './connection.js';
import { packRequests, type PartitionOutput } from './produce.js';
import { produceRequest, type PartitionBatch } from './protocol/record-requests.js';
import { worstError } from './transaction-coordinator.js';

const FIRST_BACKOFF_MS = 10;
const MAX_BACKOFF_MS = 200;

/**
 * Sends the batches of a transaction. Resolves once all requests have left, to the answers still to come; requests to
 * one broker leave on one connection and in order, which keeps a partition's batches in sequence, those of a later call
 * too. Batches are encoded only when they leave, so that sequence numbers follow the order of leaving.
 */
export async function dispatchProduce(
  cluster: Cluster,
  lane: string,
  transactionalId: string,
  timeoutMs: number,
  outputs: readonly PartitionOutput[],
  encode: (output: PartitionOutput) => PartitionBatch[],
): Promise<Promise<void>[]> {
  const leaders = new Map<number, PartitionOutput[]>();
  for (const output of outputs) {
    const leader = await cluster.leader(output.topic, output.partition);
    const sameLeader = leaders.get(leader);
    if (sameLeader === undefined) leaders.set(leader, [output]);
    else sameLeader.push(output);
  }
  const deadlineMs = Date.now() + timeoutMs;
  const answers: Promise<void>[] = [];
  for (const [leader, partitions] of leaders) {
    const connection = await cluster.connection(leader, lane);
    for (const request of packRequests(partitions.map(encode))) {
      answers.push(produce({ cluster, lane, transactionalId, timeoutMs, deadlineMs }, connection, request, FIRST_BACKOFF_MS));
    }
  }
  for (const answer of answers) answer.catch(() => {}); // handled by whoever waits for all of them
  return answers;
}

interface Dispatch {
  readonly cluster: Cluster;
  readonly lane: string;
  readonly transactionalId: string;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
}

/**
 * What a broker refuses without appending it (a new leader is being elected, or has not heard that it is one) is sent
 * again, byte for byte. Should a later batch of the partition have got in before it, the sequence numbers show, and the
 * transaction fails.
 */
async function produce(dispatch: Dispatch, connection: BrokerConnection, batches: readonly PartitionBatch[], backoffMs: number): Promise<void> {
  const { cluster, lane, transactionalId, timeoutMs, deadlineMs } = dispatch;
  const answers = await connection.request(produceRequest(transactionalId, batches, timeoutMs), timeoutMs);
  const errorOf = ({ topic, partition }: PartitionBatch): number =>
    answers.find((answer) => answer.topic === topic && answer.partition === partition)?.errorCode ?? -1;
  const failed = batches.map((batch) => ({ ...batch, errorCode: errorOf(batch) })).filter(({ errorCode }) => errorCode !== NO_ERROR);
  if (failed.length === 0) return;
  const code = worstError(failed);
  if (disposition(code) !== 'refused' || Date.now() + backoffMs > deadlineMs) {
    throw brokerError(code, `Produce of "${transactionalId}"`, failed.find(({ errorCode }) => errorCode === code));
  }
  await sleep(backoffMs);
  await cluster.refresh(failed.map(({ topic }) => topic));
  const leaders = new Map<number, PartitionBatch[]>();
  for (const batch of failed) {
    const leader = await cluster.leader(batch.topic, batch.partition);
    leaders.set(leader, [...(leaders.get(leader) ?? []), batch]);
  }
  await Promise.all(
    [...leaders].map(async ([leader, sameLeader]) =>
      produce(dispatch, await cluster.connection(leader, lane), sameLeader, Math.min(backoffMs * 2, MAX_BACKOFF_MS)),
    ),
  );
}
