import type { BookState } from './book-state.js';
import { copyBookState, newBookState, sameBookState } from './book-state.js';
import { checkConservation, newConservation } from './conservation.js';
import { Derivation, type DerivationRun } from './derivation.js';
import { type LaterEvidence, excessOf, isInRange } from './gap-explanation.js';
import type { IssuedGap } from './interval-plan.js';
import { DerivedRows, NO_ROWS } from './derived-rows.js';
import type { EvidenceIds } from './evidence-ids.js';
import { type FillItem, type FlowItem, type Item, type UpdateItem, eventTime } from './evidence-item.js';
import { EvidenceList } from './evidence-list.js';
import type { Ledger } from './ledger.js';

/** A state of the derivation right after the update of this seq: where a corrected derivation can begin. */
interface Snapshot {
  readonly seq: number;
  readonly state: BookState;
}

/** Rows that a settlement changes: what the items said before, and what they say now. */
export interface Settlement {
  readonly before: DerivedRows;
  readonly after: DerivedRows;
}

/** Intervals between two snapshots. */
const SNAPSHOT_INTERVALS = 48;

/** A derivation over some of the items of a book, from one state on. */
interface Run extends DerivationRun {
  rows: DerivedRows;
  readonly items: readonly Item[];
  /** Index of the next item. */
  index: number;
}

export interface HorizonOptions {
  /** How long a missing fill or update is waited for, in event time. */
  readonly joinWindowMs: number;
  /** How far back corrections reach: event time, and newest items of a book; the shorter one counts. */
  readonly horizonMs: number;
  readonly horizonEvents: number;
}

/** The horizon is moved once this share of it can be forgotten. */
const HORIZON_SLACK = 8;

/**
 * One position ledger: its evidence in order, the state it leads to, and which of it has been issued as rows.
 * The issued rows are always exactly the derivation of the settled items, so nothing of them has to be kept.
 */
