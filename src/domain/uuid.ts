/*
 * Derived ids: UUID version 5 (RFC 9562) of a natural key. Written out here because ids are made in pure code, several a
 * fill, and must be the same in every process; the scratch arrays are reused, so a call allocates only its result.
 */

/** Namespace of all ids of this project. Never to be changed: every id depends on it. */
export const UUID_NAMESPACE = 'a0f9068e-8df0-4e49-8382-9c4a829fc1ba';

const NAMESPACE_WORDS: readonly number[] = [0, 1, 2, 3].map((word) => {
  const hex = UUID_NAMESPACE.replaceAll('-', '').slice(word * 8, word * 8 + 8);
  return Number.parseInt(hex, 16) | 0;
});
const NAMESPACE_BYTES = 16;

const HEX_CODES: readonly number[] = [...'0123456789abcdef'].map((digit) => digit.charCodeAt(0));
/** Character codes of the text form; the dashes stay. */
const uuidCodes: number[] = [...'00000000-0000-0000-0000-000000000000'].map((character) => character.charCodeAt(0));

const encoder = new TextEncoder();
/** Message schedule of one block. */
const schedule = new Int32Array(80);
/** Namespace and message, padded in place; grown when a longer key comes. */
let message = newMessage();
const state = new Int32Array(5);

/** Parts of a natural key joined by `|`; null is the empty string. Numbers must be integers. */
export function naturalKey(...parts: readonly (string | number | null)[]): string {
  let key = '';
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (i > 0) key += '|';
    if (part !== null && part !== undefined) key += part;
  }
  return key;
}

/** UUIDv5 of the name's UTF-8 bytes in the project's namespace, in lower-case text form. */
export function uuidV5(name: string): string {
  return digest(writeText(NAMESPACE_BYTES, name));
}

/** UUIDv5 of the natural key of these parts: the same as uuidV5(naturalKey(...parts)), without making the key. */
export function uuidOfKey(...parts: readonly (string | number | null)[]): string {
  let end = NAMESPACE_BYTES;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (i > 0) message[end++] = 0x7c;
    if (part !== null && part !== undefined) end = writeText(end, typeof part === 'string' ? part : String(part));
    else reserve(end + 1);
  }
  return digest(end);
}

function digest(end: number): string {
  sha1(pad(end));
  // Five words of digest; a UUID takes the first four, with version and variant written over six bits.
  writeHex(0, state[0] as number);
  const b = state[1] as number;
  writeHex(9, (b & 0xffff0000) | (b & 0x0fff) | 0x5000);
  const c = state[2] as number;
  writeHex(19, (c & 0x3fffffff) | 0x80000000);
  writeHex(28, state[3] as number);
  // One flat text; texts joined of pieces are flattened later, at twice the cost.
  return String.fromCharCode.apply(null, uuidCodes);
}

/** Where a digit of the text must make room for a dash. */
function writeHex(start: number, word: number): void {
  let at = start;
  for (let shift = 28; shift >= 0; shift -= 4) {
    if (at === 8 || at === 13 || at === 18 || at === 23) at += 1;
    uuidCodes[at++] = HEX_CODES[(word >>> shift) & 15] as number;
  }
}

/** Writes text as UTF-8 at a place of the message, which has room for a separator after it; answers where it ends. */
function writeText(start: number, text: string): number {
  reserve(start + text.length * 3 + 1);
  let end = start;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return start + encoder.encodeInto(text, message.subarray(start)).written;
    message[end++] = code;
  }
  return end;
}

/** Ends the message at a place with its padding; answers the padded length, a multiple of 64. */
function pad(place: number): number {
  reserve(place + 72);
  let end = place;
  const bits = end * 8;
  message[end++] = 0x80;
  const padded = (end + 8 + 63) & ~63;
  message.fill(0, end, padded);
  message[padded - 4] = bits >>> 24;
  message[padded - 3] = bits >>> 16;
  message[padded - 2] = bits >>> 8;
  message[padded - 1] = bits;
  return padded;
}

/** Grows the message, which keeps what it holds. */
function reserve(bytes: number): void {
  if (message.length >= bytes) return;
  const grown = new Uint8Array(bytes * 2);
  grown.set(message);
  message = grown;
}

function newMessage(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1024);
  NAMESPACE_WORDS.forEach((value, word) => {
    bytes[word * 4] = value >>> 24;
    bytes[word * 4 + 1] = value >>> 16;
    bytes[word * 4 + 2] = value >>> 8;
    bytes[word * 4 + 3] = value;
  });
  return bytes;
}

/** SHA-1 (FIPS 180-4) of the padded message, into state. */
function sha1(length: number): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  for (let offset = 0; offset < length; offset += 64) sha1Block(offset);
}

function sha1Block(offset: number): void {
  const w = schedule;
  for (let t = 0, i = offset; t < 16; t++, i += 4) {
    w[t] = ((message[i] as number) << 24) | ((message[i + 1] as number) << 16) | ((message[i + 2] as number) << 8) | (message[i + 3] as number);
  }
  for (let t = 16; t < 80; t++) {
    const x = (w[t - 3] as number) ^ (w[t - 8] as number) ^ (w[t - 14] as number) ^ (w[t - 16] as number);
    w[t] = (x << 1) | (x >>> 31);
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let next = 0;
  for (let t = 0; t < 20; t++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e - 0x70e44324 + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e - 0x359d3e2a + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = ((state[0] as number) + a) | 0;
  state[1] = ((state[1] as number) + b) | 0;
  state[2] = ((state[2] as number) + c) | 0;
  state[3] = ((state[3] as number) + d) | 0;
  state[4] = ((state[4] as number) + e) | 0;
}
