import { divide, multiply, type Decimal } from '../domain/decimal.js';

/** Value of a quantity at a price: linear quantity x price; inverse quantity / price in the base coin, rounded once. */
export function notional(inverse: boolean, quantity: Decimal, price: Decimal): Decimal {
  if (!inverse) return multiply(quantity, price);
  return price === 0n ? 0n : divide(quantity, price);
}

/** Average price of a quantity and its value, inverse the harmonic mean; 0 where there is none. */
export function averagePrice(inverse: boolean, quantity: Decimal, value: Decimal): Decimal {
  if (inverse) return value === 0n ? 0n : divide(quantity, value);
  return quantity === 0n ? 0n : divide(value, quantity);
}
