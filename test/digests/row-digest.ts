import { createHash } from 'node:crypto';
import { CELL_END, DISCREPANCIES, ELEMENT_END, EXPLAINED, NULL_CELL, digestColumns } from '../../src/digests/digest-columns.js';
import type { RowsDigest } from '../../src/digests/row-digest.js';
import { formatDecimal } from '../../src/domain/decimal.js';
import type { Cell, ColumnType, Table } from '../../src/postgres/table.js';

/*
 * What the database computes as the digest of a table, computed here a second time.
 */

const HALF_BITS = 64;

export const EMPTY_DIGEST: RowsDigest = { rows: 0, high: 0n, low: 0n };

export function addDigests(a: RowsDigest, b: RowsDigest): RowsDigest {
  return { rows: a.rows + b.rows, high: BigInt.asUintN(HALF_BITS, a.high + b.high), low: BigInt.asUintN(HALF_BITS, a.low + b.low) };
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
