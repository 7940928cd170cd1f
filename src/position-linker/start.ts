import { type Decimal, MONEY_UNIT, abs, proportion } from '../domain/decimal.js';
import { averageStep } from './average-cost.js';
import { type BookState, newBookState } from './book-state.js';
import { type Contract, notional } from './contract.js';
import type { FlowItem, UpdateItem } from './evidence-item.js';
import { type LaterEvidence, planInterval } from './gap-explanation.js';
import type { GapChoice, IntervalPlan, PlannedFlow } from './interval-plan.js';
import { signedQuantity } from './seq-order.js';

/** What a book was before its first item, as its first update and the fills up to it say. */
export interface BookStart {
  readonly size: Decimal;
  /** Entry notional of the start; null where nothing tells it. */
  readonly cost: Decimal | null;
  readonly cum: Decimal | null;
  /** Items up to the first update that belong to it: without the parts of orders first seen half done, if those are in the start. */
  readonly items: readonly FlowItem[];
  /** Whether it starts flat, so that nothing has to be waited for. */
  readonly certain: boolean;
  /** Whether it starts flat with all its items, but what later ones tell of it. */
  readonly startsFlat: boolean;
  /** How the gap up to its first update is closed; null where there is none, or it is to be looked for. */
  readonly choice: GapChoice | null;
}

function isFirstSeen(item: FlowItem): boolean {
  return item.kind === 'fill' && item.firstSeen;
}

function sumOf(items: readonly FlowItem[]): Decimal {
  let sum = 0n;
  for (const item of items) if (item.kind === 'fill') sum += item.direction === 1 ? item.quantity : -item.quantity;
  return sum;
}

export interface StartInput {
  readonly contract: Contract;
  readonly direction: 1 | -1 | 0;
  readonly items: readonly FlowItem[];
  readonly update: UpdateItem;
  readonly later: LaterEvidence;
  readonly format: (value: Decimal) => string;
  /** How the start was decided when it was issued; null: it is to be decided. */
  readonly issued: GapChoice | null;
}

function plan(input: StartInput, state: BookState, items: readonly FlowItem[], choice = input.issued): IntervalPlan {
  const { contract, direction, update, later, format } = input;
  return planInterval({ contract, direction, state, items, update, later, format, issued: choice });
}

/**
 * Decides the start of a book from its first update. Start 0 if the fills up to the update give its size, with what later
 * order-derived fills may have contributed; else with the parts left out that an order had executed before it was first
 * seen; else the start is the update's size less the fills.
 */
export function decideStart(input: StartInput): BookStart {
  const { contract, direction, items, update, issued } = input;
  if (update.seq < 0) return { size: 0n, cost: 0n, cum: update.cumRealisedPnl, items, certain: true, startsFlat: true, choice: issued };
  if (issued === null || issued.startsFlat) {
    const flat = newBookState();
    const { gap, choice } = plan(input, flat, items);
    if (gap === 0n) return { size: 0n, cost: 0n, cum: startCum(input, flat, items, choice), items, certain: true, startsFlat: true, choice };
  }
  const kept = items.filter((item) => !isFirstSeen(item));
  const missing = update.size - sumOf(kept);
  // A hedge leg cannot have started on the other side: what does not fit then is a residual.
  const size = direction !== 0 && missing !== 0n && (missing > 0n) !== (direction > 0) ? 0n : missing;
  const start = newBookState();
  start.size = size;
  start.cost = size === 0n ? 0n : startCost(contract, direction, size, kept, input);
  const { choice } = plan(input, start, kept);
  return { size, cost: start.cost, cum: startCum(input, start, kept, choice), items: kept, certain: missing === 0n, startsFlat: false, choice };
}

/** cumRealisedPnl before the first item: what the update shows less what the fills and cash up to it explain. */
function startCum(input: StartInput, start: BookState, items: readonly FlowItem[], choice: GapChoice | null): Decimal | null {
  if (input.update.cumRealisedPnl === null) return null;
  const probe: BookState = { ...start, cum: 0n };
  const { expectedCum } = plan(input, probe, items, choice);
  return expectedCum === null ? null : input.update.cumRealisedPnl - expectedCum;
}

/**
 * Entry notional of the start: backwards from the update's positionValue while no fill before it crosses or reaches zero;
 * else from execPnl of the first closing fill; else not known.
 */
function startCost(contract: Contract, direction: 1 | -1 | 0, size: Decimal, items: readonly FlowItem[], input: StartInput): Decimal | null {
  const state: BookState = { ...newBookState(), size, cost: null };
  const { flows } = plan(input, state, items);
  return backwardsFromUpdate(contract, size, flows, input.update) ?? fromFirstClosing(contract, direction, size, flows);
}

/**
 * Entry notional an update shows. An inverse positionValue has only 8 decimals; the entry price says it better where the
 * two agree.
 */
export function valueAtEntry(contract: Contract, update: UpdateItem): Decimal | null {
  const { entryPrice, positionValue } = update;
  if (!contract.inverse || entryPrice === null || entryPrice === 0n || positionValue === null) return positionValue;
  const value = notional(contract, abs(update.size), entryPrice);
  return abs(value - positionValue) <= MONEY_UNIT ? value : positionValue;
}

function backwardsFromUpdate(contract: Contract, size: Decimal, flows: readonly PlannedFlow[], update: UpdateItem): Decimal | null {
  const sizes: Decimal[] = [size];
  const fills = flows.filter((flow) => flow.kind === 'fill');
  for (const flow of fills) sizes.push(sizes[sizes.length - 1]! + signedQuantity(flow.part));
  if (update.positionValue === null || sizes.some((at) => at === 0n || (at > 0n) !== (size > 0n))) return null;
  let cost = valueAtEntry(contract, update)!;
  for (let i = fills.length - 1; i >= 0; i--) {
    const before = abs(sizes[i]!);
    const after = abs(sizes[i + 1]!);
    cost = after > before ? cost - fills[i]!.part.value : proportion(cost, before, after);
  }
  return cost;
}

function fromFirstClosing(contract: Contract, direction: 1 | -1 | 0, size: Decimal, flows: readonly PlannedFlow[]): Decimal | null {
  let place = size;
  let added = 0n;
  for (const flow of flows) {
    if (flow.kind === 'cash') continue;
    const step = averageStep(contract, direction, place, 0n, signedQuantity(flow.part), flow.part.value);
    if (step.closed > 0n) {
      const { execPnl } = flow.part.fill;
      if (execPnl === null) return null;
      const longLinear = (size > 0n) !== contract.inverse;
      const closedCost = longLinear ? step.closingValue - execPnl : step.closingValue + execPnl;
      return proportion(closedCost, abs(place), step.closed) - added;
    }
    added += step.openingValue;
    place = step.after;
  }
  return null;
}
