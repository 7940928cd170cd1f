import { type Decimal, MONEY_UNIT, ONE, abs, proportion } from '../domain/decimal.js';
import type { AverageStep } from './average-cost.js';
import type { BookState, MovedPart } from './book-state.js';
import { type Contract, entryPriceIsExact, entryPriceTolerance } from './contract.js';
import type { CashItem, FillItem, FlowItem, UpdateItem } from './evidence-item.js';
import { type FillPart, type SizeAndCost, agreeingChecks, orderSeq, signedQuantity, stepOf } from './seq-order.js';

/** Sequences of the order-derived fills of an interval that are tried beside the given one. */
const MAX_ARRANGEMENTS = 64;

/** A fill or cash event at its place in an interval. */
export type PlannedFlow =
  | {
      readonly kind: 'fill';
      readonly part: FillPart;
      readonly candidates: number;
      /** What it does at its place, once the money was compared; null before. Holds while no residual stands before it. */
      step: AverageStep | null;
    }
  | { readonly kind: 'cash'; readonly cash: CashItem };

/**
 * How the gap of an interval was closed. It is remembered with what was issued: a choice among later evidence cannot be made
 * again from what of it was issued by then.
 */
export interface GapChoice {
  /** False where the interval begins a book and the parts that orders had done when they were first seen are in its start. */
  readonly startsFlat: boolean;
  /** Parts of later fills that the update shows. */
  readonly taken: readonly TakenPart[];
  /** Fills of the interval that its update does not show, by id. */
  readonly leftOut: readonly string[];
  /** Whether these wait for the next update; else they are in the start of the book. */
  readonly isDeferred: boolean;
}

/** The gap of an interval that was issued. */
export interface IssuedGap extends GapChoice {
  /** updatedTime of the update that showed it. */
  readonly updatedAt: number;
}

export interface TakenPart {
  readonly fillId: string;
  readonly quantity: Decimal;
}

/** What lies between two position updates, in sequence, and how it compares with the later one. */
export interface IntervalPlan {
  readonly flows: readonly PlannedFlow[];
  /** Signed size that no fill explains. */
  readonly gap: Decimal;
  /** How the gap between its own fills and its size was closed; null where there is none, so that nothing of another interval can change it. */
  readonly choice: GapChoice | null;
  /** Shown less expected cumRealisedPnl; null where one of them is not known. Only meaningful while the gap is 0. */
  readonly moneyGap: Decimal | null;
  readonly moneyTolerance: Decimal;
  /** Whether the entry notional agrees with positionValue; null where it cannot be checked. */
  readonly entryAgrees: boolean | null;
  readonly expectedCum: Decimal | null;
  readonly expectedCost: Decimal | null;
  /** Parts of later order-derived fills that this update shows. */
  readonly moved: readonly MovedPart[];
  /** Fills dated by time that this update does not show yet. */
  readonly deferred: readonly FillItem[];
  /** Whether the money equation fixes the fee of a single order-derived fill. */
  readonly feeFromMoney: Decimal | null;
}

/** The part of a fill that no earlier update took; null if nothing is left. */
export function remainingPart(state: BookState, fill: FillItem): FillPart | null {
  let { quantity, value, fee } = fill;
  for (const part of state.moved) {
    if (part.fillId !== fill.fillId) continue;
    quantity -= part.quantity;
    value -= part.value;
    fee -= part.fee;
  }
  return quantity === 0n ? null : { fill, quantity, value, fee, openingValue: null, partId: fill.fillId, moved: false };
}

