import { TransientError } from './errors.js';
import { readInt64, writeInt64 } from './record-batch.js';

/** Writes the body of a request: big-endian numbers, counted strings and arrays. Grows as needed. */
export class WireWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(initialSize = 256) {
    this.#bytes = Buffer.allocUnsafe(initialSize);
  }

  get size(): number {
    return this.#at;
  }

  int8(value: number): this {
    this.#room(1);
    this.#bytes.writeInt8(value, this.#at);
    this.#at += 1;
    return this;
  }

  int16(value: number): this {
    this.#room(2);
    this.#bytes.writeInt16BE(value, this.#at);
    this.#at += 2;
    return this;
  }

  int32(value: number): this {
    this.#room(4);
    this.#bytes.writeInt32BE(value, this.#at);
    this.#at += 4;
    return this;
  }

  int64(value: number): this {
    this.#room(8);
    writeInt64(this.#bytes, value, this.#at);
    this.#at += 8;
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const size = Buffer.byteLength(value);
    this.int16(size).#room(size);
    this.#at += this.#bytes.write(value, this.#at);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.int32(value.length).#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** Length plus one as an unsigned varint, then the bytes: strings in the flexible versions of requests. */
  compactString(value: string): this {
    const size = Buffer.byteLength(value);
    this.#uvarint(size + 1).#room(size);
    this.#at += this.#bytes.write(value, this.#at);
    return this;
  }

  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.#uvarint(items.length + 1);
    for (const item of items) write(item);
    return this;
  }

  /** Flexible versions end every structure with optional fields; this project sends none. */
  noTags(): this {
    return this.int8(0);
  }

  /** The bytes so far; the writer goes on behind them. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #uvarint(value: number): this {
    for (; value > 0x7f; value >>>= 7) this.int8(((value & 0x7f) | 0x80) - 0x100);
    return this.int8(value);
  }

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Reads a broker's answer; every length is checked against what is left. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): number {
    return readInt64(this.#bytes, this.#take(8));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  string(): string {
    return this.nullableString() ?? '';
  }

  nullableString(): string | null {
    const size = this.int16();
    if (size < 0) return null;
    const at = this.#take(size);
    return this.#bytes.toString('utf8', at, at + size);
  }

  /** A view into the answer; null reads as empty. */
  bytes(): Buffer {
    const size = Math.max(0, this.int32());
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** A null array reads as empty. */
  array<T>(read: () => T): T[] {
    const count = this.int32();
    // Every item takes a byte at least, so no count can be larger than what is left.
    if (count > this.#bytes.length - this.#at) throw cutOff(count, this.#at, this.#bytes.length);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  compactNullableString(): string | null {
    const size = this.#uvarint() - 1;
    if (size < 0) return null;
    const at = this.#take(size);
    return this.#bytes.toString('utf8', at, at + size);
  }

  compactArray<T>(read: () => T): T[] {
    const count = this.#uvarint() - 1;
    if (count > this.#bytes.length - this.#at) throw cutOff(count, this.#at, this.#bytes.length);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  /** Passes over the optional fields at the end of a structure. */
  tags(): void {
    for (let count = this.#uvarint(); count > 0; count--) {
      this.#uvarint();
      this.#take(this.#uvarint());
    }
  }

  #uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new TransientError('an answer of the broker holds a number that is too long');
  }

  #take(size: number): number {
    const at = this.#at;
    if (size < 0 || at + size > this.#bytes.length) throw cutOff(size, at, this.#bytes.length);
    this.#at = at + size;
    return at;
  }
}

function cutOff(size: number, at: number, length: number): TransientError {
  return new TransientError(`an answer of the broker is cut off: ${size} bytes wanted at ${at} of ${length}`);
}
