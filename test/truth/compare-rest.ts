import { abs, parseFixed, truncated8, type Fixed } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import { bookKey, type BookCase } from './cases.js';
import { amount, show, text, whole, type Row } from './rows.js';
import { groupBy } from './told.js';
import type { Truth } from './truth.js';

/** The latest state of each book; only asked where every position message arrived. */
export function comparePositions(truth: Truth, rows: readonly Row[], accountOf: (row: Row) => string): string[] {
  const differences: string[] = [];
  const found = new Map(rows.map((row) => [bookKey(accountOf(row), text(row, 'asset') ?? '', whole(row, 'position_idx') ?? 0), row]));
  for (const book of truth.books) {
    const key = bookKey(book.account ?? '', book.symbol, book.idx);
    const row = found.get(key);
    if (!row) {
      differences.push(`${key}: is missing in positions`);
      continue;
    }
    const size = parseFixed(book.size);
    if (amount(row, 'size') !== size) differences.push(`${key}: positions has size ${show(amount(row, 'size'))}, should be ${show(size)}`);
    for (const [column, value] of [['cum_realised_pnl', book.cum], ['average_entry_price', book.entry]] as const) {
      const shown = amount(row, column) ?? 0n;
      if (truncated8(shown) !== truncated8(parseFixed(value))) differences.push(`${key}: positions has ${column} ${show(shown)}, should be ${value} cut to 8 decimals`);
    }
  }
  return differences;
}

/** What the orders filled. */
export function compareOrders(truth: Truth, rows: readonly Row[], exactFees: boolean): string[] {
  const differences: string[] = [];
  const found = new Map(rows.map((row) => [text(row, 'order_id'), row]));
  if (found.size !== rows.length) differences.push('orders has an order twice');
  for (const [orderId, fills] of groupBy(truth.fills.filter((fill) => fill.visible), (fill) => fill.order_id)) {
    const row = found.get(orderId);
    if (!row) {
      differences.push(`order ${orderId} is missing in orders`);
      continue;
    }
    const first = fills[0] as (typeof fills)[number];
    const total = (of: (fill: (typeof fills)[number]) => Fixed) => fills.reduce((sum, fill) => sum + of(fill), 0n);
    const quantity = total((fill) => parseFixed(fill.qty));
    if (amount(row, 'filled_quantity') !== quantity) differences.push(`order ${orderId} has filled_quantity ${show(amount(row, 'filled_quantity'))}, should be ${show(quantity)}`);
    if (text(row, 'signal_id') !== first.signal) differences.push(`order ${orderId} has signal ${text(row, 'signal_id')}, should be ${first.signal}`);
    const inverse = first.symbol.endsWith('USD');
    const value = total((fill) => notional(inverse, parseFixed(fill.qty), parseFixed(fill.price)));
    const price = amount(row, 'average_price');
    const worth = price === null || price <= 0n ? null : notional(inverse, quantity, price);
    if (worth === null || abs(worth - value) > 10n ** 28n * BigInt(fills.length + 2)) differences.push(`order ${orderId} has average_price ${show(price)}, worth ${show(worth)}, should be worth ${show(value)}`);
    const fees = total((fill) => parseFixed(fill.fee));
    if (exactFees && amount(row, 'fees') !== fees) differences.push(`order ${orderId} has fees ${show(amount(row, 'fees'))}, should be ${show(fees)}`);
  }
  return differences;
}

const SIZE_CAUSES = ['fill_missing', 'external_change', 'start_unknown'];
const NONE_IF_NOTHING_IS_LOST = ['fill_missing', 'position_missing', 'cash_missing', 'external_change', 'conflict', 'entry_mismatch', 'pnl_mismatch', 'hedge_leg_unknown', 'late_beyond_horizon'];

/** The sizes named as discrepancies are the hidden ones, and a session told in full has none. */
export function compareDiscrepancies(truth: Truth, book: BookCase, rows: readonly Row[]): string[] {
  const differences: string[] = [];
  const live = rows.filter((row) => text(row, 'status') !== 'explained');
  const hidden = book.fills.filter((fill) => !fill.visible).reduce((sum, fill) => sum + fill.quantity, 0n);
  const named = live.filter((row) => SIZE_CAUSES.includes(text(row, 'cause') ?? '')).reduce((sum, row) => sum + (amount(row, 'size') ?? 0n), 0n);
  if (named !== hidden + book.startSize && named !== hidden) {
    differences.push(`${book.key}: discrepancies name a size of ${show(named)}, hidden was ${show(hidden)}`);
  }
  if ((truth.stats['dropped'] ?? 0) > 0 || book.fills.some((fill) => !fill.visible)) return differences;
  for (const row of live) {
    const cause = text(row, 'cause') ?? '';
    if (NONE_IF_NOTHING_IS_LOST.includes(cause)) differences.push(`${book.key}: has a discrepancy ${cause} at seq ${whole(row, 'first_seq')}, and nothing was lost`);
  }
  return differences;
}
