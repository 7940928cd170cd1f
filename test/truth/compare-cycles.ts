import { abs, type Fixed } from '../simulator/fixed.js';
import type { BookCase } from './cases.js';
import type { TrueLeg } from './fold.js';
import { notional } from '../simulator/instrument.js';
import { roundingOf } from './compare-results.js';
import type { Earned, Policy } from './lots.js';
import { amount, direction, show, text, whole, type Row } from './rows.js';
import type { Folded } from './sequence.js';
import type { ToldFill } from './told.js';

const UNIT8: Fixed = 10n ** 28n;

/** What the comparison of one cycle's money must know: how exact it can be. */
export interface CycleCase {
  name: string;
  legs: { told: ToldFill; leg: TrueLeg }[];
  /** Money is compared within this. */
  tolerance: Fixed;
  /** A hidden trade is in it: only net results can be known. */
  touched: boolean;
  /** Of its money nothing can be known. */
  vague: boolean;
}

/** pro-rata may be off by 1e-8 a fill; fifo by 1e-15, but where fills were rebuilt from 8-decimal totals, as the other. */
export function cycleCases(book: BookCase, folded: Folded, policy: Policy, vague: ReadonlySet<string>): Map<string, CycleCase> {
  const cases = new Map<string, CycleCase>();
  const of = (name: string) => {
    let found = cases.get(name);
    if (!found) {
      found = { name, legs: [], tolerance: 0n, touched: false, vague: vague.has(name) };
      cases.set(name, found);
    }
    return found;
  };
  if (book.startSize !== 0n) of(`${book.symbol}:${book.index}:1`);
  for (const entry of folded.legs) of(entry.leg.cycle).legs.push(entry);
  for (const [name, cycle] of cases) {
    cycle.touched = cycle.legs.some(({ told }) => told.kind === 'residual' || told.kind === 'missing');
    const started = book.startSize !== 0n && name === `${book.symbol}:${book.index}:1`;
    const exact = policy === 'fifo' && !started && !cycle.touched && cycle.legs.every(({ told }) => told.kind === 'execution') && book.cash.every(({ visible }) => visible);
    const fills = cycle.legs.reduce((count, { told }) => count + told.count + (told.kind === 'execution' ? 0 : 2), started ? 2 : 0);
    cycle.tolerance = exact ? 10n ** 21n : UNIT8 * (BigInt(fills + book.cash.length) + (started ? startRounding(book, cycle) : 0n));
  }
  return cases;
}

/**
 * Where the first record comes after a fill, the start's cost may be known from the first closing fill's execPnl alone, whose
 * rounding counts as often as that fill goes into the start.
 */
function startRounding(book: BookCase, { legs }: CycleCase): bigint {
  const first = book.updates?.[0] ?? -1;
  const closing = legs.find(({ leg }) => leg.fill.seq <= first && abs(leg.after) < abs(leg.before));
  return closing === undefined ? 0n : abs(book.startSize) / abs(closing.leg.sizeDelta);
}

/** Compares a book's rows of position_cycles with its cycles; `cost` is what the open size cost at entry. */
export function compareCycles(book: BookCase, cases: Map<string, CycleCase>, rows: readonly Row[], positions: Map<string, string>, earned: readonly Earned[], cost: Fixed): string[] {
  const differences: string[] = [];
  const say = (what: string) => differences.push(`${book.key}: ${what}`);
  if (rows.length !== cases.size) say(`has ${rows.length} cycles, should have ${cases.size}`);
  const ids = new Set(rows.map((row) => text(row, 'position_id')));
  if (ids.size !== rows.length) say('position_cycles has a position id twice');
  if (new Set(positions.values()).size !== positions.size) say('two cycles share one position id');
  for (const cycle of cases.values()) {
    const id = positions.get(cycle.name);
    const row = rows.find((one) => text(one, 'position_id') === id);
    if (!row) say(`cycle ${cycle.name} (${id ?? 'no leg found'}) is missing in position_cycles`);
    else for (const wrong of differencesOf(book, cycle, row, earned.filter((one) => one.cycle === cycle.name), cost)) say(`cycle ${cycle.name} ${wrong}`);
  }
  return differences;
}

