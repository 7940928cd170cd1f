/*
 * Strings of records. Most are short words that return in every record of a partition (account, category, asset, types), so
 * those are looked up by their bytes in a table of fixed size: faster than making them anew, and records share them.
 */
import { MalformedAvroError, readLength, type SliceableBuffer, type Tap } from './tap.js';

const MAX_SHARED = 24;
const MAX_WRITTEN_BY_HAND = 63;
/** A power of two. */
const SLOTS = 4096;
const shared: string[] = new Array<string>(SLOTS).fill('');

/** Reads length and bytes. Throws MalformedAvroError if they are not UTF-8. */
export function readString(tap: Tap): string {
  const length = readLength(tap, 'string');
  if (length === 0) return '';
  const { buf, pos } = tap;
  const end = pos + length;
  tap.pos = end;
  return length <= MAX_SHARED ? shortString(buf, pos, end) : decodeUtf8(buf, pos, end);
}

/** Writes length and bytes. Half of a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD. */
export function writeString(tap: Tap, value: string): void {
  if (value.length <= MAX_WRITTEN_BY_HAND && writeAscii(tap, value)) return;
  tap.writeString(isWellFormed(value) ? value : Buffer.from(value, 'utf8').toString('utf8'));
}

function writeAscii(tap: Tap, value: string): boolean {
  const { buf, pos } = tap;
  const { length } = value;
  // The length, twice it by zigzag, takes one byte below 64.
  buf[pos] = length << 1;
  for (let at = 0; at < length; at++) {
    const code = value.charCodeAt(at);
    if (code > 0x7f) return false;
    buf[pos + 1 + at] = code;
  }
  tap.pos = pos + 1 + length;
  return true;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function isWellFormed(value: string): boolean {
  return !LONE_SURROGATE.test(value);
}

function shortString(buf: SliceableBuffer, start: number, end: number): string {
  const length = end - start;
  let hash = length;
  let seen = 0;
  for (let at = start; at < end; at++) {
    const byte = buf[at] as number;
    seen |= byte;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (seen > 0x7f) return decodeUtf8(buf, start, end);
  const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
  const candidate = shared[slot] as string;
  if (candidate.length === length && equalsAt(candidate, buf, start)) return candidate;
  const text = buf.latin1Slice(start, end);
  shared[slot] = text;
  return text;
}

function equalsAt(text: string, buf: SliceableBuffer, start: number): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) !== buf[start + at]) return false;
  }
  return true;
}

/** Throws MalformedAvroError on bytes that are not UTF-8. */
export function decodeUtf8(buf: SliceableBuffer, start: number, end: number): string {
  const text = buf.utf8Slice(start, end);
  // U+FFFD is what wrong bytes are decoded to, but it may also really be in the text.
  if (text.includes('\ufffd') && !Buffer.from(text, 'utf8').equals(buf.subarray(start, end))) {
    throw new MalformedAvroError('string that is not UTF-8');
  }
  return text;
}
