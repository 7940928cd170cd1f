/**
 * Exact decimal numbers: a bigint that counts units of 10^-18. Quantities, prices and money are never floats.
 * Addition, subtraction and comparison are those of bigint.
 */
export type Decimal = bigint;

export const DECIMAL_SCALE = 18;
export const ONE: Decimal = 10n ** 18n;
/** One unit of the eighth decimal, the exchange's own precision of money. */
export const MONEY_UNIT: Decimal = 10n ** 10n;

const PATTERN = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
const MAX_DIGITS = 38;
const ZEROS = '0'.repeat(DECIMAL_SCALE);
const ZERO_CODE = ZEROS.charCodeAt(0);

/** Thrown for text that is not a decimal number of at most 20 integer digits and 18 decimals. */
export class DecimalError extends Error {
  override name = 'DecimalError';
}

/** Parses exchange text such as "2301.07352941"; throws DecimalError on anything else, and on digits beyond 18 decimals unless they are zero. */
export function parseDecimal(text: string): Decimal {
  const match = PATTERN.exec(text);
  if (match === null) throw new DecimalError(`not a decimal number: ${JSON.stringify(text.slice(0, 64))}`);
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  const fraction = match[3] ?? '';
  let digits = match[2] + fraction;
  const shift = DECIMAL_SCALE - fraction.length + exponent;
  if (shift < 0) {
    const cut = digits.length + shift;
    const lost = cut <= 0 ? digits : digits.slice(cut);
    if (/[1-9]/.test(lost)) throw new DecimalError(`more than ${DECIMAL_SCALE} decimals: ${text.slice(0, 64)}`);
    digits = cut <= 0 ? '0' : digits.slice(0, cut);
  } else if (shift > 0) {
    if (shift > MAX_DIGITS) throw new DecimalError(`too large: ${text.slice(0, 64)}`);
    digits += '0'.repeat(shift);
  }
  const trimmed = digits.replace(/^0+(?=\d)/, '');
  if (trimmed.length > MAX_DIGITS) throw new DecimalError(`more than ${MAX_DIGITS - DECIMAL_SCALE} integer digits: ${text.slice(0, 64)}`);
  const value = BigInt(trimmed);
  return match[1] === '-' ? -value : value;
}

/** Decimals shown in exchange text: "2301.10" → 2, "5" → 0. */
export function shownDecimals(text: string): number {
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}

/** Shortest exact text: 1500000000000000000n → "1.5". */
export function formatDecimal(value: Decimal): string {
  if (value === 0n) return '0';
  const digits = value.toString();
  const first = value < 0n ? 1 : 0;
  const point = digits.length - DECIMAL_SCALE;
  let end = digits.length;
  const lowest = Math.max(point, first);
  while (end > lowest && digits.charCodeAt(end - 1) === ZERO_CODE) end--;
  if (point <= first) return `${first === 1 ? '-' : ''}0.${ZEROS.slice(0, first - point)}${digits.slice(first, end)}`;
  return end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`;
}

export function abs(value: Decimal): Decimal {
  return value < 0n ? -value : value;
}

export function min(a: Decimal, b: Decimal): Decimal {
  return a < b ? a : b;
}

export function max(a: Decimal, b: Decimal): Decimal {
  return a > b ? a : b;
}

/** -1, 0 or 1. */
export function sign(value: Decimal): -1 | 0 | 1 {
  return value > 0n ? 1 : value < 0n ? -1 : 0;
}

/** n / d rounded half to even, d > 0 or d < 0; throws RangeError when d is 0. */
export function divideHalfEven(n: bigint, d: bigint): bigint {
  if (d < 0n) return divideHalfEven(-n, -d);
  const quotient = n / d;
  const remainder = n - quotient * d;
  if (remainder === 0n) return quotient;
  const twice = abs(remainder) * 2n;
  const up = twice > d || (twice === d && (quotient & 1n) === 1n);
  if (!up) return quotient;
  return n < 0n ? quotient - 1n : quotient + 1n;
}

/** a × b, rounded half to even at 18 decimals. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return divideHalfEven(a * b, ONE);
}

/** a / b, rounded half to even at 18 decimals. */
export function divide(a: Decimal, b: Decimal): Decimal {
  return divideHalfEven(a * ONE, b);
}

/** a × n / d, rounded half to even once. */
export function proportion(a: Decimal, n: bigint, d: bigint): Decimal {
  return divideHalfEven(a * n, d);
}

/** The largest whole number of 64 bits with a sign. */
export const MOST_WORD = 2n ** 63n - 1n;
/** Above this 2^64th the units are no longer surely whole numbers of a double. */
const MOST_TOP = 0xffffn;
const WORD = 2 ** 32;
/** 10^10 is 2^10 × 5^10. */
const POWER_OF_FIVE = 5 ** 10;
const WORD_REMAINDER = WORD % POWER_OF_FIVE;
const low64 = new BigInt64Array(1);
const words = new Uint32Array(low64.buffer);

/** Remainder of a whole number below 2^48. */
function byPowerOfFive(value: number): number {
  return value - Math.floor(value / POWER_OF_FIVE) * POWER_OF_FIVE;
}

/**
 * How many units of the eighth decimal a value is, below 2^47; NaN if it is no whole number of them, or is larger. Nearly all
 * that an exchange tells is one, and a division of bigints would cost more than all else that is done with it.
 */
export function moneyUnits(value: Decimal): number {
  const negative = value < 0n;
  const size = negative ? -value : value;
  low64[0] = size;
  const low = words[0]!;
  const high = words[1]!;
  if ((low & 1023) !== 0) return Number.NaN;
  let whole = high * WORD + low;
  if (size <= MOST_WORD) {
    if (byPowerOfFive((high % POWER_OF_FIVE) * WORD_REMAINDER + (low % POWER_OF_FIVE)) !== 0) return Number.NaN;
  } else {
    const topWord = size >> 64n;
    if (topWord > MOST_TOP) return Number.NaN;
    const top = Number(topWord);
    const upper = byPowerOfFive((top % POWER_OF_FIVE) * WORD_REMAINDER + (high % POWER_OF_FIVE));
    if (byPowerOfFive(upper * WORD_REMAINDER + (low % POWER_OF_FIVE)) !== 0) return Number.NaN;
    whole = (top * WORD + high) * WORD + low;
  }
  const units = Math.round(whole / 1e10);
  return negative ? -units : units;
}

const MOST: Decimal = 10n ** 38n - 1n;

/** The value with every decimal in it at most 38 digits long, signs kept; the value itself where nothing is longer. */
export function withinDigits<T>(value: T): T {
  if (typeof value === 'bigint') return (value > MOST ? MOST : value < -MOST ? -MOST : value) as T;
  if (typeof value !== 'object' || value === null) return value;
  const bounded = Array.isArray(value) ? value.map(withinDigits) : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withinDigits(member)]));
  const members = Object.values(value);
  return Object.values(bounded).every((member, index) => member === members[index]) ? value : (bounded as T);
}
