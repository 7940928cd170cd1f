import type { LogRecord, RecordHeader } from './record.js';

export interface BatchFrame {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestampMs: number;
  /** Set where the broker stamped the whole batch. */
  readonly appendTimeMs: number | null;
  readonly recordCount: number;
}

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);
const MIN_RECORD_BYTES = 7;

/** The varint reader's state: what `next` leaves behind. Module-wide, since decoding is synchronous. */
let cursor = 0;
let failed = false;

/**
 * Appends the records of one unpacked batch from `fromOffset` on to `into`. Returns null, or what is wrong with the
 * bytes; then `into` may hold the records before the fault.
 */
export function decodeRecords(bytes: Buffer, frame: BatchFrame, fromOffset: number, into: LogRecord[]): string | null {
  const { topic, partition, baseOffset, lastOffsetDelta, baseTimestampMs, appendTimeMs, recordCount } = frame;
  if (recordCount * MIN_RECORD_BYTES > bytes.length) return `${recordCount} records in ${bytes.length} bytes`;
  const buffer = bytes.buffer;
  const base = bytes.byteOffset;
  const end = bytes.length;
  cursor = 0;
  failed = false;
  let deltaBefore = -1;
  for (let i = 0; i < recordCount; i++) {
    const size = varint(bytes, end);
    const recordEnd = cursor + size;
    if (failed || size < MIN_RECORD_BYTES - 1 || recordEnd > end) return `record ${i} has a length that does not fit`;
    cursor++; // attributes: none are defined
    const timestampDelta = varlong(bytes, recordEnd);
    const offsetDelta = varint(bytes, recordEnd);
    if (failed || offsetDelta <= deltaBefore || offsetDelta > lastOffsetDelta) return `record ${i} has a wrong offset`;
    deltaBefore = offsetDelta;

    const keyLength = varint(bytes, recordEnd);
    const keyAt = cursor;
    if (keyLength > 0) cursor += keyLength;
    const valueLength = varint(bytes, recordEnd);
    const valueAt = cursor;
    if (valueLength > 0) cursor += valueLength;
    if (failed || keyLength < -1 || valueLength < -1) return `record ${i} runs over its end`;

    const offset = baseOffset + offsetDelta;
    if (offset < fromOffset) {
      cursor = recordEnd;
      continue;
    }
    const headers = bytes[cursor] === 0 ? (cursor++, NO_HEADERS) : readHeaders(bytes, recordEnd);
    if (failed || cursor !== recordEnd) return `the headers of record ${i} do not fit`;
    into.push({
      topic,
      partition,
      offset,
      timestampMs: appendTimeMs ?? baseTimestampMs + timestampDelta,
      key: keyLength < 0 ? null : keyLength <= SHARED_KEY_BYTES ? sharedKey(bytes, keyAt, keyLength) : Buffer.from(buffer, base + keyAt, keyLength),
      value: valueLength < 0 ? null : Buffer.from(buffer, base + valueAt, valueLength),
      headers,
    });
  }
  return cursor === end ? null : `${end - cursor} bytes after its last record`;
}

function readHeaders(bytes: Buffer, end: number): readonly RecordHeader[] {
  const count = varint(bytes, end);
  if (failed || count < 0 || count * 2 > end - cursor) return fail();
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const nameLength = varint(bytes, end);
    if (failed || nameLength < 0 || cursor + nameLength > end) return fail();
    const name = headerName(bytes, cursor, nameLength);
    cursor += nameLength;
    const valueLength = varint(bytes, end);
    if (failed || valueLength < -1 || cursor + Math.max(0, valueLength) > end) return fail();
    const length = Math.max(0, valueLength); // a null header value is allowed; it reads as empty
    headers.push([name, Buffer.from(bytes.buffer, bytes.byteOffset + cursor, length)]);
    cursor += length;
  }
  return headers;
}

/** The same few keys come again and again: finding one is cheaper than a view of each, for the collector, too. */
const SHARED_KEY_BYTES = 32;
/** A power of two. */
const KEY_SLOTS = 1024;
const sharedKeys: (Buffer | undefined)[] = new Array<Buffer | undefined>(KEY_SLOTS).fill(undefined);

function sharedKey(bytes: Buffer, at: number, length: number): Buffer {
  let hash = length;
  for (let i = at; i < at + length; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  const slot = (hash ^ (hash >>> 10)) & (KEY_SLOTS - 1);
  const seen = sharedKeys[slot];
  if (seen !== undefined && seen.length === length && isEqual(seen, bytes, at)) return seen;
  const key = Buffer.allocUnsafeSlow(length);
  bytes.copy(key, 0, at, at + length);
  sharedKeys[slot] = key;
  return key;
}

/** Names seen last, by length: nearly every record has the same ones, and comparing is cheaper than decoding. */
const namesByLength: ({ readonly bytes: Buffer; readonly name: string } | undefined)[] = new Array(64).fill(undefined);

function headerName(bytes: Buffer, at: number, length: number): string {
  const seen = namesByLength[length];
  if (seen !== undefined && isEqual(seen.bytes, bytes, at)) return seen.name;
  const name = bytes.toString('utf8', at, at + length);
  if (length < namesByLength.length) namesByLength[length] = { bytes: Buffer.from(bytes.subarray(at, at + length)), name };
  return name;
}

function isEqual(expected: Buffer, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] !== bytes[at + i]) return false;
  }
  return true;
}

function fail(): readonly RecordHeader[] {
  failed = true;
  return NO_HEADERS;
}

/** Zigzag varint of at most 32 bits; sets `failed` when it runs over `end` or is longer. */
function varint(bytes: Buffer, end: number): number {
  let byte = cursor < end ? bytes[cursor++]! : failByte();
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let raw = byte & 0x7f;
  for (let shift = 7; shift < 35; shift += 7) {
    byte = cursor < end ? bytes[cursor++]! : failByte();
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
  }
  failed = true;
  return 0;
}

/** Zigzag varint of at most 64 bits as a number; exact within ±2^52. */
function varlong(bytes: Buffer, end: number): number {
  let raw = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = cursor < end ? bytes[cursor++]! : failByte();
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    scale *= 0x80;
  }
  failed = true;
  return 0;
}

function failByte(): number {
  failed = true;
  return 0;
}
