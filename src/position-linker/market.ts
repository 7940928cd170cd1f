import type { CashEvent, ExecutionAnomaly, Fill } from '../domain/records.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { uuidOfKey } from '../domain/uuid.js';
import type { Emitter } from '../runtime/processor.js';
import { Book, type HorizonOptions } from './book.js';
import type { Contract } from './contract.js';
import type { DerivedDiscrepancy } from './derived-rows.js';
import { EvidenceIds } from './evidence-ids.js';
import { type CashItem, type FillItem, type Item, type UpdateItem, hashOfId } from './evidence-item.js';
import { exitReason } from './exit-reason.js';
import type { OrderMark, PositionMark } from './input-bytes.js';
import { type ChangeCause, Issuer } from './issuer.js';
import { Ledger } from './ledger.js';
import type { AttributionPolicy } from './lots.js';
import { PositionMode } from './position-mode.js';
import { SeqClock } from './seq-clock.js';

export interface LinkerOptions extends HorizonOptions {
  readonly policy: AttributionPolicy;
}

/** Evidence whose book or seq is inferred, or not known yet: looked at again when something new is known. */
type Inferred =
  | { readonly kind: 'fill'; readonly record: Fill; readonly effectiveMs: number; item: FillItem | null }
  | { readonly kind: 'cash'; readonly record: CashEvent; readonly effectiveMs: number; item: CashItem | null };

/** When evidence is placed: as its record comes, when something new is known, or when its window has passed. */
type Occasion = 'on_arrival' | 'again' | 'at_last';

interface BookEntry {
  readonly book: Book;
  readonly issuer: Issuer;
  /** Why the next settlement changes issued rows. */
  reason: string | null;
}

/** All books of one account, category and asset: decides to which book and seq every piece of evidence belongs. */
export class Market {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly options: LinkerOptions;
  readonly contract: Contract;
  readonly clock = new SeqClock();
  readonly mode = new PositionMode();
  readonly books = new Map<number, BookEntry>();
  /** The same in the order of position indexes. */
  #inOrder: BookEntry[] = [];
  /** Watermarks below it need not be looked at: nothing came since it was found. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  readonly ids = new EvidenceIds();
  readonly inferred = new Map<string, Inferred>();
  /** Highest seq anything was dated to; dates can only change for what is new and below it. */
  highestDatedSeq = Number.NEGATIVE_INFINITY;

  constructor(account: string, category: string, asset: string, options: LinkerOptions) {
    this.account = account;
    this.category = category;
    this.asset = asset;
    this.options = options;
    this.contract = { inverse: category === 'inverse' };
  }

  /** The book of a position index, made when it is first seen. */
  entry(positionIdx: number): BookEntry {
    let entry = this.books.get(positionIdx);
    if (entry === undefined) {
      const key = { account: this.account, category: this.category, asset: this.asset, positionIdx };
      const ledger = new Ledger(key, this.contract, this.options.policy);
      entry = { book: new Book(ledger, this.options, this.ids), issuer: new Issuer(key), reason: null };
      this.books.set(positionIdx, entry);
      this.#inOrder = [...this.books].sort(([a], [b]) => a - b).map(([, made]) => made);
    }
    return entry;
  }

