/** Decoders that every Buffer has and the platform's declarations leave out; both clamp nothing and validate nothing. */
export interface SliceableBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** avsc's cursor over bytes, as far as the types here use it. Reading past the end yields undefined bytes and moves pos. */
export interface Tap {
  readonly buf: SliceableBuffer;
  pos: number;
  readLong(): number;
  writeLong(value: number): void;
  writeString(value: string): void;
}

/** Bytes that do not fit the schema they claim; the message says what is wrong, without values. */
export class MalformedAvroError extends Error {
  override name = 'MalformedAvroError';
  readonly isTruncated: boolean;

  constructor(message: string, isTruncated = false) {
    super(message);
    this.isTruncated = isTruncated;
  }
}

/** Length that must lie within what is left: nothing is allocated for a claim that cannot be true. */
export function readLength(tap: Tap, what: string): number {
  const length = tap.readLong();
  const left = tap.buf.length - tap.pos;
  // Written so that NaN, which an endless varint gives, is refused too.
  if (!(length >= 0 && length <= left)) throw new MalformedAvroError(`${what} of length ${length} where ${Math.max(left, 0)} bytes are left`, length > left);
  return length;
}
