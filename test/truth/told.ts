import { abs, ONE, type Fixed } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import type { BookCase } from './cases.js';
import type { TrueFill } from './fold.js';
import { amount, text, whole, show, type Row } from './rows.js';

/** How the table knows a fill: by its execution, by its order's totals, or only as a size no fill explains. */
export type Kind = 'execution' | 'order' | 'residual' | 'missing';

/** A true fill, or several merged into one, at the grain in which the table can know it, with the rows that stand for it. */
export interface ToldFill extends TrueFill {
  kind: Kind;
  /** How many true fills are in it. */
  count: number;
  /** By leg. */
  rows: Row[];
}

export interface Told {
  fills: ToldFill[];
  /** The row of what was open when the recording began. */
  start: Row | null;
  differences: string[];
}

/** Finds for every true fill of a book the rows that stand for it, and merges fills where the table can only know their sum. */
export function toldFills(book: BookCase, rows: readonly Row[]): Told {
  const differences: string[] = [];
  const byExec = groupBy(rows.filter((row) => text(row, 'exec_id') !== null), (row) => text(row, 'exec_id') as string);
  const byOrder = groupBy(rows.filter((row) => text(row, 'exec_id') === null && text(row, 'order_id') !== null), (row) => text(row, 'order_id') as string);
  const nameless = rowGroups(rows.filter((row) => text(row, 'exec_id') === null && text(row, 'order_id') === null));
  const start = book.startSize !== 0n ? (nameless.shift()?.[0] ?? null) : null;

  const places = new Map<TrueFill, ToldFill | null>();
  const uncovered = new Map<string, TrueFill[]>();
  const untold: TrueFill[] = [];
  for (const fill of book.fills) {
    const found = byExec.get(fill.execId);
    if (found) {
      byExec.delete(fill.execId);
      places.set(fill, { ...fill, kind: 'execution', count: 1, rows: byLeg(found) });
    } else if (fill.visible) uncovered.set(fill.orderId, [...(uncovered.get(fill.orderId) ?? []), fill]);
    else untold.push(fill);
  }
  for (const [orderId, fills] of uncovered) {
    const groups = rowGroups(byOrder.get(orderId) ?? []);
    byOrder.delete(orderId);
    const left = cover(book, fills, groups, places);
    for (const group of left) differences.push(`order ${orderId}: an order-derived fill of ${show(sum(group))} covers no whole fills`);
  }
  for (const group of coverHidden(book, untold, nameless, places)) differences.push(`${book.key}: a residual of ${show(sum(group))} at seq ${whole(group[0] as Row, 'seq')} is no hidden trade`);
  for (const execId of byExec.keys()) differences.push(`${book.key}: execution ${execId} is in the table and never was a fill of this book`);
  for (const orderId of byOrder.keys()) differences.push(`${book.key}: order ${orderId} has order-derived fills, and none is missing`);
  const fills = book.fills.flatMap((fill) => places.get(fill) ?? []);
  return { fills, start, differences };
}

/** Lets each group of rows stand for consecutive fills of the same total; a merged fill takes the place of its last part. */
function cover(book: BookCase, fills: readonly TrueFill[], groups: Row[][], places: Map<TrueFill, ToldFill | null>): Row[][] {
  const left: Row[][] = [];
  let next = 0;
  for (const group of groups) {
    const wanted = sum(group);
    const taken: TrueFill[] = [];
    let total = 0n;
    while (next + taken.length < fills.length && total !== wanted) {
      const fill = fills[next + taken.length] as TrueFill;
      if (taken.length > 0 && abs(total + fill.quantity) > abs(wanted)) break;
      taken.push(fill);
      total += fill.quantity;
    }
    if (total !== wanted || taken.length === 0) {
      left.push(group);
      continue;
    }
    next += taken.length;
    put(book, taken, group, 'order', places);
  }
  for (const fill of fills.slice(next)) places.set(fill, { ...fill, kind: 'missing', count: 1, rows: [] });
  return left;
}

