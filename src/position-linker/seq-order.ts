import { type Decimal, abs } from '../domain/decimal.js';
import { type AverageStep, averageStep } from './average-cost.js';
import type { Contract } from './contract.js';
import type { FillItem } from './evidence-item.js';

/** A fill as it enters a derivation: less what an earlier update already took from it. */
export interface FillPart {
  readonly fill: FillItem;
  readonly quantity: Decimal;
  readonly value: Decimal;
  readonly fee: Decimal;
  /** Notional of the part beyond zero where a position update tells it; null: by quantity. */
  readonly openingValue: Decimal | null;
  /** Identity of the part: the fill's own, or of the part an earlier update took. */
  readonly partId: string;
  /** Whether it was dated by the size equation rather than by its own seq. */
  readonly moved: boolean;
}

export interface SizeAndCost {
  readonly size: Decimal;
  readonly cost: Decimal | null;
}

/** Sequences of more orders than this inside one seq are not tried. */
const MAX_PERMUTED_ORDERS = 6;
/** Tolerance of execPnl: 2e-8. */
export const EXEC_PNL_TOLERANCE: Decimal = 2n * 10n ** 10n;

export function signedQuantity(part: FillPart): Decimal {
  return part.fill.direction === 1 ? part.quantity : -part.quantity;
}

/** Average-cost step of a part at the given place of the book. */
export function stepOf(contract: Contract, direction: 1 | -1 | 0, at: SizeAndCost, part: FillPart): AverageStep {
  return averageStep(contract, direction, at.size, at.cost, signedQuantity(part), part.value, part.openingValue);
}

/** 1 if what the exchange said of the closed part comes out right, -1 if it does not, 0 if it said nothing. */
export function checkFill(part: FillPart, step: AverageStep): -1 | 0 | 1 {
  const { closedSize, execPnl } = part.fill;
  if (closedSize === null && (execPnl === null || step.pnl === null)) return 0;
  if (closedSize !== null && closedSize !== step.closed) return -1;
  if (execPnl !== null && step.pnl !== null && abs(step.pnl - execPnl) > EXEC_PNL_TOLERANCE) return -1;
  return 1;
}

/** How many of the exchange's figures of the closed part come out right. */
export function agreeingChecks(part: FillPart, step: AverageStep): number {
  const { closedSize, execPnl } = part.fill;
  let count = 0;
  if (closedSize !== null && closedSize === step.closed) count += 1;
  if (execPnl !== null && step.pnl !== null && abs(step.pnl - execPnl) <= EXEC_PNL_TOLERANCE) count += 1;
  return count;
}

/** Parts of one seq grouped by order; groups by order id, inside a group as the book's order has them. */
function groupByOrder(parts: readonly FillPart[]): FillPart[][] {
  const groups: FillPart[][] = [];
  for (const part of parts) {
    const last = groups[groups.length - 1];
    if (last !== undefined && last[0]!.fill.orderId === part.fill.orderId) last.push(part);
    else groups.push([part]);
  }
  return groups;
}

function* permutations(count: number, chosen: number[] = [], used = 0): Generator<readonly number[]> {
  if (chosen.length === count) {
    yield chosen;
    return;
  }
  for (let i = 0; i < count; i++) {
    if ((used & (1 << i)) !== 0) continue;
    chosen.push(i);
    yield* permutations(count, chosen, used | (1 << i));
    chosen.pop();
  }
}

/**
 * Parts dated to a seq by time that happened before all that have the seq of the exchange, or, where none has, before the last that
 * an execution tells of: what is dated to one seq need not be of one match, but what is of one match is of one time. In the order of
 * their times.
 */
function datedBefore(parts: readonly FillPart[]): FillPart[] {
  const own = parts.filter(({ fill }) => !fill.dated).map(({ fill }) => fill.executedAt);
  const atMs = own.length > 0 ? Math.min(...own) : Math.max(...parts.filter(({ fill }) => fill.source === 'execution').map(({ fill }) => fill.executedAt));
  return Number.isFinite(atMs) ? parts.filter(({ fill }) => fill.dated && fill.executedAt < atMs).sort((a, b) => a.fill.executedAt - b.fill.executedAt) : [];
}

export interface OrderedSeq {
  readonly parts: readonly FillPart[];
  /** How many sequences are as good; 1 where it is certain. */
  readonly candidates: number;
}

/**
 * Puts the fills of one seq in sequence: that of its orders in which closedSize and execPnl come out right at most fills,
 * of equally good ones those that lead to the entry notional the update of this seq shows, of these the first by order id.
 * Fills that are dated here by time, and happened before what the exchange dates here or before the last of them, go first.
 * `parts` come in the book's order (by order id, then remainder); `shownCost` is null where no update tells.
 */
export function orderSeq(
  contract: Contract, direction: 1 | -1 | 0, at: SizeAndCost, parts: readonly FillPart[], shownCost: ((cost: Decimal) => boolean) | null,
): OrderedSeq {
  if (parts.length < 2) return { parts, candidates: 1 };
  const earlier = datedBefore(parts);
  if (earlier.length > 0) {
    const { end } = scoreSequence(contract, direction, at, earlier);
    const rest = orderSeq(contract, direction, end, parts.filter((part) => !earlier.includes(part)), shownCost);
    return { parts: [...earlier, ...rest.parts], candidates: rest.candidates };
  }
  const groups = groupByOrder(parts);
  if (groups.length === 1 || groups.length > MAX_PERMUTED_ORDERS) return { parts, candidates: groups.length === 1 ? 1 : groups.length };
  let best: readonly FillPart[] = parts;
  let bestScore = -1;
  let candidates = 0;
  for (const permutation of permutations(groups.length)) {
    const sequence = permutation.flatMap((index) => groups[index]!);
    const { score: ofFills, end } = scoreSequence(contract, direction, at, sequence);
    const score = 2 * ofFills + (shownCost !== null && end.cost !== null && shownCost(end.cost) ? 1 : 0);
    if (score > bestScore) {
      best = sequence;
      bestScore = score;
      candidates = 1;
    } else if (score === bestScore) {
      candidates += 1;
    }
  }
  return { parts: best, candidates };
}

/** At how many fills of a sequence closedSize and execPnl come out right, and where it ends. */
export function scoreSequence(
  contract: Contract, direction: 1 | -1 | 0, at: SizeAndCost, sequence: readonly FillPart[],
): { readonly score: number; readonly end: SizeAndCost } {
  let score = 0;
  let place = at;
  for (const part of sequence) {
    const step = stepOf(contract, direction, place, part);
    if (checkFill(part, step) === 1) score += 1;
    place = { size: step.after, cost: step.costAfter };
  }
  return { score, end: place };
}
