import { setTimeout as sleep } from 'node:timers/promises';
import { brokerError, NO_ERROR, UNSTABLE_OFFSET_COMMIT } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { classify, TransientError } from './errors.js';
import type { CommittedOffset, TopicPartition, TopicPartitionOffset } from './log.js';
import { EARLIEST, LATEST, listOffsetsRequest, offsetFetchRequest } from './protocol/cluster-requests.js';
import { askCoordinator, worstError } from './transaction-coordinator.js';

const LANE = 'control';
const TIMEOUT_MS = 60_000;
const MAX_BACKOFF_MS = 500;

export function earliestOffsets(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
  return listOffsets(cluster, partitions, EARLIEST);
}

/** The end of what a read_committed reader can see. */
export function lastStableOffsets(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
  return listOffsets(cluster, partitions, LATEST);
}

/** The end of what is written, decided or not. */
export function endOffsets(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
  return listOffsets(cluster, partitions, LATEST, false);
}

/** First offset whose record is at or after the time, where there is none the last stable offset. */
export async function offsetsForTime(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestampMs: number,
): Promise<TopicPartitionOffset[]> {
  const found = await listOffsets(cluster, partitions, timestampMs);
  const ends = await lastStableOffsets(cluster, partitions);
  return found.map((position, i) => (position.offset < 0 ? ends[i]! : position));
}

/** Asks the leaders, repeating what they refuse or do not answer: nothing is changed by asking. */
async function listOffsets(cluster: Cluster, partitions: readonly TopicPartition[], timestamp: number, isCommittedOnly = true): Promise<TopicPartitionOffset[]> {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  const offsets = new Map<TopicPartition, number>();
  for (let backoffMs = 10; ; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
    const pending = partitions.filter((partition) => !offsets.has(partition));
    const failure = await listOnce(cluster, pending, timestamp, isCommittedOnly, offsets);
    if (failure === null) return partitions.map((partition) => ({ topic: partition.topic, partition: partition.partition, offset: offsets.get(partition)! }));
    if (!(failure instanceof TransientError) || Date.now() > deadlineMs) throw failure;
    await sleep(backoffMs);
    await cluster.refresh(pending.map(({ topic }) => topic)).catch(() => {});
  }
}

async function listOnce(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: number,
  isCommittedOnly: boolean,
  offsets: Map<TopicPartition, number>,
): Promise<Error | null> {
  const byLeader = new Map<number, TopicPartition[]>();
  let failure: Error | null = null;
  try {
    for (const partition of partitions) {
      const leader = await cluster.leader(partition.topic, partition.partition);
      const sameLeader = byLeader.get(leader);
      if (sameLeader === undefined) byLeader.set(leader, [partition]);
      else sameLeader.push(partition);
    }
  } catch (error) {
    return classify(error);
  }
  const asked = [...byLeader].map(async ([leader, sameLeader]) => {
    try {
      const answers = await cluster.request(leader, LANE, listOffsetsRequest(sameLeader, timestamp, isCommittedOnly));
      for (const partition of sameLeader) {
        const answer = answers.find((found) => found.topic === partition.topic && found.partition === partition.partition);
        const errorCode = answer?.errorCode ?? -1;
        if (errorCode === NO_ERROR) offsets.set(partition, answer!.offset);
        else failure = brokerError(errorCode, 'ListOffsets', partition);
      }
    } catch (error) {
      failure = classify(error);
    }
  });
  await Promise.all(asked);
  return failure;
}

/** Whether a transaction that is not decided yet, or not marked so, holds offsets of the group for any of these partitions. */
export async function hasUndecidedOffsets(cluster: Cluster, groupId: string, partitions: readonly TopicPartition[]): Promise<boolean> {
  let isUndecided = false;
  await askCoordinator(cluster, 'group', groupId, LANE, offsetFetchRequest(groupId, partitions), ({ errorCode, partitions: found }) => {
    const code = errorCode !== NO_ERROR ? errorCode : worstError(found);
    isUndecided = code === UNSTABLE_OFFSET_COMMIT;
    return isUndecided ? NO_ERROR : code;
  }, Date.now() + TIMEOUT_MS);
  return isUndecided;
}

/** What the group has committed, in the order asked. */
export async function fetchCommittedOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<CommittedOffset[]> {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  const request = offsetFetchRequest(groupId, partitions);
  for (;;) {
    try {
      const answer = await askCoordinator(cluster, 'group', groupId, LANE, request, ({ errorCode, partitions: found }) =>
        errorCode !== NO_ERROR ? errorCode : worstError(found), deadlineMs);
      return partitions.map(({ topic, partition }) => {
        const found = answer.partitions.find((position) => position.topic === topic && position.partition === partition);
        return { topic, partition, offset: found === undefined || found.offset < 0 ? null : found.offset };
      });
    } catch (error) {
      const failure = classify(error);
      if (!(failure instanceof TransientError) || Date.now() > deadlineMs) throw failure;
      await sleep(100);
    }
  }
}
