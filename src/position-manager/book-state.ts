import { canonicalJson } from '../domain/canonical-json.js';
import type { Decimal } from '../domain/decimal.js';
import type { Position, PositionUpdate } from '../domain/records.js';

/** What the exchange said about one book: the fields that make the row, and those that decide which update is the latest. */
export interface BookState {
  readonly positionIdx: number;
  readonly size: Decimal;
  readonly entryPrice: Decimal | null;
  readonly positionValue: Decimal | null;
  readonly markPrice: Decimal | null;
  readonly unrealisedPnl: Decimal | null;
  readonly curRealisedPnl: Decimal | null;
  readonly cumRealisedPnl: Decimal | null;
  readonly leverage: Decimal | null;
  readonly liqPrice: Decimal | null;
  readonly takeProfit: Decimal | null;
  readonly stopLoss: Decimal | null;
  /** -1: never traded, or not told. */
  readonly seq: number;
  readonly updatedMs: number;
  readonly createdMs: number;
}

export function bookStateOf(update: PositionUpdate): BookState {
  return {
    positionIdx: update.position_idx,
    size: update.size,
    entryPrice: update.entry_price,
    positionValue: update.position_value,
    markPrice: update.mark_price,
    unrealisedPnl: update.unrealised_pnl,
    curRealisedPnl: update.cur_realised_pnl,
    cumRealisedPnl: update.cum_realised_pnl,
    leverage: update.leverage,
    liqPrice: update.liq_price,
    takeProfit: update.take_profit,
    stopLoss: update.stop_loss,
    seq: update.seq ?? -1,
    updatedMs: update.updated_at,
    createdMs: update.envelope_created_at,
  };
}

/**
 * Whether a is later than b: by seq, then updatedTime, then creationTime of the frame, then canonical JSON. The last one
 * has no meaning; it makes the latest a function of the updates alone, whatever order they come in.
 */
export function isLater(a: BookState, b: BookState): boolean {
  if (a.seq !== b.seq) return a.seq > b.seq;
  if (a.updatedMs !== b.updatedMs) return a.updatedMs > b.updatedMs;
  if (a.createdMs !== b.createdMs) return a.createdMs > b.createdMs;
  return canonicalJson(a) > canonicalJson(b);
}

/** Whether both make the same row: the time of the frame is not part of it. */
export function sameRow(a: BookState, b: BookState): boolean {
  return (
    a.size === b.size &&
    a.entryPrice === b.entryPrice &&
    a.positionValue === b.positionValue &&
    a.markPrice === b.markPrice &&
    a.unrealisedPnl === b.unrealisedPnl &&
    a.curRealisedPnl === b.curRealisedPnl &&
    a.cumRealisedPnl === b.cumRealisedPnl &&
    a.leverage === b.leverage &&
    a.liqPrice === b.liqPrice &&
    a.takeProfit === b.takeProfit &&
    a.stopLoss === b.stopLoss &&
    a.seq === b.seq &&
    a.updatedMs === b.updatedMs
  );
}

/** Market of a group of books: what a portfolio row sums up. */
export interface Market {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
}

export function positionRow(market: Market, state: BookState, version: number): Position {
  return {
    account: market.account,
    category: market.category,
    asset: market.asset,
    position_idx: state.positionIdx,
    size: state.size,
    average_entry_price: state.entryPrice,
    position_value: state.positionValue,
    mark_price: state.markPrice,
    unrealised_pnl: state.unrealisedPnl,
    cur_realised_pnl: state.curRealisedPnl,
    cum_realised_pnl: state.cumRealisedPnl,
    leverage: state.leverage,
    liq_price: state.liqPrice,
    take_profit: state.takeProfit,
    stop_loss: state.stopLoss,
    seq: state.seq === -1 ? null : state.seq,
    updated_at: state.updatedMs,
    version,
  };
}