/** Where the exchange gave no seq, the table holds the best guess. */
function isSeqSure({ told, leg }: CycleCase['legs'][number]): boolean {
  const row = told.rows[leg.leg];
  const evidence = row && text(row, 'evidence');
  return row !== undefined && whole(row, 'seq') !== null && evidence !== 'inferred' && evidence !== 'ambiguous';
}

function differencesOf(book: BookCase, cycle: CycleCase, row: Row, earned: readonly Earned[], cost: Fixed): string[] {
  const wrong: string[] = [];
  const same = (column: string, found: unknown, wanted: unknown) => {
    if (found !== wanted) wrong.push(`has ${column} ${String(found)}, should be ${String(wanted)}`);
  };
  const near = (column: string, wanted: Fixed, tolerance: Fixed) => {
    const found = amount(row, column);
    if (found === null || abs(found - wanted) > tolerance) wrong.push(`has ${column} ${show(found)}, should be ${show(wanted)} within ${show(tolerance)}`);
  };
  const first = cycle.legs[0];
  const last = cycle.legs[cycle.legs.length - 1];
  const started = book.startSize !== 0n && cycle.name.endsWith(':1');
  const size = last ? last.leg.after : book.startSize;
  const opening = started ? book.startSize : (first as { leg: TrueLeg }).leg.after;
  const largest = cycle.legs.reduce((most, { leg }) => (abs(leg.after) > most ? abs(leg.after) : most), started ? abs(book.startSize) : 0n);
  const closed = size === 0n;
  same('side', direction(row, 'side'), opening > 0n ? 1 : -1);
  near('size', size, 0n);
  near('max_size', largest, 0n);
  same('being closed', whole(row, 'closed_at') !== null, closed);
  if (!started && first?.told.kind === 'execution') {
    same('opened_at', whole(row, 'opened_at'), first.told.time);
    if (isSeqSure(first)) same('first_seq', whole(row, 'first_seq'), first.told.seq);
  }
  if (last?.told.kind === 'execution') {
    if (closed) same('closed_at', whole(row, 'closed_at'), last.told.time);
    if (isSeqSure(last)) same('last_seq', whole(row, 'last_seq'), last.told.seq);
  }
  if (cycle.vague) return wrong;
  const total = (of: (one: Earned) => Fixed) => earned.reduce((sum, one) => sum + of(one), 0n);
  const gross = total((one) => one.realized);
  const fees = total((one) => one.fees);
  const funding = total((one) => one.funding);
  near('funding', funding, cycle.tolerance);
  if (cycle.touched) {
    const net = (amount(row, 'realized_pnl') ?? 0n) - (amount(row, 'fees') ?? 0n) - (amount(row, 'funding') ?? 0n);
    if (abs(net - (gross - fees - funding)) > cycle.tolerance) wrong.push(`has net ${show(net)}, should be ${show(gross - fees - funding)}`);
    return wrong;
  }
  near('fees', fees, cycle.tolerance);
  near('realized_pnl', gross, closed ? cycle.tolerance : cycle.tolerance + UNIT8);
  const average = amount(row, 'average_entry_price');
  if (!closed && average !== null) {
    const found = average <= 0n ? null : notional(book.inverse, abs(size), average);
    const tolerance = cycle.tolerance + roundingOf(book.inverse, abs(size), cost);
    if (found === null || abs(found - cost) > tolerance) wrong.push(`has average_entry_price ${show(average)}, worth ${show(found)}, should be worth ${show(cost)}`);
  }
  const exits = total((one) => one.exitQuantity);
  if (exits === 0n) same('exit_price', text(row, 'exit_price'), null);
  else {
    const value = total((one) => one.exitValue);
    const price = amount(row, 'exit_price');
    const found = price === null || price <= 0n ? null : notional(book.inverse, exits, price);
    const tolerance = cycle.tolerance + roundingOf(book.inverse, exits, value);
    if (found === null || abs(found - value) > tolerance) wrong.push(`has exit_price ${show(price)}, worth ${show(found)}, should be worth ${show(value)}`);
  }
  return wrong;
}
