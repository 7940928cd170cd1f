import { formatDecimal } from '../domain/decimal.js';
import type { Cell, ColumnType } from './table.js';

/** A time as text: ISO 8601, UTC, milliseconds. Beyond what a date can hold, text that a database refuses as such. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return `not a time: ${ms} ms`;
  const text = date.toISOString();
  // From the year 10000 on ISO writes +010000, which PostgreSQL does not read.
  return text.startsWith('+') ? text.slice(1).replace(/^0+/, '') : text;
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

/** PostgreSQL's text form of an array with one element a row: what unnest takes apart again. */
export function arrayLiteral(type: ColumnType, cells: readonly Cell[]): string {
  const isPlain = PLAIN.has(type);
  let text = '{';
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as Cell;
    if (i > 0) text += ',';
    if (cell === null) text += 'NULL';
    else if (typeof cell === 'object') text += quoted(arrayLiteral('text', cell));
    else text += isPlain ? scalarText(type, cell) : quoted(scalarText(type, cell));
  }
  return `${text}}`;
}

const NEEDS_ESCAPE = /["\\]/;
const ESCAPED = /["\\]/g;

function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? `"${text.replace(ESCAPED, '\\$&')}"` : `"${text}"`;
}

/** Elements of a one-dimensional text array in PostgreSQL's text form, without nulls. */
export function parseTextArray(literal: string): string[] {
  const elements: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|([^,{}"]+)/gs;
  for (const [, inQuotes, bare] of literal.matchAll(pattern)) elements.push(inQuotes === undefined ? (bare as string) : inQuotes.replace(/\\(.)/gs, '$1'));
  return elements;
}
