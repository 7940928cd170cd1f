import type { Decimal } from '../domain/decimal.js';
import type { Fill, Order, Position, PositionCycle, PositionDiscrepancy, PositionOrder, PositionUpdate, PredictionDelta } from '../domain/records.js';

/*
 * What is judged: the rows of the tables, and what only topics hold. Columns have the names and units of the records they
 * come from: amounts in units of 10^-18, times in milliseconds since the epoch.
 */

/** One position ledger. */
export interface BookName {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly position_idx: number;
}

export type LinkRow = Omit<PositionOrder, 'candidates' | 'checks' | 'retracted' | 'inputs'>;
export type CycleRow = Omit<PositionCycle, 'verified_to_seq' | 'contaminated_signal_ids' | 'retracted' | 'reason' | 'known_at'>;
export type DiscrepancyRow = Omit<PositionDiscrepancy, 'retracted' | 'known_at'>;
export type PositionRow = Position;
export type OrderRow = Pick<Order, 'account' | 'category' | 'asset' | 'order_id' | 'signal_id' | 'filled_quantity' | 'fees'>;

/** Amounts of a row of prediction_trading_results. */
export interface ResultRow extends BookName {
  readonly signal_id: string | null;
  readonly position_id: string;
  readonly direction: string | null;
  readonly entry_quantity: Decimal;
  readonly exit_quantity: Decimal;
  readonly realized_pnl: Decimal | null;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly net_pnl: Decimal | null;
  readonly open_quantity: Decimal;
  readonly is_closed: boolean;
}

export type Delta = PredictionDelta;

/** A position update, the one that counts of its seq. */
export interface UpdatePoint {
  readonly update: PositionUpdate & { readonly seq: number };
  /** Whether its window has passed, so that the rows must have taken it in. */
  readonly isSettled: boolean;
}

/** A live fill. */
export interface FillPoint {
  readonly fill: Fill;
  readonly isSettled: boolean;
}

export interface BookEvidence {
  readonly book: BookName;
  readonly policy: string;
  readonly links: readonly LinkRow[];
  readonly cycles: readonly CycleRow[];
  readonly results: readonly ResultRow[];
  readonly position: PositionRow | null;
  readonly discrepancies: readonly DiscrepancyRow[];
  /** Deltas that no later one takes back. */
  readonly deltas: readonly Delta[];
  /** By seq, ascending; one a seq. Without those that came beyond the correction horizon. */
  readonly updates: readonly UpdatePoint[];
  /** Cash events of the book's account, category and asset. */
  readonly cashIds: ReadonlySet<string>;
}

/** One account, category and asset: what orders are judged by. */
export interface MarketEvidence {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly orders: readonly OrderRow[];
  readonly fills: readonly FillPoint[];
  /** Orders of which a fill was changed or taken away so lately that rows may not show it yet. */
  readonly unsettledOrders: ReadonlySet<string>;
  /** Orders that were forgotten past the horizon and told anew. */
  readonly retoldOrders: ReadonlySet<string>;
  readonly links: readonly LinkRow[];
  readonly discrepancies: readonly DiscrepancyRow[];
}
