import type { Column, Table } from '../postgres/table.js';

/*
 * What of a row counts when tables are compared: what it says, not how it came about. So digests of two deployments that
 * received the same events in another order are equal.
 */

/** Columns that tell of a row's history: they depend on the order in which things became known. */
export const HISTORY_COLUMNS: ReadonlySet<string> = new Set(['revision', 'reason', 'known_at', 'version']);

/** What a discrepancy became of is history, too: open and expired compare as equal, explained ones are left out. */
const LIFE_OF_DISCREPANCY: ReadonlySet<string> = new Set(['status', 'closed_at']);

export const DISCREPANCIES = 'position_discrepancies';
export const EXPLAINED = 'explained';

/** Columns of a table's digest, in the order of the table. JSON has no text that every program writes alike. */
export function digestColumns<R>(table: Table<R>): readonly Column<R>[] {
  return table.columns.filter(({ name, type, isInternal }) => {
    if (isInternal === true || type === 'jsonb' || HISTORY_COLUMNS.has(name)) return false;
    return table.name !== DISCREPANCIES || !LIFE_OF_DISCREPANCY.has(name);
  });
}

/** Between the cells of a row, for a null, and between the elements of a list: characters that no text of the exchange holds. */
export const CELL_END = '\u001f';
export const NULL_CELL = '\u001e';
export const ELEMENT_END = '\u001d';
