import { arrayLiteral, scalarText } from './cell-text.js';
import type { Cell, ColumnType, Table } from './table.js';
import { identifier } from './table-sql.js';

/*
 * Rows in the text format of COPY: cells between tabs, rows between line ends, \N for null.
 */

const NEEDS_ESCAPE = /[\\\t\n\r]/;
const ESCAPED = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Only these can hold a character that needs an escape. */
const FREE_TEXT: ReadonlySet<ColumnType> = new Set<ColumnType>(['text', 'text[]', 'jsonb']);

/** One row with its line end. */
export function copyLine<R>({ columns }: Table<R>, row: readonly Cell[]): string {
  let line = '';
  for (let position = 0; position < columns.length; position++) {
    const cell = row[position] as Cell;
    const { type } = columns[position] as (typeof columns)[number];
    if (position > 0) line += '\t';
    if (cell === null) {
      line += '\\N';
      continue;
    }
    const text = typeof cell === 'object' ? arrayLiteral('text', cell) : scalarText(type, cell);
    line += FREE_TEXT.has(type) && NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED, (character) => ESCAPES[character] as string) : text;
  }
  return `${line}\n`;
}

export function copyStatement<R>(table: Table<R>): string {
  return `COPY ${identifier(table.name)} (${table.columns.map(({ name }) => identifier(name)).join(', ')}) FROM STDIN`;
}
