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
const MAX_DEFERRABLE = 10;

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

/** Fills and cash of an interval put in sequence, starting from the given size and cost. */
export function sequence(contract: Contract, direction: 1 | -1 | 0, state: BookState, items: readonly FlowItem[]): PlannedFlow[] {
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
    const ordered = orderSeq(contract, direction, place, parts);
    for (const part of ordered.parts) flows.push({ kind: 'fill', part, candidates: ordered.candidates, step: null });
  }
  return flows;
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

/** Takes `gap` from later order-derived fills of its side: from one that has it all, else from several in their order. */
function takeFromLaterFills(
  state: BookState, gap: Decimal, later: readonly FillItem[], format: (value: Decimal) => string,
): { parts: FillPart[]; moved: MovedPart[] } | null {
  const direction = gap > 0n ? 1 : -1;
  const sameSide = later.filter((fill) => fill.direction === direction && remainingPart(state, fill) !== null);
  const need = abs(gap);
  const single = sameSide.find((fill) => remainingPart(state, fill)!.quantity >= need);
  const sources = single === undefined ? sameSide : [single];
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
  return rest === 0n ? { parts, moved } : null;
}

/** Puts parts of later fills at the place where most checks of the interval's fills agree; of equal places the last. */
function insertMoved(contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], parts: readonly FillPart[]): PlannedFlow[] {
  const moved = parts.map((part): PlannedFlow => ({ kind: 'fill', part, candidates: 1, step: null }));
  let best: PlannedFlow[] = [];
  let bestScore = -1;
  for (let index = 0; index <= flows.length; index++) {
    const tried = [...flows.slice(0, index), ...moved, ...flows.slice(index)];
    let place: SizeAndCost = state;
    let score = 0;
    for (const flow of tried) {
      if (flow.kind === 'cash') continue;
      const step = stepOf(contract, direction, place, flow.part);
      if (!flow.part.moved) score += agreeingChecks(flow.part, step);
      place = { size: step.after, cost: step.costAfter };
    }
    if (score >= bestScore) {
      best = tried;
      bestScore = score;
    }
  }
  return best;
}

/** The fewest fills dated by time whose absence closes the gap; null if none do. */
function deferrable(items: readonly FlowItem[], gap: Decimal): FillItem[] | null {
  const dated = items.filter((item): item is FillItem => item.kind === 'fill' && item.dated);
  if (dated.length === 0 || dated.length > MAX_DEFERRABLE) return null;
  let best: FillItem[] | null = null;
  for (let mask = 1; mask < 1 << dated.length; mask++) {
    const chosen = dated.filter((_, i) => (mask & (1 << i)) !== 0);
    if (best !== null && chosen.length >= best.length) continue;
    let sum = 0n;
    for (const fill of chosen) sum += fill.direction === 1 ? fill.quantity : -fill.quantity;
    if (sum === -gap) best = chosen;
  }
  return best;
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
  const { contract, direction, state, update } = input;
  let items: readonly FlowItem[] = state.deferred.length === 0 ? input.items : [...state.deferred, ...input.items];
  let gap = update.size - state.size - sumOfFills(state, items);
  let moved: readonly MovedPart[] = NO_PARTS;
  let extra: FillPart[] = [];
  let deferred: readonly FillItem[] = [];
  if (gap !== 0n) {
    const taken = takeFromLaterFills(state, gap, fillsInRange(input.laterFills(), update), input.format);
    if (taken !== null) {
      extra = taken.parts;
      moved = taken.moved;
      gap = 0n;
    } else {
      const put = deferrable(items, gap);
      if (put !== null) {
        deferred = put;
        items = items.filter((item) => !put.includes(item as FillItem));
        gap = 0n;
      }
    }
  }
  let flows = sequence(contract, direction, state, items);
  if (extra.length > 0) flows = insertMoved(contract, direction, state, flows, extra);
  if (gap === 0n) valueCrossing(flows, update);
  const money = compareMoney(contract, direction, state, flows, update);
  // Beside a residual the money equation cannot tell a fill's fee.
  return {
    flows, gap, moved, deferred, moneyGap: money.moneyGap, moneyTolerance: money.moneyTolerance, entryAgrees: money.entryAgrees,
    expectedCum: money.expectedCum, expectedCost: money.expectedCost, feeFromMoney: gap === 0n ? money.feeFromMoney : null,
  };
}

/**
 * An order-derived fill that crosses zero hides what each of its parts traded at. Where it comes last and the update is at
 * its own seq, the update shows the new position alone: its positionValue is the notional of the part beyond zero.
 */
function valueCrossing(flows: PlannedFlow[], update: UpdateItem): void {
  const last = flows[flows.length - 1];
  if (last === undefined || last.kind !== 'fill' || last.part.fill.source !== 'order') return;
  const { part } = last;
  if (part.moved || part.fill.seq !== update.seq || update.size === 0n || update.positionValue === null) return;
  const before = update.size - signedQuantity(part);
  if (before === 0n || (before > 0n) === (update.size > 0n) || update.positionValue >= part.value) return;
  flows[flows.length - 1] = { ...last, part: { ...part, openingValue: update.positionValue } };
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