  #knownFill(id: string): FillItem | undefined {
    return this.ids.fill(id, hashOfId('fill', id));
  }

  #knownCash(id: string): CashItem | undefined {
    return this.ids.cash(id, hashOfId('cash', id));
  }

  /** Answers whether the order told anything new. */
  onOrder(order: OrderMark, effectiveMs: number, watermarkMs: number, emitter: Emitter): boolean {
    this.#quietUntilMs = Number.NEGATIVE_INFINITY;
    if (order.message_seq === null) return false;
    const newTime = order.message_at !== null && this.#learnTime(order.message_at, order.message_seq, effectiveMs, watermarkMs, emitter);
    const newMode = order.position_idx !== null && this.#learnMode(order.message_seq, order.position_idx, effectiveMs, watermarkMs, emitter);
    return newTime || newMode;
  }

  onFill(record: Fill, effectiveMs: number, watermarkMs: number, emitter: Emitter): void {
    this.#quietUntilMs = Number.NEGATIVE_INFINITY;
    const earlier = record.retracted || record.position_idx === null || record.seq === null ? this.#knownFill(record.fill_id) : undefined;
    if (record.retracted) {
      this.inferred.delete(record.fill_id);
      if (earlier === undefined) return;
      this.#remove(earlier, effectiveMs, earlier.source === 'order' ? 'replaced_by_execution' : 'late_fill');
      this.#settleBook(this.entry(earlier.positionIdx), effectiveMs, watermarkMs, emitter);
      return;
    }
    if (record.seq !== null && record.source === 'execution') this.#learnTime(record.executed_at, record.seq, effectiveMs, watermarkMs, emitter);
    if (record.position_idx === null || record.seq === null) {
      this.inferred.set(record.fill_id, { kind: 'fill', record, effectiveMs, item: earlier ?? null });
    } else {
      if (this.inferred.size > 0) this.inferred.delete(record.fill_id);
    }
    this.#placeFill(record, effectiveMs, watermarkMs, 'on_arrival', emitter);
  }

  onCash(record: CashEvent, effectiveMs: number, watermarkMs: number, emitter: Emitter): void {
    this.#quietUntilMs = Number.NEGATIVE_INFINITY;
    const earlier = this.#knownCash(record.cash_id);
    if (record.retracted) {
      this.inferred.delete(cashName(record.cash_id));
      if (earlier === undefined) return;
      this.#remove(earlier, effectiveMs, 'late_fill');
      this.#settleBook(this.entry(earlier.positionIdx), effectiveMs, watermarkMs, emitter);
      return;
    }
    if (record.seq !== null) this.#learnTime(record.occurred_at, record.seq, effectiveMs, watermarkMs, emitter);
    if (record.position_idx === null || record.seq === null) {
      this.inferred.set(cashName(record.cash_id), { kind: 'cash', record, effectiveMs, item: earlier ?? null });
    }
    this.#placeCash(record, effectiveMs, watermarkMs, 'on_arrival', emitter);
  }

  /**
   * What an order did not say is not inferred here: the row of an anomaly whose order comes later moves to the told book, and
   * one whose order never comes stays under index 0, whatever else was known when it came.
   */
  onAnomaly(record: ExecutionAnomaly, effectiveMs: number, emitter: Emitter): void {
    const entry = this.entry(record.position_idx ?? 0);
    const cause: ChangeCause = { knownAtMs: effectiveMs, reason: 'new' };
    const known = record.cause === 'conflict' ? 'conflict' : 'unknown_exec_type';
    const about = {
      firstSeq: record.seq, lastSeq: record.seq, execId: record.exec_id, orderId: record.order_id, openedAt: record.occurred_at, evidence: record.detail,
    };
    for (const other of this.books.values()) {
      if (other !== entry) other.issuer.close(this.#discrepancy(other, known, record.exec_id, about).id, 'explained', cause, emitter);
    }
    const row = this.#discrepancy(entry, known, record.exec_id, about);
    const issued = entry.issuer.history.discrepancies.get(row.id);
    if (record.retracted) entry.issuer.close(row.id, 'explained', cause, emitter);
    else if (issued === undefined || issued.status === 'explained' || issued.row.evidence !== row.evidence) entry.issuer.open(row, cause, emitter);
  }

  onUpdate(record: PositionMark, place: { readonly partition: number; readonly offset: number }, effectiveMs: number, watermarkMs: number, emitter: Emitter): void {
    this.#quietUntilMs = Number.NEGATIVE_INFINITY;
    const { seq } = record;
    if (seq === null) return;
    if (seq >= 0) {
      this.#learnTime(record.updated_at, seq, effectiveMs, watermarkMs, emitter);
      this.#learnMode(seq, record.position_idx, effectiveMs, watermarkMs, emitter);
    }
    const entry = this.entry(record.position_idx);
    const item: UpdateItem = {
      kind: 'update', positionIdx: record.position_idx, seq, effectiveMs, partition: place.partition, offset: place.offset, settled: false, dying: false, size: record.size,
      entryPrice: record.entry_price, entryPriceDecimals: record.entry_price_decimals, positionValue: record.position_value,
      cumRealisedPnl: record.cum_realised_pnl, updatedAt: record.updated_at, pushedAt: record.envelope_created_at,
    };
    const earlier = entry.book.evidence.updateAt(seq);
    if (earlier !== null && !supersedes(item, earlier)) return;
    if (this.#isBeyondHorizon(entry, item, watermarkMs, effectiveMs, 'on_arrival', emitter)) return;
    if (earlier !== null) this.#remove(earlier, effectiveMs, 'late_update');
    entry.book.add(item);
    entry.reason ??= 'late_update';
    this.#settleBook(entry, effectiveMs, watermarkMs, emitter);
  }

  /** Issues what the merged watermark decides, in the order of books. Answers whether anything changed. */
  advance(watermarkMs: number, emitter: Emitter): boolean {
    if (watermarkMs < this.#quietUntilMs) return false;
    const changed = this.#advance(watermarkMs, emitter);
    this.#quietUntilMs = this.#findQuietUntilMs();
    return changed;
  }

  /** The watermark before which nothing changes, as long as no evidence comes. */
  #findQuietUntilMs(): number {
    if (this.inferred.size > 0) return Number.NEGATIVE_INFINITY;
    let until = this.#clockDueMs();
    for (const { book } of this.#inOrder) until = Math.min(until, book.quietUntilMs());
    return until;
  }

  /** The clock forgets once its oldest time is older than this. */
  #clockDueMs(): number {
    const { firstMs } = this.clock;
    return firstMs === null ? Number.POSITIVE_INFINITY : firstMs + 2 * this.options.horizonMs;
  }

  #advance(watermarkMs: number, emitter: Emitter): boolean {
    let changed = false;
    if (this.inferred.size > 0) {
      for (const entry of [...this.inferred.values()]) {
        if (entry.item !== null || entry.effectiveMs + this.options.joinWindowMs > watermarkMs) continue;
        if (entry.kind === 'fill') this.#placeFill(entry.record, entry.effectiveMs, watermarkMs, 'at_last', emitter);
        else this.#placeCash(entry.record, entry.effectiveMs, watermarkMs, 'at_last', emitter);
        changed = true;
      }
    }
    for (let i = 0; i < this.#inOrder.length; i++) {
      const entry = this.#inOrder[i]!;
      if (entry.book.isWaiting && entry.book.earliestWaitingMs() + this.options.joinWindowMs <= watermarkMs) {
        changed = this.#settleBook(entry, watermarkMs, watermarkMs, emitter) || changed;
      }
      changed = this.#moveHorizon(entry, watermarkMs, emitter) || changed;
    }
    if (this.#clockDueMs() < watermarkMs) {
      this.clock.forgetBefore(watermarkMs - this.options.horizonMs);
      changed = true;
    }
    return changed;
  }

  restoreInferredFill(record: Fill, effectiveMs: number, isPlaced: boolean): void {
    this.inferred.set(record.fill_id, { kind: 'fill', record, effectiveMs, item: isPlaced ? this.#knownFill(record.fill_id)! : null });
  }

  restoreInferredCash(record: CashEvent, effectiveMs: number, isPlaced: boolean): void {
    this.inferred.set(cashName(record.cash_id), { kind: 'cash', record, effectiveMs, item: isPlaced ? this.#knownCash(record.cash_id)! : null });
  }

  #settleBook(entry: BookEntry, knownAtMs: number, watermarkMs: number, emitter: Emitter): boolean {
    const settlements = entry.book.settle(watermarkMs);
    if (settlements.length === 0) return false;
    const cause: ChangeCause = { knownAtMs, reason: entry.reason ?? 'late_fill' };
    for (const { before, after } of settlements) entry.issuer.issue(before, after, cause, emitter);
    if (entry.book.dirtySeq === null) entry.reason = null;
    return true;
  }

  #remove(item: Item, effectiveMs: number, reason: string): void {
    const entry = this.entry(item.positionIdx);
    entry.book.remove(item, effectiveMs);
    entry.reason = reason;
  }

  #placeFill(record: Fill, effectiveMs: number, watermarkMs: number, occasion: Occasion, emitter: Emitter): void {
    const place = this.#place(record.seq, record.executed_at, record.position_idx, record.side, record.closed_size, occasion === 'at_last');
    if (place === null) return;
    const item = fillItem(record, place, effectiveMs);
    const earlier = this.ids.fill(item.fillId, item.idHash);
    if (earlier !== undefined && sameFill(earlier, item)) return;
    const entry = this.entry(place.positionIdx);
    if (this.#isBeyondHorizon(entry, item, watermarkMs, effectiveMs, occasion, emitter)) {
      this.inferred.delete(record.fill_id);
      return;
    }
    if (earlier !== undefined) this.#remove(earlier, effectiveMs, 'late_order');
    this.#noteInferred(record.fill_id, item);
    entry.book.add(item);
    entry.reason ??= 'late_fill';
    if (earlier !== undefined && earlier.positionIdx !== item.positionIdx) this.#settleBook(this.entry(earlier.positionIdx), effectiveMs, watermarkMs, emitter);
    this.#settleBook(entry, effectiveMs, watermarkMs, emitter);
  }

  #placeCash(record: CashEvent, effectiveMs: number, watermarkMs: number, occasion: Occasion, emitter: Emitter): void {
    const place = this.#place(record.seq, record.occurred_at, record.position_idx, record.side, 0n, occasion === 'at_last');
    if (place === null) return;
    const item: CashItem = {
      kind: 'cash', positionIdx: place.positionIdx, seq: place.seq, effectiveMs, inputs: record.inputs, settled: false, dying: false,
      cashId: record.cash_id, idHash: hashOfId('cash', record.cash_id), amount: record.amount, occurredAt: record.occurred_at, dated: record.seq === null,
      beforeFills: record.seq === null && place.atMs > record.occurred_at,
    };
    const earlier = this.ids.cash(item.cashId, item.idHash);
    if (earlier !== undefined && sameCash(earlier, item)) return;
    const entry = this.entry(place.positionIdx);
    if (this.#isBeyondHorizon(entry, item, watermarkMs, effectiveMs, occasion, emitter)) {
      this.inferred.delete(cashName(record.cash_id));
      return;
    }
    if (earlier !== undefined) this.#remove(earlier, effectiveMs, 'late_fill');
    this.#noteInferred(cashName(record.cash_id), item);
    entry.book.add(item);
    entry.reason ??= 'late_fill';
    if (earlier !== undefined && earlier.positionIdx !== item.positionIdx) this.#settleBook(this.entry(earlier.positionIdx), effectiveMs, watermarkMs, emitter);
    this.#settleBook(entry, effectiveMs, watermarkMs, emitter);
  }

  #noteInferred(name: string, item: FillItem | CashItem): void {
    if (this.inferred.size === 0) return;
    const inferred = this.inferred.get(name);
    if (inferred === undefined) return;
    inferred.item = item as FillItem & CashItem;
    if (inferred.record.seq === null) this.highestDatedSeq = Math.max(this.highestDatedSeq, item.seq ?? Number.POSITIVE_INFINITY);
  }

  /** Book and seq of a piece of evidence; null while they are not known and it may still be waited for. */
  #place(
    seq: number | null, atMs: number, positionIdx: number | null, side: string, closedSize: bigint | null, final: boolean,
  ): { seq: number | null; atMs: number; positionIdx: number } | null {
    const dated = seq === null ? this.clock.at(atMs) : null;
    if (seq === null && dated === null && !final) return null;
    const placedSeq = seq ?? dated?.seq ?? null;
    const idx = positionIdx ?? this.#inferIdx(placedSeq, side, closedSize);
    if (idx === null && !final) return null;
    return { seq: placedSeq, atMs: dated?.atMs ?? atMs, positionIdx: idx ?? 0 };
  }

  /**
   * Book of evidence whose order was not seen: 0 in one-way mode; in hedge mode by side and what it closed. `closedSize` is
   * null where the exchange did not say; a cash event shows the side of its position.
   */
  #inferIdx(seq: number | null, side: string, closedSize: bigint | null): number | null {
    const hedge = this.mode.isHedge(seq);
    if (hedge === null) return null;
    if (!hedge) return 0;
    const closes = closedSize !== null && closedSize > 0n;
    return (side === 'Buy') === closes ? 2 : 1;
  }

  #learnTime(atMs: number, seq: number, effectiveMs: number, watermarkMs: number, emitter: Emitter): boolean {
    if (!this.clock.add(atMs, seq)) return false;
    if (this.inferred.size > 0 && (seq < this.highestDatedSeq || this.#hasUnplaced())) this.#lookAgain(effectiveMs, watermarkMs, emitter);
    return true;
  }

  #learnMode(seq: number, positionIdx: number, effectiveMs: number, watermarkMs: number, emitter: Emitter): boolean {
    if (!this.mode.add(seq, positionIdx)) return false;
    if (this.inferred.size > 0) this.#lookAgain(effectiveMs, watermarkMs, emitter);
    return true;
  }

  #hasUnplaced(): boolean {
    for (const entry of this.inferred.values()) if (entry.item === null) return true;
    return false;
  }

  #lookAgain(effectiveMs: number, watermarkMs: number, emitter: Emitter): void {
    for (const entry of [...this.inferred.values()]) {
      const at = entry.item === null ? entry.effectiveMs : effectiveMs;
      if (entry.kind === 'fill') this.#placeFill(entry.record, at, watermarkMs, 'again', emitter);
      else this.#placeCash(entry.record, at, watermarkMs, 'again', emitter);
    }
  }

  /** Evidence at or below a book's checkpoint comes too late: it is a dead letter and a discrepancy. */
  #isBeyondHorizon(entry: BookEntry, item: Item, watermarkMs: number, effectiveMs: number, occasion: Occasion, emitter: Emitter): boolean {
    const { book, issuer } = entry;
    if (!book.isAtOrBelowHorizon(item, watermarkMs)) return false;
    if (item.kind === 'update' && (item.seq < 0 || book.isCheckpointUpdate(item))) return true;
    const name = item.kind === 'fill' ? item.fillId : item.kind === 'cash' ? item.cashId : String(item.seq);
    const row = this.#discrepancy(entry, 'late_beyond_horizon', name, {
      firstSeq: item.seq, lastSeq: item.seq, execId: item.kind === 'fill' ? item.execId : null, orderId: item.kind === 'fill' ? item.orderId : null,
      openedAt: item.kind === 'fill' ? item.executedAt : item.kind === 'cash' ? item.occurredAt : item.updatedAt,
      evidence: canonicalJson({ checkpoint_seq: book.base.seq === Number.NEGATIVE_INFINITY ? null : book.base.seq }),
    });
    issuer.open(row, { knownAtMs: effectiveMs, reason: 'new' }, emitter);
    if (occasion === 'on_arrival') emitter.deadLetter('late_beyond_horizon', `${item.kind} ${name} at seq ${item.seq} is older than the correction horizon of its book`);
    return true;
  }

  #moveHorizon(entry: BookEntry, watermarkMs: number, emitter: Emitter): boolean {
    const { book } = entry;
    const { nextHorizonMs } = book;
    if (!book.moveHorizon(watermarkMs)) return book.nextHorizonMs !== nextHorizonMs;
    for (const [name, { item }] of this.inferred) {
      if (item !== null && item.seq !== null && item.seq <= book.base.seq && this.books.get(item.positionIdx) === entry) this.inferred.delete(name);
    }
    this.clock.forgetUpTo(this.#inOrder.reduce((lowest, { book }) => Math.min(lowest, book.base.seq), Number.POSITIVE_INFINITY));
    entry.issuer.forget(entry.book.base.seq, entry.book.liveCycleIds(), { knownAtMs: watermarkMs, reason: 'expired' }, emitter);
    return true;
  }

  #discrepancy(
    entry: BookEntry, cause: DerivedDiscrepancy['cause'], name: string,
    about: Pick<DerivedDiscrepancy, 'firstSeq' | 'lastSeq' | 'execId' | 'orderId' | 'openedAt' | 'evidence'>,
  ): DerivedDiscrepancy {
    const identity = cause === 'late_beyond_horizon' ? name : entry.book.ledger.nameInAsset(name);
    return { id: uuidOfKey(entry.book.ledger.bookName, cause, identity), cause, size: null, money: null, positionId: null, ...about };
  }
}

