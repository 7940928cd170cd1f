import { abs } from '../simulator/fixed.js';
import type { BookCase } from './cases.js';
import { BookFold } from './fold.js';
import type { Policy } from './lots.js';
import { amount, show, text, type Row } from './rows.js';
import type { ToldFill } from './told.js';

/**
 * Where hidden trades meet lost position messages, the place of a residual is not knowable. What is: the identity of every
 * fill that was told, that each is there in full and once, and, if a later update shows them all, the final size and the net.
 */
export function compareTotals(book: BookCase, policy: Policy, fills: readonly ToldFill[], rows: readonly Row[], cycles: readonly Row[], results: ReadonlyMap<string, readonly Row[]>, discrepancies: readonly Row[]): string[] {
  const differences: string[] = [];
  const say = (what: string) => differences.push(`${book.key}: ${what}`);
  const total = (some: readonly Row[], column: string) => some.reduce((sum, row) => sum + (amount(row, column) ?? 0n), 0n);
  for (const fill of fills) {
    if (fill.kind !== 'execution') continue;
    if (fill.rows.length > 2 || total(fill.rows, 'size_delta') !== fill.quantity) say(`fill ${fill.execId} is linked with ${show(total(fill.rows, 'size_delta'))} in ${fill.rows.length} legs, should be ${show(fill.quantity)}`);
    for (const row of fill.rows) {
      if (text(row, 'order_id') !== fill.orderId) say(`fill ${fill.execId} is linked to order ${text(row, 'order_id')}, should be ${fill.orderId}`);
      if (text(row, 'signal_id') !== fill.signal) say(`fill ${fill.execId} has signal ${text(row, 'signal_id')}, should be ${fill.signal}`);
    }
  }
  for (const row of rows) {
    const [before, after] = [amount(row, 'size_before') ?? 0n, amount(row, 'size_after') ?? 0n];
    if (before + (amount(row, 'size_delta') ?? 0n) !== after) say(`link ${text(row, 'id')} goes from ${show(before)} to ${show(after)} by ${show(amount(row, 'size_delta'))}`);
    if ((before > 0n && after < 0n) || (before < 0n && after > 0n)) say(`link ${text(row, 'id')} crosses zero in one leg`);
  }
  for (const cycle of cycles) {
    const own = rows.filter((row) => text(row, 'position_id') === text(cycle, 'position_id'));
    if (total(own, 'size_delta') !== amount(cycle, 'size')) say(`cycle ${text(cycle, 'position_id')} has size ${show(amount(cycle, 'size'))}, its legs sum to ${show(total(own, 'size_delta'))}`);
  }
  const updates = book.updates ?? [];
  const last = updates[updates.length - 1] ?? -1;
  if (![...book.fills, ...book.cash].every((one) => one.seq <= last)) return differences;
  const fold = new BookFold(book.account, book.symbol, book.index, book.inverse);
  fold.begin(book.startSize, book.startCost, 0n);
  for (const fill of book.fills) fold.fill(fill);
  for (const one of book.cash) fold.cash(one.amount);
  if (total(rows, 'size_delta') !== fold.size) say(`legs sum to ${show(total(rows, 'size_delta'))}, the position is ${show(fold.size)}`);
  // What happened before the first update belongs to the start, of which the total is not known.
  if ([...book.fills, ...book.cash].some((one) => !one.visible && one.seq <= (updates[0] as number))) return differences;
  const earned = cycles.flatMap((cycle) => results.get(text(cycle, 'position_id') ?? '') ?? []);
  if ((policy === 'fifo' && fold.size !== 0n) || book.startSize !== 0n || earned.some((row) => amount(row, 'realized_pnl') === null)) return differences;
  // What moved the total of a flat book that had no cycle yet is in none: only its discrepancy names it.
  const beforeAll = discrepancies.filter((row) => text(row, 'cause') === 'cash_missing' && text(row, 'position_id') === null && text(row, 'status') === 'open');
  const net = total(earned, 'realized_pnl') - total(earned, 'fees') - total(earned, 'funding') + total(beforeAll, 'money');
  const tolerance = 10n ** 28n * BigInt(book.fills.length + book.cash.length + 4);
  if (abs(net - fold.cum) > tolerance) say(`results sum to ${show(net)}, the exchange's total is ${show(fold.cum)}`);
  return differences;
}