/** A residual stands for all hidden fills between two updates that were delivered. */
function coverHidden(book: BookCase, fills: readonly TrueFill[], groups: Row[][], places: Map<TrueFill, ToldFill | null>): Row[][] {
  const intervals = groupBy(fills, (fill) => String(intervalOf(book, fill.seq)));
  const left = [...groups];
  for (const hidden of intervals.values()) {
    const wanted = hidden.reduce((total, fill) => total + fill.quantity, 0n);
    const at = left.findIndex((group) => sum(group) === wanted);
    if (at < 0) for (const fill of hidden) places.set(fill, { ...fill, kind: 'missing', count: 1, rows: [] });
    else put(book, hidden, left.splice(at, 1)[0] as Row[], 'residual', places);
  }
  return left;
}

/** The seq of the first delivered position record that shows this seq; Infinity if none does. */
export function intervalOf(book: BookCase, seq: number): number {
  return book.updates === null ? seq : (book.updates.find((update) => update >= seq) ?? Infinity);
}

/** Several fills become one, in the place of the last. */
function put(book: BookCase, fills: readonly TrueFill[], group: readonly Row[], kind: 'order' | 'residual', places: Map<TrueFill, ToldFill | null>): void {
  for (const fill of fills) places.set(fill, null);
  places.set(fills[fills.length - 1] as TrueFill, { ...merge(fills, averaged(book, group)), kind, count: fills.length, rows: byLeg(group) });
}

/**
 * Where nothing shows at which price a merged fill crossed zero, both legs have its average. Where an update of its seq came,
 * its positionValue shows what the fill opened, and a row that is ambiguous is so for another reason; so does one whose legs
 * have prices of their own.
 */
function averaged(book: BookCase, group: readonly Row[]): boolean {
  const isShown = (row: Row): boolean => book.updates === null || book.updates.includes(whole(row, 'seq') ?? -1);
  // Of an inverse leg the price is the quotient of rounded values: it differs in its last digits.
  const prices = group.map((row) => Number(text(row, 'execution_price')));
  const isOneAverage = Math.max(...prices) - Math.min(...prices) <= Math.max(...prices) * 1e-12;
  return group.length > 1 && isOneAverage && group.some((row) => text(row, 'evidence') === 'ambiguous' && !isShown(row));
}

function merge(fills: readonly TrueFill[], average: boolean): TrueFill {
  const last = fills[fills.length - 1] as TrueFill;
  if (fills.length === 1) return last;
  const quantity = fills.reduce((total, fill) => total + fill.quantity, 0n);
  const value = fills.reduce((total, fill) => total + notional(fill.inverse, abs(fill.quantity), fill.price), 0n);
  const price = last.inverse ? (abs(quantity) * ONE) / value : (value * ONE) / abs(quantity);
  const parts = fills.map((fill) => ({ quantity: abs(fill.quantity), price: fill.price }));
  return {
    ...last, quantity, price, fee: fills.reduce((total, fill) => total + fill.fee, 0n),
    tax: fills.reduce((total, fill) => total + fill.tax, 0n), ...(average ? {} : { parts }),
  };
}

/** Rows of one fill: leg 0 and, where it crosses zero, the leg 1 that follows. Without seq first (a start), then by seq and time. */
function rowGroups(rows: readonly Row[]): Row[][] {
  const sorted = [...rows].sort(
    (a, b) => (whole(a, 'seq') ?? -1) - (whole(b, 'seq') ?? -1) || (whole(a, 'executed_at') ?? 0) - (whole(b, 'executed_at') ?? 0) || (whole(a, 'leg') ?? 0) - (whole(b, 'leg') ?? 0),
  );
  const groups: Row[][] = [];
  for (const row of sorted) {
    const open = groups[groups.length - 1];
    if (whole(row, 'leg') === 1 && open && open.length === 1) open.push(row);
    else groups.push([row]);
  }
  return groups;
}

function byLeg(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => (whole(a, 'leg') ?? 0) - (whole(b, 'leg') ?? 0));
}

function sum(rows: readonly Row[]): Fixed {
  return rows.reduce((total, row) => total + (amount(row, 'size_delta') ?? 0n), 0n);
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
