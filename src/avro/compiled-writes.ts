/* What compiled writers call. Places behind the end of the buffer are written to no effect: the writer sees that it ended there. */
import type { SliceableBuffer } from './tap.js';

const MAX_UNSCALED = 10n ** 38n - 1n;
/** Longer text is left to the general codec's way of counting its bytes. */
const LONGEST_TEXT = 4_000;
const BY_HAND = 63;

const words = new Int32Array(2);
const whole = new BigInt64Array(words.buffer);

/** A safe integer as a zigzag varint; answers where it ends. */
export function writeInteger(buf: SliceableBuffer, start: number, value: number): number {
  let p = start;
  const negative = value < 0 ? 1 : 0;
  const magnitude = negative === 1 ? -(value + 1) : value;
  let low: number;
  let high = 0;
  if (magnitude < 0x800_0000) low = magnitude;
  else {
    low = magnitude % 0x800_0000;
    high = (magnitude - low) / 0x800_0000;
  }
  let byte = ((low & 0x3f) << 1) | negative;
  low >>>= 6;
  if (high === 0) {
    while (low > 0) {
      buf[p++] = byte | 0x80;
      byte = low & 0x7f;
      low >>>= 7;
    }
    buf[p++] = byte;
    return p;
  }
  buf[p] = byte | 0x80;
  buf[p + 1] = (low & 0x7f) | 0x80;
  buf[p + 2] = ((low >>> 7) & 0x7f) | 0x80;
  buf[p + 3] = (low >>> 14) | 0x80;
  p += 4;
  while (high > 0x7f) {
    buf[p++] = (high & 0x7f) | 0x80;
    high >>>= 7;
  }
  buf[p++] = high;
  return p;
}

/** Length and ASCII text; -1 for text with anything else in it. */
export function writeText(buf: SliceableBuffer, start: number, text: string): number {
  const { length } = text;
  let p = start;
  if (length <= BY_HAND) buf[p++] = length << 1;
  else {
    if (length > LONGEST_TEXT) return -1;
    p = writeInteger(buf, p, length);
  }
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return -1;
    buf[p++] = code;
  }
  return p;
}

/** Length and bytes of a decimal, the fewest that hold it; -1 if it has more than 38 digits. */
export function writeUnscaled(buf: SliceableBuffer, start: number, value: bigint): number {
  whole[0] = value;
  // What does not fit into 64 bits is cut, and then differs.
  if (whole[0] !== value) return writeWide(buf, start, value);
  const low = words[0] as number;
  const high = words[1] as number;
  let p = start + 1;
  if (high === low >> 31) {
    const count = (40 - Math.clz32(low ^ high)) >> 3;
    buf[start] = count << 1;
    for (let shift = (count - 1) << 3; shift >= 0; shift -= 8) buf[p++] = low >> shift;
    return p;
  }
  const count = (40 - Math.clz32(high ^ (high >> 31))) >> 3;
  buf[start] = (count + 4) << 1;
  for (let shift = (count - 1) << 3; shift >= 0; shift -= 8) buf[p++] = high >> shift;
  buf[p] = low >> 24;
  buf[p + 1] = low >> 16;
  buf[p + 2] = low >> 8;
  buf[p + 3] = low;
  return p + 4;
}

function writeWide(buf: SliceableBuffer, start: number, value: bigint): number {
  if (value > MAX_UNSCALED || value < -MAX_UNSCALED) return -1;
  // The upper half as a number of its own, then the lower half in full.
  const p = writeUnscaled(buf, start, value >> 64n);
  buf[start] = (buf[start] as number) + 16;
  whole[0] = BigInt.asIntN(64, value);
  const low = words[0] as number;
  const high = words[1] as number;
  for (let byte = 0; byte < 4; byte++) {
    buf[p + byte] = high >> (24 - byte * 8);
    buf[p + 4 + byte] = low >> (24 - byte * 8);
  }
  return p + 8;
}
