import { gunzipSync } from 'node:zlib';
import { crc32c } from './crc32c.js';
import { ConfigurationError, CorruptBatchError } from './errors.js';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  CODEC_GZIP,
  CODEC_MASK,
  CONTROL_FLAG,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_OVERHEAD,
  LOG_APPEND_TIME_FLAG,
  MAGIC,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORDS_AT,
  RECORD_COUNT_AT,
  TRANSACTIONAL_FLAG,
  readInt64,
} from './record-batch.js';
import { decodeRecords } from './record-decoder.js';
import type { LogRecord } from './record.js';

/** A gzip batch that unpacks to more than this is refused rather than unpacked. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Header of one batch, its checksum verified; the records are read only when asked for. */
export interface DecodedBatch {
  readonly baseOffset: number;
  /** The position after the batch, also where compaction removed its last records. */
  readonly nextOffset: number;
  readonly recordCount: number;
  /** -1 without a producer id. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** For a control batch: whether it is the marker that aborts its producer's transaction. */
  readonly isAbortMarker: boolean;
  /** Appends the records from `fromOffset` on to `into`. Keys and values are views. */
  readRecords(into: LogRecord[], fromOffset: number): void;
}

/**
 * Goes over the batches of a fetch answer's record bytes of one partition, in order. A last batch that is cut off
 * (which brokers do at the byte limit) is left out. Everything else that does not fit throws `CorruptBatchError`.
 */
export function* decodeRecordBatches(bytes: Buffer, topic: string, partition: number): Generator<DecodedBatch> {
  let at = 0;
  while (bytes.length - at >= RECORDS_AT) {
    const size = bytes.readInt32BE(at + BATCH_LENGTH_AT) + LENGTH_OVERHEAD;
    if (size < RECORDS_AT) throw corrupt(topic, partition, bytes, at, `its length is ${size} bytes`);
    if (size > bytes.length - at) return;
    yield decodeBatch(bytes, at, size, topic, partition);
    at += size;
  }
}

/** The position after the last whole batch, from the headers alone and unverified; `otherwise` if there is none. */
export function endOfBatches(bytes: Buffer, otherwise: number): number {
  let end = otherwise;
  for (let at = 0; bytes.length - at >= RECORDS_AT; ) {
    const size = bytes.readInt32BE(at + BATCH_LENGTH_AT) + LENGTH_OVERHEAD;
    if (size < RECORDS_AT || size > bytes.length - at) return end;
    end = Math.max(end, readInt64(bytes, at) + bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1);
    at += size;
  }
  return end;
}

function decodeBatch(bytes: Buffer, at: number, size: number, topic: string, partition: number): DecodedBatch {
  const magic = bytes[at + MAGIC_AT]!;
  if (magic !== MAGIC) {
    throw new ConfigurationError(
      `${topic}-${partition} holds records of message format ${magic}; only format 2 (Kafka 0.11 and later) is read`,
      { topic, partition },
    );
  }
  if (crc32c(bytes, at + ATTRIBUTES_AT, at + size) !== bytes.readUInt32BE(at + CRC_AT)) {
    throw corrupt(topic, partition, bytes, at, 'its checksum does not match its bytes');
  }
  const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
  const baseOffset = readInt64(bytes, at);
  const lastOffsetDelta = bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT);
  const recordCount = bytes.readInt32BE(at + RECORD_COUNT_AT);
  if (lastOffsetDelta < 0 || recordCount < 0 || baseOffset < 0) {
    throw corrupt(topic, partition, bytes, at, `last offset delta ${lastOffsetDelta}, ${recordCount} records`);
  }
  const isControl = (attributes & CONTROL_FLAG) !== 0;

  const readRecords = (into: LogRecord[], fromOffset: number): void => {
    const codec = attributes & CODEC_MASK;
    const packed = bytes.subarray(at + RECORDS_AT, at + size);
    const records = codec === 0 ? packed : unpack(packed, codec, topic, partition, bytes, at);
    const baseTimestampMs = readInt64(bytes, at + BASE_TIMESTAMP_AT);
    const appendTimeMs = (attributes & LOG_APPEND_TIME_FLAG) === 0 ? null : readInt64(bytes, at + MAX_TIMESTAMP_AT);
    const problem = decodeRecords(
      records,
      { topic, partition, baseOffset, lastOffsetDelta, baseTimestampMs, appendTimeMs, recordCount },
      fromOffset,
      into,
    );
    if (problem !== null) throw corrupt(topic, partition, bytes, at, problem);
  };

  return {
    baseOffset,
    nextOffset: baseOffset + lastOffsetDelta + 1,
    recordCount,
    producerId: readInt64(bytes, at + PRODUCER_ID_AT),
    producerEpoch: bytes.readInt16BE(at + PRODUCER_EPOCH_AT),
    isTransactional: (attributes & TRANSACTIONAL_FLAG) !== 0,
    isControl,
    isAbortMarker: isControl && isAbortMarker(readRecords),
    readRecords,
  };
}

/** A marker's key is version int16, type int16; type 0 aborts, 1 commits. Compaction may have emptied the batch. */
function isAbortMarker(readRecords: DecodedBatch['readRecords']): boolean {
  const markers: LogRecord[] = [];
  readRecords(markers, 0);
  const key = markers[0]?.key ?? null;
  return key !== null && key.length >= 4 && key[2] === 0 && key[3] === 0;
}

function unpack(packed: Buffer, codec: number, topic: string, partition: number, bytes: Buffer, at: number): Buffer {
  if (codec !== CODEC_GZIP) {
    throw new ConfigurationError(
      `${topic}-${partition} holds batches compressed with ${CODEC_NAMES[codec] ?? `codec ${codec}`}; ` +
        'only gzip and none are read: set compression.type=uncompressed or gzip on the topic, and write it again',
      { topic, partition },
    );
  }
  try {
    return gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    throw corrupt(topic, partition, bytes, at, 'its gzip data cannot be unpacked', error);
  }
}

function corrupt(topic: string, partition: number, bytes: Buffer, at: number, why: string, cause?: unknown): CorruptBatchError {
  const where = `batch at offset ${readInt64(bytes, at)} of ${topic}-${partition}`;
  return new CorruptBatchError(`${where} is corrupt: ${why}; it may read well from another replica`, { topic, partition, cause });
}
