/*
 * Longs as zigzag varints, exact for every whole number below 2^53. avsc doubles the number first, which loses the last bit
 * of a negative one beyond 2^52; here the sign bit is taken out before anything else.
 */
import { MalformedAvroError, type Tap } from './tap.js';

/**
 * Whole numbers in records are times, places, counts and sequence numbers. -1 is the exchange's word for a book that never
 * traded; nothing is below it, and what says so is not ours.
 */
export const LEAST_NUMBER = -1;

const MAX_VARINT_BYTES = 10;
const INT31 = 0x4000_0000;

/** Throws MalformedAvroError on a number beyond 53 bits or below -1, and on more bytes than a 64-bit number takes. */
export function readLong(tap: Tap): number {
  const { buf } = tap;
  let at = tap.pos;
  let byte = buf[at++] as number;
  const negative = byte & 1;
  let value = (byte & 0x7f) >>> 1;
  // The first byte holds six bits of the number beside the sign.
  let unit = 64;
  while (byte > 0x7f) {
    byte = buf[at++] as number;
    value += (byte & 0x7f) * unit;
    unit *= 128;
    if (at - tap.pos > MAX_VARINT_BYTES) throw new MalformedAvroError('varint of more than 10 bytes');
  }
  tap.pos = at;
  const result = negative === 1 ? -value - 1 : value;
  if (!Number.isSafeInteger(result)) throw new MalformedAvroError('number beyond 53 bits');
  if (result < LEAST_NUMBER) throw new MalformedAvroError(`the number ${result}`);
  return result;
}

/** Writes a whole number below 2^53; see isLong. */
export function writeLong(tap: Tap, value: number): void {
  if (value >= -INT31 && value < INT31) {
    tap.writeLong(value);
    return;
  }
  const { buf } = tap;
  const negative = value < 0 ? 1 : 0;
  const magnitude = negative === 1 ? -(value + 1) : value;
  buf[tap.pos++] = ((magnitude % 64) << 1) | negative | 0x80;
  let rest = Math.floor(magnitude / 64);
  while (rest >= 128) {
    buf[tap.pos++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  buf[tap.pos++] = rest;
}

export function isLong(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= LEAST_NUMBER;
}
