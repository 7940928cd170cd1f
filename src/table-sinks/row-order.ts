import type { Cell, Table } from '../postgres/table.js';

/** Columns by which a reader wants the rows, as far as the table has them; the key decides the rest. */
const READING_ORDER = ['account', 'category', 'asset', 'position_idx', 'opened_at', 'executed_at', 'created_at', 'entry_at', 'seq', 'first_seq', 'leg'];

/** Compares rows in reading order: market, book, time. Null comes first. A total order on rows of distinct keys. */
export function compareRows<R>(table: Table<R>): (a: readonly Cell[], b: readonly Cell[]) => number {
  const named = READING_ORDER.map((name) => table.columns.findIndex((column) => column.name === name)).filter((position) => position >= 0);
  const positions = [...new Set([...named, ...table.key])];
  return (a, b) => {
    for (const position of positions) {
      const order = compareCells(a[position] as Cell, b[position] as Cell);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compareCells(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
