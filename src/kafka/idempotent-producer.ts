import { setTimeout as sleep } from 'node:timers/promises';
import { brokerError, disposition, DUPLICATE_SEQUENCE_NUMBER, NO_ERROR } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { classify, LogError, TransientError } from './errors.js';
import type { SourceWriter } from './log.js';
import { encodeBatches, groupByPartition, packRequests, PartitionSequences, type PartitionOutput } from './produce.js';
import { produceRequest, type PartitionBatch } from './protocol/record-requests.js';
import { initProducerIdRequest, type ProducerIdentity } from './protocol/transaction-requests.js';
import type { OutgoingRecord } from './record.js';

export interface IdempotentProducerOptions {
  readonly lane: string;
  /** How long a `send` goes on trying before it rejects. */
  readonly deliveryTimeoutMs?: number;
}

const DEFAULT_DELIVERY_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;
const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1_000;

/** The broker has lost track of this producer's sequence numbers; what it did not acknowledge is numbered anew. */
class StaleProducer extends Error {}

/**
 * Writes at least once and, as long as the broker keeps its producer state, exactly once: a batch is repeated byte for
 * byte, with its sequence number, until it is acknowledged. Only when the broker has lost that state (which it may after
 * days of silence, or by deletion of records) is it sent under a new id, and may then lie in the log twice.
 * `send` calls are worked off one after the other, each with at most one batch a partition under way.
 */
export class IdempotentProducer implements SourceWriter {
  readonly #cluster: Cluster;
  readonly #lane: string;
  readonly #deliveryTimeoutMs: number;
  #identity: ProducerIdentity | null = null;
  #sequences = new PartitionSequences();
  #tail: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(cluster: Cluster, options: IdempotentProducerOptions) {
    this.#cluster = cluster;
    this.#lane = options.lane;
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs ?? DEFAULT_DELIVERY_TIMEOUT_MS;
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    const sent = this.#tail.then(() => this.#deliver(records));
    this.#tail = sent.catch(() => {});
    return sent;
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#isClosed = true;
  }

  async #deliver(records: readonly OutgoingRecord[]): Promise<void> {
    const deadlineMs = Date.now() + this.#deliveryTimeoutMs;
    let rest = groupByPartition(records);
    while (rest.length > 0) {
      if (this.#isClosed) throw new TransientError('the producer is closed');
      this.#identity ??= await this.#newIdentity(deadlineMs);
      const identity = this.#identity;
      const batches = rest.map((output) => encodeBatches(output, identity, this.#sequences, false));
      const acknowledged = new Map<string, number>();
      try {
        for (const request of packRequests(batches)) await this.#deliverRequest(request, deadlineMs, acknowledged);
        return;
      } catch (error) {
        this.#identity = null;
        if (!(error instanceof StaleProducer)) throw error;
        rest = unacknowledged(rest, batches, acknowledged);
      }
    }
  }

  /** Repeats until each batch of the request is acknowledged; notes how many batches each partition has accepted. */
  async #deliverRequest(request: readonly PartitionBatch[], deadlineMs: number, acknowledged: Map<string, number>): Promise<void> {
    let pending = request;
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
      const failures = await this.#attempt(pending);
      for (const batch of pending) {
        if (failures.has(batch)) continue;
        const key = `${batch.partition} ${batch.topic}`;
        acknowledged.set(key, (acknowledged.get(key) ?? 0) + 1);
      }
      if (failures.size === 0) return;
      pending = pending.filter((batch) => failures.has(batch));
      const errors = [...failures.values()];
      const final = errors.find((error) => !(error instanceof TransientError));
      if (final !== undefined) throw final;
      if (Date.now() + backoffMs > deadlineMs) {
        throw new TransientError(`records were not acknowledged within ${this.#deliveryTimeoutMs} ms`, { cause: errors[0] });
      }
      await sleep(backoffMs);
      await this.#cluster.refresh(pending.map(({ topic }) => topic)).catch(() => {});
    }
  }

  async #attempt(batches: readonly PartitionBatch[]): Promise<Map<PartitionBatch, Error>> {
    const failures = new Map<PartitionBatch, Error>();
    const byLeader = new Map<number, PartitionBatch[]>();
    for (const batch of batches) {
      try {
        const leader = await this.#cluster.leader(batch.topic, batch.partition);
        const sameLeader = byLeader.get(leader);
        if (sameLeader === undefined) byLeader.set(leader, [batch]);
        else sameLeader.push(batch);
      } catch (error) {
        failures.set(batch, classify(error));
      }
    }
    await Promise.all(
      [...byLeader].map(async ([leader, sameLeader]) => {
        try {
          const request = produceRequest(null, sameLeader, REQUEST_TIMEOUT_MS);
          const answers = await this.#cluster.request(leader, this.#lane, request, REQUEST_TIMEOUT_MS);
          for (const batch of sameLeader) {
            const answer = answers.find(({ topic, partition }) => topic === batch.topic && partition === batch.partition);
            const failure = judge(answer?.errorCode ?? -1, batch);
            if (failure !== null) failures.set(batch, failure);
          }
        } catch (error) {
          for (const batch of sameLeader) failures.set(batch, classify(error));
        }
      }),
    );
    return failures;
  }

  async #newIdentity(deadlineMs: number): Promise<ProducerIdentity> {
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
      let failure: LogError;
      try {
        const { errorCode, producerId, producerEpoch } = await this.#cluster.requestAny(initProducerIdRequest(null, REQUEST_TIMEOUT_MS));
        if (errorCode === NO_ERROR) {
          this.#sequences = new PartitionSequences();
          return { producerId, producerEpoch };
        }
        failure = brokerError(errorCode, 'InitProducerId');
      } catch (error) {
        failure = classify(error);
      }
      if (!(failure instanceof TransientError) || Date.now() + backoffMs > deadlineMs) throw failure;
      await sleep(backoffMs);
    }
  }
}

function judge(code: number, { topic, partition }: PartitionBatch): Error | null {
  // A duplicate is a batch that had arrived although its acknowledgement did not.
  if (code === NO_ERROR || code === DUPLICATE_SEQUENCE_NUMBER) return null;
  const kind = disposition(code);
  if (kind === 'producer-stale' || kind === 'fenced') return new StaleProducer();
  return brokerError(code, 'Produce', { topic, partition });
}

/** What is left of each partition after the batches it has accepted. */
function unacknowledged(
  outputs: readonly PartitionOutput[],
  batches: readonly (readonly PartitionBatch[])[],
  acknowledged: ReadonlyMap<string, number>,
): PartitionOutput[] {
  const rest: PartitionOutput[] = [];
  outputs.forEach((output, i) => {
    const accepted = batches[i]!.slice(0, acknowledged.get(`${output.partition} ${output.topic}`) ?? 0);
    const acceptedRecords = accepted.reduce((sum, { recordCount }) => sum + recordCount, 0);
    if (acceptedRecords < output.records.length) rest.push({ ...output, records: output.records.slice(acceptedRecords) });
  });
  return rest;
}
