import { canonicalJson } from '../domain/canonical-json.js';
import type { CashEvent, Fill, Order, PositionUpdate, RecordName, RecordTypes } from '../domain/records.js';
import { keyOf, keyText, rowOf, type Cell } from '../postgres/table.js';
import { ROW_SOURCES, type RowSource } from '../table-sinks/row-sources.js';
import { addDelta, resultKey, type DeltaSums } from './delta-checks.js';
import type { Delta } from './evidence.js';
import { DELTA_TOPIC } from './table-snapshot.js';
import { EffectiveTimes, type TopicRecord } from './topic-reader.js';

export const UPDATE_TOPIC = 'ws-gateway.position';
export const EVENT_TOPIC = 'order-manager.order_events';
const LINK_TOPIC = 'position-linker.position_orders';

/** Topics that are read, each once. */
export const READ_TOPICS: readonly string[] = [...new Set([...ROW_SOURCES.map(({ topic }) => topic), DELTA_TOPIC, UPDATE_TOPIC])];

/** What a row of a table should be. */
interface LatestRow {
  readonly cells: readonly Cell[];
  readonly offset: number;
}

interface Timed<T> {
  readonly value: T;
  readonly effectiveMs: number;
}

/** What the topics of one partition say, folded to their ends. */
export class TopicState {
  /** By table, then key; null where the last record took the row away. */
  readonly latest = new Map<string, Map<string, LatestRow & { readonly isGone: boolean }>>();
  readonly deltas = new Map<string, Delta>();
  /** Deltas that were issued twice under one id, or take back one that is not there. */
  readonly unpaired: Delta[] = [];
  readonly sums = new Map<string, DeltaSums>();
  /** Side of each cycle, as its newest delta says. */
  readonly sides = new Map<string, string>();
  /** Offset of the last delta of each row of results. */
  readonly lastDelta = new Map<string, number>();
  readonly fills = new Map<string, Timed<Fill>>();
  /** Retracted ones too: rows may show them for a while. */
  readonly cash = new Map<string, Timed<CashEvent>>();
  /** Effective time of the last change of each order's fills, by market and order. */
  readonly touchedOrders = new Map<string, number>();
  /** Orders whose rows began anew: forgotten past the horizon, and heard of again. */
  readonly retoldOrders = new Set<string>();
  /** By book, then seq: the update that counts. */
  readonly updates = new Map<string, Map<number, Timed<PositionUpdate>>>();
  /** Highest watermark that the linker forwarded; -1 before the first. */
  watermarkMs = -1;
  /** Latest effective time of what the linker reads. */
  latestMs = -1;
  readonly #seenOrders = new Set<string>();
  readonly #asset: string | null;
  readonly #times = new Map<string, EffectiveTimes>();

  /** asset null: all of them. */
  constructor(asset: string | null) {
    this.#asset = asset;
    for (const { table } of ROW_SOURCES) this.latest.set(table.name, new Map());
  }

  take(topic: string, { type, value, raw }: TopicRecord): void {
    if (type === 'Watermark') {
      const ms = (value as RecordTypes['Watermark']).watermark_at;
      this.#timesOf(topic).watermark(ms);
      if (topic === LINK_TOPIC) this.watermarkMs = Math.max(this.watermarkMs, ms);
      return;
    }
    if (type === null || value === null) {
      this.#tombstone(topic, Buffer.from(raw.key ?? []).toString('utf8'), raw.offset);
      return;
    }
    const effectiveMs = this.#timesOf(topic).record(raw.timestampMs);
    if (topic === UPDATE_TOPIC || topic === EVENT_TOPIC) this.latestMs = Math.max(this.latestMs, effectiveMs);
    if (this.#asset !== null && (value as { readonly asset: string }).asset !== this.#asset) return;
    if (type === 'PredictionDelta') this.#delta(value as Delta, raw.offset);
    else if (type === 'PositionUpdate') this.#update(value as PositionUpdate, effectiveMs);
    else if (type === 'Fill') this.#fill(value as Fill, effectiveMs);
    else if (type === 'CashEvent') this.#cash(value as CashEvent, effectiveMs);
    else this.#row(type, value, raw.offset);
  }

  #timesOf(topic: string): EffectiveTimes {
    let times = this.#times.get(topic);
    if (times === undefined) this.#times.set(topic, (times = new EffectiveTimes()));
    return times;
  }

