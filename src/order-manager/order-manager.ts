import type { Execution, OrderUpdate } from '../domain/records.js';
import { DEFAULT_SIGNAL_PATTERN, signalReader } from '../domain/signal.js';
import type { Emitter, MergedRecord, Processor, StateChange } from '../runtime/processor.js';
import { Changelog, CLOCK_KEY } from './changelog.js';
import { newEntry } from './execution-entry.js';
import { executionKind } from './execution-type.js';
import { executionRef, orderRef } from './issue.js';
import { MarketIndex } from './market-index.js';
import { newSlot, newStray, orderKey, stateKey, type Market, type OrderSlot, type StrayRow, type Ticket } from './market.js';
import { OrderArchive, type ArchivedOrder } from './order-archive.js';
import { hasEnded, labelsOf } from './order-body.js';
import { applyMessage, attachExecution } from './order-facts.js';
import { causedBy, issueFill, issueRow, refreshParts, relabel } from './order-step.js';
import { repeatExecution, type Shelf } from './repeat-step.js';
import type { OrderManagerOptions, Scope } from './scope.js';
import { readArchived, readClock, recompute, StateRestore } from './state-restore.js';
import { cashKey, fileStray, flawedRows, issueAnomalies, issueOrderlessFill, refreshCash, unfileStray } from './stray-step.js';
import { TimeQueue } from './time-queue.js';

const DAY_MS = 86_400_000;
/** Fewer tickets without an order are not worth looking through the queue for. */
const LEAST_EMPTY_TICKETS = 256;

export const ORDER_MANAGER_DEFAULTS: OrderManagerOptions = {
  joinWindowMs: 5_000,
  horizonMs: DAY_MS,
  openOrderMs: 90 * DAY_MS,
  signalPattern: DEFAULT_SIGNAL_PATTERN,
};

/**
 * The order-manager of one partition: orders and executions in; fills, cash events, order rows and anomalies out. Without
 * `keepsChanges` takeChanges has nothing to tell: for runs whose state nobody stores. To be called all the same, for it is then
 * that orders which have ended become small.
 */
export function createOrderManager(options: Partial<OrderManagerOptions> = {}, keepsChanges = true): Processor {
  return new OrderManager({ ...ORDER_MANAGER_DEFAULTS, ...options }, keepsChanges);
}

const NO_EMITTER: Emitter = {
  emit() {
    throw new Error('order-manager: emitted outside of a step');
  },
  deadLetter() {
    throw new Error('order-manager: dead letter outside of a step');
  },
};

class OrderManager implements Processor, Shelf {
  private readonly markets = new MarketIndex();
  private readonly pending = new TimeQueue<OrderSlot>();
  private readonly expiry = new TimeQueue<Ticket | StrayRow>();
  /** Orders that were put away since the expiry queue let go of the tickets of such. */
  private putAwayCount = 0;
  private readonly archive = new OrderArchive();
  private readonly changelog: Changelog;
  private readonly scope: Scope;
  private readonly options: OrderManagerOptions;
  private forwardedMs = -1;
  private clockChanged = false;
  private restored = new StateRestore(this.markets);

  constructor(options: OrderManagerOptions, keepsChanges: boolean) {
    this.options = options;
    this.changelog = new Changelog(keepsChanges, (slot, state) => this.putAway(slot, state));
    this.scope = {
      options,
      signalOf: signalReader(options.signalPattern),
      partition: 0,
      watermarkMs: -1,
      emitter: NO_EMITTER,
      eventMs: 0,
      wait: (slot, shownMs) => this.wait(slot, shownMs),
      touch: (kept) => this.changelog.touch(kept),
      positionIdxOf: (market, orderId) => this.known(market, orderId)?.body.positionIdx ?? null,
    };
  }

  process(record: MergedRecord, emitter: Emitter): void {
    const { scope } = this;
    if (scope.partition !== record.partition) {
      scope.partition = record.partition;
      this.clockChanged = true;
    }
    scope.emitter = emitter;
    scope.eventMs = record.effectiveMs;
    if (record.type === 'OrderUpdate') this.order(record.value, record.offset);
    else if (record.type === 'Execution') this.execution(record.value, record.offset);
    else throw new Error(`order-manager: no rule for a ${record.type} in ${record.topic}`);
  }

  private order(row: OrderUpdate, offset: number): void {
    const { scope } = this;
    const market = this.markets.get(row.account, row.category, row.asset);
    const slot = this.slot(market, row.order_id);
    const change = applyMessage(slot.body, row, offset, scope.eventMs);
    if (!change.changed) return;
    if (change.labels) {
      relabel(scope, slot, null);
      for (const entry of flawedRows(market, row.order_id)) issueAnomalies(scope, market, entry);
      for (const entry of slot.body.executions) if (entry.conflict) issueAnomalies(scope, market, entry);
    }
    refreshParts(scope, slot, false);
    const cause = { messageSeq: row.seq, messageAt: row.updated_at, inputs: [orderRef(scope.partition, offset)] };
    issueRow(scope, slot, cause, change.newPair, scope.eventMs);
    this.renew(slot);
  }

