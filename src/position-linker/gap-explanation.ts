import { type Decimal, MONEY_UNIT, ONE, abs, proportion } from '../domain/decimal.js';
import type { BookState, MovedPart } from './book-state.js';
import { closingPnl } from './contract.js';
import type { FillItem, FlowItem, UpdateItem } from './evidence-item.js';
import type { EvidenceInterval } from './evidence-list.js';
import { type Explanation, type GapChoice, type IntervalPlan, type PlanInput, moneyAgrees, planWith, remainingPart, sumOfFills } from './interval-plan.js';
import type { FillPart } from './seq-order.js';

/** Quantity of a later fill that may have happened before an update. */
interface Source {
  readonly fill: FillItem;
  readonly quantity: Decimal;
  /** Whether the fill's own interval has no room for it. */
  readonly isTooMuch: boolean;
}

/** What may close the gap of an interval. */
export interface LaterEvidence {
  /** Order-derived fills with a possible range, in the book's order. */
  readonly fills: () => readonly FillItem[];
  /** Signed size by which the fills of a later fill's own interval exceed what its updates show; null where that is not known. */
  readonly ownExcess: (fill: FillItem, state: BookState) => Decimal | null;
}

const NO_PARTS: readonly MovedPart[] = [];
/** A gap that nothing closes. */
export const NO_CHOICE: GapChoice = { startsFlat: true, taken: [], leftOut: [], isDeferred: false };
const MAX_LEFT_OUT = 10;
/** Entry notional this far off is another trade's: what is left of a total carries the rounding of all that was told of it. */
const CONTRADICTION: Decimal = 32n * MONEY_UNIT;
/** A share of a total trades within a twentieth of its average. */
const NEAR_AVERAGE = 20n;
/** A fee is at most a thousandth of the value. */
const DEAREST_FEE = 1_000n;
/** Fee rates are whole multiples of 0.0001 %. */
const FEE_RATE_STEP: Decimal = ONE / 1_000_000n;
/** Of less, the rounding of the fee leaves any rate possible. */
const LEAST_RATED_VALUE: Decimal = 8n * MONEY_UNIT * 1_000_000n;
/** Later fills that are tried one by one for a gap: each costs as much as the interval's plan, and a book may have any number. */
const MAX_TRIED = 16;

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

/** Whether an order-derived fill that stands later may have happened before an update. */
export function isInRange({ seq, seqAfter, executedAfter }: FillItem, update: Pick<UpdateItem, 'seq' | 'updatedAt'>): boolean {
  return (seq === null || seq > update.seq) && (seqAfter === null || seqAfter < update.seq) && (executedAfter === null || update.updatedAt >= executedAfter);
}

/** What closes a gap with parts of later fills; null if a fill does not have its part. */
function takenFrom({ state, format }: GapInput, items: readonly FlowItem[], sources: readonly Pick<Source, 'fill' | 'quantity'>[]): Explanation | null {
  const parts: FillPart[] = [];
  const moved: MovedPart[] = [];
  for (const { fill, quantity } of sources) {
    const taken = movedPart(state, fill, quantity);
    if (taken === null) return null;
    parts.push({ ...taken.part, partId: partIdOf(state, fill, quantity, format) });
    moved.push(taken.moved);
  }
  return { parts, moved, items, deferred: [], choice: { ...NO_CHOICE, taken: sources.map(({ fill, quantity }) => ({ fillId: fill.fillId, quantity })) } };
}

