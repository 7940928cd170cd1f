import { type Decimal, abs } from '../domain/decimal.js';
import type { AverageStep } from './average-cost.js';
import type { BookState, MovedPart } from './book-state.js';
import type { Contract } from './contract.js';
import type { CashItem, FillItem, FlowItem, UpdateItem } from './evidence-item.js';
import { compareMoney, valueCrossing } from './interval-money.js';
import { bestPlaces, shownCostOf } from './interval-places.js';
import { type FillPart, type SizeAndCost, orderSeq, stepOf } from './seq-order.js';

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

/** Whether the update shows just what its interval says: nothing is left to wait for. */
export function planCloses(plan: IntervalPlan): boolean {
  return plan.gap === 0n && plan.entryAgrees !== false && (plan.moneyGap === null || moneyAgrees(plan) !== false);
}

/** Whether cumRealisedPnl agrees; null where it cannot be checked. */
export function moneyAgrees(plan: IntervalPlan): boolean | null {
  if (plan.moneyGap === null) return null;
  return plan.feeFromMoney !== null || abs(plan.moneyGap) <= plan.moneyTolerance;
}
