import { formatDecimal, parseDecimal, shownDecimals, DecimalError, type Decimal } from '../domain/decimal.js';
import type { Side } from '../domain/records.js';

/*
 * Reading single fields of the exchange's rows. The exchange words decimals as strings and leaves a field empty where
 * it does not apply; numbers are taken too, since older captures and other tools write them.
 */

export type Row = Readonly<Record<string, unknown>>;

/** Why a row or a whole line is not taken. Counted by these names, and the exception header of a dead letter. */
export type RejectionReason =
  | 'NotJson'
  | 'NotACaptureLine'
  | 'LineTooLong'
  | 'BadFrame'
  | 'UnknownTopic'
  | 'MissingField'
  | 'BadField'
  | 'BadNumber'
  | 'NegativeQuantity'
  | 'BadTime'
  | 'BadSeq';

/** Thrown by the readers below, caught where a row ends: it never leaves the frame parser. */
export class RowError extends Error {
  readonly reason: RejectionReason;

  constructor(reason: RejectionReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

const MAX_TEXT_CHARS = 1024;
/** Keys are joined by | and end up in a shell and in SQL: names must be printable, without spaces. */
const NAME = /^[^|\s\p{C}]{1,64}$/u;
/** Latest time that every store of the pipeline holds (year 275760). */
export const MAX_TIME_MS = 8_640_000_000_000_000;
const MAX_AHEAD_MS = 366 * 86_400_000;

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 64 ? `${text.slice(0, 64)}...` : text;
}

/** Whether a symbol, account or category may be part of a key. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

export function requiredName(row: Row, field: string): string {
  const text = requiredText(row, field);
  if (!isName(text)) throw new RowError('BadField', `${field} is no usable name: ${shown(text)}`);
  return text;
}

/** Text that must be there and not empty; whole numbers are taken as their digits. */
export function requiredText(row: Row, field: string): string {
  const text = optionalText(row, field);
  if (text === '') throw new RowError('MissingField', `${field} is missing`);
  return text;
}

/** Text, empty where the exchange did not send any. */
export function optionalText(row: Row, field: string): string {
  const value = row[field];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') {
    if (value.length > MAX_TEXT_CHARS) throw new RowError('BadField', `${field} has ${value.length} characters, at most ${MAX_TEXT_CHARS} are taken`);
    if (value.includes('\0')) throw new RowError('BadField', `${field} holds a zero character`);
    return value;
  }
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw new RowError('BadField', `${field} is not text: ${shown(value)}`);
}

/** A number's text as it was shown; null where the field is absent, null or empty. */
export function numberText(row: Row, field: string): string | null {
  const value = row[field];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new RowError('BadNumber', `${field} is not a number: ${shown(value)}`);
}

export function optionalDecimal(row: Row, field: string): Decimal | null {
  const text = numberText(row, field);
  return text === null ? null : decimalOf(text, field);
}

export function requiredDecimal(row: Row, field: string): Decimal {
  const value = optionalDecimal(row, field);
  if (value === null) throw new RowError('MissingField', `${field} is missing`);
  return value;
}

/** A quantity, price or value that cannot be below zero. */
export function requiredAmount(row: Row, field: string): Decimal {
  return notNegative(requiredDecimal(row, field), field);
}

export function optionalAmount(row: Row, field: string): Decimal | null {
  const value = optionalDecimal(row, field);
  return value === null ? null : notNegative(value, field);
}

function notNegative(value: Decimal, field: string): Decimal {
  if (value < 0n) throw new RowError('NegativeQuantity', `${field} is negative: ${formatDecimal(value)}`);
  return value;
}

/** Decimals the exchange shows come again and again: the last few thousand texts are remembered with their values. */
const REMEMBERED = 8192;
let remembered = new Map<string, Decimal>();

export function decimalOf(text: string, field: string): Decimal {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  try {
    const value = parseDecimal(text);
    if (remembered.size >= REMEMBERED) remembered = new Map();
    if (text.length <= 40) remembered.set(text, value);
    return value;
  } catch (error) {
    if (error instanceof DecimalError) throw new RowError('BadNumber', `${field} is ${error.message}`);
    throw error;
  }
}

/** Decimals shown by the exchange in a price: the size of its last unit. */
export function decimalsShown(text: string): number {
  return /[eE]/.test(text) ? shownDecimals(formatDecimal(parseDecimal(text))) : shownDecimals(text);
}

/**
 * Milliseconds since the epoch, from a number or its text. A clock that is somewhat ahead is taken as it is; a time more
 * than a year after the frame was received is none.
 */
export function requiredTime(row: Row, field: string, receivedAtMs: number): number {
  const timeMs = optionalTime(row, field);
  if (timeMs === null) throw new RowError('MissingField', `${field} is missing`);
  if (timeMs > receivedAtMs + MAX_AHEAD_MS) throw new RowError('BadTime', `${field} is more than a year after the frame was received: ${timeMs}`);
  return timeMs;
}

export function optionalTime(row: Row, field: string): number | null {
  const value = row[field];
  if (value === undefined || value === null || value === '') return null;
  const timeMs = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > MAX_TIME_MS) {
    throw new RowError('BadTime', `${field} is not a time in milliseconds: ${shown(value)}`);
  }
  return timeMs;
}

/** Cross sequence from a number or its text; -1 stays -1, an absent or empty one is null. */
export function optionalSeq(row: Row, field: string): number | null {
  const value = row[field];
  if (value === undefined || value === null || value === '') return null;
  const seq = typeof value === 'number' ? value : typeof value === 'string' && /^(-1|\d{1,16})$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(seq) || seq < -1) throw new RowError('BadSeq', `${field} is not a sequence number: ${shown(value)}`);
  return seq;
}

/** 0 one-way, 1 long leg, 2 short leg; null where the exchange did not say. */
export function optionalPositionIdx(row: Row): number | null {
  const value = row['positionIdx'];
  if (value === undefined || value === null || value === '') return null;
  if (value === 0 || value === '0') return 0;
  if (value === 1 || value === '1') return 1;
  if (value === 2 || value === '2') return 2;
  throw new RowError('BadField', `positionIdx is not 0, 1 or 2: ${shown(value)}`);
}

/** Flat is worded as an empty side, by older accounts as None. */
export function sideOf(row: Row): Side {
  const value = row['side'];
  if (value === 'Buy' || value === 'Sell') return value;
  if (value === '' || value === 'None') return 'None';
  if (value === undefined || value === null) throw new RowError('MissingField', 'side is missing');
  throw new RowError('BadField', `side is not Buy, Sell or empty: ${shown(value)}`);
}

/** A side that must be one. */
export function tradingSide(row: Row): Side {
  const side = sideOf(row);
  if (side === 'None') throw new RowError('MissingField', 'side is empty');
  return side;
}

/** Absent is the given value; text true and false are taken too. */
export function optionalFlag<T extends boolean | null>(row: Row, field: string, absent: T): boolean | T {
  const value = row[field];
  if (value === undefined || value === null || value === '') return absent;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new RowError('BadField', `${field} is not true or false: ${shown(value)}`);
}
