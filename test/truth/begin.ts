import { abs } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import type { BookCase } from './cases.js';
import { BookFold, type TrueFill } from './fold.js';

/**
 * The book as its first record finds it: what nothing told before that record is in the start, and so is what an order had
 * done when it was first seen, unless the fills so far make a flat beginning. Null where that is what it is anyway, or where
 * the start's cost cannot be told from the record.
 */
export function asFirstShown(book: BookCase): BookCase | null {
  const first = book.updates?.[0];
  if (first === undefined || book.neverTraded) return null;
  const early = book.fills.filter((fill) => fill.seq <= first);
  const sum = (fills: readonly TrueFill[]) => fills.reduce((total, fill) => total + fill.quantity, 0n);
  const untold = early.filter((fill) => !fill.visible);
  const beganFlat = book.startSize + sum(untold) === 0n;
  const inStart = new Set(early.filter((fill) => !fill.visible || (fill.firstSeen && !beganFlat)));
  const cash = book.cash.filter((one) => one.visible || one.seq > first);
  if (inStart.size === 0 && cash.length === book.cash.length) return null;
  const startSize = book.startSize + sum([...inStart]);
  const startCost = costBefore(book, early, early.filter((fill) => !inStart.has(fill)), startSize);
  if (startCost === null || (book.index !== 0 && startSize !== 0n && startSize > 0n !== (book.index === 1))) return null;
  return { ...book, startSize, startCost, fills: book.fills.filter((fill) => !inStart.has(fill)), cash };
}

/** Backwards from what the record shows, while no fill reaches zero. */
function costBefore(book: BookCase, early: readonly TrueFill[], told: readonly TrueFill[], startSize: bigint): bigint | null {
  if (startSize === 0n) return 0n;
  const fold = new BookFold(book.account, book.symbol, book.index, book.inverse);
  fold.begin(book.startSize, book.startCost, 0n);
  for (const fill of early) fold.fill(fill);
  let { size, cost } = fold;
  for (const fill of [...told].reverse()) {
    const before = size - fill.quantity;
    if (size === 0n || before === 0n || before > 0n !== size > 0n) return null;
    cost = abs(before) < abs(size) ? cost - notional(fill.inverse, abs(fill.quantity), fill.price) : (cost * abs(before)) / abs(size);
    size = before;
  }
  return size === startSize && size !== 0n ? cost : null;
}
