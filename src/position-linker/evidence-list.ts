import type { MovedPart } from './book-state.js';
import { EvidenceArchive } from './evidence-archive.js';
import type { EvidenceIds } from './evidence-ids.js';
import { type CashItem, type FillItem, type Item, type UpdateItem, compareItems, eventTime, hasId } from './evidence-item.js';

/** The fills between two updates that follow each other; null where there is no such update at hand. */
export interface EvidenceInterval {
  readonly before: UpdateItem | null;
  readonly fills: readonly FillItem[];
  readonly after: UpdateItem | null;
}

/** After a part of the archive was needed again, it is left at hand until this share of it has come on top. */
const RESTING_SHARE = 4;

/**
 * The evidence of a book in its order, and how far it has been issued: the archive first, then the items at hand. Items
 * before `tipIndex` are settled, but for late ones that came since.
 */
export class EvidenceList {
  readonly archive: EvidenceArchive;
  /** Items at hand: all that go after the archive. */
  items: Item[] = [];
  /** Index among the items at hand. */
  tipIndex = 0;
  readonly #ids: EvidenceIds;
  /** Fewer settled items at hand are not put away. */
  #restingLength = 0;
  /** Order-derived fills as they now are, and as they were issued; null when an item came or went since. */
  #orderFills: { readonly now: readonly FillItem[]; readonly issued: readonly FillItem[] } | null = null;

  constructor(positionIdx: number, ids: EvidenceIds) {
    this.archive = new EvidenceArchive(positionIdx);
    this.#ids = ids;
    ids.addList(this);
  }

  /** Takes in all items as they once were kept, in the book's order. */
  restore(items: Item[], tipIndex: number): void {
    this.items = items;
    this.tipIndex = tipIndex;
    for (const item of items) this.#noteId(item);
  }

