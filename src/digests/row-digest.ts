import { createHash } from 'node:crypto';
import { formatDecimal } from '../domain/decimal.js';
import type { Cell, ColumnType, Table } from '../postgres/table.js';
import { CELL_END, DISCREPANCIES, ELEMENT_END, EXPLAINED, NULL_CELL, digestColumns } from './digest-columns.js';

/*
 * A digest of a set of rows: the sum of the rows' hashes, so the order of rows has no influence, and a row can be added or
 * taken away again. The same in this program and in the database (sql-digest.ts).
 */

/** Count of rows, and the sums of the two halves of their hashes, each modulo 2^64. */
export interface RowsDigest {
  readonly rows: number;
  readonly high: bigint;
  readonly low: bigint;
}

const HALF_BITS = 64;

export const EMPTY_DIGEST: RowsDigest = { rows: 0, high: 0n, low: 0n };

export function addDigests(a: RowsDigest, b: RowsDigest): RowsDigest {
  return { rows: a.rows + b.rows, high: BigInt.asUintN(HALF_BITS, a.high + b.high), low: BigInt.asUintN(HALF_BITS, a.low + b.low) };
}

export function subtractDigests(a: RowsDigest, b: RowsDigest): RowsDigest {
  return { rows: a.rows - b.rows, high: BigInt.asUintN(HALF_BITS, a.high - b.high), low: BigInt.asUintN(HALF_BITS, a.low - b.low) };
}

/** 32 hexadecimal digits; of no rows, zeros. */
export function digestText({ high, low }: RowsDigest): string {
  return high.toString(16).padStart(16, '0') + low.toString(16).padStart(16, '0');
}

const ones = new WeakMap<object, readonly number[]>();

/** Digest of one row, cells in the order of the table; nothing where the row does not count. */
export function rowDigest<R>(table: Table<R>, row: readonly Cell[]): RowsDigest {
  let positions = ones.get(table);
  if (positions === undefined) {
    positions = digestColumns(table).map((column) => table.columns.indexOf(column));
    ones.set(table, positions);
  }
  if (table.name === DISCREPANCIES && row[table.columns.findIndex(({ name }) => name === 'status')] === EXPLAINED) return EMPTY_DIGEST;
  const text = positions.map((position) => cellText((table.columns[position] as (typeof table.columns)[number]).type, row[position] as Cell)).join(CELL_END);
  const hash = createHash('sha256').update(text).digest();
  return { rows: 1, high: hash.readBigUInt64BE(0), low: hash.readBigUInt64BE(8) };
}

function cellText(type: ColumnType, cell: Cell): string {
  if (cell === null) return NULL_CELL;
  if (typeof cell === 'object') return cell.join(ELEMENT_END);
  if (type === 'numeric') return typeof cell === 'bigint' ? formatDecimal(cell) : String(cell);
  return String(cell);
}
