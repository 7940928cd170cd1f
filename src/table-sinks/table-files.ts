import { scalarText } from '../postgres/cell-text.js';
import type { Cell, Column, Table } from '../postgres/table.js';

/*
 * Tables as files: the columns of the SQL table but for its internal ones, amounts as exact decimals, times as ISO 8601 in
 * UTC with milliseconds.
 */

type Rows = readonly (readonly Cell[])[];

function shown<R>(table: Table<R>): { readonly column: Column<R>; readonly position: number }[] {
  return table.columns.map((column, position) => ({ column, position })).filter(({ column }) => column.isInternal !== true);
}

/** RFC 4180 with \n and a heading. Null is nothing, empty text is "". Lists are JSON. */
export function csvText<R>(table: Table<R>, rows: Rows): string {
  const columns = shown(table);
  const lines = rows.map((row) => columns.map(({ column, position }) => csvCell(column, row[position] as Cell)).join(','));
  return [columns.map(({ column }) => column.name).join(','), ...lines].map((line) => `${line}\n`).join('');
}

function csvCell<R>({ type }: Column<R>, cell: Cell): string {
  if (cell === null) return '';
  const text = typeof cell === 'object' ? JSON.stringify(cell) : scalarText(type, cell);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One JSON object a line. Amounts and times are strings, so that nothing is rounded by whoever reads them. */
export function ndjsonText<R>(table: Table<R>, rows: Rows): string {
  const columns = shown(table);
  return rows
    .map((row) => {
      const members = columns.map(({ column, position }) => `${JSON.stringify(column.name)}:${jsonCell(column, row[position] as Cell)}`);
      return `{${members.join(',')}}\n`;
    })
    .join('');
}

function jsonCell<R>({ type }: Column<R>, cell: Cell): string {
  if (cell === null) return 'null';
  if (type === 'jsonb') return cell as string;
  if (typeof cell === 'object' || type === 'integer' || type === 'bigint' || type === 'boolean') return JSON.stringify(cell);
  return JSON.stringify(scalarText(type, cell));
}
