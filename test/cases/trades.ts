import { readFileSync } from 'node:fs';
import { abs, divide, formatDecimal, multiply, parseDecimal, type Decimal } from '../../src/domain/decimal.js';
import { fill, position, tell, type Outcome } from '../position-linker/story.js';

/** The cases of one file. */
export function casesOf<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as T[];
}

/** A trade as the cases word it; every trade is an order and a signal of its own. */
export interface Trade {
  readonly side: string;
  readonly qty: string;
  readonly price: string;
  readonly fee?: string;
}

export interface Traded extends Outcome {
  /** Signed size, average entry and gross result of the last cycle. */
  readonly size: Decimal;
  readonly averageEntry: Decimal | null;
  /** Gross, fees and funding over all cycles. */
  readonly realized: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
}

/** Trades of a book that began flat, one seq each, through the cores. `funding` is paid after the first trade. */
export function traded(trades: readonly Trade[], options: { contract?: string; policy?: 'pro-rata' | 'fifo'; funding?: string } = {}): Traded {
  const market = options.contract === 'inverse' ? { category: 'inverse', symbol: 'BTCUSD', feeCurrency: 'BTC' } : {};
  const story = [position(0, '-1', 0, '0', '0', market)];
  trades.forEach(({ side, qty, price, fee }, i) => {
    const taken = side.toUpperCase() === 'BUY' ? 'Buy' : 'Sell';
    story.push(fill(100 * (i + 1), 100 * (i + 1), `x${i}`, `${i}`, taken, qty, price, { ...market, execFee: fee ?? '0' }));
  });
  if (options.funding !== undefined) story.push(fill(150, 150, 'funding', 'f', 'Buy', trades[0]!.qty, trades[0]!.price, { ...market, execType: 'Funding', execFee: options.funding }));
  const outcome = tell(story, { policy: options.policy ?? 'pro-rata' });
  const cycles = [...outcome.cycles].sort((a, b) => a.first_seq! - b.first_seq!);
  const total = (amountOf: (cycle: (typeof cycles)[number]) => Decimal): Decimal => cycles.reduce((sum, cycle) => sum + amountOf(cycle), 0n);
  const last = cycles.at(-1)!;
  return {
    ...outcome, cycles, size: last.size, averageEntry: last.average_entry_price, realized: total((cycle) => cycle.realized_pnl!),
    fees: total((cycle) => cycle.fees), funding: total((cycle) => cycle.funding),
  };
}

/** A trade from signed base and quote amounts. */
export function tradeOfAmounts(base: string, quote: string): Trade {
  const quantity = parseDecimal(base);
  return { side: quantity > 0n ? 'Buy' : 'Sell', qty: formatDecimal(abs(quantity)), price: formatDecimal(abs(divide(parseDecimal(quote), quantity))) };
}

/** Cost of what is open. */
export function costOf({ size, averageEntry }: Traded): Decimal {
  return averageEntry === null ? 0n : multiply(abs(size), averageEntry);
}

export function amount(text: string): Decimal {
  return parseDecimal(text);
}

/** Whether two amounts are within a tolerance, given as text. */
export function near(found: Decimal, wanted: string, tolerance: string): boolean {
  return abs(found - parseDecimal(wanted)) <= parseDecimal(tolerance);
}
