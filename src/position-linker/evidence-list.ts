import type { MovedPart } from './book-state.js';
import { type FillItem, type Item, type UpdateItem, compareItems, eventTime } from './evidence-item.js';

/**
 * The evidence of a book in its order, and how far it has been issued. Items before `tipIndex` are settled, but for late
 * ones that came since.
 */
export class EvidenceList {
  items: Item[] = [];
  tipIndex = 0;
  /** Order-derived fills as they now are, and as they were issued; null when an item came or went since. */
  #orderFills: { readonly now: readonly FillItem[]; readonly issued: readonly FillItem[] } | null = null;

  get length(): number {
    return this.items.length;
  }

  /** Whether an item has led to rows: of an order-derived fill that still waits, a part may have been taken already. */
  isIssued(item: Item): boolean {
    return item.settled || (item.kind === 'fill' && item.taken);
  }

  /** Order-derived fills as they now are, or as they were issued. */
  orderFills(asIssued: boolean): readonly FillItem[] {
    if (this.#orderFills === null) {
      const fills = this.items.filter((item): item is FillItem => item.kind === 'fill' && item.source === 'order');
      this.#orderFills = { now: fills.filter((fill) => !fill.dying), issued: fills.filter((fill) => this.isIssued(fill)) };
    }
    return asIssued ? this.#orderFills.issued : this.#orderFills.now;
  }

  /** What of the order-derived fills is known has to be looked up anew. */
  forgetOrderFills(): void {
    this.#orderFills = null;
  }

  /** Puts an item in its place; answers whether that is before the tip. */
  insert(item: Item): boolean {
    const index = this.#lowerBound(item);
    if (index === this.items.length) this.items.push(item);
    else this.items.splice(index, 0, item);
    if (item.kind === 'fill' && item.source === 'order') this.#orderFills = null;
    const isLate = index < this.tipIndex;
    if (isLate) this.tipIndex += 1;
    return isLate;
  }

  /** Takes out an item that has led to no rows. */
  take(item: Item): void {
    const index = this.items.indexOf(item);
    if (index < 0) return;
    this.items.splice(index, 1);
    if (index < this.tipIndex) this.tipIndex -= 1;
    this.#orderFills = null;
  }

  /** Index of the first item that does not go before `item`. */
  #lowerBound(item: Item): number {
    let low = 0;
    let high = this.items.length;
    if (high > 0 && compareItems(this.items[high - 1]!, item) < 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareItems(this.items[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first item after all of a seq. */
  indexAfter(seq: number): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.items[middle]!.seq;
      if (at !== null && at <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The update that stands for a seq; null if none is known. */
  updateAt(seq: number): UpdateItem | null {
    const last = this.items[this.items.length - 1];
    if (last === undefined || (last.seq !== null && last.seq < seq)) return null;
    for (let i = last.seq === seq ? this.items.length - 1 : this.indexAfter(seq) - 1; i >= 0; i--) {
      const item = this.items[i]!;
      if (item.kind !== 'update' || item.seq !== seq) return null;
      if (!item.dying) return item;
    }
    return null;
  }

  hasUpdateFrom(index: number): boolean {
    for (let i = this.items.length - 1; i >= index; i--) if (this.items[i]!.kind === 'update' && !this.items[i]!.dying) return true;
    return false;
  }

  /** Whether fills that no update followed stand before this index. */
  isOpenAt(index: number): boolean {
    for (let i = index - 1; i >= 0; i--) {
      const item = this.items[i]!;
      if (!item.dying) return item.kind !== 'update';
    }
    return false;
  }

  /** Earliest effective time of what waits to be issued: after the tip, or anywhere. */
  earliestWaitingMs(anywhere: boolean): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let i = anywhere ? 0 : this.tipIndex; i < this.items.length; i++) {
      const item = this.items[i]!;
      if ((!item.settled || item.dying) && item.effectiveMs < earliest) earliest = item.effectiveMs;
    }
    return earliest;
  }

  /** The items of a range have led to rows. */
  settle(from: number, to: number): void {
    for (let i = from; i < to; i++) this.items[i]!.settled = true;
    if (this.#orderFills !== null && this.#orderFills.now.length > 0) this.#orderFills = null;
  }

  /** Notes of which waiting fills parts were taken already. */
  markTaken(moved: readonly MovedPart[]): void {
    for (let i = this.tipIndex; i < this.items.length; i++) {
      const item = this.items[i]!;
      if (item.kind === 'fill' && item.source === 'order' && !item.dying) item.taken = moved.some((part) => part.fillId === item.fillId);
    }
  }

  /** Takes out what a settled derivation has left behind. */
  dropDying(): void {
    this.#orderFills = null;
    if (!this.items.some((item) => item.dying)) return;
    let beforeTip = 0;
    for (let i = 0; i < this.tipIndex; i++) if (this.items[i]!.dying) beforeTip += 1;
    this.items = this.items.filter((item) => !item.dying);
    this.tipIndex -= beforeTip;
  }

  /** How many of the oldest issued items are beyond a horizon: older than an event time, or more than so many. */
  countBeyond(oldestMs: number, newest: number): number {
    let count = Math.max(0, this.items.length - newest);
    while (count < this.tipIndex && eventTime(this.items[count]!) <= oldestMs) count += 1;
    return Math.min(count, this.tipIndex);
  }

  /** Index of the last settled update among the first `count` items; -1 if there is none. */
  lastUpdateAmong(count: number): number {
    for (let i = count - 1; i >= 0; i--) {
      const item = this.items[i]!;
      if (item.kind === 'update' && item.settled && !item.dying) return i;
    }
    return -1;
  }

  /** Takes the first items out for good. */
  cut(count: number): Item[] {
    this.tipIndex -= count;
    this.#orderFills = null;
    return this.items.splice(0, count);
  }
}
