import { identifier } from '../postgres/table-sql.js';
import type { Queries } from '../postgres/session.js';
import type { Column, ColumnType, Table } from '../postgres/table.js';
import { CELL_END, DISCREPANCIES, ELEMENT_END, EXPLAINED, NULL_CELL, digestColumns } from './digest-columns.js';
import { type RowsDigest } from './row-digest.js';

/*
 * The digests of row-digest.ts, computed by the database over a whole table.
 */

/** One book, or the part of one that the table tells: account|category|asset|position_idx. */
export interface BookDigest extends RowsDigest {
  readonly book: string;
  /** Sum of another hash over all columns as the server shows them: equal only where rows are equal byte for byte. */
  readonly bytes: string;
}

// The database sums signed numbers; modulo 2^64 that makes no difference.
function half(sum: string | null): bigint {
  return BigInt.asUintN(64, BigInt(sum ?? 0));
}

function literal(text: string): string {
  return `E'${[...text].map((character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')}'`;
}

function columnText(type: ColumnType, name: string): string {
  const column = identifier(name);
  if (type === 'numeric') return `trim_scale(${column})::text`;
  if (type === 'timestamptz') return `(extract(epoch FROM ${column}) * 1000)::bigint::text`;
  if (type === 'text[]') return `array_to_string(${column}, ${literal(ELEMENT_END)})`;
  return `${column}::text`;
}

const BOOK_COLUMNS = ['account', 'category', 'asset', 'position_idx'];

/** SQL text of a row's book: as many of its parts as the table has, between bars. */
export function bookExpression<R>(table: Table<R>): string {
  const parts = BOOK_COLUMNS.filter((name) => table.columns.some((column) => column.name === name)).map((name) => `coalesce(${identifier(name)}::text, '')`);
  return parts.length === 0 ? `''` : parts.join(` || '|' || `);
}

function contentExpression<R>(columns: readonly Column<R>[]): string {
  return `concat_ws(${literal(CELL_END)}, ${columns.map(({ type, name }) => `coalesce(${columnText(type, name)}, ${literal(NULL_CELL)})`).join(', ')})`;
}

/** Some rows of a table: a condition on one column with one parameter, $1. */
export interface RowSelection {
  readonly column: string;
  readonly condition: string;
  readonly parameter: string;
}

export function ofAsset(asset: string): RowSelection {
  return { column: 'asset', condition: 'asset = $1', parameter: asset };
}

/** Rows that belong to any of these cycles; position ids as an array literal. */
export function ofPositions(positionIds: string): RowSelection {
  return { column: 'position_id', condition: 'position_id = ANY ($1::uuid[])', parameter: positionIds };
}

/** Digests by book, ordered by book; none where the table lacks the column of the selection. `columns`: instead of those that digests are of. */
export async function bookDigests<R>(queries: Queries, table: Table<R>, selection: RowSelection | null = null, columns: readonly Column<R>[] = digestColumns(table)): Promise<BookDigest[]> {
  if (selection !== null && !table.columns.some(({ name }) => name === selection.column)) return [];
  const counts = table.name === DISCREPANCIES ? `status <> '${EXPLAINED}'` : 'true';
  const halfOf = (from: number): string => `(('x' || encode(substring(hash FROM ${from} FOR 8), 'hex'))::bit(64)::bigint)`;
  const rows = await queries.query<{ book: string; rows: number; high: string | null; low: string | null; bytes: string | null }>(
    `SELECT book, count(*) FILTER (WHERE counts) AS rows, (sum(${halfOf(1)}) FILTER (WHERE counts))::text AS high, (sum(${halfOf(9)}) FILTER (WHERE counts))::text AS low, (sum(bytes) || '/' || count(*)) AS bytes
     FROM (
       SELECT ${bookExpression(table)} AS book, ${counts} AS counts, sha256(convert_to(${contentExpression(columns)}, 'UTF8')) AS hash,
         hashtextextended(ROW(${table.columns.map(({ name }) => identifier(name)).join(', ')})::text, 0) AS bytes
       FROM ${identifier(table.name)} ${selection === null ? '' : `WHERE ${selection.condition}`}
     ) hashed GROUP BY book ORDER BY book COLLATE "C"`,
    selection === null ? [] : [selection.parameter],
  );
  return rows.map(({ book, rows: count, high, low, bytes }) => ({ book, rows: count, high: half(high), low: half(low), bytes: bytes ?? '' }));
}