  #row(type: RecordName, value: RecordTypes[RecordName], offset: number): void {
    const source = ROW_SOURCES.find((candidate) => candidate.record === type) as RowSource<never> | undefined;
    if (source === undefined) return;
    const row = value as never;
    if (type === 'Order') this.#noteOrder(value as Order);
    this.latest.get(source.table.name)?.set(keyText(keyOf(source.table, row)), { cells: comparable(source, rowOf(source.table, row)), offset, isGone: source.isRetracted(row) });
  }

  #noteOrder(order: Order): void {
    const key = inMarket(order, order.order_id);
    if (order.revision === 0 && this.#seenOrders.has(key)) this.retoldOrders.add(key);
    this.#seenOrders.add(key);
  }

  #tombstone(topic: string, recordKey: string, offset: number): void {
    const source = ROW_SOURCES.find((candidate) => candidate.topic === topic);
    const key = source?.tombstoneKey?.(recordKey) ?? null;
    if (source === undefined || key === null || (this.#asset !== null && !recordKey.startsWith(`${this.#asset}|`))) return;
    this.latest.get(source.table.name)?.set(keyText(key), { cells: [], offset, isGone: true });
  }

  #delta(delta: Delta, offset: number): void {
    addDelta(this.sums, delta);
    this.lastDelta.set(resultKey(delta), offset);
    if (delta.reverses === null ? this.deltas.has(delta.id) : !this.deltas.has(delta.reverses)) this.unpaired.push(delta);
    if (delta.reverses === null) {
      this.deltas.set(delta.id, delta);
      this.sides.set(delta.position_id, delta.side);
    } else this.deltas.delete(delta.reverses);
  }

  #fill(fill: Fill, effectiveMs: number): void {
    const key = inMarket(fill, fill.fill_id);
    if (fill.retracted) this.fills.delete(key);
    else this.fills.set(key, { value: fill, effectiveMs });
    this.touchedOrders.set(inMarket(fill, fill.order_id), effectiveMs);
  }

  #cash(cash: CashEvent, effectiveMs: number): void {
    this.cash.set(inMarket(cash, cash.cash_id), { value: cash, effectiveMs });
  }

  #update(update: PositionUpdate, effectiveMs: number): void {
    const { seq } = update;
    if (seq === null || seq < 0 || (update.category !== 'linear' && update.category !== 'inverse')) return;
    const book = bookKey(update);
    let bySeq = this.updates.get(book);
    if (bySeq === undefined) this.updates.set(book, (bySeq = new Map()));
    const earlier = bySeq.get(seq);
    if (earlier === undefined || supersedes(update, earlier.value)) bySeq.set(seq, { value: update, effectiveMs });
  }
}

export function inMarket({ account, category, asset }: { readonly account: string; readonly category: string; readonly asset: string }, id: string): string {
  return JSON.stringify([account, category, asset, id]);
}

export function bookKey({ account, category, asset, position_idx }: { readonly account: string; readonly category: string; readonly asset: string; readonly position_idx: number }): string {
  return JSON.stringify([account, category, asset, position_idx]);
}

/** JSON columns lose their spelling in the database: they are compared in the canonical one. */
function comparable(source: RowSource<never>, cells: readonly Cell[]): readonly Cell[] {
  return source.table.columns.some(({ type }) => type === 'jsonb')
    ? cells.map((cell, index) => (source.table.columns[index]?.type === 'jsonb' && typeof cell === 'string' ? canonicalJson(JSON.parse(cell) as object) : cell))
    : cells;
}

/** Of several updates of one seq the last by updatedTime counts, ties by the greatest canonical JSON. */
export function supersedes(update: PositionUpdate, earlier: PositionUpdate): boolean {
  if (update.updated_at !== earlier.updated_at) return update.updated_at > earlier.updated_at;
  return contentOf(update) > contentOf(earlier);
}

function contentOf({ cum_realised_pnl, entry_price, position_value, size }: PositionUpdate): string {
  return canonicalJson({ cum_realised_pnl, entry_price, position_value, size });
}