/** `need` in parts of some later fills, in their order; null if they do not have it. */
function spread(need: Decimal, sources: readonly Source[]): Source[] | null {
  const parts: Source[] = [];
  let rest = need;
  for (const source of sources) {
    const { quantity } = source;
    if (rest === 0n) break;
    const part = quantity < rest ? quantity : rest;
    parts.push({ ...source, quantity: part });
    rest -= part;
  }
  return rest === 0n ? parts : null;
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

export interface GapInput extends PlanInput {
  readonly later: LaterEvidence;
  readonly format: (value: Decimal) => string;
  /** How a gap was closed when the interval was issued; null: it is looked for. */
  readonly issued: GapChoice | null;
}

/** Whether a fill that is dated by time may have happened after an update: that shows when its book last changed. */
function mayBeLater(item: FlowItem, update: UpdateItem): item is FillItem {
  return item.kind === 'fill' && item.dated && item.executedAt > update.updatedAt;
}

/** Compares what lies before an update with what it shows. Changes nothing. */
export function planInterval(input: GapInput): IntervalPlan {
  const { state, update, issued } = input;
  const items: readonly FlowItem[] = state.deferred.length === 0 ? input.items : [...state.deferred, ...input.items];
  const gap = update.size - state.size - sumOfFills(state, items);
  if (gap === 0n) return planWith(input, { parts: [], moved: NO_PARTS, items, deferred: [], choice: null }, gap);
  const plan = issued === null ? explained(input, items, gap) : asIssued(input, items, issued);
  if (plan === null) return planWith(input, { parts: [], moved: NO_PARTS, items, deferred: [], choice: NO_CHOICE }, gap);
  const { feeFromMoney, moved, ...rest } = valued(input, items, plan);
  // What is left of the fill has the rest of its fee.
  return { ...rest, feeFromMoney, moved: feeFromMoney === null ? moved : moved.map((part) => ({ ...part, fee: feeFromMoney })) };
}

/** The plan with a share of a later total at what the update says that it traded for. */
function valued(input: GapInput, items: readonly FlowItem[], plan: IntervalPlan): IntervalPlan {
  if (plan.entryAgrees === false) return valuedByRecord(input, items, plan) ?? plan;
  return plan.feeFromMoney !== null || moneyAgrees(plan) === false ? valuedByResult(input, items, plan) ?? plan : plan;
}

/**
 * Where a share of a later total opens beside fills that only open, the record shows what it traded for: what its positionValue
 * grew by less what those traded for. Null where that is not so, or is not near the total's average. The value is no check then.
 */
function valuedByRecord(input: GapInput, items: readonly FlowItem[], { flows, choice }: IntervalPlan): IntervalPlan | null {
  const { state, update } = input;
  const side = update.size > 0n ? 1 : -1;
  if (choice?.taken.length !== 1 || state.cost === null || update.positionValue === null || (state.size !== 0n && (state.size > 0n) !== (update.size > 0n))) return null;
  let value = update.positionValue - state.cost;
  let share: FillPart | null = null;
  for (const flow of flows) {
    if (flow.kind === 'cash') continue;
    if (flow.part.fill.direction !== side) return null;
    if (flow.part.moved) share = flow.part;
    else value -= flow.part.value;
  }
  if (share === null || remainingPart(state, share.fill)!.quantity === share.quantity || abs(value - share.value) * NEAR_AVERAGE > share.value) return null;
  const moved = { fillId: share.fill.fillId, fillSeq: share.fill.seq, quantity: share.quantity, value, fee: share.fee };
  return { ...planWith(input, { parts: [{ ...share, value }], moved: [moved], items, deferred: [], choice }, 0n), entryAgrees: null };
}

/**
 * Where a share of a later total closes, what cumRealisedPnl moved by shows what that traded for, at the fee rate of the whole.
 * Null where the parts may have paid different ones, so that it rather shows the fee, and where the value is not near the total's
 * average. The result is no check then.
 */
function valuedByResult(input: GapInput, items: readonly FlowItem[], { flows, choice, moneyGap }: IntervalPlan): IntervalPlan | null {
  const { contract, state } = input;
  if (choice?.taken.length !== 1 || moneyGap === null) return null;
  const flow = flows.find((one) => one.kind === 'fill' && one.part.moved);
  if (flow?.kind !== 'fill' || flow.step === null) return null;
  const { part: share, step } = flow;
  // What opens beyond zero is what the record shows.
  if (step.closed === 0n || (step.opened > 0n && share.openingValue === null)) return null;
  const rest = remainingPart(state, share.fill)!;
  if (rest.quantity === share.quantity || rest.value <= 0n) return null;
  const isFee = abs(share.fee - moneyGap) * DEAREST_FEE <= share.value;
  if (isFee && !hasOneFeeRate(rest)) return null;
  const gained = closingPnl(contract, step.before > 0n ? 1 : -1, 0n, rest.value);
  if (gained === rest.fee) return null;
  const difference = proportion(moneyGap, rest.value, gained - rest.fee);
  const average = proportion(rest.value, step.closed, rest.quantity);
  if (abs(step.closingValue + difference - average) * NEAR_AVERAGE > average) return null;
  const value = share.value + difference;
  const fee = share.fee + proportion(rest.fee, difference, rest.value);
  const moved = { fillId: share.fill.fillId, fillSeq: share.fill.seq, quantity: share.quantity, value, fee };
  const plan = planWith(input, { parts: [{ ...share, value, fee }], moved: [moved], items, deferred: [], choice }, 0n);
  return plan.feeFromMoney === null && moneyAgrees(plan) === true ? { ...plan, moneyGap: null } : null;
}

/** Whether the fee of a total is one rate of its value, as it hardly ever is by chance where its parts paid different ones. */
function hasOneFeeRate({ value, fee }: FillPart): boolean {
  if (value < LEAST_RATED_VALUE) return false;
  const rate = proportion(fee, ONE, value);
  const rounded = proportion(rate, 1n, FEE_RATE_STEP) * FEE_RATE_STEP;
  return abs(fee - proportion(value, rounded, ONE)) <= 2n * MONEY_UNIT;
}

/** The plan with a gap closed as it was when it was issued; null if nothing closed it. */
function asIssued(input: GapInput, items: readonly FlowItem[], { taken, leftOut, isDeferred }: GapChoice): IntervalPlan | null {
  if (leftOut.length > 0) return planWith(input, without(items, items.filter((item): item is FillItem => item.kind === 'fill' && leftOut.includes(item.fillId)), isDeferred), 0n);
  if (taken.length === 0) return null;
  const fills = input.later.fills();
  const sources = taken.flatMap(({ fillId, quantity }) => {
    const fill = fills.find((one) => one.fillId === fillId);
    return fill === undefined ? [] : [{ fill, quantity }];
  });
  const explanation = sources.length === taken.length ? takenFrom(input, items, sources) : null;
  if (explanation === null) throw new Error(`position-linker state lacks a fill that was issued at seq ${input.update.seq} (${taken.map(({ fillId }) => fillId).join(', ')}): rebuild`);
  return planWith(input, explanation, 0n);
}

/**
 * What closes the gap of an interval best: one later order-derived fill of its side, one of each side whose own intervals
 * have no room for them, or parts of the start left out, as the update's money agrees; of equals the first: fills that have
 * just what is missing before those that have more. Without these several smaller later fills in their order; without
 * those, fills dated by time that the update does not show yet.
 */
function explained(input: GapInput, items: readonly FlowItem[], gap: Decimal): IntervalPlan | null {
  const { state } = input;
  const direction = gap > 0n ? 1 : -1;
  const need = abs(gap);
  const later = input.later.fills().flatMap((fill) => (isInRange(fill, input.update) ? sourceOf(input, fill) : []));
  const own = later.filter(({ fill }) => fill.direction === direction);
  let best: IntervalPlan | null = null;
  const consider = (explanation: Explanation, isWhole: boolean, isTooMuch = false): void => {
    const plan = planWith(input, explanation, 0n);
    if (isWhole && contradicts(plan, input.update, isTooMuch)) return;
    if (best === null || agreement(plan) > agreement(best)) best = plan;
  };
  const single = ({ fill, isTooMuch }: Source): void => consider(takenFrom(input, items, [{ fill, quantity: need }])!, need === fill.quantity && !isShare(input, fill), isTooMuch);
  for (const source of own.filter(({ quantity }) => quantity === need).slice(0, MAX_TRIED)) single(source);
  for (const pair of pairsOf(own, later.filter(({ fill }) => fill.direction !== direction), need)) consider(takenFrom(input, items, pair)!, false);
  for (const source of own.filter((source) => source.quantity > need && !isPartlyOfStart(input, source)).slice(0, MAX_TRIED)) single(source);
  const ofStart = fewestTooMany(state, items.filter((item): item is FillItem => mayBeOfStart(state, item)), gap);
  if (ofStart !== null) consider(without(items, ofStart, false), false);
  if (best !== null) return best;
  const several = spread(need, own.filter(({ quantity }) => quantity < need));
  if (several !== null) return planWith(input, takenFrom(input, items, several)!, 0n);
  const put = fewestTooMany(state, items.filter((item): item is FillItem => mayBeLater(item, input.update)), gap);
  return put === null ? null : planWith(input, without(items, put, true), 0n);
}

/**
 * What of a later fill may have happened before: what is left of it, and no more than its own interval has no room for. A fill
 * that fits its own update is not cut for a trade that was not shown.
 */
function sourceOf({ state, later }: GapInput, fill: FillItem): Source[] {
  const rest = remainingPart(state, fill)?.quantity ?? 0n;
  const signedExcess = rest === 0n ? null : later.ownExcess(fill, state);
  if (signedExcess === null) return rest === 0n ? [] : [{ fill, quantity: rest, isTooMuch: false }];
  const excess = fill.direction === 1 ? signedExcess : -signedExcess;
  return excess <= 0n ? [] : [{ fill, quantity: excess < rest ? excess : rest, isTooMuch: true }];
}

/** Whether a fill is one of several parts that one total told, so that only the average of what they traded for is known. */
function isShare({ later }: GapInput, fill: FillItem): boolean {
  return later.fills().some((other) => other !== fill && other.orderId === fill.orderId && other.price === fill.price);
}

/** Whether a first part, seen done, is known to be more than a book's first update lacks: what it did before is in the start, all of it. */
function isPartlyOfStart({ state }: GapInput, { fill, isTooMuch }: Source): boolean {
  return state.shown === null && fill.firstSeen && isTooMuch;
}

/** One fill of each side that their own intervals have no room for, and that make up what is missing together. */
function pairsOf(own: readonly Source[], other: readonly Source[], need: Decimal): Source[][] {
  const pairs: Source[][] = [];
  for (const one of own) {
    if (!one.isTooMuch || one.quantity <= need) continue;
    const back = other.find(({ quantity, isTooMuch }) => isTooMuch && one.quantity - quantity === need);
    if (back !== undefined) pairs.push([one, back]);
  }
  return pairs.slice(0, MAX_TRIED);
}

/** The items without fills that the update does not show. */
function without(items: readonly FlowItem[], fills: readonly FillItem[], isDeferred: boolean): Explanation {
  return {
    parts: [], moved: NO_PARTS, items: items.filter((item) => !fills.includes(item as FillItem)), deferred: isDeferred ? fills : [],
    choice: { ...NO_CHOICE, leftOut: fills.map(({ fillId }) => fillId), isDeferred },
  };
}

/**
 * Whether the update denies that these fills are all that happened: they opened for something else, or closed for less than it
 * shows. More may have been paid: order messages do not show taxes. That more came in is no denial either where the fill has no
 * room in its own interval, for cash may not have been told.
 */
function contradicts(plan: IntervalPlan, { positionValue }: UpdateItem, isTooMuch: boolean): boolean {
  if (plan.expectedCost !== null && positionValue !== null && abs(plan.expectedCost - positionValue) > CONTRADICTION) return true;
  const opens = plan.flows.some((flow) => flow.kind === 'fill' && flow.part.moved && flow.step!.opened > 0n);
  return !opens && !isTooMuch && plan.moneyGap !== null && plan.moneyGap > plan.moneyTolerance;
}

/** How many of the update's figures of money come out right. */
function agreement(plan: IntervalPlan): number {
  return (plan.entryAgrees === true ? 1 : 0) + (plan.moneyGap !== null && abs(plan.moneyGap) <= plan.moneyTolerance ? 1 : 0);
}

/**
 * Signed size by which the fills between two updates, less what earlier updates took of them, exceed what these show: 0 where they
 * fit. Null where an update is missing; and, if they do not fit, where one is dated by time and may not belong there, or where totals
 * of both sides leave it open which is too large.
 */
export function excessOf({ before, fills, after }: EvidenceInterval, state: BookState): Decimal | null {
  if (before === null || after === null) return null;
  const excess = sumOfFills(state, fills) - (after.size - before.size);
  if (excess === 0n) return excess;
  const isOfTotals = (direction: 1 | -1): boolean => fills.some((fill) => fill.source === 'order' && fill.direction === direction);
  return fills.some(({ dated }) => dated) || (isOfTotals(1) && isOfTotals(-1)) ? null : excess;
}
