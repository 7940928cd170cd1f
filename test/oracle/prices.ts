import { divide, type Decimal } from '../../src/domain/decimal.js';

/** Average price of a quantity traded at a notional; null where there is none. */
export function averagePriceOf(inverse: boolean, quantity: Decimal, value: Decimal): Decimal | null {
  if (quantity === 0n || value === 0n) return null;
  return inverse ? divide(quantity, value) : divide(value, quantity);
}
