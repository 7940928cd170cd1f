/**
 * Fixed point with 36 decimals, kept in a bigint. Prices, quantities, fees and linear notionals are exact in it; what does
 * not terminate (shares of a cost, inverse notionals) is off by less than 1e-33, far below the exchange's 8 decimals.
 */
export type Fixed = bigint;

export const ONE: Fixed = 10n ** 36n;
const PER_UNIT8 = 10n ** 28n;
/** 1e-20: what lies this near to an 8-decimal number is that number, not one a rounding error made less or more. */
const SNAP = 10n ** 16n;

/** Truncates towards zero to 8 decimals, as the exchange shows money; the result counts units of 1e-8. */
export function truncated8(value: Fixed): bigint {
  return value < 0n ? -((SNAP - value) / PER_UNIT8) : (value + SNAP) / PER_UNIT8;
}

/** Rounds away from zero to units of 1e-8, as the exchange charges fees. */
export function awayFromZero8(value: Fixed): bigint {
  const size = value < 0n ? -value : value;
  const units = size <= SNAP ? 0n : (size - SNAP + PER_UNIT8 - 1n) / PER_UNIT8;
  return value < 0n ? -units : units;
}

export function fromUnits8(units: bigint): Fixed {
  return units * PER_UNIT8;
}

/** A count of 10^-decimals as decimal text without trailing zeros: (-1250, 3) is "-1.25". */
export function decimalText(count: bigint | number, decimals: number): string {
  const negative = count < 0;
  const digits = (negative ? -count : count).toString().padStart(decimals + 1, '0');
  let end = digits.length;
  const point = digits.length - decimals;
  while (end > point && digits.charCodeAt(end - 1) === 48) end--;
  const text = end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`;
  return negative ? `-${text}` : text;
}

export function money8(value: Fixed): string {
  return decimalText(truncated8(value), 8);
}

/** "n/d" in lowest terms. */
export function fraction(value: Fixed): string {
  const size = value < 0n ? -value : value;
  const scale = size % PER_UNIT8 === 0n ? PER_UNIT8 : 1n;
  const numerator = size / scale;
  const denominator = ONE / scale;
  let a = numerator;
  let b = denominator;
  while (b !== 0n) [a, b] = [b, a % b];
  return `${value < 0n ? '-' : ''}${numerator / a}/${denominator / a}`;
}

/** Reads "n/d" or a plain decimal, rounded to 36 decimals. */
export function parseFixed(text: string): Fixed {
  const slash = text.indexOf('/');
  if (slash >= 0) {
    const numerator = BigInt(text.slice(0, slash)) * ONE;
    const denominator = BigInt(text.slice(slash + 1));
    const half = denominator / 2n;
    return (numerator + (numerator < 0n ? -half : half)) / denominator;
  }
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) throw new Error(`not a decimal: ${JSON.stringify(text)}; amounts are decimal text like "-1.25"`);
  const decimals = (match[3] ?? '').padEnd(36, '0').slice(0, 36);
  const size = BigInt(match[2] as string) * ONE + BigInt(decimals);
  return match[1] === '-' ? -size : size;
}

export function abs(value: Fixed): Fixed {
  return value < 0n ? -value : value;
}
