import type { Decimal } from '../domain/decimal.js';

/**
 * Splits `total` by `weights` (none negative, sum positive): parts rounded down, missing units to the largest remainders,
 * ties to the earlier weight. The parts always add up to the total; a negative total splits as its mirror image.
 */
export function splitByWeight(total: Decimal, weights: readonly bigint[]): Decimal[] {
  if (weights.length === 1) return [total];
  if (total < 0n) return splitByWeight(-total, weights).map((part) => -part);
  let sum = 0n;
  for (const weight of weights) sum += weight;
  // Nothing or everything is split without arithmetic: quantities that close a book, fees of nothing.
  if (total === sum) return weights.slice();
  const parts: bigint[] = [];
  if (total === 0n) {
    for (let i = 0; i < weights.length; i++) parts.push(0n);
    return parts;
  }
  const remainders: bigint[] = [];
  let missing = total;
  for (const weight of weights) {
    const product = total * weight;
    const part = product / sum;
    parts.push(part);
    remainders.push(product - part * sum);
    missing -= part;
  }
  while (missing > 0n) {
    let best = -1;
    for (let i = 0; i < remainders.length; i++) {
      if (remainders[i]! > 0n && (best < 0 || remainders[i]! > remainders[best]!)) best = i;
    }
    if (best < 0) throw new Error('split: units are missing that no remainder accounts for');
    parts[best]! += 1n;
    remainders[best] = 0n;
    missing -= 1n;
  }
  return parts;
}

/** The first of the two parts that splitByWeight makes of `total` for a quantity taken off a whole, and its rest. */
export function partOf(total: Decimal, quantity: bigint, whole: bigint): Decimal {
  if (quantity === whole) return total;
  if (total < 0n) return -partOf(-total, quantity, whole);
  const product = total * quantity;
  const part = product / whole;
  // Of the two remainders, which add up to the whole or to nothing, the larger gets the missing unit; a tie goes to the first.
  return 2n * (product - part * whole) >= whole ? part + 1n : part;
}