/** Fills and cash of an interval put in sequence, starting from the given size and cost; `update` is what it leads to, if known. */
export function sequence(contract: Contract, direction: 1 | -1 | 0, state: BookState, items: readonly FlowItem[], update: UpdateItem | null): PlannedFlow[] {
  const flows: PlannedFlow[] = [];
  let place: SizeAndCost = state;
  /** Flows up to here are in the place: it is only gone after where the sequence depends on it. */
  let placed = 0;
  let i = 0;
  while (i < items.length) {
    const item = items[i]!;
    if (item.kind === 'cash') {
      flows.push({ kind: 'cash', cash: item });
      i += 1;
      continue;
    }
    const { seq } = item;
    const follower = items[i + 1];
    if (seq === null || follower === undefined || follower.kind !== 'fill' || follower.seq !== seq) {
      const part = remainingPart(state, item);
      if (part !== null) flows.push({ kind: 'fill', part, candidates: 1, step: null });
      i += 1;
      continue;
    }
    const parts: FillPart[] = [];
    while (i < items.length) {
      const next = items[i]!;
      if (next.kind !== 'fill' || next.seq !== seq) break;
      const part = remainingPart(state, next);
      if (part !== null) parts.push(part);
      i += 1;
    }
    if (parts.length < 2) {
      if (parts.length === 1) flows.push({ kind: 'fill', part: parts[0]!, candidates: 1, step: null });
      continue;
    }
    for (; placed < flows.length; placed++) {
      const flow = flows[placed]!;
      if (flow.kind === 'cash') continue;
      const step = stepOf(contract, direction, place, flow.part);
      place = { size: step.after, cost: step.costAfter };
    }
    const isLast = update !== null && !items.some((later, at) => at >= i && later.kind === 'fill');
    const ordered = orderSeq(contract, direction, place, parts, isLast ? shownCostOf(state, parts.length, update) : null);
    for (const part of ordered.parts) flows.push({ kind: 'fill', part, candidates: ordered.candidates, step: null });
  }
  return flows;
}

/** Whether a cost is the entry notional that an update shows; null where it shows none. */
export function shownCostOf(state: BookState, events: number, { positionValue }: UpdateItem): ((cost: Decimal) => boolean) | null {
  if (positionValue === null) return null;
  const approximations = (state.cycle?.approximations ?? 0) + events;
  return (cost) => abs(cost - positionValue) <= MONEY_UNIT * BigInt(2 + approximations);
}

