import type { Decimal } from '../domain/decimal.js';
import type { DiscrepancyCause, EvidenceCheck, PositionOrder, PredictionDelta } from '../domain/records.js';
import type { Cycle } from './book-state.js';

/** What every row of a book has in common. */
export interface BookKey {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly positionIdx: number;
}

/** A record under construction. */
type Draft<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A link, a cycle and a delta as derived: the records themselves. What tells of their history (revision, reason, known_at,
 * retracted, reverses, ids of deltas) is filled in when they are issued.
 */
export type DerivedLink = Draft<PositionOrder>;
export type DerivedDelta = Draft<PredictionDelta> & {
  /** Identifies the delta but for its number. */
  readonly base: string;
};

/** A cycle with what its row is made of. */
export interface DerivedCycle extends Cycle {
  readonly size: Decimal;
  readonly averageEntryPrice: Decimal | null;
}

/** A discrepancy as derived, always open. */
export interface DerivedDiscrepancy {
  readonly id: string;
  readonly cause: DiscrepancyCause;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  readonly size: Decimal | null;
  readonly money: Decimal | null;
  readonly execId: string | null;
  readonly orderId: string | null;
  readonly positionId: string | null;
  readonly evidence: string;
  readonly openedAt: number;
}

/** Rows of one run of the derivation, the last state of each id. */
export class DerivedRows {
  readonly links = new Map<string, DerivedLink>();
  readonly cycles = new Map<string, DerivedCycle>();
  readonly deltas = new Map<string, DerivedDelta>();
  readonly discrepancies = new Map<string, DerivedDiscrepancy>();

  clear(): void {
    if (this.links.size > 0) this.links.clear();
    if (this.cycles.size > 0) this.cycles.clear();
    if (this.deltas.size > 0) this.deltas.clear();
    if (this.discrepancies.size > 0) this.discrepancies.clear();
  }
}

/** The rows before anything was issued. */
export const NO_ROWS = new DerivedRows();

function sameChecks(a: readonly EvidenceCheck[], b: readonly EvidenceCheck[]): boolean {
  return a.length === b.length && a.every((check, i) => {
    const other = b[i]!;
    return check.name === other.name && check.expected === other.expected && check.actual === other.actual && check.agrees === other.agrees;
  });
}

/** Whether two links are the same row, history and inputs aside. */
export function sameLink(a: DerivedLink, b: DerivedLink): boolean {
  return a.position_id === b.position_id && a.order_id === b.order_id && a.exec_id === b.exec_id && a.side === b.side
    && a.relationship_type === b.relationship_type && a.size_delta === b.size_delta && a.size_before === b.size_before
    && a.size_after === b.size_after && a.execution_price === b.execution_price && a.execution_fee === b.execution_fee
    && a.executed_at === b.executed_at && a.seq === b.seq && a.signal_id === b.signal_id && a.evidence === b.evidence
    && a.source === b.source && a.candidates === b.candidates && sameChecks(a.checks, b.checks);
}

export function sameCycleRow(a: DerivedCycle, b: DerivedCycle): boolean {
  return a.direction === b.direction && a.size === b.size && a.averageEntryPrice === b.averageEntryPrice && a.maxSize === b.maxSize && a.cumBefore === b.cumBefore
    && a.realizedPnl === b.realizedPnl && a.fees === b.fees && a.funding === b.funding && a.openedAt === b.openedAt
    && a.closedAt === b.closedAt && a.exitQuantity === b.exitQuantity && a.exitValue === b.exitValue && a.firstSeq === b.firstSeq
    && a.lastSeq === b.lastSeq && a.verifiedToSeq === b.verifiedToSeq
    && a.contaminated.length === b.contaminated.length && a.contaminated.every((signal, i) => signal === b.contaminated[i]);
}

export function sameDelta(a: DerivedDelta, b: DerivedDelta): boolean {
  return a.position_id === b.position_id && a.side === b.side && a.quantity === b.quantity && a.price === b.price
    && a.value === b.value && a.realized_pnl === b.realized_pnl && a.fee === b.fee && a.funding === b.funding
    && a.exit_signal_id === b.exit_signal_id && a.exit_reason === b.exit_reason && a.seq === b.seq && a.executed_at === b.executed_at;
}

export function sameDiscrepancy(a: DerivedDiscrepancy, b: DerivedDiscrepancy): boolean {
  return a.firstSeq === b.firstSeq && a.lastSeq === b.lastSeq && a.size === b.size && a.money === b.money && a.execId === b.execId
    && a.orderId === b.orderId && a.positionId === b.positionId && a.evidence === b.evidence && a.openedAt === b.openedAt;
}
