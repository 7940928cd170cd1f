import { type Decimal, MONEY_UNIT, ONE, abs, proportion } from '../domain/decimal.js';
import type { AverageStep } from './average-cost.js';
import type { BookState } from './book-state.js';
import { type Contract, entryPriceIsExact, entryPriceTolerance } from './contract.js';
import type { UpdateItem } from './evidence-item.js';
import type { IntervalPlan, PlannedFlow } from './interval-plan.js';
import { type FillPart, signedQuantity, stepOf } from './seq-order.js';

/**
 * An order-derived fill that crosses zero hides what each of its parts traded at, but the update shows what it opened: the
 * notional of the part beyond zero is the update's positionValue less what was added after it, at the average that a part closed
 * after it left.
 */
export function valueCrossing(flows: PlannedFlow[], update: UpdateItem): void {
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

export function compareMoney(
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