export class Book {
  readonly ledger: Ledger;
  readonly derivation: Derivation;
  readonly options: HorizonOptions;
  readonly conservation = newConservation();
  readonly evidence: EvidenceList;
  /** State at the horizon: everything at or before its seq is taken for good. */
  base: Snapshot = { seq: Number.NEGATIVE_INFINITY, state: newBookState() };
  snapshots: Snapshot[] = [];
  /** State after the last settled item. */
  tip: BookState = newBookState();
  /** Whether settled fills stand after the last settled update. */
  tipIsOpen = false;
  /** Lowest seq that unsettled changes before the tip can influence; null if there are none. */
  dirtySeq: number | null = null;
  /** The highest such seq. */
  dirtyToSeq = Number.NEGATIVE_INFINITY;
  /** Effective time of the first such change. */
  dirtySinceMs = Number.NEGATIVE_INFINITY;
  #intervalsSinceSnapshot = 0;
  readonly #laterNow: LaterEvidence = {
    fills: () => this.evidence.orderFills(false), ownExcess: (fill, state) => (fill.seq === null ? null : excessOf(this.evidence.intervalAround(fill.seq), state)),
  };
  readonly #laterIssued: LaterEvidence = { fills: () => this.evidence.orderFills(true), ownExcess: () => null };
  readonly #extension = new DerivedRows();
  /** The horizon is not looked at before this watermark. */
  nextHorizonMs = Number.NEGATIVE_INFINITY;
  /** By seq, the updates that did not fit the fills dated before them, as the issued rows have it, and how that was closed. */
  gaps = new Map<number, IssuedGap>();

  constructor(ledger: Ledger, options: HorizonOptions, ids: EvidenceIds) {
    this.ledger = ledger;
    this.options = options;
    this.evidence = new EvidenceList(ledger.key.positionIdx, ids);
    this.derivation = new Derivation(ledger);
  }

  /** The lowest seq at which an item can change what was issued. */
  #lowestInfluence(item: Item): number {
    const seq = item.seq ?? Number.POSITIVE_INFINITY;
    if (this.gaps.size === 0) return seq;
    // An order-derived fill changes an earlier interval only where that one did not fit by itself; and so does what stands in
    // the interval of such a fill, for how much of it has no room there is one of the reasons.
    const fills = item.kind === 'fill' && item.source === 'order' ? [item] : [];
    if (item.seq !== null) for (const fill of this.#totalsAround(item.seq)) fills.push(fill);
    let lowest = seq;
    for (const fill of fills) {
      for (const [gap, { updatedAt }] of this.gaps) if (gap < lowest && isInRange(fill, { seq: gap, updatedAt })) lowest = gap;
    }
    return lowest;
  }

  /** Order-derived fills of the intervals that an item of a seq is part of, or stands between. */
  #totalsAround(seq: number): readonly FillItem[] {
    if (this.evidence.orderFills(false).length === 0) return [];
    const upTo = this.evidence.intervalAround(seq).fills;
    const from = this.evidence.intervalAround(seq + 1).fills;
    return [...upTo, ...from].filter(({ source }) => source === 'order');
  }

  /** Puts an item in its place. It is issued when `settle` finds it fitting, or its window has passed. */
  add(item: Item): void {
    if (this.evidence.isArchived(item.seq)) this.#bringBackGaps();
    const isLate = this.evidence.insert(item);
    const lowest = this.#lowestInfluence(item);
    if (isLate || lowest <= this.#tipSeq()) this.#markDirty(lowest, item.seq ?? Number.POSITIVE_INFINITY, item.effectiveMs);
  }

  /** Evidence that comes among what was put away can still change how an earlier gap was closed: all since the first is needed. */
  #bringBackGaps(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const gap of this.gaps.keys()) first = Math.min(first, gap);
    this.evidence.bringBackAfter(first - 1);
  }

  /** Seq of the last settled update. */
  #tipSeq(): number {
    return this.tip.shown?.seq ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes an item out: at once if it was never issued, else as soon as a derivation without it is settled. */
  remove(known: Item, effectiveMs: number): void {
    const isOld = this.evidence.isArchived(known.seq);
    const item = this.evidence.atHand(known);
    if (isOld) this.#bringBackGaps();
    if (!this.evidence.isIssued(item)) {
      this.evidence.take(item);
      const lowest = this.#lowestInfluence(item);
      if (lowest <= this.#tipSeq()) this.#markDirty(lowest, item.seq ?? Number.POSITIVE_INFINITY, effectiveMs);
      return;
    }
    item.dying = true;
    item.effectiveMs = effectiveMs;
    this.evidence.forgetOrderFills();
    this.#markDirty(this.#lowestInfluence(item), item.seq ?? Number.POSITIVE_INFINITY, effectiveMs);
  }

  /** Whether evidence is at or below the checkpoint: by seq and watermark alone, without a seq by event time. */
  isAtOrBelowHorizon(item: Item, watermarkMs: number): boolean {
    if (item.seq === null) return eventTime(item) <= watermarkMs - this.options.horizonMs;
    if (item.seq <= this.base.seq) return true;
    // A checkpoint is made of a settled update.
    if (item.seq > this.#tipSeq()) return false;
    const anchor = this.#checkpointIndex(watermarkMs);
    return anchor >= 0 && item.seq <= this.evidence.seqAt(anchor)!;
  }

  /** Whether an update only repeats what the checkpoint was made of. */
  isCheckpointUpdate(item: UpdateItem): boolean {
    const { shown } = this.base.state;
    return shown !== null && shown.seq === item.seq && shown.size === item.size && shown.cumRealisedPnl === item.cumRealisedPnl;
  }

  /** Cycles whose rows may still change. */
  liveCycleIds(): Set<string> {
    const ids = new Set<string>();
    for (const state of [this.base.state, this.tip]) {
      if (state.cycle !== null) ids.add(state.cycle.positionId);
      if (state.lastCycle !== null) ids.add(state.lastCycle.positionId);
    }
    return ids;
  }

  /** Which item is the update at which a checkpoint can be made; -1 if there is none. */
  #checkpointIndex(watermarkMs: number): number {
    const { horizonMs, horizonEvents } = this.options;
    return this.evidence.lastUpdateAmong(this.evidence.countBeyond(watermarkMs - horizonMs, horizonEvents));
  }

  /** Whether there are enough items beyond the newest of the horizon to be worth forgetting. */
  get #isLong(): boolean {
    const { horizonEvents } = this.options;
    return this.evidence.length >= horizonEvents + Math.max(1, Math.floor(horizonEvents / HORIZON_SLACK));
  }

  /** The watermark before which nothing of the book changes, as long as no evidence comes. */
  quietUntilMs(): number {
    if (this.#isLong) return Number.NEGATIVE_INFINITY;
    const waiting = this.isWaiting ? this.earliestWaitingMs() + this.options.joinWindowMs : Number.POSITIVE_INFINITY;
    return this.evidence.length === 0 ? waiting : Math.min(waiting, this.nextHorizonMs);
  }

  /** Forgets what is beyond the horizon, once it is worth it. Answers whether anything was. */
  moveHorizon(watermarkMs: number): boolean {
    const { horizonMs } = this.options;
    if (this.dirtySeq !== null || (!this.#isLong && watermarkMs < this.nextHorizonMs)) return false;
    if (this.evidence.length === 0) return false;
    this.nextHorizonMs = Math.max(this.evidence.eventTimeAt(0) + horizonMs, watermarkMs) + horizonMs / HORIZON_SLACK;
    const anchor = this.#checkpointIndex(watermarkMs);
    if (anchor < 0) return false;
    const anchorSeq = this.evidence.seqAt(anchor)!;
    this.base = { seq: anchorSeq, state: this.#deriveIssued(this.#snapshotBefore(anchorSeq + 0.5), anchor + 1).state };
    this.snapshots = this.snapshots.filter((snapshot) => snapshot.seq > anchorSeq);
    for (const seq of this.gaps.keys()) if (seq <= anchorSeq) this.gaps.delete(seq);
    this.evidence.cut(anchor + 1);
    return true;
  }

  /** All rows since the horizon, as a derivation of the issued items says: what was issued must add up to it. */
  issuedRows(): DerivedRows {
    return this.#deriveIssued(this.base, this.evidence.issuedLength).rows;
  }

  /** Derives from a snapshot on over the issued items among the first so many, archived ones too. */
  #deriveIssued(from: Snapshot, count: number): Run {
    let fills: readonly FillItem[] | null = null;
    const later: LaterEvidence = { fills: () => (fills ??= this.evidence.issuedOrderFills()), ownExcess: () => null };
    const run = runFrom(copyBookState(from.state), this.evidence.readAfter(from.seq, count), 0, later, this.gaps);
    while (this.#stepIssued(run, run.items.length)) { /* to the end */ }
    return run;
  }

  /** Derives the tip again from base and settled items, after they were read back. */
  rebuild(): void {
    const run = runFrom(copyBookState(this.base.state), this.evidence.items, 0, this.#laterIssued, this.gaps);
    this.tipIsOpen = false;
    this.snapshots = [];
    while (run.index < this.evidence.tipIndex) {
      const from = run.index;
      if (!this.#stepIssued(run, this.evidence.tipIndex)) break;
      this.#afterStep(run, from);
      run.rows = new DerivedRows();
    }
    this.tip = run.state;
    this.tipIsOpen = this.evidence.isOpenAt(this.evidence.tipIndex);
    if (this.dirtySeq === null) this.evidence.archiveSettled();
  }

  #markDirty(fromSeq: number, toSeq: number, effectiveMs: number): void {
    if (this.dirtySeq === null) this.dirtySinceMs = effectiveMs;
    this.dirtySeq = this.dirtySeq === null ? fromSeq : Math.min(this.dirtySeq, fromSeq);
    this.dirtyToSeq = Math.max(this.dirtyToSeq, toSeq);
  }

  /** Whether anything waits to be issued. */
  get isWaiting(): boolean {
    return this.dirtySeq !== null || this.evidence.tipIndex < this.evidence.items.length;
  }

  /** Earliest effective time of what waits to be issued. */
  earliestWaitingMs(): number {
    return this.evidence.earliestWaitingMs(this.dirtySeq !== null);
  }

  /** Issues what fits, and what the merged watermark says need not be waited for: one settlement after the other. */
  settle(watermarkMs: number): Settlement[] {
    const settlements: Settlement[] = [];
    if (this.dirtySeq !== null) {
      const corrected = this.#rederive(this.dirtySeq, this.dirtyToSeq, watermarkMs);
      // What follows is derived from corrected state only: until the correction is certain, it waits as well.
      if (corrected === null) return settlements;
      settlements.push(corrected);
    }
    if (this.evidence.tipIndex < this.evidence.items.length) {
      // What stands on an open tip is put in sequence anew with what follows: up to an update, or within one seq.
      const onOpenTip = this.tipIsOpen && (this.evidence.hasUpdateFrom(this.evidence.tipIndex) || this.evidence.isWithinSeqAt(this.evidence.tipIndex));
      const extended = onOpenTip ? this.#rederive(this.#tipSeq() + 0.5, Number.POSITIVE_INFINITY, watermarkMs) : this.#extend(watermarkMs);
      if (extended !== null) settlements.push(extended);
    }
    if (settlements.length > 0) this.evidence.archiveSettled();
    return settlements;
  }

  /** Derives on from the tip over items that were not there before. */
  #extend(watermarkMs: number): Settlement | null {
    // Used again and again: a settlement is issued before the next one is made.
    this.#extension.clear();
    const run = runFrom(this.tip, this.evidence.items, this.evidence.tipIndex, this.#laterNow, null, this.#extension);
    const start = run.index;
    while (run.index < this.evidence.items.length) {
      const from = run.index;
      const isTail = !this.evidence.hasUpdateFrom(from);
      if (isTail && this.evidence.items[from]!.effectiveMs + this.options.joinWindowMs > watermarkMs) break;
      const anchor = this.tipIsOpen || !isTail ? null : copyBookState(run.state);
      if (!this.#stepNew(run, watermarkMs)) break;
      // Fills without an update may be derived again when it comes: that begins here.
      if (anchor !== null && anchor.shown !== null && this.#lastSnapshotSeq() < anchor.shown.seq) {
        this.snapshots.push({ seq: anchor.shown.seq, state: anchor });
      }
      this.#afterStep(run, from);
    }
    if (run.index === start) return null;
    for (const [seq, choice] of run.gaps) this.gaps.set(seq, choice);
    this.evidence.settle(start, run.index);
    this.evidence.tipIndex = run.index;
    this.evidence.markTaken(this.tip.moved);
    return { before: NO_ROWS, after: run.rows };
  }

  /** Bookkeeping of a step of the run that becomes the tip. */
  #afterStep(run: Run, from: number): void {
    const last = this.evidence.items[run.index - 1]!;
    this.tipIsOpen = last.kind !== 'update';
    if (!this.tipIsOpen) checkConservation(this.conservation, this.ledger.policy, run.state);
    if (this.tipIsOpen || run.index === from) return;
    this.#intervalsSinceSnapshot += 1;
    if (this.#intervalsSinceSnapshot < SNAPSHOT_INTERVALS) return;
    this.#intervalsSinceSnapshot = 0;
    this.snapshots.push({ seq: (last as UpdateItem).seq, state: copyBookState(run.state) });
  }

  #lastSnapshotSeq(): number {
    return this.snapshots[this.snapshots.length - 1]?.seq ?? this.base.seq;
  }

  /**
   * One interval, or the fills of one seq after the last update, over all items but dying ones.
   * False if it has to wait; the run is then unchanged.
   */
  #stepNew(run: Run, watermarkMs: number): boolean {
    const flows: FlowItem[] = [];
    let latestMs = Number.NEGATIVE_INFINITY;
    for (let i = run.index; i < this.evidence.items.length; i++) {
      const item = this.evidence.items[i]!;
      if (!item.settled || item.dying) latestMs = Math.max(latestMs, item.effectiveMs);
      if (item.dying) continue;
      if (item.kind !== 'update') {
        flows.push(item);
        continue;
      }
      const decided = latestMs + this.options.joinWindowMs <= watermarkMs || this.#isOverdue(watermarkMs);
      if (!this.derivation.interval(run, flows, item, decided)) return false;
      run.index = i + 1;
      return true;
    }
    return this.#stepTail(run, flows, watermarkMs);
  }

  /** Whether a correction waited so long that more late evidence must not put it off: it is then derived as it stands. */
  #isOverdue(watermarkMs: number): boolean {
    return this.dirtySeq !== null && this.dirtySinceMs + 2 * this.options.joinWindowMs <= watermarkMs;
  }

  /** Fills after the last update, those of one seq at a time, once their window has passed. */
  #stepTail(run: Run, flows: readonly FlowItem[], watermarkMs: number): boolean {
    if (flows.length === 0) {
      run.index = this.evidence.items.length;
      return true;
    }
    const group = firstGroup(flows);
    const isOverdue = this.#isOverdue(watermarkMs);
    for (const flow of group) if (!flow.settled && !isOverdue && flow.effectiveMs + this.options.joinWindowMs > watermarkMs) return false;
    this.#passGroup(run, group);
    return true;
  }

  /** What a run found from after one seq up to another holds for the issued rows now. */
  #takeGaps({ gaps }: Run, fromSeq: number, toSeq: number): void {
    for (const seq of this.gaps.keys()) if (seq > fromSeq && seq <= toSeq) this.gaps.delete(seq);
    for (const [seq, choice] of gaps) this.gaps.set(seq, choice);
  }

  /** The same as stepNew over the settled items up to an index, as they were issued. False at their end. */
  #stepIssued(run: Run, end: number): boolean {
    const flows: FlowItem[] = [];
    for (let i = run.index; i < end; i++) {
      const item = run.items[i]!;
      if (!item.settled) continue;
      if (item.kind !== 'update') {
        flows.push(item);
        continue;
      }
      this.derivation.interval(run, flows, item, true);
      run.index = i + 1;
      return true;
    }
    if (flows.length > 0) {
      this.#passGroup(run, firstGroup(flows));
      return true;
    }
    run.index = end;
    return false;
  }

  #passGroup(run: Run, group: readonly FlowItem[]): void {
    this.derivation.tail(run, group);
    run.index = run.items.indexOf(group[group.length - 1]!, run.index) + 1;
  }

  /**
   * Derives again from before `dirtySeq`, beside a derivation of what was issued, until both are in the same state after
   * the last change, or to the end. Nothing is changed if the new derivation has to wait before the tip.
   */
  #rederive(dirtySeq: number, dirtyToSeq: number, watermarkMs: number): Settlement | null {
    const begin = this.#snapshotBefore(dirtySeq);
    this.evidence.bringBackAfter(begin.seq);
    const beginIndex = this.evidence.indexAfter(begin.seq);
    const oldRun = runFrom(copyBookState(begin.state), this.evidence.items, beginIndex, this.#laterIssued, this.gaps);
    const newRun = runFrom(copyBookState(begin.state), this.evidence.items, beginIndex, this.#laterNow, null);
    for (const run of [oldRun, newRun]) this.ledger.refreshCycles(run.state, run.rows);
    const lastChange = Math.min(this.evidence.tipIndex, this.evidence.indexAfter(dirtyToSeq));
    const fresh: Snapshot[] = [];
    let intervals = 0;
    let converged = false;
    while (newRun.index < this.evidence.tipIndex) {
      const from = newRun.index;
      if (!this.#stepNew(newRun, watermarkMs)) return null;
      const last = this.evidence.items[newRun.index - 1]!;
      if (last.kind !== 'update' || newRun.index === from) continue;
      intervals += 1;
      if (intervals % SNAPSHOT_INTERVALS === 0) fresh.push({ seq: last.seq, state: copyBookState(newRun.state) });
      if (!last.settled || last.dying || newRun.index <= lastChange) continue;
      while (oldRun.index < newRun.index && this.#stepIssued(oldRun, newRun.index)) { /* catches up */ }
      if (sameBookState(oldRun.state, newRun.state)) {
        converged = true;
        break;
      }
    }
    this.dirtySeq = null;
    this.dirtyToSeq = Number.NEGATIVE_INFINITY;
    if (converged) {
      const last = this.evidence.items[newRun.index - 1] as UpdateItem;
      this.#keepTip(oldRun.state, newRun.state, last, begin.seq, fresh);
      this.#takeGaps(newRun, begin.seq, last.seq);
      this.evidence.settle(beginIndex, newRun.index);
    } else {
      while (this.#stepIssued(oldRun, this.evidence.tipIndex)) { /* to the end of what was issued */ }
      this.#replaceTip(newRun, watermarkMs, begin.seq, fresh);
      this.#takeGaps(newRun, begin.seq, Number.POSITIVE_INFINITY);
      this.evidence.settle(beginIndex, newRun.index);
    }
    this.evidence.dropDying();
    this.evidence.markTaken(this.tip.moved);
    return { before: oldRun.rows, after: newRun.rows };
  }

  /** Goes on from the tip of a corrected derivation over items that were not issued yet. */
  #replaceTip(run: Run, watermarkMs: number, beginSeq: number, fresh: readonly Snapshot[]): void {
    this.snapshots = [...this.snapshots.filter((snapshot) => snapshot.seq <= beginSeq), ...fresh];
    this.#intervalsSinceSnapshot = 0;
    this.tip = run.state;
    const previous = this.evidence.items[run.index - 1];
    this.tipIsOpen = previous !== undefined && this.evidence.isOpenAt(run.index);
    while (run.index < this.evidence.items.length) {
      const from = run.index;
      if (!this.#stepNew(run, watermarkMs)) break;
      this.#afterStep(run, from);
    }
    this.evidence.tipIndex = run.index;
  }

  /** The derivations met: later states stay as they are, but for the totals of the conservation check. */
  #keepTip(before: BookState, after: BookState, at: UpdateItem, beginSeq: number, fresh: readonly Snapshot[]): void {
    const later = this.snapshots.filter((snapshot) => snapshot.seq > at.seq);
    for (const state of [this.tip, ...later.map((snapshot) => snapshot.state)]) {
      if (state.startCum !== before.startCum) continue;
      state.startCum = after.startCum;
      state.attributed = state.attributed === null || after.attributed === null || before.attributed === null
        ? null : state.attributed + after.attributed - before.attributed;
      state.toleranceSinceStart += after.toleranceSinceStart - before.toleranceSinceStart;
    }
    this.snapshots = [...this.snapshots.filter((snapshot) => snapshot.seq <= beginSeq), ...fresh, ...later];
  }

  #snapshotBefore(seq: number): Snapshot {
    for (let i = this.snapshots.length - 1; i >= 0; i--) if (this.snapshots[i]!.seq < seq) return this.snapshots[i]!;
    return this.base;
  }
}

function runFrom(
  state: BookState, items: readonly Item[], index: number, later: LaterEvidence, issuedGaps: ReadonlyMap<number, IssuedGap> | null, rows = new DerivedRows(),
): Run {
  return { state, rows, items, index, later, issuedGaps, gaps: new Map() };
}

/** The fills and cash events of the first one's seq; it alone if it has none. */
function firstGroup(flows: readonly FlowItem[]): readonly FlowItem[] {
  const { seq } = flows[0]!;
  return seq === null ? flows.slice(0, 1) : flows.filter((flow) => flow.seq === seq);
}