/** Signed quantity of the fills, less what earlier updates took of them. */
export function sumOfFills(state: BookState, items: readonly FlowItem[]): Decimal {
  let sum = 0n;
  for (const item of items) {
    if (item.kind !== 'fill') continue;
    let { quantity } = item;
    for (const part of state.moved) if (part.fillId === item.fillId) quantity -= part.quantity;
    if (item.direction === 1) sum += quantity;
    else sum -= quantity;
  }
  return sum;
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
function bestPlaces(
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

/** What lies between two updates, and what it is compared with. */
export interface PlanInput {
  readonly contract: Contract;
  readonly direction: 1 | -1 | 0;
  readonly state: BookState;
  /** Fills and cash events between the last update and this one, in the book's order. */
  readonly items: readonly FlowItem[];
  readonly update: UpdateItem;
}

/** How the gap between the fills of an interval and its update is closed: parts of later fills put in, or items left out. */
export interface Explanation {
  /** Parts of later fills, to be placed in the interval. */
  readonly parts: readonly FillPart[];
  readonly moved: readonly MovedPart[];
  /** The interval's own items that are not left out. */
  readonly items: readonly FlowItem[];
  /** Those left out that wait for the next update. */
  readonly deferred: readonly FillItem[];
  /** What of it has to be remembered; null where the interval's own fills give its size. */
  readonly choice: GapChoice | null;
}

/** Puts the items of an interval and what explains its gap in sequence, and compares the money. Changes nothing. */
export function planWith(
  { contract, direction, state, update }: PlanInput, { parts, moved, items, deferred, choice }: Explanation, gap: Decimal,
): IntervalPlan {
  let flows = sequence(contract, direction, state, items, gap === 0n && parts.length === 0 ? update : null);
  if (gap === 0n && (flows.length > 1 || parts.length > 0)) flows = bestPlaces(contract, direction, state, flows, parts, update);
  if (gap === 0n) valueCrossing(flows, update);
  const money = compareMoney(contract, direction, state, flows, update);
  // Beside a residual the money equation cannot tell a fill's fee.
  return {
    flows, gap, choice, moved, deferred, moneyGap: money.moneyGap, moneyTolerance: money.moneyTolerance, entryAgrees: money.entryAgrees,
    expectedCum: money.expectedCum, expectedCost: money.expectedCost, feeFromMoney: gap === 0n ? money.feeFromMoney : null,
  };
}

/**
 * An order-derived fill that crosses zero hides what each of its parts traded at, but the update shows what it opened: the
 * notional of the part beyond zero is the update's positionValue less what was added after it, at the average that a part closed
 * after it left.
 */
function valueCrossing(flows: PlannedFlow[], update: UpdateItem): void {
  let after = update.size;
  let opening = update.positionValue;
  for (let i = flows.length - 1; i >= 0 && after !== 0n && opening !== null && opening > 0n; i--) {
    const flow = flows[i]!;
    if (flow.kind === 'cash') continue;
    const { part } = flow;
    const before = after - signedQuantity(part);
    if (before === 0n) return;
    if ((before > 0n) !== (after > 0n)) {
      if (part.fill.source === 'order' && opening < part.value) flows[i] = { ...flow, part: { ...part, openingValue: opening } };
      return;
    }
    opening = abs(before) > abs(after) ? proportion(opening, abs(before), abs(after)) : opening - part.value;
    after = before;
  }
}

function compareMoney(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], update: UpdateItem,
): Pick<IntervalPlan, 'moneyGap' | 'moneyTolerance' | 'entryAgrees' | 'expectedCum' | 'expectedCost' | 'feeFromMoney'> {
  let size = state.size;
  let cost = state.cost;
  let cum = state.cum;
  let tolerance = MONEY_UNIT * BigInt(state.eventsSinceCum + flows.length + 2);
  let approximations = state.cycle?.approximations ?? 0;
  let fills = 0;
  let lastPart: FillPart | null = null;
  for (const flow of flows) {
    if (flow.kind === 'cash') {
      if (cum !== null) cum -= flow.cash.amount;
      continue;
    }
    const step: AverageStep = stepOf(contract, direction, { size, cost }, flow.part);
    flow.step = step;
    fills += 1;
    lastPart = flow.part;
    if (step.closed > 0n) tolerance += truncationTolerance(contract, state, update, size, cost, step.closed);
    if (step.closed > 0n && step.opened > 0n) approximations = 0;
    if (size === 0n) approximations = 0;
    if (flow.part.fill.source === 'order') approximations += 1;
    if (cum !== null) cum = step.pnl === null ? null : cum + step.pnl - flow.part.fee;
    size = step.after;
    cost = step.costAfter;
  }
  const moneyGap = cum === null || update.cumRealisedPnl === null ? null : update.cumRealisedPnl - cum;
  const entryTolerance = MONEY_UNIT * BigInt(2 + approximations);
  const entryAgrees = cost === null || update.positionValue === null ? null : abs(cost - update.positionValue) <= entryTolerance;
  const alone = fills === 1 && lastPart!.fill.source === 'order' && flows.length === 1;
  const feeFromMoney = alone && moneyGap !== null && abs(moneyGap) > tolerance ? lastPart!.fee - moneyGap : null;
  return { moneyGap, moneyTolerance: tolerance, entryAgrees, expectedCum: cum, expectedCost: cost, feeFromMoney };
}

/** What the exchange's truncated average entry price may put a closing result off by. */
function truncationTolerance(
  contract: Contract, state: BookState, update: UpdateItem, size: Decimal, cost: Decimal | null, closed: Decimal,
): Decimal {
  const shown = state.shown !== null && state.shown.size !== 0n ? state.shown : update;
  if (shown.entryPrice === null || shown.entryPrice === 0n) return cost === null ? 0n : entryPriceTolerance(contract, closed, ONE, 8);
  if (cost !== null && entryPriceIsExact(contract, size, cost, shown.entryPrice)) return 0n;
  return entryPriceTolerance(contract, closed, shown.entryPrice, shown.entryPriceDecimals);
}

/** Whether the update shows just what its interval says: nothing is left to wait for. */
export function planCloses(plan: IntervalPlan): boolean {
  return plan.gap === 0n && plan.entryAgrees !== false && (plan.moneyGap === null || moneyAgrees(plan) !== false);
}

/** Whether cumRealisedPnl agrees; null where it cannot be checked. */
export function moneyAgrees(plan: IntervalPlan): boolean | null {
  if (plan.moneyGap === null) return null;
  return plan.feeFromMoney !== null || abs(plan.moneyGap) <= plan.moneyTolerance;
}

