import { abs, type Fixed } from '../simulator/fixed.js';
import { BookFold, valueOf, type TrueCash, type TrueLeg } from './fold.js';
import type { BookCase } from './cases.js';
import type { ToldFill } from './told.js';
import { amount, text } from './rows.js';

/** Result of folding a book in the sequence that fits the table best among those that are as right as the true one. */
export interface Folded {
  fold: BookFold;
  legs: { told: ToldFill; leg: TrueLeg }[];
}

/** execPnl is shown with 8 decimals; nearer than this it cannot tell two sequences apart. */
const TELLS_APART: Fixed = 2n * 10n ** 28n;

export function foldBest(book: BookCase, fills: readonly ToldFill[]): Folded {
  const chosen: ToldFill[] = [];
  const running = newFold(book);
  for (let i = 0; i < fills.length; ) {
    const first = fills[i] as ToldFill;
    const group = [first];
    while (first.swappable && fills[i + group.length]?.swappable && fills[i + group.length]?.seq === first.seq) {
      group.push(fills[i + group.length] as ToldFill);
    }
    i += group.length;
    const orders = [...new Set(group.map((fill) => fill.orderId))];
    const chosenSequence = orders.length === 1 ? group : bestSequence(running, group, orders);
    const sequence = isCostShown(book, fills, first.seq, running, group) && !sameOrder(chosenSequence, group) ? valuedByRecord(running, chosenSequence, group) : chosenSequence;
    for (const fill of sequence) running.fill(fill);
    chosen.push(...sequence);
  }
  return foldAll(book, chosen);
}

/** Whether a record shows what the group led to: its own, or a later one before which the position stays on its side. */
function isCostShown({ updates }: BookCase, fills: readonly ToldFill[], seq: number, running: BookFold, group: readonly ToldFill[]): boolean {
  if (updates === null) return true;
  const shownAt = updates.find((at) => at >= seq);
  if (shownAt === undefined) return false;
  const fold = foldFrom(running);
  for (const fill of group) fold.fill(fill);
  return fills.filter((fill) => fill.seq > seq && fill.seq <= shownAt).every((fill) => {
    const isLong = fold.size > 0n;
    fold.fill(fill);
    return fold.size !== 0n && isLong === fold.size > 0n;
  });
}

function bestSequence(running: BookFold, group: readonly ToldFill[], orders: readonly string[]): ToldFill[] {
  const truth = outcomes(running, group);
  let best = [...group];
  let bestScore = truth.score;
  for (const order of permutations(orders)) {
    const sequence = order.flatMap((orderId) => group.filter((fill) => fill.orderId === orderId));
    const tried = outcomes(running, sequence);
    if (tried.score > bestScore && isAsRight(truth, tried, group)) {
      best = sequence;
      bestScore = tried.score;
    }
  }
  return best;
}

function sameOrder(a: readonly ToldFill[], b: readonly ToldFill[]): boolean {
  return a.every((fill, i) => fill === b[i]);
}

/**
 * In another sequence than the true one another fill crosses zero. If of that only totals are told, what it opened is what the
 * record after all of them leaves for it.
 */
function valuedByRecord(running: BookFold, sequence: readonly ToldFill[], group: readonly ToldFill[]): ToldFill[] {
  const end = foldFrom(running);
  for (const fill of group) end.fill(fill);
  const fold = foldFrom(running);
  const at = sequence.findIndex((fill) => {
    fold.fill(fill);
    return fold.closed > 0n && fold.closed < abs(fill.quantity);
  });
  const crossing = sequence[at];
  if (crossing?.kind !== 'order') return [...sequence];
  const later = sequence.slice(at + 1);
  if (later.some((fill) => fill.quantity > 0n !== end.size > 0n)) return [...sequence];
  const opening = later.reduce((left, fill) => left - valueOf(fill, 0n, abs(fill.quantity)), end.cost);
  if (opening <= 0n || opening >= valueOf(crossing, 0n, abs(crossing.quantity))) return [...sequence];
  return sequence.map((fill) => (fill === crossing ? { ...fill, opening } : fill));
}

function foldFrom(running: BookFold): BookFold {
  const fold = new BookFold(running.account, running.symbol, running.index, running.inverse);
  fold.begin(running.size, running.cost, 0n);
  return fold;
}

interface Outcomes {
  closed: Map<ToldFill, { closed: Fixed; pnl: Fixed }>;
  /** Rows of the table that agree. */
  score: number;
}

/** Wherever an execution says what it closed and earned, both sequences give the same. */
function isAsRight(truth: Outcomes, tried: Outcomes, group: readonly ToldFill[]): boolean {
  return group.every((fill) => {
    const a = truth.closed.get(fill);
    const b = tried.closed.get(fill);
    return fill.kind !== 'execution' || (a && b && a.closed === b.closed && abs(a.pnl - b.pnl) <= TELLS_APART);
  });
}

function outcomes(running: BookFold, group: readonly ToldFill[]): Outcomes {
  const fold = foldFrom(running);
  const closed = new Map<ToldFill, { closed: Fixed; pnl: Fixed }>();
  let score = 0;
  for (const fill of group) {
    for (const leg of fold.fill(fill)) {
      const row = fill.rows[leg.leg];
      if (row && text(row, 'relationship_type') === leg.relationship && amount(row, 'size_before') === leg.before && amount(row, 'size_after') === leg.after) score++;
    }
    closed.set(fill, { closed: fold.closed, pnl: fold.pnl });
  }
  return { closed, score };
}

function newFold(book: BookCase): BookFold {
  const fold = new BookFold(book.account, book.symbol, book.index, book.inverse);
  fold.begin(book.startSize, book.startCost, 0n);
  return fold;
}

function foldAll(book: BookCase, fills: readonly ToldFill[]): Folded {
  const fold = newFold(book);
  const legs: Folded['legs'] = [];
  const cash: TrueCash[] = [...book.cash].sort((a, b) => a.seq - b.seq);
  for (const told of fills) {
    while (cash[0] && cash[0].seq < told.seq) fold.cash((cash.shift() as TrueCash).amount);
    for (const leg of fold.fill(told)) legs.push({ told, leg });
  }
  for (const left of cash) fold.cash(left.amount);
  return { fold, legs };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}
