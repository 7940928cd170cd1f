import { parseFixed, type Fixed } from '../simulator/fixed.js';

/** A row of a result table as a plain object: amounts decimal text (or a bigint scaled by 10^18), times milliseconds, snake_case names. */
export type Row = Readonly<Record<string, unknown>>;

/** The tables a pipeline ends with. A table that is not given is not judged. */
export interface Tables {
  position_orders: readonly Row[];
  position_cycles: readonly Row[];
  prediction_trading_results: readonly Row[];
  position_discrepancies?: readonly Row[];
  positions?: readonly Row[];
  orders?: readonly Row[];
}

/** Null and a missing column are the same. */
export function amount(row: Row, column: string): Fixed | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return value * 10n ** 18n;
  if (typeof value === 'string') return parseFixed(value);
  throw new Error(`column ${column} holds ${typeof value} ${String(value)}; amounts must be decimal text or a bigint scaled by 10^18`);
}

export function text(row: Row, column: string): string | null {
  const value = row[column];
  return value === null || value === undefined ? null : String(value);
}

/** A count, an index, a seq, or a time in milliseconds; a Date is its milliseconds. */
export function whole(row: Row, column: string): number | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  return Number(value);
}

/** +1 long, -1 short, 0 neither. */
export function direction(row: Row, column: string): 1 | -1 | 0 {
  const value = (text(row, column) ?? '').toLowerCase();
  return value === 'buy' || value === 'long' ? 1 : value === 'sell' || value === 'short' ? -1 : 0;
}

/** Short decimal text of an amount for a sentence. */
export function show(value: Fixed | null): string {
  if (value === null) return 'null';
  const size = value < 0n ? -value : value;
  const digits = size.toString().padStart(37, '0');
  const whole = digits.slice(0, -36);
  const decimals = digits.slice(-36, -14).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${whole}${decimals ? `.${decimals}` : ''}`;
}
