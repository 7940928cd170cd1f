import { type Decimal, abs, proportion } from '../domain/decimal.js';
import { type AverageStep, averageStep } from './average-cost.js';
import type { BookState } from './book-state.js';
import { type Contract, averagePrice, impliedExitValue, notional } from './contract.js';
import type { UpdateItem } from './evidence-item.js';
import { lastPlace, shownCostOf } from './interval-places.js';
import type { PlannedFlow } from './interval-plan.js';
import type { LegMoney } from './ledger.js';
import { type SizeAndCost, agreeingChecks, stepOf } from './seq-order.js';

/** Where a size residual stands among the flows of its interval, and its money. */
export interface PlacedResidual {
  /** The residual goes before the flow of this index. */
  readonly index: number;
  /** How many places are as good. */
  readonly candidates: number;
  /** Notional of the opening part, where there is one. */
  readonly openingValue: Decimal;
}

interface Walk {
  readonly score: number;
  readonly end: SizeAndCost;
  /** Σ (result − fee) of fills − Σ cash, the residual left out; null where a cost is not known. */
  readonly explained: Decimal | null;
  readonly residual: AverageStep;
}

function walk(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], gap: Decimal, index: number, value: Decimal,
): Walk {
  let place: SizeAndCost = { size: state.size, cost: state.cost };
  let score = 0;
  let explained: Decimal | null = 0n;
  let residual: AverageStep | null = null;
  for (let i = 0; i <= flows.length; i++) {
    if (i === index) {
      residual = averageStep(contract, direction, place.size, place.cost, gap, value, value);
      place = { size: residual.after, cost: residual.costAfter };
    }
    const flow = flows[i];
    if (flow === undefined) break;
    if (flow.kind === 'cash') {
      if (explained !== null) explained -= flow.cash.amount;
      // Only an open position pays or gets funding.
      if (place.size !== 0n) score += 1;
      continue;
    }
    const step = stepOf(contract, direction, place, flow.part);
    score += agreeingChecks(flow.part, step);
    if (explained !== null) explained = step.pnl === null ? null : explained + step.pnl - flow.part.fee;
    place = { size: step.after, cost: step.costAfter };
  }
  return { score, end: place, explained, residual: residual! };
}

/**
 * The entry notional of an opening residual: what the record's positionValue lacks. The end cost is linear in it, for
 * what closes afterwards takes a share; where nothing of it is left at the end, the record's or the last price counts.
 */
function openingNotional(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], gap: Decimal, index: number, update: UpdateItem,
): Decimal {
  const probe = 10n ** 24n;
  const without = walk(contract, direction, state, flows, gap, index, 0n);
  if (without.residual.opened === 0n) return 0n;
  const withProbe = walk(contract, direction, state, flows, gap, index, probe);
  if (update.positionValue !== null && without.end.cost !== null && withProbe.end.cost !== null) {
    const slope = withProbe.end.cost - without.end.cost;
    const lacking = update.positionValue - without.end.cost;
    if (slope > 0n && lacking > 0n) return proportion(probe, lacking, slope);
  }
  const last = [...flows].reverse().find((flow) => flow.kind === 'fill');
  const price = update.entryPrice !== null && update.entryPrice !== 0n ? update.entryPrice : last?.kind === 'fill' ? last.part.fill.price : 0n;
  return notional(contract, without.residual.opened, price);
}

/** Whether the end's entry notional is what the update shows: what opens is valued so that it is, and proves nothing. */
function agreesByItself({ residual, end }: Walk, shownCost: ((cost: Decimal) => boolean) | null): boolean {
  return residual.opened === 0n && end.cost !== null && shownCost !== null && shownCost(end.cost);
}

/**
 * Puts a residual at the place among the fills where most checks agree, the update's positionValue among them, and beside
 * cash so that this comes to an open position; of equal places the last.
 */
export function placeResidual(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], gap: Decimal, update: UpdateItem,
): PlacedResidual {
  let best: PlacedResidual | null = null;
  let bestScore = -2;
  let candidates = 0;
  /** Fills before the place; places that differ only in the cash beside them are one. */
  let fills = 0;
  let bestFills = -1;
  const last = lastPlace(flows, update);
  const shownCost = shownCostOf(state, flows.length, update);
  for (let index = 0; index <= last; index++) {
    if (index > 0 && flows[index - 1]!.kind === 'fill') fills += 1;
    const openingValue = openingNotional(contract, direction, state, flows, gap, index, update);
    const walked = walk(contract, direction, state, flows, gap, index, openingValue);
    // A place from which the update's size is not reached is none, unless there is no other.
    const score = walked.end.size !== update.size ? -1 : walked.score + (agreesByItself(walked, shownCost) ? 1 : 0);
    if (score < bestScore) continue;
    candidates = score > bestScore ? 1 : fills === bestFills ? candidates : candidates + 1;
    best = { index, candidates, openingValue };
    bestScore = score;
    bestFills = fills;
  }
  return best!;
}

/**
 * Money of a placed residual. M is what cumRealisedPnl moved less what the interval's fills and cash explain: closing, the
 * exit value it implies, fees included; opening, −M is the fee; crossing zero, it traded at the record's entry price and
 * what M then lacks is fee, split by quantity.
 */
export function residualMoney(
  contract: Contract, direction: 1 | -1 | 0, state: BookState, flows: readonly PlannedFlow[], gap: Decimal, placed: PlacedResidual, update: UpdateItem,
): { step: AverageStep; money: LegMoney; moneyMissing: Decimal | null } {
  const { residual, explained } = walk(contract, direction, state, flows, gap, placed.index, placed.openingValue);
  const shownChange = update.cumRealisedPnl === null || state.cum === null ? null : update.cumRealisedPnl - state.cum;
  const missing = shownChange === null || explained === null ? null : shownChange - explained;
  const side = residual.before > 0n ? 1 : -1;
  if (residual.opened === 0n) {
    const closingValue = missing === null || residual.closedCost === null ? null : impliedExitValue(contract, side, residual.closedCost, missing);
    const step: AverageStep = { ...residual, closingValue: closingValue ?? 0n, pnl: missing };
    return { step, money: { closingValue, openingValue: 0n, closingFee: 0n, openingFee: 0n }, moneyMissing: missing };
  }
  if (residual.closed === 0n) {
    return {
      step: residual, moneyMissing: missing,
      money: { closingValue: 0n, openingValue: placed.openingValue, closingFee: 0n, openingFee: missing === null ? 0n : -missing },
    };
  }
  const price = update.entryPrice !== null && update.entryPrice !== 0n ? update.entryPrice : averagePrice(contract, residual.opened, placed.openingValue);
  const closingValue = price === null ? 0n : notional(contract, residual.closed, price);
  const crossing = averageStep(
    contract, direction, residual.before, residual.closedCost, gap, closingValue + placed.openingValue, placed.openingValue,
  );
  const fee = missing === null || crossing.pnl === null ? 0n : crossing.pnl - missing;
  const closingFee = proportion(fee, residual.closed, abs(signedGap(residual)));
  return {
    step: crossing, moneyMissing: missing,
    money: { closingValue, openingValue: placed.openingValue, closingFee, openingFee: fee - closingFee },
  };
}

function signedGap(step: AverageStep): Decimal {
  return step.after - step.before;
}