  private execution(row: Execution, offset: number): void {
    const { scope } = this;
    const kind = executionKind(row.exec_type);
    if (kind === 'fill' && (row.quantity <= 0n || row.price < 0n || row.side === 'None')) {
      scope.emitter.deadLetter('BadExecution', 'a fill needs a side, a quantity above 0 and a price not below 0');
      return;
    }
    const market = this.markets.get(row.account, row.category, row.asset);
    if (market.executions.has(row.exec_id) || this.bringBackHomeOf(market, row.exec_id)) {
      repeatExecution(scope, this, market, row, offset);
      return;
    }
    const entry = newEntry(row.exec_id, row, offset, market);
    if (kind !== 'fill' || row.order_id === '') {
      const stray = newStray(market, entry);
      market.executions.set(row.exec_id, stray);
      fileStray(stray);
      if (kind === 'cash') refreshCash(scope, market, cashKey(entry));
      else if (kind === 'fill') issueOrderlessFill(scope, stray);
      else issueAnomalies(scope, market, entry);
      this.renew(stray);
      return;
    }
    const slot = this.slot(market, row.order_id);
    market.executions.set(row.exec_id, slot);
    if (attachExecution(slot.body, entry)) relabel(scope, slot, entry);
    refreshParts(scope, slot, false);
    issueFill(scope, slot, entry, labelsOf(slot.body, scope.signalOf));
    issueRow(scope, slot, causedBy(executionRef(scope.partition, offset)), false, scope.eventMs);
    this.renew(slot);
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    if (watermarkMs <= this.scope.watermarkMs) return this.forwardedMs;
    this.clockChanged = true;
    this.scope.watermarkMs = watermarkMs;
    this.scope.emitter = emitter;
    this.decide(watermarkMs);
    this.prune(watermarkMs);
    while (this.pending.size > 0 && this.pending.first!.pendingMs !== this.pending.firstMs) this.pending.pop();
    this.forwardedMs = Math.max(this.forwardedMs, Math.min(watermarkMs, this.pending.firstMs - 1));
    return this.forwardedMs;
  }

  /** Turns what is still missing, and was shown a join window ago, into fills, in the order of keys. */
  private decide(watermarkMs: number): void {
    const { scope, pending } = this;
    const due = new Map<string, OrderSlot>();
    while (pending.firstMs + this.options.joinWindowMs <= watermarkMs) {
      const shownMs = pending.firstMs;
      const slot = pending.pop()!;
      if (slot.pendingMs === shownMs) due.set(stateKey(slot), slot);
    }
    for (const [, slot] of [...due].sort(([a], [b]) => (a < b ? -1 : 1))) {
      scope.eventMs = slot.pendingMs;
      slot.pendingMs = Infinity;
      const issuedMs = refreshParts(scope, slot, true);
      const cause = causedBy(orderRef(scope.partition, slot.body.latestOffset));
      issueRow(scope, slot, cause, false, Math.max(issuedMs, scope.eventMs));
      slot.ended = hasEnded(slot.body);
      this.changelog.touch(slot);
      this.schedule(slot);
    }
  }

  private prune(watermarkMs: number): void {
    const { expiry } = this;
    while (expiry.firstMs <= watermarkMs) {
      const queuedMs = expiry.firstMs;
      const queued = expiry.pop()!;
      const kept = queued.home === 'stray' ? queued : queued.slot;
      if (kept === null || kept.expiryMs !== queuedMs) continue;
      kept.expiryMs = Infinity;
      if (this.expiryOf(kept) > watermarkMs) this.schedule(kept, watermarkMs);
      else if (kept.home === 'stray') this.forgetRow(kept);
      else this.forgetOrder(kept);
    }
    for (let old = this.archive.takeExpired(watermarkMs); old !== null; old = this.archive.takeExpired(watermarkMs)) {
      this.changelog.forget(orderKey(old.market, old.orderId), 1);
      this.markets.dropIfEmpty(old.market);
    }
  }

  private forgetOrder(slot: OrderSlot): void {
    this.removeLive(slot);
    this.changelog.leave(slot);
    this.changelog.forget(stateKey(slot), slot.body.writtenSegments);
    this.markets.dropIfEmpty(slot.market);
  }

  private removeLive({ market, orderId, body }: OrderSlot): void {
    market.orders.delete(orderId);
    for (const { execId } of body.executions) market.executions.delete(execId);
  }

