import type { SourceRecord } from '../frame-parser.js';

/**
 * Rows that went into the topics not long ago, so that what REST shows again need not be written again. Writing a row twice does
 * no harm, so forgetting the oldest is safe. A position has no key: REST's is always news.
 */
export class SeenRows {
  readonly #most: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(most = 200_000) {
    this.#most = most;
  }

  has(record: SourceRecord): boolean {
    const key = keyOf(record);
    return key !== null && (this.#young.has(key) || this.#old.has(key));
  }

  add(record: SourceRecord): void {
    const key = keyOf(record);
    if (key === null) return;
    this.#young.add(key);
    if (this.#young.size < this.#most / 2) return;
    this.#old = this.#young;
    this.#young = new Set();
  }
}

function keyOf(record: SourceRecord): string | null {
  if (record.type === 'Execution') return `e|${record.value.category}|${record.value.asset}|${record.value.exec_id}`;
  if (record.type === 'PositionUpdate') return null;
  const { order_id, order_status, cumulative_quantity, updated_at, order_link_id } = record.value;
  return `o|${order_id}|${order_status}|${cumulative_quantity}|${updated_at}|${order_link_id}`;
}
