import { encodeRecordBatch, recordSizeBound } from './batch-encoder.js';
import type { ProducerIdentity } from './protocol/transaction-requests.js';
import type { PartitionBatch } from './protocol/record-requests.js';
import { RECORDS_AT } from './record-batch.js';
import type { OutgoingRecord } from './record.js';

/** Below the broker's default limit of 1 MiB a batch (`message.max.bytes`); a larger record goes alone. */
const MAX_BATCH_BYTES = 900_000;
/** Far below the broker's limit of 100 MiB a request, and small enough to keep a connection lively. */
const MAX_REQUEST_BYTES = 8_000_000;
const MAX_SEQUENCE = 0x7fffffff;

/** A partition's batches of one `send`, in order. */
export interface PartitionOutput {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
}

/** Sorts records by partition, keeping their order within each. */
export function groupByPartition(records: readonly OutgoingRecord[]): PartitionOutput[] {
  const byTopic = new Map<string, Map<number, OutgoingRecord[]>>();
  const outputs: PartitionOutput[] = [];
  let last: OutgoingRecord[] = [];
  let before: OutgoingRecord | null = null;
  for (const record of records) {
    if (before === null || record.partition !== before.partition || record.topic !== before.topic) {
      let byPartition = byTopic.get(record.topic);
      if (byPartition === undefined) byTopic.set(record.topic, (byPartition = new Map()));
      const known = byPartition.get(record.partition);
      if (known !== undefined) {
        last = known;
      } else {
        last = [];
        byPartition.set(record.partition, last);
        outputs.push({ topic: record.topic, partition: record.partition, records: last });
      }
    }
    last.push(record);
    before = record;
  }
  return outputs;
}

/**
 * The next sequence number of every partition under one producer epoch. Sequences run from 0 to 2^31 - 1 and then from
 * 0 again, inside a batch too.
 */
export class PartitionSequences {
  readonly #next = new Map<string, number>();
  readonly #first: number;

  constructor(first = 0) {
    this.#first = first;
  }

  take(topic: string, partition: number, count: number): number {
    const key = `${partition} ${topic}`;
    const sequence = this.#next.get(key) ?? this.#first;
    const beyond = sequence + count;
    this.#next.set(key, beyond > MAX_SEQUENCE ? beyond - MAX_SEQUENCE - 1 : beyond);
    return sequence;
  }
}

/**
 * Encodes the records of one partition into batches of a size brokers accept, with their sequence numbers.
 */
export function encodeBatches(
  { topic, partition, records }: PartitionOutput,
  producer: ProducerIdentity,
  sequences: PartitionSequences,
  isTransactional: boolean,
): PartitionBatch[] {
  const batches: PartitionBatch[] = [];
  let from = 0;
  while (from < records.length) {
    let bytes = RECORDS_AT;
    let to = from;
    for (; to < records.length; to++) {
      const size = recordSizeBound(records[to]!);
      if (to > from && bytes + size > MAX_BATCH_BYTES) break;
      bytes += size;
    }
    const part = from === 0 && to === records.length ? records : records.slice(from, to);
    const baseSequence = sequences.take(topic, partition, part.length);
    const batch = encodeRecordBatch(part, { ...producer, baseSequence, isTransactional });
    batches.push({ topic, partition, batch, recordCount: part.length });
    from = to;
  }
  return batches;
}

/**
 * Cuts batches into rounds of requests: every request has at most one batch of a partition and stays below the size
 * limit, and a partition's batches lie in rounds of rising number.
 */
export function packRequests(partitions: readonly (readonly PartitionBatch[])[]): PartitionBatch[][] {
  const requests: PartitionBatch[][] = [];
  for (let round = 0; ; round++) {
    let request: PartitionBatch[] = [];
    let bytes = 0;
    for (const batches of partitions) {
      const batch = batches[round];
      if (batch === undefined) continue;
      if (request.length > 0 && bytes + batch.batch.length > MAX_REQUEST_BYTES) {
        requests.push(request);
        request = [];
        bytes = 0;
      }
      request.push(batch);
      bytes += batch.batch.length;
    }
    if (request.length === 0) return requests;
    requests.push(request);
  }
}
