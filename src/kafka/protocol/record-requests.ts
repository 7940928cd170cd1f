import type { TopicPartitionOffset } from '../log.js';
import { WireWriter } from '../wire.js';
import { APIS, readByTopic, type KafkaRequest, type PartitionError } from './request.js';

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** Exactly one record batch: brokers take no more from one partition in a request. */
  readonly batch: Buffer;
  readonly recordCount: number;
}

/** Acknowledged by all in-sync replicas. The batches are sent as they are, without copying. */
export function produceRequest(
  transactionalId: string | null,
  batches: readonly PartitionBatch[],
  timeoutMs: number,
): KafkaRequest<(PartitionError & { readonly baseOffset: number })[]> {
  const byTopic = new Map<string, PartitionBatch[]>();
  for (const batch of batches) {
    const sameTopic = byTopic.get(batch.topic);
    if (sameTopic === undefined) byTopic.set(batch.topic, [batch]);
    else sameTopic.push(batch);
  }
  const body: Buffer[] = [];
  let writer = new WireWriter().string(transactionalId).int16(-1).int32(timeoutMs).int32(byTopic.size);
  for (const [topic, sameTopic] of byTopic) {
    writer.string(topic).int32(sameTopic.length);
    for (const { partition, batch } of sameTopic) {
      writer.int32(partition).int32(batch.length);
      body.push(writer.take(), batch);
      writer = new WireWriter(64);
    }
  }
  if (writer.size > 0) body.push(writer.take());
  return {
    api: APIS.produce,
    body,
    decode: (reader) =>
      readByTopic(reader, (topic) => {
        const partition = reader.int32();
        const errorCode = reader.int16();
        const baseOffset = reader.int64();
        reader.int64(); // append time
        reader.int64(); // log start
        return { topic, partition, errorCode, baseOffset };
      }),
  };
}

export interface FetchLimits {
  /** How long the broker may wait for a first byte. */
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
}

export interface FetchAnswer {
  /** Of the request as a whole. */
  readonly errorCode: number;
  readonly partitions: readonly FetchAnswerPartition[];
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface FetchAnswerPartition extends PartitionError {
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Transactions whose abort markers end in or after the bytes given; in the order of the markers. */
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last of them perhaps cut off; a view into the answer. */
  readonly records: Buffer;
}

/**
 * A read_committed fetch without a session. The order of the partitions matters: brokers fill the answer in this order
 * until `maxBytes` is reached, so callers rotate it.
 */
export function fetchRequest(positions: readonly TopicPartitionOffset[], limits: FetchLimits): KafkaRequest<FetchAnswer> {
  const writer = new WireWriter(64 + positions.length * 64);
  writer.int32(-1).int32(limits.maxWaitMs).int32(1).int32(limits.maxBytes).int8(1).int32(0).int32(-1);
  const runs: TopicPartitionOffset[][] = [];
  for (const position of positions) {
    const run = runs.at(-1);
    if (run?.[0]?.topic === position.topic) run.push(position);
    else runs.push([position]);
  }
  writer.array(runs, (run) => {
    writer.string(run[0]!.topic).array(run, ({ partition, offset }) => {
      writer.int32(partition).int32(-1).int64(offset).int64(-1).int32(limits.maxPartitionBytes);
    });
  });
  writer.int32(0).string('');
  return {
    api: APIS.fetch,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      const errorCode = reader.int16();
      reader.int32(); // session
      const partitions = readByTopic(reader, (topic): FetchAnswerPartition => {
        const partition = reader.int32();
        const partitionError = reader.int16();
        const highWatermark = reader.int64();
        const lastStableOffset = reader.int64();
        const logStartOffset = reader.int64();
        const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }));
        reader.int32(); // preferred replica
        const records = reader.bytes();
        return { topic, partition, errorCode: partitionError, highWatermark, lastStableOffset, logStartOffset, aborted, records };
      });
      return { errorCode, partitions };
    },
  };
}
