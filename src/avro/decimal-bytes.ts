/*
 * Decimals as Avro's logical type: big-endian two's complement of the unscaled number, as few bytes as hold it.
 * Up to 16 bytes, enough for 38 digits, are moved through two 64-bit halves; nothing is formatted or parsed as text.
 */
import { MalformedAvroError, readLength, type SliceableBuffer, type Tap } from './tap.js';

const MAX_BYTES = 16;
const MAX_UNSCALED = 10n ** 38n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Little-endian halves on every platform Node runs on: byte 0 is the lowest. */
const bytes = new Uint8Array(MAX_BYTES);
const halves = new BigInt64Array(bytes.buffer);
const unsignedHalves = new BigUint64Array(bytes.buffer);

/** Reads length and bytes. Throws MalformedAvroError on more than 38 digits. */
export function readDecimal(tap: Tap): bigint {
  const length = readLength(tap, 'decimal');
  const { buf, pos } = tap;
  tap.pos = pos + length;
  if (length === 1) {
    const only = buf[pos] as number;
    return only === 0 ? 0n : BigInt((only << 24) >> 24);
  }
  if (length > MAX_BYTES) throw new MalformedAvroError(`decimal of ${length} bytes; 38 digits need ${MAX_BYTES}`);
  if (length === 0) return 0n;
  const fill = (buf[pos] as number) > 0x7f ? 0xff : 0;
  const width = length <= 8 ? 8 : MAX_BYTES;
  for (let at = 0, from = pos + length - 1; at < length; at++, from--) bytes[at] = buf[from] as number;
  for (let at = length; at < width; at++) bytes[at] = fill;
  if (width === 8) return halves[0] as bigint;
  const value = ((halves[1] as bigint) << 64n) | (unsignedHalves[0] as bigint);
  if (value > MAX_UNSCALED || value < -MAX_UNSCALED) throw new MalformedAvroError('decimal of more than 38 digits');
  return value;
}

/** Writes length and bytes, the fewest that hold the value. The value must have at most 38 digits: see isDecimal. */
export function writeDecimal(tap: Tap, value: bigint): void {
  let top: number;
  if (value >= MIN_INT64 && value <= MAX_INT64) {
    halves[0] = value;
    top = 7;
  } else {
    halves[0] = BigInt.asIntN(64, value);
    halves[1] = value >> 64n;
    top = 15;
  }
  // A leading byte is spare while it only repeats the sign of the one below it.
  const spare = (bytes[top] as number) > 0x7f ? 0xff : 0;
  while (top > 0 && bytes[top] === spare && (bytes[top - 1] as number) >>> 7 === (spare & 1)) top--;
  tap.writeLong(top + 1);
  const { buf, pos } = tap;
  tap.pos = pos + top + 1;
  if (tap.pos > buf.length) return;
  for (let at = pos, from = top; from >= 0; at++, from--) buf[at] = bytes[from] as number;
}

export function isDecimal(value: unknown): value is bigint {
  return typeof value === 'bigint' && value <= MAX_UNSCALED && value >= -MAX_UNSCALED;
}

/** The bytes alone, as a schema's default holds them. */
export function decimalToBytes(value: bigint): Buffer {
  const tap = tapOver(Buffer.alloc(MAX_BYTES));
  writeDecimal(tap, value);
  return tap.buf.subarray(0, tap.pos);
}

export function decimalFromBytes(value: Buffer): bigint {
  return readDecimal(tapOver(value));
}

/** A tap whose length prefix is that of the whole buffer. */
function tapOver(buf: Buffer): Tap {
  return { buf: buf as SliceableBuffer, pos: 0, readLong: () => buf.length, writeLong: () => undefined, writeString: () => undefined };
}