function cashName(cashId: string): string {
  return `cash|${cashId}`;
}

function fillItem(record: Fill, place: { seq: number | null; positionIdx: number }, effectiveMs: number): FillItem {
  return {
    kind: 'fill', positionIdx: place.positionIdx, seq: place.seq, effectiveMs, inputs: record.inputs, settled: false, dying: false,
    fillId: record.fill_id, idHash: hashOfId('fill', record.fill_id), source: record.source === 'order' ? 'order' : 'execution', execId: record.source === 'order' ? null : record.fill_id, orderId: record.order_id,
    direction: record.side === 'Sell' ? -1 : 1, quantity: record.quantity, value: record.value, price: record.price, fee: record.fee,
    closedSize: record.closed_size, execPnl: record.exec_pnl, leavesQuantity: record.leaves_quantity, fromQuantity: record.from_quantity,
    toQuantity: record.to_quantity, seqAfter: record.seq_after, executedAfter: record.executed_after, executedAt: record.executed_at,
    signalId: record.signal_id, exitReason: exitReason(record.create_type, record.exec_type), firstSeen: record.first_seen, dated: record.seq === null,
    taken: false,
  };
}

function sameFill(a: FillItem, b: FillItem): boolean {
  return a.positionIdx === b.positionIdx && a.seq === b.seq && a.direction === b.direction && a.quantity === b.quantity && a.value === b.value
    && a.price === b.price && a.fee === b.fee && a.closedSize === b.closedSize && a.execPnl === b.execPnl && a.leavesQuantity === b.leavesQuantity
    && a.fromQuantity === b.fromQuantity && a.toQuantity === b.toQuantity && a.seqAfter === b.seqAfter && a.executedAfter === b.executedAfter
    && a.executedAt === b.executedAt && a.signalId === b.signalId && a.exitReason === b.exitReason && a.firstSeen === b.firstSeen
    && a.orderId === b.orderId && a.source === b.source;
}

function sameCash(a: CashItem, b: CashItem): boolean {
  return a.positionIdx === b.positionIdx && a.seq === b.seq && a.amount === b.amount && a.occurredAt === b.occurredAt && a.beforeFills === b.beforeFills;
}

function updateText(item: UpdateItem): string {
  return canonicalJson({
    cum_realised_pnl: item.cumRealisedPnl, entry_price: item.entryPrice, position_value: item.positionValue, size: item.size,
  });
}

/** Of several updates of one seq the last by updatedTime counts, ties by the greatest canonical JSON. */
function supersedes(item: UpdateItem, earlier: UpdateItem): boolean {
  if (item.updatedAt !== earlier.updatedAt) return item.updatedAt > earlier.updatedAt;
  if (item.size === earlier.size && item.positionValue === earlier.positionValue && item.cumRealisedPnl === earlier.cumRealisedPnl
    && item.entryPrice === earlier.entryPrice) return false;
  return updateText(item) > updateText(earlier);
}