  #noteId(item: Item): void {
    if (item.kind !== 'update') this.#ids.add(item.idHash);
  }

  #forgetId(item: Item): void {
    if (item.kind !== 'update') this.#ids.remove(item.idHash);
  }

  /** The fill or cash event of an id that is not dying; null if there is none. One from the archive is a copy. */
  find(kind: 'fill' | 'cash', id: string, idHash: number): FillItem | CashItem | null {
    for (const item of this.items) if (!item.dying && hasId(item, kind, id)) return item;
    return this.archive.find(kind, id, idHash);
  }

  /** How many items there are, with those of the archive. */
  get length(): number {
    return this.archive.length + this.items.length;
  }

  /** Puts away what has led to rows, up to the last update among it. Not to be called while a correction waits. */
  archiveSettled(): void {
    let end = this.tipIndex;
    while (end > 0 && this.items[end - 1]!.kind !== 'update') end -= 1;
    if (end === 0 || end < this.#restingLength) return;
    for (let i = 0; i < end; i++) {
      const item = this.items[i]!;
      this.archive.append(item);
      if (item.kind === 'fill' && item.source === 'order') this.#orderFills = null;
    }
    if (end === this.items.length) this.items.length = 0;
    else this.items.splice(0, end);
    this.tipIndex -= end;
    this.#restingLength = 0;
  }

  /** Takes the archived items after a seq to hand again. */
  bringBackAfter(seq: number): void {
    if (seq < this.archive.lastSeq) this.#bringBack(this.archive.indexAfter(seq));
  }

  #bringBack(index: number): void {
    const back = this.archive.takeFrom(index);
    this.items = back.concat(this.items);
    this.tipIndex += back.length;
    this.#restingLength = this.items.length + Math.ceil(back.length / RESTING_SHARE);
    this.#orderFills = null;
  }

  /** Whether what has a seq belongs among what was put away. */
  isArchived(seq: number | null): boolean {
    return seq !== null && seq <= this.archive.lastSeq;
  }

  /** The item itself, of one that may be a copy from the archive; it is at hand then. */
  atHand(item: Item): Item {
    if (item.seq === null || item.seq > this.archive.lastSeq) return item;
    this.bringBackAfter(item.seq - 1);
    return this.items.find((other) => other.seq === item.seq && isSame(other, item))!;
  }

  /** Whether an item has led to rows: of an order-derived fill that still waits, a part may have been taken already. */
  isIssued(item: Item): boolean {
    return item.settled || (item.kind === 'fill' && item.taken);
  }

  /** Order-derived fills as they were issued, those of the archive too: for a look back at what is beyond the horizon. */
  issuedOrderFills(): readonly FillItem[] {
    return [...this.archive.orderFills(), ...this.orderFills(true)];
  }

  /** Order-derived fills at hand as they now are, or as they were issued: an older one can be no part of what is derived after it. */
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
    if (item.seq !== null) this.bringBackAfter(item.seq - 1);
    this.#noteId(item);
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
    this.#forgetId(item);
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

  /** Index among the items at hand of the first after all of a seq. */
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
    if (last === undefined || seq <= this.archive.lastSeq) return this.archive.updateAt(seq);
    if (last.seq !== null && last.seq < seq) return null;
    for (let i = last.seq === seq ? this.items.length - 1 : this.indexAfter(seq) - 1; i >= 0; i--) {
      const item = this.items[i]!;
      if (item.kind !== 'update' || item.seq !== seq) return null;
      if (!item.dying) return item;
    }
    return null;
  }

  /** What stands at hand around a seq: from the last update before it to the first that is not. What is dying is left out. */
  intervalAround(seq: number): EvidenceInterval {
    let first = this.indexAfter(seq - 1);
    while (first > 0 && !isLiveUpdate(this.items[first - 1]!)) first -= 1;
    const fills: FillItem[] = [];
    for (let i = first; i < this.items.length; i++) {
      const item = this.items[i]!;
      if (item.kind === 'update' && !item.dying && item.seq >= seq) return { before: this.#updateBefore(first), fills, after: item };
      if (item.kind === 'fill' && !item.dying) fills.push(item);
    }
    return { before: this.#updateBefore(first), fills, after: null };
  }

  #updateBefore(index: number): UpdateItem | null {
    const item = this.items[index - 1];
    return item?.kind === 'update' ? item : null;
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

  /** Whether the items on both sides of an index are of one seq. */
  isWithinSeqAt(index: number): boolean {
    const seq = this.items[index]?.seq ?? null;
    return seq !== null && index > 0 && this.items[index - 1]!.seq === seq;
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
    for (const item of this.items) if (item.dying) this.#forgetId(item);
    this.items = this.items.filter((item) => !item.dying);
    this.tipIndex -= beforeTip;
  }

  /** Event time of the n-th item, those of the archive counted. */
  eventTimeAt(n: number): number {
    return n < this.archive.length ? this.archive.eventTimeAt(n) : eventTime(this.items[n - this.archive.length]!);
  }

  /** Seq of the n-th item, those of the archive counted. */
  seqAt(n: number): number | null {
    return n < this.archive.length ? this.archive.seqAt(n) : this.items[n - this.archive.length]!.seq;
  }

  /** How many of the oldest issued items are beyond a horizon: older than an event time, or more than so many. */
  countBeyond(oldestMs: number, newest: number): number {
    const { issuedLength } = this;
    let count = Math.max(0, this.length - newest);
    while (count < issuedLength && this.eventTimeAt(count) <= oldestMs) count += 1;
    return Math.min(count, issuedLength);
  }

  /** Which of the first `count` items is the last settled update; -1 if none is. */
  lastUpdateAmong(count: number): number {
    const archived = this.archive.length;
    for (let n = count - 1; n >= 0; n--) {
      if (n < archived) {
        if (this.archive.isUpdateAt(n)) return n;
        continue;
      }
      const item = this.items[n - archived]!;
      if (item.kind === 'update' && item.settled && !item.dying) return n;
    }
    return -1;
  }

  /** How many items are issued or go before one that is, those of the archive counted. */
  get issuedLength(): number {
    return this.archive.length + this.tipIndex;
  }

  /** Those of the first `count` items that go after a seq, those of the archive counted. */
  readAfter(seq: number, count: number): Item[] {
    const archived = this.archive.length;
    const old = this.archive.read(this.archive.indexAfter(seq), Math.min(count, archived));
    return count <= archived ? old : old.concat(this.items.slice(this.indexAfter(seq), count - archived));
  }

  /** Forgets the first items for good, those of the archive counted. */
  cut(count: number): void {
    const old = Math.min(count, this.archive.length);
    if (old > 0) this.archive.dropFirst(old, (idHash) => this.#ids.remove(idHash));
    if (count === old) return;
    for (const item of this.items.splice(0, count - old)) this.#forgetId(item);
    this.tipIndex -= count - old;
    this.#orderFills = null;
  }
}

function isLiveUpdate(item: Item): boolean {
  return item.kind === 'update' && !item.dying;
}

/** Whether two items of one seq are one piece of evidence. */
function isSame(a: Item, b: Item): boolean {
  if (a.kind === 'fill') return b.kind === 'fill' && a.fillId === b.fillId;
  if (a.kind === 'cash') return b.kind === 'cash' && a.cashId === b.cashId;
  return b.kind === 'update';
}
