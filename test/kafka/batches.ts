import { crc32c } from '../../src/kafka/crc32c.js';
import { encodeRecordBatch, type EncodableRecord } from '../../src/kafka/batch-encoder.js';
import { ATTRIBUTES_AT, CONTROL_FLAG, CRC_AT, TRANSACTIONAL_FLAG, writeInt64 } from '../../src/kafka/record-batch.js';

/** Batches as they lie in a partition: with a base offset, and markers, which only brokers write. */

export const NO_PRODUCER = { producerId: -1, producerEpoch: -1, baseSequence: -1, isTransactional: false };

export function record(value: string | null, key: string | null = null, timestampMs = 1_700_000_000_000): EncodableRecord {
  return { timestampMs, key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value) };
}

export function plainBatch(baseOffset: number, values: readonly string[]): Buffer {
  return placed(encodeRecordBatch(values.map((value) => record(value)), NO_PRODUCER), baseOffset);
}

export function transactionalBatch(baseOffset: number, producerId: number, records: readonly EncodableRecord[]): Buffer {
  return placed(encodeRecordBatch(records, { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }), baseOffset);
}

export function marker(offset: number, producerId: number, kind: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]);
  const batch = encodeRecordBatch([{ timestampMs: 0, key, value: Buffer.alloc(6) }], {
    producerId,
    producerEpoch: 0,
    baseSequence: -1,
    isTransactional: true,
  });
  batch.writeInt16BE(TRANSACTIONAL_FLAG | CONTROL_FLAG, ATTRIBUTES_AT);
  return placed(batch, offset);
}

export function placed(batch: Buffer, baseOffset: number): Buffer {
  writeInt64(batch, baseOffset, 0);
  return withChecksum(batch);
}

export function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT);
  return batch;
}
