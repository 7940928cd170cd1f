import { arrayLiteral } from './cell-text.js';
import type { Cell, Column, Table } from './table.js';

/*
 * Statements for many rows at once. One array per column is taken apart by unnest in the select list, where all arrays
 * advance together; in the from clause the same costs half as much again, for every array is stored before it is read.
 */

export interface Statement {
  readonly text: string;
  readonly parameters: readonly string[];
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

// Arrays of arrays and JSON travel as text, so that unnest does not flatten them.
function unnested({ type }: Pick<Column<never>, 'type'>, parameter: number): string {
  return type === 'text[]' || type === 'jsonb' ? `unnest($${parameter}::text[])::${type}` : `unnest($${parameter}::${type}[])`;
}

const upserts = new WeakMap<object, string>();
const deletes = new WeakMap<object, string>();

/** Inserts rows, or replaces those with the same key. Keys must be distinct. */
export function upsertStatement<R>(table: Table<R>, rows: readonly (readonly Cell[])[]): Statement {
  let text = upserts.get(table);
  if (text === undefined) {
    text = upsertText(table);
    upserts.set(table, text);
  }
  return { text, parameters: table.columns.map(({ type }, index) => arrayLiteral(type, rows.map((row) => row[index] as Cell))) };
}

function upsertText<R>(table: Table<R>): string {
  const names = table.columns.map(({ name }) => identifier(name));
  const key = table.key.map((position) => names[position] as string);
  const others = names.filter((_, position) => !table.key.includes(position));
  return (
    `INSERT INTO ${identifier(table.name)} (${names.join(', ')}) ` +
    `SELECT ${table.columns.map((column, index) => unnested(column, index + 1)).join(', ')} ` +
    `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`
  );
}

/** Deletes rows by key; keys that are not there are passed over. */
export function deleteStatement<R>(table: Table<R>, keys: readonly (readonly Cell[])[]): Statement {
  let text = deletes.get(table);
  if (text === undefined) {
    text = deleteText(table);
    deletes.set(table, text);
  }
  const columns = table.key.map((position) => table.columns[position] as Column<R>);
  return { text, parameters: columns.map(({ type }, index) => arrayLiteral(type, keys.map((key) => key[index] as Cell))) };
}

function deleteText<R>(table: Table<R>): string {
  const columns = table.key.map((position) => table.columns[position] as Column<R>);
  const list = columns.map((column, index) => `${unnested(column, index + 1)} AS k${index}`);
  // IS NOT DISTINCT FROM cannot use an index: only where a key may be null, and the other columns of the key narrow it down.
  const equal = table.nullableKey ? 'IS NOT DISTINCT FROM' : '=';
  const conditions = columns.map(({ name, type }, index) => `t.${identifier(name)} ${type === 'uuid' ? '=' : equal} gone.k${index}`);
  return `DELETE FROM ${identifier(table.name)} t USING (SELECT ${list.join(', ')}) gone WHERE ${conditions.join(' AND ')}`;
}
