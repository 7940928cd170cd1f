import type { Decimal } from '../domain/decimal.js';
import type { FillItem } from './evidence-item.js';

/** Open quantity of a cycle with its cost and the signal that opened it. The oldest lot comes first. */
export interface Lot {
  readonly signalId: string | null;
  quantity: Decimal;
  /** Entry notional; null where the start's cost is not known. */
  cost: Decimal | null;
}

/** A book's life from flat to flat, or to a reversal, with what its rows add up to. */
export interface Cycle {
  readonly positionId: string;
  /** 1 long, -1 short. */
  readonly direction: 1 | -1;
  maxSize: Decimal;
  /** The exchange's cumRealisedPnl just before the cycle; null where it is not known. */
  readonly cumBefore: Decimal | null;
  /** Gross result of all lots; null once a lot of unknown cost was consumed. */
  realizedPnl: Decimal | null;
  fees: Decimal;
  funding: Decimal;
  readonly openedAt: number;
  closedAt: number | null;
  /** Quantity and notional of exits that have a price. */
  exitQuantity: Decimal;
  exitValue: Decimal;
  readonly firstSeq: number | null;
  lastSeq: number | null;
  /** The update that verified its last change; -1 if none did. */
  verifiedToSeq: number;
  /** Signals whose lots an unexplained size residual touched. */
  contaminated: string[];
  /** Order-derived fills and residuals in it: each may put the cost off by one unit of money. */
  approximations: number;
}

/** Part of an order-derived fill that an earlier update showed. */
export interface MovedPart {
  readonly fillId: string;
  /** The fill's own place: past it, the part need not be remembered. */
  readonly fillSeq: number | null;
  readonly quantity: Decimal;
  readonly value: Decimal;
  readonly fee: Decimal;
}

/** What the position stream last showed of the book. */
export interface Shown {
  readonly seq: number;
  readonly size: Decimal;
  readonly cumRealisedPnl: Decimal | null;
  readonly positionValue: Decimal | null;
  readonly entryPrice: Decimal | null;
  readonly entryPriceDecimals: number;
}

/** One book after some of its items: what a derivation carries from interval to interval. */
export interface BookState {
  /** Whether the start (size, cost, result before the first item) is decided. */
  started: boolean;
  /** updatedTime of the first update, if the start was decided by one and it did not say that the book began flat. */
  startedAt: number | null;
  size: Decimal;
  /** Entry notional of the open size in the exchange's average-cost view; null where the start's cost is not known. */
  cost: Decimal | null;
  /** cumRealisedPnl expected now; null until one was shown. */
  cum: Decimal | null;
  /** Money events since cumRealisedPnl was last read. */
  eventsSinceCum: number;
  shown: Shown | null;
  lots: Lot[];
  cycle: Cycle | null;
  /** The last finished cycle: takes cash that comes to a flat book. */
  lastCycle: Cycle | null;
  /** Numbering of the cycles that open inside one seq. */
  openingSeq: number | null;
  openingCount: number;
  moved: MovedPart[];
  /** Fills without a seq of their own, dated too early by time: they wait for the next update. */
  deferred: FillItem[];
  /** Σ over signals of (realised − fees − funding) since the start; null once part of it is not known. */
  attributed: Decimal | null;
  startCum: Decimal | null;
  /** Σ of the tolerances of money since the start. */
  toleranceSinceStart: Decimal;
}

export function newBookState(): BookState {
  return {
    started: false, startedAt: null, size: 0n, cost: 0n, cum: null, eventsSinceCum: 0, shown: null, lots: [], cycle: null, lastCycle: null,
    openingSeq: null, openingCount: 0, moved: [], deferred: [], attributed: 0n, startCum: null, toleranceSinceStart: 0n,
  };
}

function copyCycle(cycle: Cycle | null): Cycle | null {
  return cycle === null ? null : { ...cycle, contaminated: [...cycle.contaminated] };
}

export function copyBookState(state: BookState): BookState {
  return {
    ...state,
    lots: state.lots.map((lot) => ({ ...lot })),
    cycle: copyCycle(state.cycle),
    lastCycle: copyCycle(state.lastCycle),
    moved: [...state.moved],
    deferred: [...state.deferred],
  };
}

function sameCycle(a: Cycle | null, b: Cycle | null): boolean {
  if (a === null || b === null) return a === b;
  return a.positionId === b.positionId && a.direction === b.direction && a.maxSize === b.maxSize && a.cumBefore === b.cumBefore && a.realizedPnl === b.realizedPnl
    && a.fees === b.fees && a.funding === b.funding && a.openedAt === b.openedAt && a.closedAt === b.closedAt
    && a.exitQuantity === b.exitQuantity && a.exitValue === b.exitValue && a.firstSeq === b.firstSeq && a.lastSeq === b.lastSeq
    && a.verifiedToSeq === b.verifiedToSeq && a.approximations === b.approximations
    && a.contaminated.length === b.contaminated.length && a.contaminated.every((signal, i) => signal === b.contaminated[i]);
}

function sameLots(a: readonly Lot[], b: readonly Lot[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((lot, i) => {
    const other = b[i]!;
    return lot.signalId === other.signalId && lot.quantity === other.quantity && lot.cost === other.cost;
  });
}

function sameMoved(a: readonly MovedPart[], b: readonly MovedPart[]): boolean {
  return a.length === b.length && a.every((part, i) => {
    const other = b[i]!;
    return part.fillId === other.fillId && part.quantity === other.quantity && part.value === other.value && part.fee === other.fee;
  });
}

/**
 * Whether every row that follows from the two states is the same: a corrected derivation may stop here.
 * The conservation totals are no part of rows and are carried over by difference.
 */
export function sameBookState(a: BookState, b: BookState): boolean {
  return a.started === b.started && a.startedAt === b.startedAt && a.size === b.size && a.cost === b.cost && a.cum === b.cum && a.eventsSinceCum === b.eventsSinceCum
    && a.openingSeq === b.openingSeq && a.openingCount === b.openingCount && a.shown?.seq === b.shown?.seq
    && sameLots(a.lots, b.lots) && sameCycle(a.cycle, b.cycle) && sameCycle(a.lastCycle, b.lastCycle)
    && sameMoved(a.moved, b.moved) && a.deferred.length === b.deferred.length && a.deferred.every((fill, i) => fill.fillId === b.deferred[i]!.fillId);
}
