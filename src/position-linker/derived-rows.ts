import type { Decimal } from '../domain/decimal.js';
import type { DiscrepancyCause, EvidenceCheck, PositionCycle, PositionOrder, PredictionDelta } from '../domain/records.js';

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
 * A link, a delta and a cycle as derived: the records themselves. What tells of their history (revision, reason, known_at,
 * retracted, reverses, ids of deltas) is filled in when they are issued.
 */
export type DerivedLink = Draft<PositionOrder>;
export type DerivedDelta = Draft<PredictionDelta> & {
  /** Identifies the delta but for its number. */
  readonly base: string;
};

export type DerivedCycle = Draft<PositionCycle>;

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

/** Up to so many rows are searched one by one: most settlements have a handful, and a map would cost more than the rows. */
const MAX_SEARCHED_ROWS = 12;

/** Rows by their id, in the order in which the ids first came. A table that is cleared keeps its room for the next rows. */
export class RowTable<Row> {
  private readonly ids: string[] = [];
  private readonly rows: Row[] = [];
  private places: Map<string, number> | null = null;
  size = 0;

  private place(id: string): number {
    if (this.places !== null) return this.places.get(id) ?? -1;
    for (let i = 0; i < this.size; i++) if (this.ids[i] === id) return i;
    return -1;
  }

  /** Id of the n-th row, and the row itself; n is below size. */
  idAt(n: number): string {
    return this.ids[n]!;
  }

  at(n: number): Row {
    return this.rows[n]!;
  }

  get(id: string): Row | undefined {
    if (this.size === 0) return undefined;
    const place = this.place(id);
    return place < 0 ? undefined : this.rows[place];
  }

  has(id: string): boolean {
    return this.size > 0 && this.place(id) >= 0;
  }

  set(id: string, row: Row): void {
    let place = this.size === 0 ? -1 : this.place(id);
    if (place < 0) {
      place = this.size;
      this.size += 1;
      this.ids[place] = id;
      if (this.places !== null) this.places.set(id, place);
      else if (this.size > MAX_SEARCHED_ROWS) this.places = new Map(this.ids.slice(0, this.size).map((known, i) => [known, i]));
    }
    this.rows[place] = row;
  }

  clear(): void {
    this.size = 0;
    this.places = null;
  }
}

/** Rows of one run of the derivation, the last state of each id. */
export class DerivedRows {
  readonly links = new RowTable<DerivedLink>();
  readonly cycles = new RowTable<DerivedCycle>();
  readonly deltas = new RowTable<DerivedDelta>();
  readonly discrepancies = new RowTable<DerivedDiscrepancy>();

  clear(): void {
    this.links.clear();
    this.cycles.clear();
    this.deltas.clear();
    this.discrepancies.clear();
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

/** Whether two cycles are the same row, history aside. */
export function sameCycle(a: DerivedCycle, b: DerivedCycle): boolean {
  return a.side === b.side && a.size === b.size && a.average_entry_price === b.average_entry_price && a.max_size === b.max_size
    && a.cum_realised_pnl_before === b.cum_realised_pnl_before && a.realized_pnl === b.realized_pnl && a.fees === b.fees && a.funding === b.funding
    && a.opened_at === b.opened_at && a.closed_at === b.closed_at && a.exit_price === b.exit_price && a.first_seq === b.first_seq
    && a.last_seq === b.last_seq && a.verified_to_seq === b.verified_to_seq
    && a.contaminated_signal_ids.length === b.contaminated_signal_ids.length
    && a.contaminated_signal_ids.every((signal, i) => signal === b.contaminated_signal_ids[i]);
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
