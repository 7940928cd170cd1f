import type { RecordName, RecordTypes } from '../domain/records.js';
import { keyOf, keyText, rowOf, type Cell, type Table } from '../postgres/table.js';
import { compareRows } from './row-order.js';
import { ROW_SOURCES } from './row-sources.js';

/** A table in memory. Same definition, same rows as the SQL table. */
export class RowTable<R> {
  readonly table: Table<R>;
  private readonly rowsByKey = new Map<string, readonly Cell[]>();

  constructor(table: Table<R>) {
    this.table = table;
  }

  put(record: R): void {
    this.rowsByKey.set(keyText(keyOf(this.table, record)), rowOf(this.table, record));
  }

  remove(key: readonly Cell[]): void {
    this.rowsByKey.delete(keyText(key));
  }

  get size(): number {
    return this.rowsByKey.size;
  }

  /** Cells in the order of the columns; rows in the table's reading order. */
  rows(): (readonly Cell[])[] {
    return [...this.rowsByKey.values()].sort(compareRows(this.table));
  }
}

/** All tables that follow a single topic, in memory: what the table sinks are to a database. */
export class RowTables {
  private readonly byRecord = new Map<RecordName, RowTable<never>>();

  constructor() {
    for (const { record, table } of ROW_SOURCES) this.byRecord.set(record, new RowTable(table) as unknown as RowTable<never>);
  }

  /** Takes in a record, in the order of its topic; answers whether any table follows such records. */
  apply<N extends RecordName>(record: N, value: RecordTypes[N]): boolean {
    const source = ROW_SOURCES.find((candidate) => candidate.record === record);
    const rows = this.byRecord.get(record);
    if (source === undefined || rows === undefined) return false;
    if (source.isRetracted(value)) rows.remove(keyOf(source.table, value));
    else rows.put(value as never);
    return true;
  }

  /** Takes in a record without a value; answers whether it named a row of a table. */
  applyTombstone(topic: string, recordKey: string): boolean {
    const source = ROW_SOURCES.find((candidate) => candidate.topic === topic);
    const key = source?.tombstoneKey?.(recordKey) ?? null;
    if (source === undefined || key === null) return false;
    this.byRecord.get(source.record)?.remove(key);
    return true;
  }

  tables(): readonly RowTable<never>[] {
    return [...this.byRecord.values()];
  }
}
