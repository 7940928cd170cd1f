import { type Decimal, MONEY_UNIT, abs } from '../domain/decimal.js';
import type { BookState } from './book-state.js';
import type { Contract } from './contract.js';
import type { FillItem, UpdateItem } from './evidence-item.js';
import { compareMoney, valueCrossing } from './interval-money.js';
import type { PlannedFlow } from './interval-plan.js';
import { type FillPart, type SizeAndCost, agreeingChecks, stepOf } from './seq-order.js';

/** Sequences of the order-derived fills of an interval that are tried beside the given one. */
const MAX_ARRANGEMENTS = 64;

/** Whether a cost is the entry notional that an update shows; null where it shows none. */
export function shownCostOf(state: BookState, events: number, { positionValue }: UpdateItem): ((cost: Decimal) => boolean) | null {
  if (positionValue === null) return null;
  const approximations = (state.cycle?.approximations ?? 0) + events;
  return (cost) => abs(cost - positionValue) <= MONEY_UNIT * BigInt(2 + approximations);
}

/** How many flows a size change that has no place of its own may follow: money at the update's own seq comes after it. */
export function lastPlace(flows: readonly PlannedFlow[], update: UpdateItem): number {
  const first = flows.findIndex((flow) => flow.kind === 'cash' && !flow.cash.dated && flow.cash.seq === update.seq);
  return first < 0 ? flows.length : first;
}

/**
 * Puts parts of later fills at the place where most checks of the interval's fills and the update's entry notional agree, and
 * where cash comes to an open position. Of equal places the last before the fills of the update's own seq, for a trade that was
 * not told has a seq of its own; what stands between the first and the last of them is ambiguous. Parts of several
 * orders are tried in either sequence.
 */
function insertMoved(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], parts: readonly FillPart[], update: UpdateItem,
): PlannedFlow[] {
  const moved = parts.map((part): PlannedFlow => ({ kind: 'fill', part, candidates: 1, step: null }));
  const isOfOneOrder = parts.every((part) => part.fill.orderId === parts[0]!.fill.orderId);
  const shownCost = shownCostOf(state, flows.length + parts.length, update);
  const places = possiblePlaces(flows, parts, lastPlace(flows, update));
  const ownSeqFrom = flows.findIndex((flow) => flow.kind === 'fill' && flow.part.fill.seq === update.seq);
  let bestScore = -1;
  let best: { readonly index: number; readonly inOrder: readonly PlannedFlow[] }[] = [];
  for (const index of places) {
    for (const inOrder of isOfOneOrder ? [moved] : [moved.toReversed(), moved]) {
      const score = scoreOfPlaces(contract, direction, state, [...flows.slice(0, index), ...inOrder, ...flows.slice(index)], shownCost);
      if (score < bestScore) continue;
      if (score > bestScore) best = [];
      best.push({ index, inOrder });
      bestScore = score;
    }
  }
  const chosen = best.findLast(({ index }) => ownSeqFrom < 0 || index <= ownSeqFrom) ?? best[best.length - 1]!;
  const [from, to] = [best[0]!.index, best[best.length - 1]!.index];
  const candidates = 1 + flows.slice(from, to).filter(({ kind }) => kind === 'fill').length;
  const orders = best.filter(({ index }) => index === chosen.index).length;
  const marked = flows.map((flow, at) => (flow.kind === 'fill' && at >= from && at < to ? { ...flow, candidates: Math.max(flow.candidates, candidates) } : flow));
  return [...marked.slice(0, chosen.index), ...chosen.inOrder.map((flow) => ({ ...flow, candidates: candidates * orders })), ...marked.slice(chosen.index)];
}

/** Flows in a sequence, and how much speaks for it. */
interface Placed {
  readonly flows: PlannedFlow[];
  readonly score: number;
}

/**
 * Puts parts of later fills in their place, and the interval's own order-derived fills earlier than at the end of their range
 * where that makes more of the checks agree: such a fill happened anywhere after its order's total before. If no other sequence
 * is better, the given one stands.
 */
export function bestPlaces(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], parts: readonly FillPart[], update: UpdateItem,
): PlannedFlow[] {
  const place = (arranged: readonly PlannedFlow[]): Placed => {
    const placed = parts.length === 0 ? [...arranged] : insertMoved(contract, direction, state, arranged, parts, update);
    valueCrossing(placed, update);
    const score = scoreOfPlaces(contract, direction, state, placed, shownCostOf(state, placed.length, update));
    const { moneyGap, moneyTolerance } = compareMoney(contract, direction, state, placed, update);
    return { flows: placed, score: score + (moneyGap !== null && abs(moneyGap) <= moneyTolerance ? 1 : 0) };
  };
  const totals = flows.filter((flow, at) => isOpenTotal(flows, flow, at));
  if (totals.length === 0) return parts.length === 0 ? [...flows] : insertMoved(contract, direction, state, flows, parts, update);
  const given = place(flows);
  let best = given;
  let candidates = 1;
  for (const arranged of arrangements(flows, totals)) {
    const placed = place(arranged);
    if (placed.score > best.score) {
      best = placed;
      candidates = 1;
    } else if (placed.score === best.score && best !== given) candidates += 1;
  }
  if (best === given) return given.flows;
  return best.flows.map((flow) => (flow.kind === 'fill' && totals.some((total) => isSameFill(total, flow)) ? { ...flow, candidates: flow.candidates * candidates } : flow));
}

