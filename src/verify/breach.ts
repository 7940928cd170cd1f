import { formatDecimal, type Decimal } from '../domain/decimal.js';
import type { BookName } from './evidence.js';

/** Everything that has to hold, in the order in which it is told. */
export const CHECKS = {
  rows: 'every row is what the last record of its key says',
  link_sums: 'before + change = after, and the label follows from them',
  chain: 'the legs of a cycle follow from each other, from 0 to its size',
  link_cycles: 'every link has its cycle, and every cycle its links',
  closed_cycles: 'size changes of a finished cycle add up to 0',
  one_open_cycle: 'a book has at most one open cycle',
  open_position: "the open cycle is the exchange's position",
  size_equation: "sizes add up to what each position update shows",
  lots: 'open lots of a cycle add up to its size',
  results: 'deltas of a signal in a cycle add up to its row',
  cycle_sums: 'deltas of a cycle add up to its row',
  money_equation: "results of all signals add up to the exchange's realised PnL, within its rounding",
  link_deltas: 'every link has its deltas, and every delta its link or cash event, and its cycle',
  link_orders: "an order's links add up to its fills, and every link has its order",
  residuals: 'what no fill explains is named by a discrepancy',
} as const;

export type CheckName = keyof typeof CHECKS;

export const CHECK_NAMES = Object.keys(CHECKS) as readonly CheckName[];

/** The row that shows a breach: of a table, or a record of a topic. */
export interface Witness {
  readonly source: string;
  readonly row: object;
}

/** One thing that does not hold. */
export interface Breach {
  readonly check: CheckName;
  /** Without an index where it concerns an order of several books. */
  readonly book: Omit<BookName, 'position_idx'> & { readonly position_idx: number | null };
  readonly message: string;
  /** As it should be, and as it is; null where it is no matter of a value. */
  readonly expected: string | null;
  readonly actual: string | null;
  readonly witness: Witness;
}

/** An amount as text; unknown ones are named so. */
export function shown(amount: Decimal | null): string {
  return amount === null ? 'unknown' : formatDecimal(amount);
}

/** Collects breaches and counts what was looked at. */
export class Findings {
  readonly breaches: Breach[] = [];
  /** How often each check was made. */
  readonly made: Record<CheckName, number> = Object.fromEntries(CHECK_NAMES.map((name) => [name, 0])) as Record<CheckName, number>;

  /** Notes a check, and the breach if it does not hold. */
  check(holds: boolean, breach: () => Omit<Breach, 'check'>, name: CheckName): boolean {
    this.made[name] += 1;
    if (!holds) this.breaches.push({ check: name, ...breach() });
    return holds;
  }

  /** The same where two amounts must be equal. */
  equal(name: CheckName, book: Breach['book'], actual: Decimal | null, expected: Decimal | null, message: string, witness: Witness): boolean {
    return this.check(actual === expected, () => ({ book, message, expected: shown(expected), actual: shown(actual), witness }), name);
  }

  add(other: Findings): void {
    this.breaches.push(...other.breaches);
    for (const name of CHECK_NAMES) this.made[name] += other.made[name];
  }
}

/** Identity of a breach, to see whether it is still there when looked at again. */
export function breachKey({ check, book, message }: Breach): string {
  return JSON.stringify([check, book.account, book.category, book.asset, book.position_idx, message]);
}
