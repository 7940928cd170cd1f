/* What compiled readers call for values that take more than a line. */
import { decodeUtf8 } from './string-bytes.js';
import type { SliceableBuffer } from './tap.js';

/** Where the last call of longFrom ended. */
export const cursor = { at: 0 };

/** Behind every buffer there is: a reader that goes on from here finds that it did not end where its bytes do. */
const NOWHERE = Number.MAX_SAFE_INTEGER;
const MAX_UNSCALED = 10n ** 38n - 1n;

const words = new Int32Array(2);
const whole = new BigInt64Array(words.buffer);
const wholeUnsigned = new BigUint64Array(words.buffer);

/** The memory that the last record lay in. Many lie in one, and a view of it reads four bytes in one step. */
let memory: ArrayBufferLike = new ArrayBuffer(0);
let view: DataView<ArrayBufferLike> = new DataView(memory);

/** Every decimal of one byte, by that byte. */
export const ONE_BYTE: readonly bigint[] = Array.from({ length: 256 }, (_, byte) => BigInt((byte << 24) >> 24));

/** To be called before anything else is read of a buffer; answers where it lies in its memory. */
export function openMemory(buf: SliceableBuffer): number {
  const { buffer } = buf;
  if (buffer !== memory) {
    memory = buffer;
    view = new DataView(buffer);
  }
  return buf.byteOffset;
}

/** A long of more than one byte, of which `first` was read and the rest lies at `start`; leaves its end in cursor. */
export function longFrom(buf: SliceableBuffer, start: number, first: number): number {
  let p = start;
  // Six bits, then seven from each byte: 27 of them in one whole number, the others in another.
  let low = (first & 0x7f) >>> 1;
  let byte = 0x80;
  for (let shift = 6; byte > 0x7f && shift < 27; shift += 7) {
    byte = buf[p++] as number;
    low |= (byte & 0x7f) << shift;
  }
  let high = 0;
  for (let shift = 0; byte > 0x7f; shift += 7) {
    byte = buf[p++] as number;
    if (shift > 21) {
      cursor.at = NOWHERE;
      return 0;
    }
    high |= (byte & 0x7f) << shift;
  }
  const value = high * 0x800_0000 + low;
  // A negative number of several bytes is below all that records hold, or written in too many of them.
  cursor.at = Number.isSafeInteger(value) && (first & 1) === 0 ? p : NOWHERE;
  return value;
}

/** A decimal of 2 to 16 bytes, the last of them before `end` in the memory; undefined if it has more than 38 digits. */
export function readWide(end: number, length: number): bigint | undefined {
  if (length <= 8) return word(end, length);
  const high = word(end - 8, length - 8) << 64n;
  words[1] = view.getInt32(end - 8);
  words[0] = view.getInt32(end - 4);
  const value = high | (wholeUnsigned[0] as bigint);
  return value > MAX_UNSCALED || value < -MAX_UNSCALED ? undefined : value;
}

/** Up to eight bytes as a signed number. What lies before them is read too and shifted out: a record has a header. */
function word(end: number, length: number): bigint {
  const low = view.getInt32(end - 4);
  if (length > 4) {
    const spare = (8 - length) << 3;
    words[0] = low;
    words[1] = (view.getInt32(end - 8) << spare) >> spare;
  } else {
    const spare = (4 - length) << 3;
    words[0] = (low << spare) >> spare;
    words[1] = (low << spare) >> 31;
  }
  return whole[0] as bigint;
}

/*
 * Most texts are short words that return in every record of a partition (account, category, asset, types). Those are looked
 * up by their bytes, four at a time, in a table of fixed size: faster than making them anew, and records share them.
 */
const SHARED_BYTES = 24;
/** A power of two. */
const SLOTS = 4096;
/** Of each slot the bytes of its text as six words, zeros behind them, and its length. */
const SLOT_WORDS = 8;
const LENGTH_AT = 6;
const slotWords = new Int32Array(SLOTS * SLOT_WORDS);
const slotTexts: string[] = new Array<string>(SLOTS).fill('');
const textWords = new Int32Array(SLOT_WORDS);
const NOT_ASCII = 0x8080_8080 | 0;

/** Text of at least one byte, all of which lie inside the buffer. Throws MalformedAvroError if they are not UTF-8. */
export function readText(buf: SliceableBuffer, start: number, length: number): string {
  if (length > SHARED_BYTES) return longText(buf, start, start + length);
  const from = buf.byteOffset + start;
  let seen = 0;
  let hash = length;
  let used = 0;
  for (let left = length; left > 0; left -= 4) {
    // The last word is cut by shifting: four bytes are read that end where the text does, of the first ones only what there is.
    let next: number;
    if (left >= 4) next = view.getInt32(from + length - left, true);
    else if (length >= 4) next = view.getInt32(from + length - 4, true) >>> ((4 - left) << 3);
    else next = (buf[start] as number) | (length > 1 ? (buf[start + 1] as number) << 8 : 0) | (length > 2 ? (buf[start + 2] as number) << 16 : 0);
    textWords[used++] = next;
    seen |= next;
    hash = Math.imul(hash ^ next, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  if ((seen & NOT_ASCII) !== 0) return decodeUtf8(buf, start, start + length);
  const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
  const at = slot * SLOT_WORDS;
  if (slotWords[at + LENGTH_AT] === length) {
    let same = 0;
    while (same < used && slotWords[at + same] === textWords[same]) same++;
    if (same === used) return slotTexts[slot] as string;
  }
  const text = buf.latin1Slice(start, start + length);
  for (let word = 0; word < used; word++) slotWords[at + word] = textWords[word] as number;
  slotWords[at + LENGTH_AT] = length;
  slotTexts[slot] = text;
  return text;
}

function longText(buf: SliceableBuffer, start: number, end: number): string {
  return isAscii(buf, start, end - start) ? buf.latin1Slice(start, end) : decodeUtf8(buf, start, end);
}

/** Whether these bytes, all inside the buffer, are ASCII text. */
export function isAscii(buf: SliceableBuffer, start: number, length: number): boolean {
  const from = buf.byteOffset;
  const end = start + length;
  let at = start;
  let seen = 0;
  for (; at + 4 <= end; at += 4) seen |= view.getInt32(from + at);
  for (; at < end; at++) seen |= buf[at] as number;
  return (seen & NOT_ASCII) === 0;
}
