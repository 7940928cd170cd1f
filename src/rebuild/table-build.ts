import { copyLine } from '../postgres/copy-text.js';
import { keyOf, rowOf, type Cell, type Table } from '../postgres/table.js';

/** Rows that may change again soon are kept as they are; so many of them, then they become text. */
const YOUNG_ROWS = 20_000;
const SLAB_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

/** Lines of text in large pieces: a million small buffers would keep the collector busy. */
class LineStore {
  private readonly slabs: Buffer[] = [];
  private end = SLAB_BYTES;

  /** Answers the line's place. */
  add(line: string): number {
    const most = line.length * 3;
    if (this.end + most > SLAB_BYTES) {
      this.slabs.push(Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, most)));
      this.end = 0;
    }
    const slab = this.slabs.length - 1;
    const place = slab * SLAB_BYTES + this.end;
    this.end += (this.slabs[slab] as Buffer).write(line, this.end);
    return place;
  }

  at(place: number): Buffer {
    const slab = this.slabs[Math.floor(place / SLAB_BYTES)] as Buffer;
    const start = place % SLAB_BYTES;
    // Within a line its end is escaped.
    return slab.subarray(start, slab.indexOf(LINE_END, start) + 1);
  }
}

/**
 * One table of one partition while it is being built: the newest record of a key is its row. Rows untouched for a while are
 * kept as the text they are loaded as, which takes a fraction of the memory.
 */
export class TableBuild<R extends object> {
  readonly table: Table<R>;
  private readonly isKeptWhole: boolean;
  private young = new Map<string, R | readonly Cell[]>();
  private readonly old = new Map<string, number>();
  private readonly store = new LineStore();

  /** isKeptWhole: nobody writes to a record once it is put here, so it need not be taken apart before it becomes text. */
  constructor(table: Table<R>, isKeptWhole: boolean) {
    this.table = table;
    this.isKeptWhole = isKeptWhole;
  }

  put(record: R): void {
    const { columns, key } = this.table;
    const text = key.length === 1 ? String((columns[key[0] as number] as (typeof columns)[number]).cell(record)) : keyOfBuild(keyOf(this.table, record));
    this.young.set(text, this.isKeptWhole ? record : rowOf(this.table, record));
    if (this.young.size >= YOUNG_ROWS) this.age();
  }

  remove(key: readonly Cell[]): void {
    const text = keyOfBuild(key);
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
    for (const place of this.old.values()) yield this.store.at(place);
  }

  private age(): void {
    for (const [key, kept] of this.young) this.old.set(key, this.store.add(copyLine(this.table, Array.isArray(kept) ? kept : rowOf(this.table, kept as R))));
    this.young = new Map();
  }
}

/** Between the cells of a key: a character that no text of the exchange holds. */
const CELL_END = '\u001f';

function keyOfBuild(key: readonly Cell[]): string {
  return key.length === 1 ? String(key[0]) : key.join(CELL_END);
}
