import { crc32c } from './crc32c.js';
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LENGTH_OVERHEAD,
  MAGIC,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORDS_AT,
  RECORD_COUNT_AT,
  TRANSACTIONAL_FLAG,
  writeInt64,
} from './record-batch.js';
import type { OutgoingRecord, RecordHeader } from './record.js';

export interface BatchProducer {
  /** -1 for a producer without an id. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence number of the first record; -1 for a producer without an id. */
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

/** What is accepted for records: topic and partition play no part in the bytes. */
export type EncodableRecord = Pick<OutgoingRecord, 'timestampMs' | 'key' | 'value' | 'headers'>;

/** Most bytes the numbers of a record take: its length, attributes, two deltas, three lengths. */
const NUMBERS_BOUND = 5 + 1 + 10 + 5 + 5 + 5 + 5;
const HEADER_NUMBERS_BOUND = 10;

/** No record takes more than this many bytes in a batch (lengths of header names are counted as UTF-8 at its longest). */
export function recordSizeBound(record: EncodableRecord): number {
  let bound = NUMBERS_BOUND + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  if (record.headers !== undefined) {
    for (const header of record.headers) bound += HEADER_NUMBERS_BOUND + header[0].length * 3 + header[1].length;
  }
  return bound;
}

/** One uncompressed batch of all the records, at least one, in order; its base offset is 0, for the broker to set. */
export function encodeRecordBatch(records: readonly EncodableRecord[], producer: BatchProducer): Buffer {
  if (records.length === 0) throw new RangeError('a record batch needs at least one record');
  let bound = RECORDS_AT;
  for (const record of records) bound += recordSizeBound(record);
  const out = Buffer.allocUnsafeSlow(bound);

  const baseTimestamp = records[0]!.timestampMs;
  let maxTimestamp = baseTimestamp;
  let at = RECORDS_AT;
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!;
    if (record.timestampMs > maxTimestamp) maxTimestamp = record.timestampMs;
    at = writeRecord(out, at, record, i, record.timestampMs - baseTimestamp);
  }

  writeInt64(out, 0, 0);
  out.writeInt32BE(at - LENGTH_OVERHEAD, BATCH_LENGTH_AT);
  out.writeInt32BE(-1, LEADER_EPOCH_AT);
  out[MAGIC_AT] = MAGIC;
  out.writeInt16BE(producer.isTransactional ? TRANSACTIONAL_FLAG : 0, ATTRIBUTES_AT);
  out.writeInt32BE(records.length - 1, LAST_OFFSET_DELTA_AT);
  writeInt64(out, baseTimestamp, BASE_TIMESTAMP_AT);
  writeInt64(out, maxTimestamp, MAX_TIMESTAMP_AT);
  writeInt64(out, producer.producerId, PRODUCER_ID_AT);
  out.writeInt16BE(producer.producerEpoch, PRODUCER_EPOCH_AT);
  out.writeInt32BE(producer.baseSequence, BASE_SEQUENCE_AT);
  out.writeInt32BE(records.length, RECORD_COUNT_AT);
  out.writeUInt32BE(crc32c(out, ATTRIBUTES_AT, at), CRC_AT);
  return out.subarray(0, at);
}

function writeRecord(out: Buffer, at: number, record: EncodableRecord, offsetDelta: number, timestampDelta: number): number {
  const { key, value, headers } = record;
  const keySize = key === null ? 1 : varintSize(key.length) + key.length;
  const valueSize = value === null ? 1 : varintSize(value.length) + value.length;
  const headersSize = headers === undefined || headers.length === 0 ? 1 : sizeOfHeaders(headers);
  const size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + keySize + valueSize + headersSize;

  at = writeVarint(out, at, size);
  out[at++] = 0;
  at = writeVarlong(out, at, timestampDelta);
  at = writeVarint(out, at, offsetDelta);
  at = writeBytes(out, at, key);
  at = writeBytes(out, at, value);
  if (headers === undefined || headers.length === 0) {
    out[at++] = 0;
    return at;
  }
  at = writeVarint(out, at, headers.length);
  for (const header of headers) {
    at = writeBytes(out, at, headerNameBytes(header[0]));
    at = writeBytes(out, at, header[1]);
  }
  return at;
}

const HEADER_NAMES_KEPT = 256;
const headerNames = new Map<string, Buffer>();

/** The same few names come again and again; unusual ones just start the table anew. */
function headerNameBytes(name: string): Buffer {
  let bytes = headerNames.get(name);
  if (bytes === undefined) {
    if (headerNames.size >= HEADER_NAMES_KEPT) headerNames.clear();
    bytes = Buffer.from(name);
    headerNames.set(name, bytes);
  }
  return bytes;
}

function sizeOfHeaders(headers: readonly RecordHeader[]): number {
  let size = varintSize(headers.length);
  for (const header of headers) {
    const nameSize = headerNameBytes(header[0]).length;
    const valueSize = header[1].length;
    size += varintSize(nameSize) + nameSize + varintSize(valueSize) + valueSize;
  }
  return size;
}

function writeBytes(out: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    out[at] = 1; // zigzag of -1
    return at + 1;
  }
  at = writeVarint(out, at, bytes.length);
  if (bytes.length < 24) {
    for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  } else {
    out.set(bytes, at);
  }
  return at + bytes.length;
}

/** Zigzag varint of a number within 31 bits that is not negative: all lengths and offset deltas. */
function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = (value << 1) >>> 0;
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at] = rest;
  return at + 1;
}

function varintSize(value: number): number {
  const bits = (value << 1) >>> 0;
  return bits < 0x80 ? 1 : bits < 0x4000 ? 2 : bits < 0x20_0000 ? 3 : bits < 0x1000_0000 ? 4 : 5;
}

/** Zigzag varint of any integer within ±2^52. */
function writeVarlong(out: Buffer, at: number, value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest > 0x7f) {
    out[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[at] = rest;
  return at + 1;
}

function varlongSize(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  for (; rest > 0x7f; size++) rest = Math.floor(rest / 0x80);
  return size;
}
