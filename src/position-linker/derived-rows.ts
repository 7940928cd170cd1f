import type { Decimal } from '../domain/decimal.js';
import type {
  DeltaKind, DiscrepancyCause, Evidence, EvidenceCheck, InputRef, RelationshipType,
} from '../domain/records.js';
import type { Cycle } from './book-state.js';

/** What every row of a book has in common. */
export interface BookKey {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly positionIdx: number;
}

/** A link as derived: the row of position_orders without its history. */
export interface DerivedLink {
  readonly id: string;
  readonly positionId: string;
  readonly orderId: string | null;
  readonly execId: string | null;
  readonly leg: number;
  readonly direction: 1 | -1;
  readonly relationshipType: RelationshipType;
  readonly sizeDelta: Decimal;
  readonly sizeBefore: Decimal;
  readonly sizeAfter: Decimal;
  readonly executionPrice: Decimal | null;
  readonly executionFee: Decimal;
  readonly executedAt: number;
  readonly seq: number | null;
  readonly signalId: string | null;
  readonly evidence: Evidence;
  readonly source: 'execution' | 'order' | 'position';
  readonly candidates: number | null;
  readonly checks: readonly EvidenceCheck[];
  readonly inputs: readonly InputRef[];
}

/** A cycle as derived. */
export interface DerivedCycle extends Cycle {
  readonly size: Decimal;
  readonly averageEntryPrice: Decimal | null;
}

/** One signal's share of a link or cash event; `base` identifies it but for its number. */
export interface DerivedDelta {
  readonly base: string;
  readonly signalId: string | null;
  readonly positionId: string;
  readonly direction: 1 | -1;
  readonly kind: DeltaKind;
  readonly quantity: Decimal;
  readonly price: Decimal | null;
  readonly value: Decimal;
  readonly realizedPnl: Decimal | null;
  readonly fee: Decimal;
  readonly funding: Decimal;
  readonly exitSignalId: string | null;
  readonly exitReason: string | null;
  readonly linkId: string | null;
  readonly cashId: string | null;
  readonly seq: number | null;
  readonly executedAt: number;
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
  return a.positionId === b.positionId && a.orderId === b.orderId && a.execId === b.execId && a.direction === b.direction
    && a.relationshipType === b.relationshipType && a.sizeDelta === b.sizeDelta && a.sizeBefore === b.sizeBefore
    && a.sizeAfter === b.sizeAfter && a.executionPrice === b.executionPrice && a.executionFee === b.executionFee
    && a.executedAt === b.executedAt && a.seq === b.seq && a.signalId === b.signalId && a.evidence === b.evidence
    && a.source === b.source && a.candidates === b.candidates && sameChecks(a.checks, b.checks);
}

export function sameCycleRow(a: DerivedCycle, b: DerivedCycle): boolean {
  return a.direction === b.direction && a.size === b.size && a.averageEntryPrice === b.averageEntryPrice && a.maxSize === b.maxSize
    && a.realizedPnl === b.realizedPnl && a.fees === b.fees && a.funding === b.funding && a.openedAt === b.openedAt
    && a.closedAt === b.closedAt && a.exitQuantity === b.exitQuantity && a.exitValue === b.exitValue && a.firstSeq === b.firstSeq
    && a.lastSeq === b.lastSeq && a.verifiedToSeq === b.verifiedToSeq
    && a.contaminated.length === b.contaminated.length && a.contaminated.every((signal, i) => signal === b.contaminated[i]);
}

export function sameDelta(a: DerivedDelta, b: DerivedDelta): boolean {
  return a.positionId === b.positionId && a.direction === b.direction && a.quantity === b.quantity && a.price === b.price
    && a.value === b.value && a.realizedPnl === b.realizedPnl && a.fee === b.fee && a.funding === b.funding
    && a.exitSignalId === b.exitSignalId && a.exitReason === b.exitReason && a.seq === b.seq && a.executedAt === b.executedAt;
}

export function sameDiscrepancy(a: DerivedDiscrepancy, b: DerivedDiscrepancy): boolean {
  return a.firstSeq === b.firstSeq && a.lastSeq === b.lastSeq && a.size === b.size && a.money === b.money && a.execId === b.execId
    && a.orderId === b.orderId && a.positionId === b.positionId && a.evidence === b.evidence && a.openedAt === b.openedAt;
}
