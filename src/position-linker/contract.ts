import { type Decimal, MONEY_UNIT, ONE, abs, divide, proportion } from '../domain/decimal.js';

/** Arithmetic of one kind of contract. Notional values are in the settle coin: inverse contracts quantity / price. */
export interface Contract {
  readonly inverse: boolean;
}

/** Gross result of closing: `cost` and `value` are the entry and exit notional of the closed quantity. */
export function closingPnl(contract: Contract, direction: 1 | -1, cost: Decimal, value: Decimal): Decimal {
  const longLinear = (direction === 1) !== contract.inverse;
  return longLinear ? value - cost : cost - value;
}

/** The exit notional that a gross result implies. */
export function impliedExitValue(contract: Contract, direction: 1 | -1, cost: Decimal, pnl: Decimal): Decimal {
  const longLinear = (direction === 1) !== contract.inverse;
  return longLinear ? cost + pnl : cost - pnl;
}

/** Average price of a quantity with a notional; null where there is none. The inverse average is the harmonic mean. */
export function averagePrice(contract: Contract, quantity: Decimal, value: Decimal): Decimal | null {
  if (quantity === 0n || value === 0n) return null;
  return contract.inverse ? divide(quantity, value) : divide(value, quantity);
}

export function notional(contract: Contract, quantity: Decimal, price: Decimal): Decimal {
  if (contract.inverse) return price === 0n ? 0n : divide(quantity, price);
  return proportion(quantity, price, ONE);
}

/** One unit of the n-th decimal. */
const UNIT_OF_DECIMALS: readonly Decimal[] = Array.from({ length: 19 }, (_, decimals) => 10n ** BigInt(18 - decimals));

/**
 * Error that the exchange's truncated average entry price allows in the result of closing `quantity`:
 * one unit of the last shown decimal (inverse: that unit over the squared price).
 */
export function entryPriceTolerance(contract: Contract, quantity: Decimal, entryPrice: Decimal, decimals: number): Decimal {
  const unit = UNIT_OF_DECIMALS[Math.max(0, Math.min(18, decimals))]!;
  if (!contract.inverse) return (abs(quantity) * unit) / ONE + 1n;
  if (entryPrice === 0n) return 0n;
  return (abs(quantity) * unit * ONE) / (entryPrice * entryPrice) + 1n;
}

/** Whether a shown average entry price is the book's exact average within the exchange's money unit. */
export function entryPriceIsExact(contract: Contract, size: Decimal, cost: Decimal, entryPrice: Decimal): boolean {
  return abs(notional(contract, abs(size), entryPrice) - cost) <= MONEY_UNIT;
}
