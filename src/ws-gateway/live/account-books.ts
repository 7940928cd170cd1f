import type { OrderUpdate, PositionUpdate } from '../../domain/records.js';
import type { SourceRecord } from '../frame-parser.js';

/** Something about an account that a person should know. */
export type BookNote =
  | { readonly kind: 'new-asset'; readonly category: string; readonly asset: string }
  | { readonly kind: 'mode-change'; readonly category: string; readonly asset: string; readonly mode: PositionMode }
  | { readonly kind: 'category-not-linked'; readonly category: string };

export type PositionMode = 'one-way' | 'hedge';

interface AssetState {
  mode: PositionMode | null;
  /** Highest seq of a fill. */
  fillSeq: number;
  /** By position index: what the latest position record said. */
  readonly positions: Map<number, { readonly seq: number; readonly size: bigint; readonly content: string }>;
}

/** Positions in a list of open ones: a leg that is not among them may have gone flat. */
export class ListedPositions {
  readonly #legs = new Map<string, Set<number>>();

  add(asset: string, positionIdx: number): void {
    const legs = this.#legs.get(asset);
    if (legs === undefined) this.#legs.set(asset, new Set([positionIdx]));
    else legs.add(positionIdx);
  }

  /** The one position of one-way mode, or both legs. */
  hasAll(asset: string): boolean {
    const legs = this.#legs.get(asset);
    return legs !== undefined && (legs.has(0) || (legs.has(1) && legs.has(2)));
  }
}

const OPEN = new Set(['New', 'PartiallyFilled', 'Untriggered', 'Created', 'Active']);
const LINKED = new Set(['linear', 'inverse']);
const MOST_OPEN_ORDERS = 20_000;

/**
 * What went into the topics of one account, as far as it says what to ask the exchange for: orders that were open, positions
 * that were not flat, fills that no position record has shown yet. Pure.
 */
export class AccountBooks {
  readonly #assets = new Map<string, AssetState>();
  /** Open orders by id, with their category. */
  readonly #openOrders = new Map<string, string>();
  readonly #otherCategories = new Set<string>();
  #isLearning = true;

  /** What is there from the beginning is nothing new. */
  endLearning(): void {
    this.#isLearning = false;
  }

  take(record: SourceRecord): BookNote[] {
    const { category, asset } = record.value;
    const notes: BookNote[] = [];
    if (!LINKED.has(category) && !this.#otherCategories.has(category)) {
      this.#otherCategories.add(category);
      notes.push({ kind: 'category-not-linked', category });
    }
    const key = `${category}|${asset}`;
    let state = this.#assets.get(key);
    if (state === undefined) {
      this.#assets.set(key, (state = { mode: null, fillSeq: -1, positions: new Map() }));
      if (!this.#isLearning) notes.push({ kind: 'new-asset', category, asset });
    }
    if (record.type === 'Execution') {
      if (record.value.exec_type !== 'Funding') state.fillSeq = Math.max(state.fillSeq, record.value.seq ?? -1);
    } else if (record.type === 'OrderUpdate') this.#takeOrder(record.value);
    else {
      const mode = this.#takePosition(state, record.value);
      if (mode !== null) notes.push({ kind: 'mode-change', category, asset, mode });
    }
    return notes;
  }

  /** Whether a position of REST says what no position record said yet. */
  isNews(update: PositionUpdate): boolean {
    const known = this.#assets.get(`${update.category}|${update.asset}`)?.positions.get(update.position_idx);
    if (known === undefined) return true;
    const seq = update.seq ?? -1;
    return seq > known.seq || (seq === known.seq && contentOf(update) !== known.content);
  }

  /** Orders of the category that were open when last heard of. */
  openOrders(category: string): string[] {
    return [...this.#openOrders].filter(([, of]) => of === category).map(([orderId]) => orderId);
  }

  /** Assets of the category whose position has to be asked for by name: not flat, or filled, when last heard of, and not all of it is listed. */
  assetsToAsk(category: string, listed: ListedPositions): string[] {
    const assets: string[] = [];
    for (const [key, { positions, fillSeq }] of this.#assets) {
      const [of, asset = ''] = key.split('|');
      if (of !== category || listed.hasAll(asset)) continue;
      const shown = [...positions.values()];
      const isOpen = shown.some(({ size }) => size !== 0n);
      if (isOpen || fillSeq > Math.max(-1, ...shown.map(({ seq }) => seq))) assets.push(asset);
    }
    return assets;
  }

  /** Position mode by category and asset, as far as known. */
  modes(): { readonly category: string; readonly asset: string; readonly mode: PositionMode }[] {
    return [...this.#assets].flatMap(([key, { mode }]) => {
      const [category = '', asset = ''] = key.split('|');
      return mode === null ? [] : [{ category, asset, mode }];
    });
  }

  #takeOrder({ order_id, order_status, category }: OrderUpdate): void {
    if (!OPEN.has(order_status)) {
      this.#openOrders.delete(order_id);
      return;
    }
    this.#openOrders.set(order_id, category);
    if (this.#openOrders.size <= MOST_OPEN_ORDERS) return;
    for (const oldest of this.#openOrders.keys()) {
      this.#openOrders.delete(oldest);
      break;
    }
  }

  /** The new mode if it is another than before. */
  #takePosition(state: AssetState, update: PositionUpdate): PositionMode | null {
    const seq = update.seq ?? -1;
    const known = state.positions.get(update.position_idx);
    if (known === undefined || seq >= known.seq) state.positions.set(update.position_idx, { seq, size: update.size, content: contentOf(update) });
    const mode = update.position_idx === 0 ? 'one-way' : 'hedge';
    const before = state.mode;
    state.mode = mode;
    return before === null || before === mode ? null : mode;
  }
}

function contentOf({ size, entry_price, position_value, cum_realised_pnl, updated_at }: PositionUpdate): string {
  return `${size}|${entry_price}|${position_value}|${cum_realised_pnl}|${updated_at}`;
}
