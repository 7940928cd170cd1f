import { type Decimal, abs, proportion } from '../domain/decimal.js';
import type { Contract } from './contract.js';
import { closingPnl } from './contract.js';

/** What one size change does in the exchange's average-cost view. */
export interface AverageStep {
  readonly before: Decimal;
  readonly after: Decimal;
  /** Size after the closing part: 0 where the change goes on to the other side. */
  readonly between: Decimal;
  /** Absolute quantities. `excess` is what a hedge leg cannot take, for it cannot cross zero. */
  readonly closed: Decimal;
  readonly opened: Decimal;
  readonly excess: Decimal;
  /** Notional of the closing and the opening part. */
  readonly closingValue: Decimal;
  readonly openingValue: Decimal;
  /** Entry notional of the closed part; null where it is not known. */
  readonly closedCost: Decimal | null;
  /** Gross result of the closed part; null where its cost is not known. */
  readonly pnl: Decimal | null;
  readonly costAfter: Decimal | null;
}

/** The side a book may be on: 1 long leg, -1 short leg, 0 either. */
export function bookDirection(positionIdx: number): 1 | -1 | 0 {
  return positionIdx === 1 ? 1 : positionIdx === 2 ? -1 : 0;
}

function signOf(value: Decimal): 1 | -1 {
  return value < 0n ? -1 : 1;
}

/**
 * Applies a signed change of `value` notional to a book of signed `size` and entry notional `cost`.
 * `openingValue` fixes the notional of the part beyond zero where it is known better than by quantity.
 */
export function averageStep(
  contract: Contract, direction: 1 | -1 | 0, size: Decimal, cost: Decimal | null, delta: Decimal, value: Decimal, openingValue: Decimal | null = null,
): AverageStep {
  const quantity = abs(delta);
  const closes = size !== 0n && (size > 0n) !== (delta > 0n);
  const closed = closes ? (quantity < abs(size) ? quantity : abs(size)) : 0n;
  const mayOpen = direction === 0 || signOf(delta) === direction;
  const opened = mayOpen ? quantity - closed : 0n;
  const excess = quantity - closed - opened;
  const opening = openingValue !== null && opened > 0n && closed > 0n ? openingValue
    : opened === quantity ? value : opened === 0n ? 0n : proportion(value, opened, quantity);
  const closing = closed === 0n ? 0n : excess === 0n ? value - opening : proportion(value, closed, quantity);
  const between = size + (delta > 0n ? closed : -closed);
  const closedCost = closed === 0n ? 0n : cost === null ? null : closed === abs(size) ? cost : proportion(cost, closed, abs(size));
  const pnl = closed === 0n ? 0n : closedCost === null ? null : closingPnl(contract, signOf(size), closedCost, closing);
  const costBetween = between === 0n ? 0n : cost === null || closedCost === null ? null : cost - closedCost;
  return {
    before: size, after: between + (delta > 0n ? opened : -opened), between, closed, opened, excess,
    closingValue: closing, openingValue: opening, closedCost, pnl,
    costAfter: costBetween === null ? null : costBetween + opening,
  };
}