function isSameFill(a: PlannedFlow, b: PlannedFlow): boolean {
  return a.kind === 'fill' && b.kind === 'fill' && !b.part.moved && a.part.fill === b.part.fill;
}

/** Whether a flow is an order-derived fill that may have happened before one that stands before it. */
function isOpenTotal(flows: readonly PlannedFlow[], flow: PlannedFlow, at: number): boolean {
  if (flow.kind === 'cash' || flow.part.fill.source !== 'order' || flow.part.fill.dated) return false;
  for (let index = 0; index < at; index++) {
    const other = flows[index]!;
    if (other.kind === 'fill' && !wasBefore(other.part.fill, flow.part.fill)) return true;
  }
  return false;
}

/** Other sequences than the given one, with some of the totals earlier; nearest to it first, and no more than are worth trying. */
function* arrangements(flows: readonly PlannedFlow[], totals: readonly PlannedFlow[]): Generator<readonly PlannedFlow[]> {
  let left = MAX_ARRANGEMENTS;
  const some = function* (arranged: readonly PlannedFlow[], next: number): Generator<readonly PlannedFlow[]> {
    const total = totals[next];
    if (total?.kind !== 'fill') {
      if (left-- > 0) yield arranged;
      return;
    }
    const at = arranged.indexOf(total);
    const others = arranged.toSpliced(at, 1);
    const earlier = possiblePlaces(others, [total.part], at).filter((place) => place < at);
    for (const place of [at, ...earlier.toReversed()]) if (left > 0) yield* some(others.toSpliced(place, 0, total), next + 1);
  };
  for (const arranged of some(flows, 0)) if (arranged.some((flow, at) => flow !== flows[at])) yield arranged;
}

/**
 * The places among flows, up to a last one, where parts can have happened: after all that is known to have been before them, and
 * not within what one match did to one order. All places where this leaves none. A place is how many flows are before it.
 */
function possiblePlaces(flows: readonly PlannedFlow[], parts: readonly FillPart[], end: number): readonly number[] {
  let first = 0;
  for (let index = 0; index < end; index++) {
    const flow = flows[index]!;
    if (flow.kind === 'fill' && parts.some((part) => wasBefore(flow.part.fill, part.fill))) first = index + 1;
  }
  const all = Array.from({ length: end + 1 }, (_, place) => place);
  const possible = all.filter((place) => place >= first && !isWithinMatch(flows, place));
  return possible.length === 0 ? all : possible;
}

/** Whether a place is between two executions of one order that the exchange gave one seq. */
function isWithinMatch(flows: readonly PlannedFlow[], place: number): boolean {
  const before = flows[place - 1];
  const after = flows[place];
  if (before?.kind !== 'fill' || after?.kind !== 'fill') return false;
  const [one, other] = [before.part.fill, after.part.fill];
  return one.orderId === other.orderId && one.seq !== null && one.seq === other.seq && [one, other].every((fill) => fill.source === 'execution' && !fill.dated);
}

/** Whether a fill is known to have happened before an order-derived one: by what either left of its order, or by the range of that. */
function wasBefore(fill: FillItem, later: FillItem): boolean {
  if (fill.orderId === later.orderId && fill.leavesQuantity !== null && later.leavesQuantity !== null && fill.leavesQuantity > later.leavesQuantity) return true;
  if (later.executedAfter !== null && fill.executedAt < later.executedAfter) return true;
  return !fill.dated && fill.seq !== null && later.seqAfter !== null && fill.seq <= later.seqAfter;
}

/** How much speaks for a sequence in which parts of later fills have a place. */
function scoreOfPlaces(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], shownCost: ((cost: Decimal) => boolean) | null,
): number {
  let place: SizeAndCost = state;
  let score = 0;
  for (const flow of flows) {
    if (flow.kind === 'cash') {
      if (place.size !== 0n) score += 1;
      continue;
    }
    const step = stepOf(contract, direction, place, flow.part);
    if (!flow.part.moved) score += agreeingChecks(flow.part, step);
    place = { size: step.after, cost: step.costAfter };
  }
  return place.cost !== null && shownCost !== null && shownCost(place.cost) ? score + 1 : score;
}
