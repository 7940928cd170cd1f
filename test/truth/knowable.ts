import type { BookCase } from './cases.js';
import type { Folded } from './sequence.js';
import { groupBy, intervalOf } from './told.js';

/**
 * Whether every hidden trade shows on its own: those between two updates that were delivered go one way, do not cross zero
 * unless it is one, and no other fill is between the two.
 */
export function isPlaceKnown(book: BookCase): boolean {
  if (book.updates === null) return true;
  let size = book.startSize;
  for (const [interval, fills] of groupBy(book.fills, (fill) => String(intervalOf(book, fill.seq)))) {
    const before = size;
    for (const fill of fills) size += fill.quantity;
    const hidden = fills.filter((fill) => !fill.visible);
    if (hidden.length === 0) continue;
    if (interval === 'Infinity' || hidden.length !== fills.length) return false;
    const crosses = before !== 0n && size !== 0n && before > 0n !== size > 0n;
    const oneWay = hidden.every((fill) => fill.quantity > 0n === (hidden[0] as { quantity: bigint }).quantity > 0n);
    if (hidden.length > 1 && (crosses || !oneWay)) return false;
  }
  return true;
}

/**
 * Cycles of which quantities can be known, and their money not: where a tax, or a cash row, that no message told shares an
 * interval with something else, only the sum of both shows.
 */
export function vagueCycles(book: BookCase, folded: Folded): Set<string> {
  const vague = new Set<string>();
  const intervals = groupBy(folded.legs, ({ told }) => String(intervalOf(book, told.seq)));
  for (const [interval, legs] of intervals) {
    const seqs = legs.map(({ told }) => told.seq);
    const cash = book.cash.filter((one) => String(intervalOf(book, one.seq)) === interval);
    const alone = new Set(legs.map(({ told }) => told)).size + cash.length === 1 && interval !== 'Infinity';
    const untold = legs.some(({ told }) => told.kind === 'order' && told.tax !== 0n) || cash.some((one) => !one.visible);
    if (untold && !alone && seqs.length > 0) for (const { leg } of legs) vague.add(leg.cycle);
  }
  for (const one of book.cash) {
    const interval = String(intervalOf(book, one.seq));
    if (one.visible || (interval !== 'Infinity' && book.cash.filter((other) => String(intervalOf(book, other.seq)) === interval).length === 1)) continue;
    const before = folded.legs.filter(({ told }) => told.seq < one.seq).at(-1);
    vague.add(before?.leg.cycle ?? `${book.symbol}:${book.index}:1`);
  }
  return vague;
}
