import { type Decimal, MONEY_UNIT, ONE, abs, proportion } from '../domain/decimal.js';
import type { AverageStep } from './average-cost.js';
import type { BookState, MovedPart } from './book-state.js';
import { type Contract, entryPriceIsExact, entryPriceTolerance } from './contract.js';
import type { CashItem, FillItem, FlowItem, UpdateItem } from './evidence-item.js';
import { type FillPart, type SizeAndCost, agreeingChecks, orderSeq, signedQuantity, stepOf } from './seq-order.js';

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

/** What lies between two position updates, in sequence, and how it compares with the later one. */
export interface IntervalPlan {
  readonly flows: readonly PlannedFlow[];
  /** Signed size that no fill explains. */
  readonly gap: Decimal;
  /** Whether the fills dated to it give its size, so that none of another interval can change it. */
  readonly fitsAlone: boolean;
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

const NO_PARTS: readonly MovedPart[] = [];
const MAX_LEFT_OUT = 10;
/** Later fills that are tried one by one for a gap: each costs as much as the interval's plan, and a book may have any number. */
const MAX_TRIED = 16;

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
    const ordered = orderSeq(contract, direction, place, parts, update === null || update.seq !== seq ? null : shownCostOf(state, parts.length, update));
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
function sumOfFills(state: BookState, items: readonly FlowItem[]): Decimal {
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

/** A part of a later order-derived fill, dated at the update that shows it. */
function movedPart(state: BookState, fill: FillItem, quantity: Decimal): { part: FillPart; moved: MovedPart } | null {
  const rest = remainingPart(state, fill);
  if (rest === null || quantity > rest.quantity) return null;
  const whole = quantity === rest.quantity;
  const value = whole ? rest.value : proportion(rest.value, quantity, rest.quantity);
  const fee = whole ? rest.fee : proportion(rest.fee, quantity, rest.quantity);
  return { part: { fill, quantity, value, fee, openingValue: null, partId: '', moved: true }, moved: { fillId: fill.fillId, fillSeq: fill.seq, quantity, value, fee } };
}

/** Name of an order-derived part: its order and its upper end. */
function partIdOf(state: BookState, fill: FillItem, quantity: Decimal, format: (value: Decimal) => string): string {
  let from = fill.fromQuantity ?? 0n;
  for (const part of state.moved) if (part.fillId === fill.fillId) from += part.quantity;
  const upper = from + quantity;
  return upper === fill.toQuantity ? fill.fillId : `${fill.orderId}|${format(upper)}`;
}

/** Order-derived fills that stand later but may have happened before this update. */
export function fillsInRange(ranged: readonly FillItem[], update: UpdateItem): FillItem[] {
  return ranged.filter((fill) => (fill.seq === null || fill.seq > update.seq)
    && (fill.seqAfter === null || fill.seqAfter < update.seq)
    && (fill.executedAfter === null || update.updatedAt >= fill.executedAfter));
}

/** What may close the gap of an interval: parts of later fills put in, or items left out of it. */
interface Explanation {
  readonly parts: readonly FillPart[];
  readonly moved: readonly MovedPart[];
  readonly items: readonly FlowItem[];
  readonly deferred: readonly FillItem[];
}

/** `need` taken from some later order-derived fills, in their order; null if they do not have it. */
function takenFrom(
  state: BookState, items: readonly FlowItem[], need: Decimal, sources: readonly FillItem[], format: (value: Decimal) => string,
): Explanation | null {
  const parts: FillPart[] = [];
  const moved: MovedPart[] = [];
  let rest = need;
  for (const fill of sources) {
    if (rest === 0n) break;
    const available = remainingPart(state, fill)!.quantity;
    const taken = movedPart(state, fill, available < rest ? available : rest)!;
    parts.push({ ...taken.part, partId: partIdOf(state, fill, taken.part.quantity, format) });
    moved.push(taken.moved);
    rest -= taken.part.quantity;
  }
  return rest === 0n ? { parts, moved, items, deferred: [] } : null;
}

/** How many flows a size change that has no place of its own may follow: money at the update's own seq comes after it. */
export function lastPlace(flows: readonly PlannedFlow[], update: UpdateItem): number {
  const first = flows.findIndex((flow) => flow.kind === 'cash' && !flow.cash.dated && flow.cash.seq === update.seq);
  return first < 0 ? flows.length : first;
}

/**
 * Puts parts of later fills at the place where most checks of the interval's fills and the update's entry notional agree, and
 * where cash comes to an open position; of equal places the last.
 */
function insertMoved(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], parts: readonly FillPart[], update: UpdateItem,
): PlannedFlow[] {
  const moved = parts.map((part): PlannedFlow => ({ kind: 'fill', part, candidates: 1, step: null }));
  let best: PlannedFlow[] = [];
  let bestScore = -1;
  const last = lastPlace(flows, update);
  const shownCost = shownCostOf(state, flows.length + parts.length, update);
  for (let index = 0; index <= last; index++) {
    const tried = [...flows.slice(0, index), ...moved, ...flows.slice(index)];
    let place: SizeAndCost = state;
    let score = 0;
    for (const flow of tried) {
      if (flow.kind === 'cash') {
        if (place.size !== 0n) score += 1;
        continue;
      }
      const step = stepOf(contract, direction, place, flow.part);
      if (!flow.part.moved) score += agreeingChecks(flow.part, step);
      place = { size: step.after, cost: step.costAfter };
    }
    if (place.cost !== null && shownCost !== null && shownCost(place.cost)) score += 1;
    if (score >= bestScore) {
      best = tried;
      bestScore = score;
    }
  }
  return best;
}

/** The fewest of some fills of an interval whose absence closes the gap; null if none do. */
function fewestTooMany(state: BookState, fills: readonly FillItem[], gap: Decimal): FillItem[] | null {
  if (fills.length === 0 || fills.length > MAX_LEFT_OUT) return null;
  let best: FillItem[] | null = null;
  for (let mask = 1; mask < 1 << fills.length; mask++) {
    const chosen = fills.filter((_, i) => (mask & (1 << i)) !== 0);
    if (best !== null && chosen.length >= best.length) continue;
    if (sumOfFills(state, chosen) === -gap) best = chosen;
  }
  return best;
}

/** Whether an order may have executed a part, first seen done, before the book's first update: it is in its start then. */
function mayBeOfStart(state: BookState, item: FlowItem): item is FillItem {
  return item.kind === 'fill' && item.firstSeen && item.seqAfter === null && state.startedAt !== null
    && (item.executedAfter === null || item.executedAfter <= state.startedAt);
}

export interface PlanInput {
  readonly contract: Contract;
  readonly direction: 1 | -1 | 0;
  readonly state: BookState;
  /** Fills and cash events between the last update and this one, in the book's order. */
  readonly items: readonly FlowItem[];
  readonly update: UpdateItem;
  /** Order-derived fills that stand after the update. */
  readonly laterFills: () => readonly FillItem[];
  readonly format: (value: Decimal) => string;
}

/** Compares what lies before an update with what it shows. Changes nothing. */
export function planInterval(input: PlanInput): IntervalPlan {
  const { state, update } = input;
  const items: readonly FlowItem[] = state.deferred.length === 0 ? input.items : [...state.deferred, ...input.items];
  const gap = update.size - state.size - sumOfFills(state, items);
  const asIs: Explanation = { parts: [], moved: NO_PARTS, items, deferred: [] };
  if (gap === 0n) return planOf(input, asIs, gap, true);
  return explained(input, items, gap) ?? planOf(input, asIs, gap, false);
}

/**
 * What closes the gap of an interval best: one later order-derived fill of its side that has it all, or parts of the start left
 * out, as the update's money agrees, of equals the first: fills that have just it before those that have more. Without these
 * several smaller later fills in their order; without those, fills dated by time that the update does not show yet.
 *
 * A later fill that is not chosen must not matter: what was issued is derived again from what led to it alone. So each choice is
 * valued by itself, and what is made of all later fills is only asked, and then taken, where no choice is left.
 */
function explained(input: PlanInput, items: readonly FlowItem[], gap: Decimal): IntervalPlan | null {
  const { state, format } = input;
  const direction = gap > 0n ? 1 : -1;
  const need = abs(gap);
  const later = fillsInRange(input.laterFills(), input.update).filter((fill) => fill.direction === direction && remainingPart(state, fill) !== null);
  const quantityOf = (fill: FillItem): Decimal => remainingPart(state, fill)!.quantity;
  let best: IntervalPlan | null = null;
  const consider = (plan: IntervalPlan): void => {
    if (best === null || agreement(plan) > agreement(best)) best = plan;
  };
  const singles = [...later.filter((fill) => quantityOf(fill) === need), ...later.filter((fill) => quantityOf(fill) > need)];
  for (const fill of singles.slice(0, MAX_TRIED)) {
    const plan = planOf(input, takenFrom(state, items, need, [fill], format)!, 0n, false);
    const isWhole = need === fill.quantity;
    if (!isWhole || !contradicts(plan)) consider(plan);
  }
  const ofStart = fewestTooMany(state, items.filter((item): item is FillItem => mayBeOfStart(state, item)), gap);
  if (ofStart !== null) consider(planOf(input, leftOut(items, ofStart, []), 0n, false));
  if (best !== null) return best;
  const several = takenFrom(state, items, need, later.filter((fill) => quantityOf(fill) < need), format);
  if (several !== null) return planOf(input, several, 0n, false);
  const put = fewestTooMany(state, items.filter((item): item is FillItem => item.kind === 'fill' && item.dated), gap);
  return put === null ? null : planOf(input, leftOut(items, put, put), 0n, false);
}

function leftOut(items: readonly FlowItem[], fills: readonly FillItem[], deferred: readonly FillItem[]): Explanation {
  return { parts: [], moved: NO_PARTS, items: items.filter((item) => !fills.includes(item as FillItem)), deferred };
}

/**
 * Whether the update denies that these fills are all that happened: they opened for something else, or closed for less than it
 * shows. More may have been paid: order messages do not show taxes.
 */
function contradicts(plan: IntervalPlan): boolean {
  if (plan.entryAgrees === false) return true;
  const opens = plan.flows.some((flow) => flow.kind === 'fill' && flow.part.moved && flow.step!.opened > 0n);
  return !opens && plan.moneyGap !== null && plan.moneyGap > plan.moneyTolerance;
}

/** How many of the update's figures of money come out right. */
function agreement(plan: IntervalPlan): number {
  return (plan.entryAgrees === true ? 1 : 0) + (plan.moneyGap !== null && abs(plan.moneyGap) <= plan.moneyTolerance ? 1 : 0);
}

function planOf(
  { contract, direction, state, update }: PlanInput, { parts, moved, items, deferred }: Explanation, gap: Decimal, fitsAlone: boolean,
): IntervalPlan {
  let flows = sequence(contract, direction, state, items, gap === 0n && parts.length === 0 ? update : null);
  if (parts.length > 0) flows = insertMoved(contract, direction, state, flows, parts, update);
  if (gap === 0n) valueCrossing(flows, update);
  const money = compareMoney(contract, direction, state, flows, update);
  // Beside a residual the money equation cannot tell a fill's fee.
  return {
    flows, gap, fitsAlone, moved, deferred, moneyGap: money.moneyGap, moneyTolerance: money.moneyTolerance, entryAgrees: money.entryAgrees,
    expectedCum: money.expectedCum, expectedCost: money.expectedCost, feeFromMoney: gap === 0n ? money.feeFromMoney : null,
  };
}

/**
 * An order-derived fill that crosses zero hides what each of its parts traded at. Where only adds follow it, the update shows
 * what it opened: the notional of the part beyond zero is the update's positionValue less what they add.
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
    if (abs(before) > abs(after)) return;
    opening -= part.value;
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

