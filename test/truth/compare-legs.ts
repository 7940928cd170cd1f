import { abs, type Fixed } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import type { BookCase } from './cases.js';
import type { Folded } from './sequence.js';
import { amount, direction, show, text, whole, type Row } from './rows.js';
import type { ToldFill } from './told.js';
import type { TrueLeg } from './fold.js';

const UNIT8: Fixed = 10n ** 28n;
/** Shares of fees are kept with 18 decimals. */
const UNIT18: Fixed = 10n ** 18n;

/** Compares every leg of a book with its row; also finds which position id stands for which cycle. */
export function compareLegs(book: BookCase, start: Row | null, folded: Folded, positions: Map<string, string>): string[] {
  const differences: string[] = [];
  const say = (what: string) => differences.push(`${book.key}: ${what}`);
  const belongs = (row: Row, cycle: string) => {
    const id = text(row, 'position_id') ?? '';
    const known = positions.get(cycle);
    if (known === undefined) positions.set(cycle, id);
    else if (known !== id) say(`cycle ${cycle} has legs under two position ids, ${known} and ${id}`);
  };
  if (book.startSize !== 0n) compareStart(book, start, say, belongs);
  const used = new Map<ToldFill, number>();
  for (const { told, leg } of folded.legs) {
    used.set(told, leg.leg + 1);
    const name = nameOf(told, leg);
    const row = told.rows[leg.leg];
    if (!row) {
      say(`${name} is missing: it ${leg.relationship} by ${show(leg.sizeDelta)} at seq ${leg.fill.seq}`);
      continue;
    }
    belongs(row, leg.cycle);
    for (const wrong of differencesOf(told, leg, row)) say(`${name} ${wrong}`);
  }
  for (const [told, count] of used) {
    if (told.rows.length > count) say(`fill ${told.execId} has ${told.rows.length} legs, should have ${count}`);
  }
  return differences;
}

function nameOf(told: ToldFill, leg: TrueLeg): string {
  const what = told.kind === 'order' ? `order-derived fill of ${told.orderId}` : told.kind === 'residual' ? `residual for hidden ${told.execId}` : `fill ${told.execId}`;
  return `${what} leg ${leg.leg} (${leg.cycle})`;
}

function compareStart(book: BookCase, row: Row | null, say: (what: string) => void, belongs: (row: Row, cycle: string) => void): void {
  if (!row) {
    say(`was open with ${show(book.startSize)} at the beginning, and no start link says so`);
    return;
  }
  belongs(row, `${book.symbol}:${book.index}:1`);
  const delta = amount(row, 'size_delta');
  if (delta !== book.startSize) say(`start link has ${show(delta)}, the book began with ${show(book.startSize)}`);
  if (amount(row, 'size_before') !== 0n) say('start link does not begin at 0');
  if (text(row, 'relationship_type') !== 'opened') say(`start link is ${text(row, 'relationship_type')}, should be opened`);
  if (text(row, 'signal_id') !== null) say(`start link has signal ${text(row, 'signal_id')}, should have none`);
}

function differencesOf(told: ToldFill, leg: TrueLeg, row: Row): string[] {
  const wrong: string[] = [];
  const same = (column: string, found: unknown, wanted: unknown) => {
    if (found !== wanted) wrong.push(`has ${column} ${String(found)}, should be ${String(wanted)}`);
  };
  const sameAmount = (column: string, wanted: Fixed) => {
    const found = amount(row, column);
    if (found !== wanted) wrong.push(`has ${column} ${show(found)}, should be ${show(wanted)}`);
  };
  same('relationship_type', text(row, 'relationship_type'), leg.relationship);
  sameAmount('size_delta', leg.sizeDelta);
  sameAmount('size_before', leg.before);
  sameAmount('size_after', leg.after);
  const side = leg.before !== 0n ? leg.before : leg.after;
  same('side', direction(row, 'side'), side > 0n ? 1 : -1);
  same('leg', whole(row, 'leg'), leg.leg);
  if (told.kind === 'residual') {
    same('execution_price', text(row, 'execution_price'), null);
    same('signal_id', text(row, 'signal_id'), null);
    return wrong;
  }
  same('order_id', text(row, 'order_id'), told.orderId);
  same('signal_id', text(row, 'signal_id'), told.signal);
  const price = amount(row, 'execution_price');
  const fee = amount(row, 'execution_fee');
  if (told.kind === 'execution') {
    sameAmount('execution_price', told.price);
    if (fee === null || abs(fee - leg.fee) > UNIT18) wrong.push(`has execution_fee ${show(fee)}, should be ${show(leg.fee)}`);
    same('executed_at', whole(row, 'executed_at'), told.time);
    const evidence = text(row, 'evidence');
    const seq = whole(row, 'seq');
    if (seq !== null && evidence !== 'inferred' && evidence !== 'ambiguous') same('seq', seq, told.seq);
  } else if (told.kind === 'order') {
    const value = price === null || price <= 0n ? null : notional(told.inverse, abs(leg.sizeDelta), price);
    const tolerance = UNIT8 * BigInt(told.count + 2);
    if (value === null || abs(value - leg.value) > tolerance) wrong.push(`has execution_price ${show(price)}, worth ${show(value)}, should be worth ${show(leg.value)}`);
  }
  return wrong;
}
