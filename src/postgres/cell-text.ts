import { formatDecimal } from '../domain/decimal.js';
import type { Cell, ColumnType } from './table.js';

const DAY_MS = 86_400_000;
const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const THREE_DIGITS: readonly string[] = Array.from({ length: 1_000 }, (_, value) => String(value).padStart(3, '0'));
/** The day of the last time and its text: times come in runs, and the day is what costs. */
let lastDay = 0;
let lastDayText = '1970-01-01T';

/** A time as text: ISO 8601, UTC, milliseconds. Beyond what a date can hold, text that a database refuses as such. */
export function timeText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    const date = new Date(day * DAY_MS);
    if (!Number.isInteger(ms) || Number.isNaN(date.getTime())) return `not a time: ${ms} ms`;
    const text = date.toISOString();
    lastDay = day;
    // From the year 10000 on ISO writes +010000, which PostgreSQL does not read.
    lastDayText = (text.startsWith('+') ? text.slice(1).replace(/^0+/, '') : text).slice(0, -'00:00:00.000Z'.length);
  }
  const inDay = ms - day * DAY_MS;
  const seconds = Math.floor(inDay / 1_000);
  const minutes = Math.floor(seconds / 60);
  return `${lastDayText}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}.${THREE_DIGITS[inDay % 1_000]}Z`;
}

/** Text form of a value of a column that is not null, as PostgreSQL reads it and as files show it; arrays excepted. */
export function scalarText(type: ColumnType, cell: Exclude<Cell, null | readonly string[]>): string {
  switch (type) {
    case 'numeric':
      return typeof cell === 'bigint' ? formatDecimal(cell) : String(cell);
    case 'timestamptz':
      return timeText(cell as number);
    case 'boolean':
      return cell === true ? 'true' : 'false';
    default:
      return String(cell);
  }
}

/** Types whose text needs no quotes inside an array literal, whatever the value. */
const PLAIN: ReadonlySet<ColumnType> = new Set<ColumnType>(['integer', 'bigint', 'numeric', 'boolean']);

/**
 * PostgreSQL's text form of an array with one element a row: what unnest takes apart again. Joined, not added up piece by
 * piece: a string grown by a hundred thousand pieces costs more in garbage than all else in writing a row.
 */
export function arrayLiteral(type: ColumnType, cells: readonly Cell[]): string {
  const isPlain = PLAIN.has(type);
  const isSafe = isPlain || type === 'timestamptz';
  const texts: string[] = [];
  let needsCare = false;
  for (const cell of cells) {
    if (cell === null) {
      texts.push('NULL');
      needsCare = true;
      continue;
    }
    const text = typeof cell === 'object' ? arrayLiteral('text', cell) : scalarText(type, cell);
    texts.push(text);
    needsCare ||= !isSafe && needsEscape(text);
  }
  if (isPlain) return `{${texts.join(',')}}`;
  if (texts.length === 0) return '{}';
  if (!needsCare) return `{"${texts.join('","')}"}`;
  for (let index = 0; index < texts.length; index++) if (cells[index] !== null) texts[index] = quoted(texts[index] as string);
  return `{${texts.join(',')}}`;
}

function needsEscape(text: string): boolean {
  return text.includes('"') || text.includes('\\');
}

function quoted(text: string): string {
  if (!needsEscape(text)) return `"${text}"`;
  // Backslashes first: those that are put before quotes stay as they are.
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Elements of a one-dimensional text array in PostgreSQL's text form, without nulls. */
export function parseTextArray(literal: string): string[] {
  const elements: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|([^,{}"]+)/gs;
  for (const [, inQuotes, bare] of literal.matchAll(pattern)) elements.push(inQuotes === undefined ? (bare as string) : inQuotes.replace(/\\(.)/gs, '$1'));
  return elements;
}
