import { abs, type Fixed } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import type { BookCase } from './cases.js';
import type { CycleCase } from './compare-cycles.js';
import type { Earned } from './lots.js';
import { amount, direction, show, text, type Row } from './rows.js';

/** Parts of a quantity are kept with 18 decimals, so a sum of them may be off by some of their last units. */
const QUANTITY: Fixed = 10n ** 21n;

/** Compares a book's rows of prediction_trading_results, one a signal and cycle. `rows` are those of the book's position ids. */
export function compareResults(book: BookCase, cases: Map<string, CycleCase>, earned: readonly Earned[], rows: readonly Row[], positions: Map<string, string>): string[] {
  const differences: string[] = [];
  const say = (what: string) => differences.push(`${book.key}: ${what}`);
  const key = (signal: string | null, position: string) => `${signal ?? ''}|${position}`;
  const found = new Map<string, Row>();
  for (const row of rows) {
    const name = key(text(row, 'signal_id'), text(row, 'position_id') ?? '');
    if (found.has(name)) say(`result of signal ${text(row, 'signal_id')} in ${text(row, 'position_id')} is there twice`);
    found.set(name, row);
  }
  const touchedIds = new Set<string>();
  for (const cycle of cases.values()) if (cycle.touched || cycle.vague) touchedIds.add(positions.get(cycle.name) ?? '');
  for (const one of earned) {
    const cycle = cases.get(one.cycle) as CycleCase;
    const name = key(one.signal, positions.get(one.cycle) ?? '');
    const row = found.get(name);
    found.delete(name);
    const what = `result of signal ${one.signal ?? 'null'} in ${one.cycle}`;
    if (!row) say(`${what} is missing: entry ${show(one.entryQuantity)}, exit ${show(one.exitQuantity)}, realized ${show(one.realized)}`);
    else for (const wrong of differencesOf(book, cycle, one, row)) say(`${what} ${wrong}`);
  }
  for (const row of found.values()) {
    if (text(row, 'signal_id') === null && touchedIds.has(text(row, 'position_id') ?? '')) continue;
    say(`result of signal ${text(row, 'signal_id')} in ${text(row, 'position_id')} should not be there`);
  }
  return differences;
}

function differencesOf(book: BookCase, cycle: CycleCase, one: Earned, row: Row): string[] {
  const wrong: string[] = [];
  const near = (column: string, found: Fixed | null, wanted: Fixed, tolerance: Fixed) => {
    if (found === null || abs(found - wanted) > tolerance) wrong.push(`has ${column} ${show(found)}, should be ${show(wanted)} within ${show(tolerance)}`);
  };
  const first = cycle.legs[0];
  const opening = cycle.name.endsWith(':1') && book.startSize !== 0n ? book.startSize : (first as { leg: { after: Fixed } }).leg.after;
  const side = direction(row, 'direction');
  if (side !== (opening > 0n ? 1 : -1)) wrong.push(`has direction ${text(row, 'direction')}, the cycle is ${opening > 0n ? 'long' : 'short'}`);
  near('entry_quantity', amount(row, 'entry_quantity'), one.entryQuantity, 0n);
  near('exit_quantity', amount(row, 'exit_quantity') ?? 0n, one.exitQuantity, QUANTITY);
  const open = one.entryQuantity - one.exitQuantity;
  if (row['open_quantity'] !== undefined) near('open_quantity', amount(row, 'open_quantity'), open, QUANTITY);
  if (typeof row['is_closed'] === 'boolean' && row['is_closed'] !== (open === 0n)) wrong.push(`has is_closed ${row['is_closed']}, ${show(open)} is open`);
  if (cycle.vague) return wrong;
  near('funding', amount(row, 'funding'), one.funding, cycle.tolerance);
  const net = one.realized - one.fees - one.funding;
  if (row['net_pnl'] !== undefined) near('net_pnl', amount(row, 'net_pnl'), net, cycle.tolerance);
  if (cycle.touched) {
    near('net', (amount(row, 'realized_pnl') ?? 0n) - (amount(row, 'fees') ?? 0n) - (amount(row, 'funding') ?? 0n), net, cycle.tolerance);
    return wrong;
  }
  near('realized_pnl', amount(row, 'realized_pnl'), one.realized, cycle.tolerance);
  near('fees', amount(row, 'fees'), one.fees, cycle.tolerance);
  if (row['is_contaminated'] === true) wrong.push('is contaminated, and no hidden trade touched the cycle');
  const worth = (column: string, quantity: Fixed, value: Fixed) => {
    const price = amount(row, column);
    if (quantity === 0n) {
      if (price !== null) wrong.push(`has ${column} ${show(price)} of no quantity`);
      return;
    }
    const found = price === null || price <= 0n ? null : notional(book.inverse, quantity, price);
    near(`${column} worth`, found, value, cycle.tolerance + roundingOf(book.inverse, quantity, value));
  };
  if (one.signal !== null || book.startSize === 0n) worth('entry_price', one.entryQuantity, one.entryValue);
  worth('exit_price', one.exitQuantity, one.exitValue);
  return wrong;
}

/** How far the worth of a price with 18 decimals may be from the value it was made of. */
export function roundingOf(inverse: boolean, quantity: Fixed, value: Fixed): Fixed {
  if (!inverse || quantity === 0n) return quantity / 10n ** 15n;
  return (((value * value) / quantity) * 2n) / 10n ** 18n + 1n;
}
