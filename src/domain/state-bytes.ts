import { type Decimal, MONEY_UNIT, MOST_WORD, moneyUnits } from './decimal.js';
import { UUID_BYTES, UUID_LENGTH, readUuid, writeUuid } from './uuid-bytes.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Decimals: absent; or two's complement of one or two 64-bit words, or of as many as are counted first; or, what nearly all are, a
 * count of units of the fourth or the eighth decimal and its sign.
 */
const NONE = 0;
const WORD = 1;
const TWO_WORDS = 2;
const MORE_WORDS = 3;
const EIGHTHS = 4;
const NEGATIVE_EIGHTHS = 5;
const FOURTHS = 6;
const NEGATIVE_FOURTHS = 7;
/** Units of the eighth decimal in one of the fourth. */
const EIGHTHS_OF_FOURTH = 10_000;
const FOURTH: Decimal = MONEY_UNIT * BigInt(EIGHTHS_OF_FOURTH);

/** In place of the length of a text: what follows are the 16 bytes of an id. */
const UUID_MARK = 0;

const LEAST_WORD = -MOST_WORD - 1n;
/** A decimal as two's complement of 64 bits, and its halves: numbers of 64 bits are moved without making another. */
const whole = new BigInt64Array(1);
const halves = new Int32Array(whole.buffer);

/** Writes a state entry: unsigned variable-length numbers, texts, decimals. One writer is used again and again. */
export class StateWriter {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  start(version: number): void {
    this.at = 0;
    this.byte(version);
  }

  /** Begins anew, with nothing written. */
  clear(): void {
    this.at = 0;
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    if (this.at + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A copy of what was written since start. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.at);
  }

  /** What was written since start, not copied: it holds until the next start. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  byte(value: number): void {
    if (this.at + 1 > this.bytes.length) this.grow(1);
    this.bytes[this.at++] = value;
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** A whole number from -1 to 2^53 - 2; a null is as good as -1. Throws RangeError on a lower one. */
  count(value: number | null): void {
    const number = (value ?? -1) + 1;
    if (number < 0) throw new RangeError(`state cannot hold the number ${value}`);
    if (this.at + 8 > this.bytes.length) this.grow(8);
    const { bytes } = this;
    let { at } = this;
    let rest = number;
    // 28 bits at a time are whole numbers of the machine.
    if (number >= 0x1000_0000) {
      const high = Math.floor(number / 0x1000_0000);
      rest = number - high * 0x1000_0000;
      for (let i = 0; i < 4; i++) {
        bytes[at++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      rest = high;
    }
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  text(value: string): void {
    const { length } = value;
    if (length === UUID_LENGTH && this.uuid(value)) return;
    const start = this.at;
    this.count(length);
    if (this.at + length > this.bytes.length) this.grow(length);
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.at = start;
        this.wideText(encoder.encode(value));
        return;
      }
      bytes[at++] = code;
    }
    this.at = at;
  }

  /** Writes a text of 36 characters if it is an id in the usual form; nothing if it is not. */
  private uuid(value: string): boolean {
    if (this.at + 1 + UUID_BYTES > this.bytes.length) this.grow(1 + UUID_BYTES);
    if (!writeUuid(value, this.bytes, this.at + 1)) return false;
    this.bytes[this.at] = UUID_MARK;
    this.at += 1 + UUID_BYTES;
    return true;
  }

  private wideText(bytes: Uint8Array): void {
    this.count(bytes.length);
    if (this.at + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  decimal(value: Decimal | null): void {
    if (value === null) {
      this.byte(NONE);
      return;
    }
    const units = moneyUnits(value);
    if (!Number.isNaN(units)) {
      const size = Math.abs(units);
      const fourths = Math.floor(size / EIGHTHS_OF_FOURTH);
      const isFourths = fourths * EIGHTHS_OF_FOURTH === size;
      this.byte((isFourths ? FOURTHS : EIGHTHS) + (units < 0 ? 1 : 0));
      this.count((isFourths ? fourths : size) - 1);
      return;
    }
    if (this.at + 17 > this.bytes.length) this.grow(17);
    const { view, at } = this;
    if (value <= MOST_WORD && value >= LEAST_WORD) {
      whole[0] = value;
      view.setUint8(at, WORD);
      view.setInt32(at + 1, halves[1] as number);
      view.setInt32(at + 5, halves[0] as number);
      this.at = at + 9;
      return;
    }
    const high = value >> 64n;
    if (BigInt.asIntN(64, high) !== high) {
      this.words(value);
      return;
    }
    view.setUint8(at, TWO_WORDS);
    view.setBigInt64(at + 1, high);
    view.setBigInt64(at + 9, BigInt.asIntN(64, value));
    this.at = at + 17;
  }

  /** No amount is so large; a sum of amounts that cannot be true may be, and state has to say what memory says. */
  private words(value: Decimal): void {
    const words: bigint[] = [];
    let rest = value;
    for (; BigInt.asIntN(64, rest) !== rest; rest >>= 64n) words.push(BigInt.asIntN(64, rest));
    words.push(rest);
    this.byte(MORE_WORDS);
    this.count(words.length);
    if (this.at + words.length * 8 > this.bytes.length) this.grow(words.length * 8);
    for (const word of words.reverse()) {
      this.view.setBigInt64(this.at, word);
      this.at += 8;
    }
  }

  private grow(need: number): void {
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.at + need + 64));
    next.set(this.bytes);
    this.bytes = next;
    this.view = new DataView(next.buffer);
  }
}

/** Reads what StateWriter wrote, in the same order. Throws RangeError when the entry is cut short. */
export class StateReader {
  private readonly view: DataView;
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes were read. */
  get position(): number {
    return this.at;
  }

  /** Everything that was not read yet, not copied. */
  rest(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  byte(): number {
    return this.view.getUint8(this.at++);
  }

  flag(): boolean {
    return this.byte() === 1;
  }

  count(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const next = this.byte();
      value += (next & 127) * unit;
      if (next < 128) return value - 1;
      unit *= 128;
    }
  }

  /** -1 was written for null. */
  maybeCount(): number | null {
    const value = this.count();
    return value < 0 ? null : value;
  }

  text(): string {
    const length = this.count();
    if (length === UUID_MARK - 1) return this.uuid();
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError('state entry is cut short');
    const text = decoder.decode(this.bytes.subarray(this.at, end));
    this.at = end;
    return text;
  }

  private uuid(): string {
    const end = this.at + UUID_BYTES;
    if (end > this.bytes.length) throw new RangeError('state entry is cut short');
    const text = readUuid(this.bytes, this.at);
    this.at = end;
    return text;
  }

  decimal(): Decimal {
    const value = this.maybeDecimal();
    if (value === null) throw new RangeError('state entry lacks a number');
    return value;
  }

  maybeDecimal(): Decimal | null {
    const tag = this.byte();
    if (tag === NONE) return null;
    if (tag >= EIGHTHS) {
      const size = BigInt(this.count() + 1) * (tag >= FOURTHS ? FOURTH : MONEY_UNIT);
      return tag === NEGATIVE_EIGHTHS || tag === NEGATIVE_FOURTHS ? -size : size;
    }
    let words = tag === MORE_WORDS ? this.count() : tag;
    const high = this.view.getBigInt64(this.at);
    this.at += 8;
    if (tag === WORD) return high;
    let value = high;
    for (; words > 1; words--) {
      value = (value << 64n) | this.view.getBigUint64(this.at);
      this.at += 8;
    }
    return value;
  }
}
