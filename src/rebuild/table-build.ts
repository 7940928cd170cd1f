import { copyLine } from '../postgres/copy-text.js';
import { keyOf, keyText, rowOf, type Cell, type Table } from '../postgres/table.js';

/** Rows that may change again soon are kept as cells; so many of them, then they become text. */
const YOUNG_ROWS = 20_000;

/**
 * One table of one partition while it is being built: the newest record of a key is its row. Rows untouched for a while are
 * kept as the text they are loaded as, which takes a fraction of the memory.
 */
export class TableBuild<R> {
  readonly table: Table<R>;
  private young = new Map<string, readonly Cell[]>();
  private readonly old = new Map<string, Buffer>();

  constructor(table: Table<R>) {
    this.table = table;
  }

  put(record: R): void {
    const key = keyText(keyOf(this.table, record));
    this.young.set(key, rowOf(this.table, record));
    if (this.young.size >= YOUNG_ROWS) this.age();
  }

  remove(key: readonly Cell[]): void {
    const text = keyText(key);
    this.young.delete(text);
    this.old.delete(text);
  }

  get size(): number {
    this.age();
    return this.old.size;
  }

  /** Rows in the text of COPY. */
  *lines(): Iterable<Buffer> {
    this.age();
    yield* this.old.values();
  }

  /** Rows by key text, in the text of COPY. */
  byKey(): ReadonlyMap<string, Buffer> {
    this.age();
    return this.old;
  }

  private age(): void {
    for (const [key, row] of this.young) this.old.set(key, Buffer.from(copyLine(this.table, row)));
    this.young = new Map();
  }
}
