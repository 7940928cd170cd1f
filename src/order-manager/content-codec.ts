import type { StateReader, StateWriter } from '../domain/state-bytes.js';
import type { Execution, Side } from '../domain/records.js';
import type { ExecutionContent } from './execution-content.js';
import type { OrderContent } from './order-content.js';

export const SIDES: readonly Side[] = ['Buy', 'Sell', 'None'];
const SOURCES: readonly Execution['source'][] = ['stream', 'history', 'transaction_log', 'unknown'];

/** Texts that the exchange uses all the time, as one byte. New ones go to the end: their places are written. */
const WORDS: readonly string[] = [
  '', 'Trade', 'AdlTrade', 'BustTrade', 'Funding', 'Settle', 'CreateByUser', 'CreateByClosing', 'CreateByTakeProfit', 'CreateByStopLoss',
  'CreateByLiq', 'CreateByAdl_PassThrough', 'New', 'PartiallyFilled', 'Filled', 'Cancelled', 'Untriggered', 'Triggered', 'Deactivated',
  'Rejected', 'PartiallyFilledCanceled', 'UNKNOWN', 'CancelByUser', 'CancelByReduceOnly', 'EC_NoError', 'EC_PerCancelRequest', 'GTC', 'IOC',
  'FOK', 'PostOnly', 'RPI', 'Market', 'Limit', 'USDT', 'USDC', 'BTC', 'ETH', 'TakeProfit', 'StopLoss', 'TrailingStop', 'Stop',
  'EC_OrigClOrdIDDoesNotExist',
];
const PLACES: ReadonlyMap<string, number> = new Map(WORDS.map((word, place) => [word, place]));
const OTHER = 255;

export function writeWord(w: StateWriter, text: string): void {
  const place = PLACES.get(text);
  w.byte(place ?? OTHER);
  if (place === undefined) w.text(text);
}

export function readWord(r: StateReader): string {
  const place = r.byte();
  if (place === OTHER) return r.text();
  const word = WORDS[place];
  if (word === undefined) throw new RangeError(`order-manager state has word ${place}, which this program does not know: a newer one wrote it`);
  return word;
}

/** A text that is nearly always the one already known. */
function writeUsual(w: StateWriter, text: string, usual: string): void {
  w.flag(text === usual);
  if (text !== usual) w.text(text);
}

function readUsual(r: StateReader, usual: string): string {
  return r.flag() ? usual : r.text();
}

export function writeExecution(w: StateWriter, row: ExecutionContent, orderId: string, linkId: string): void {
  writeUsual(w, row.order_id, orderId);
  writeUsual(w, row.order_link_id, linkId);
  w.byte(SIDES.indexOf(row.side));
  writeWord(w, row.exec_type);
  writeWord(w, row.create_type);
  w.decimal(row.quantity);
  w.decimal(row.price);
  w.decimal(row.value);
  w.decimal(row.fee);
  writeWord(w, row.fee_currency);
  w.count(row.extra_fees.length);
  for (const extra of row.extra_fees) {
    w.text(extra.coin);
    w.text(extra.fee_type);
    w.decimal(extra.fee);
  }
  w.decimal(row.closed_size);
  w.decimal(row.exec_pnl);
  w.decimal(row.leaves_quantity);
  w.decimal(row.order_quantity);
  w.byte(row.is_maker === null ? 2 : row.is_maker ? 1 : 0);
  w.count(row.seq);
  w.count(row.executed_at);
  w.byte(SOURCES.indexOf(row.source));
}

export function readExecution(r: StateReader, orderId: string, linkId: string): ExecutionContent {
  return {
    order_id: readUsual(r, orderId),
    order_link_id: readUsual(r, linkId),
    side: SIDES[r.byte()]!,
    exec_type: readWord(r),
    create_type: readWord(r),
    quantity: r.decimal(),
    price: r.decimal(),
    value: r.decimal(),
    fee: r.decimal(),
    fee_currency: readWord(r),
    extra_fees: Array.from({ length: r.count() }, () => ({ coin: r.text(), fee_type: r.text(), fee: r.decimal() })),
    closed_size: r.maybeDecimal(),
    exec_pnl: r.maybeDecimal(),
    leaves_quantity: r.maybeDecimal(),
    order_quantity: r.maybeDecimal(),
    is_maker: [false, true, null][r.byte()]!,
    seq: r.maybeCount(),
    executed_at: r.count(),
    source: SOURCES[r.byte()]!,
  };
}

export function writeOrderContent(w: StateWriter, row: OrderContent, linkId: string): void {
  writeUsual(w, row.order_link_id, linkId);
  w.byte(SIDES.indexOf(row.side));
  w.count(row.position_idx);
  writeWord(w, row.order_type);
  writeWord(w, row.order_status);
  writeWord(w, row.create_type);
  writeWord(w, row.cancel_type);
  writeWord(w, row.reject_reason);
  writeWord(w, row.stop_order_type);
  writeWord(w, row.time_in_force);
  w.byte((row.reduce_only ? 1 : 0) | (row.close_on_trigger ? 2 : 0));
  w.decimal(row.price);
  w.decimal(row.quantity);
  w.decimal(row.average_price);
  w.decimal(row.leaves_quantity);
  w.decimal(row.cumulative_quantity);
  w.decimal(row.cumulative_value);
  w.decimal(row.cumulative_fee);
  w.decimal(row.closed_pnl);
  w.decimal(row.trigger_price);
  w.decimal(row.take_profit);
  w.decimal(row.stop_loss);
  w.count(row.created_at);
  w.count(row.updated_at);
  w.count(row.seq);
}

export function readOrderContent(r: StateReader, linkId: string): OrderContent {
  const order_link_id = readUsual(r, linkId);
  const side = SIDES[r.byte()]!;
  const position_idx = r.maybeCount();
  const order_type = readWord(r);
  const order_status = readWord(r);
  const create_type = readWord(r);
  const cancel_type = readWord(r);
  const reject_reason = readWord(r);
  const stop_order_type = readWord(r);
  const time_in_force = readWord(r);
  const flags = r.byte();
  return {
    order_link_id,
    side,
    position_idx,
    order_type,
    order_status,
    create_type,
    cancel_type,
    reject_reason,
    stop_order_type,
    time_in_force,
    reduce_only: (flags & 1) !== 0,
    close_on_trigger: (flags & 2) !== 0,
    price: r.maybeDecimal(),
    quantity: r.decimal(),
    average_price: r.maybeDecimal(),
    leaves_quantity: r.maybeDecimal(),
    cumulative_quantity: r.decimal(),
    cumulative_value: r.decimal(),
    cumulative_fee: r.decimal(),
    closed_pnl: r.maybeDecimal(),
    trigger_price: r.maybeDecimal(),
    take_profit: r.maybeDecimal(),
    stop_loss: r.maybeDecimal(),
    created_at: r.count(),
    updated_at: r.count(),
    seq: r.maybeCount(),
  };
}