  /** From now on its state is all there is of it. */
  private putAway(slot: OrderSlot, state: Uint8Array): void {
    const { market, orderId, body } = slot;
    this.archive.add(market, orderId, body.executions.map(({ execId }) => execId), state, this.expiryOf(slot));
    this.removeLive(slot);
    slot.ticket.slot = null;
    this.putAwayCount += 1;
    if (this.putAwayCount < LEAST_EMPTY_TICKETS || 2 * this.putAwayCount < this.expiry.size) return;
    this.expiry.keepOnly((queued) => queued.home === 'stray' || queued.slot !== null);
    this.putAwayCount = 0;
  }

  /** Makes an archived order one that can be worked with. All its parts are decided, or it had not been put away. */
  private bringBack(old: ArchivedOrder): OrderSlot {
    const { scope } = this;
    const slot = readArchived(old);
    recompute(slot, this.options, scope.signalOf, Infinity);
    slot.ended = hasEnded(slot.body);
    const { market, orderId, body } = slot;
    market.orders.set(orderId, slot);
    for (const { execId } of body.executions) market.executions.set(execId, slot);
    this.changelog.rest(slot);
    this.schedule(slot);
    return slot;
  }

  /** Whether the archive had the order of an execution: it is back then. */
  private bringBackHomeOf(market: Market, execId: string): boolean {
    const entry = this.archive.findByExecution(market, execId, (old) => readArchived(old).body.executions.some((one) => one.execId === execId));
    if (entry < 0) return false;
    this.bringBack(this.archive.take(entry));
    return true;
  }

  private forgetRow(stray: StrayRow): void {
    unfileStray(stray);
    stray.market.executions.delete(stray.entry.execId);
    this.forget(stray);
    this.markets.dropIfEmpty(stray.market);
  }

  forget(stray: StrayRow): void {
    stray.expiryMs = Infinity;
    this.changelog.leave(stray);
    this.changelog.forget(stateKey(stray), 1);
  }

  private known(market: Market, orderId: string): OrderSlot | null {
    const live = market.orders.get(orderId);
    if (live !== undefined) return live;
    const entry = this.archive.find(market, orderId);
    return entry < 0 ? null : this.bringBack(this.archive.take(entry));
  }

  slot(market: Market, orderId: string): OrderSlot {
    const known = this.known(market, orderId);
    if (known !== null) return known;
    const slot = newSlot(market, orderId);
    market.orders.set(orderId, slot);
    return slot;
  }

  renew(kept: OrderSlot | StrayRow): void {
    kept.lastMs = this.scope.eventMs;
    if (kept.home === 'order') kept.ended = hasEnded(kept.body);
    this.changelog.touch(kept);
    this.schedule(kept);
  }

  private wait(slot: OrderSlot, shownMs: number): void {
    if (slot.pendingMs === shownMs) return;
    slot.pendingMs = shownMs;
    if (shownMs < Infinity) this.pending.push(shownMs, slot);
  }

  /**
   * Queues it to be looked at when it may be forgotten, but no later than a horizon from now: an open order is kept for
   * months, and a place in the queue for as long would hold it in memory long after it ended.
   */
  private schedule(kept: OrderSlot | StrayRow, nowMs = kept.lastMs): void {
    const { horizonMs, joinWindowMs } = this.options;
    const ms = Math.min(this.expiryOf(kept), nowMs + Math.max(horizonMs, joinWindowMs, 1));
    if (ms >= kept.expiryMs) return;
    kept.expiryMs = ms;
    this.expiry.push(ms, kept.home === 'stray' ? kept : kept.ticket);
  }

  /** When it may be forgotten: nothing that is still waited for ever is. */
  private expiryOf(kept: OrderSlot | StrayRow): number {
    const { horizonMs, openOrderMs, joinWindowMs } = this.options;
    if (kept.home === 'stray') return kept.lastMs + horizonMs;
    const keptMs = kept.ended ? horizonMs : Math.max(openOrderMs, horizonMs);
    return kept.lastMs + Math.max(keptMs, joinWindowMs);
  }

  takeChanges(): StateChange[] {
    const { partition, watermarkMs } = this.scope;
    const clock = this.clockChanged ? { partition, watermarkMs, forwardedMs: this.forwardedMs } : null;
    this.clockChanged = false;
    return this.changelog.take(clock);
  }

  restore(key: string, value: Uint8Array): void {
    if (key !== CLOCK_KEY) {
      this.restored.add(key, value);
      return;
    }
    const clock = readClock(value);
    this.scope.partition = clock.partition;
    this.scope.watermarkMs = clock.watermarkMs;
    this.forwardedMs = clock.forwardedMs;
  }

  finishRestore(): void {
    const { options, scope } = this;
    for (const kept of this.restored.finish()) {
      if (kept.home === 'order') {
        this.wait(kept, recompute(kept, options, scope.signalOf, scope.watermarkMs));
        kept.ended = hasEnded(kept.body);
        this.changelog.rest(kept);
      }
      this.schedule(kept);
    }
    this.restored = new StateRestore(this.markets);
  }
}
