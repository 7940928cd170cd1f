/*
 * Record batch, format 2 (the only one since Kafka 0.11):
 *
 *    0 baseOffset int64        21 attributes int16       43 producerId int64
 *    8 batchLength int32       23 lastOffsetDelta int32  51 producerEpoch int16
 *   12 leaderEpoch int32       27 baseTimestamp int64    53 baseSequence int32
 *   16 magic int8              35 maxTimestamp int64     57 record count int32
 *   17 crc uint32                                        61 records
 *
 * batchLength counts from byte 12; the checksum covers everything from byte 21.
 */
export const BATCH_LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;
export const RECORDS_AT = 61;

/** Bytes before the part that `batchLength` counts. */
export const LENGTH_OVERHEAD = 12;
export const MAGIC = 2;

export const CODEC_MASK = 0x07;
export const CODEC_GZIP = 1;
export const LOG_APPEND_TIME_FLAG = 0x08;
export const TRANSACTIONAL_FLAG = 0x10;
export const CONTROL_FLAG = 0x20;

const TWO_32 = 0x1_0000_0000;

/** Int64 as a number; exact within ±2^53, which offsets, times and producer ids never leave. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4);
}

export function writeInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / TWO_32), at);
  bytes.writeUInt32BE(value - Math.floor(value / TWO_32) * TWO_32, at + 4);
}
