import { abs, formatDecimal, parseDecimal, type Decimal } from '../domain/decimal.js';
import { settleCoin } from '../domain/settle-coin.js';
import type { Queries } from '../postgres/session.js';
import { shownNumber } from './show-cells.js';
import { textTable } from './text-table.js';

/** Sum of results beside what the exchange says of the same book. Amounts in the settle coin. */
export interface BookReconciliation {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly position_idx: number;
  readonly settle_coin: string;
  /** Σ (gross − fees − funding) over signals and the unattributed bucket; null where there is none, or the cost of the start is not known. */
  readonly results: string | null;
  /** cumRealisedPnl now, less that of the book's start; null where the exchange did not tell. */
  readonly exchange: string | null;
  readonly difference: string | null;
  readonly links: number;
}

export interface Summary {
  readonly rows: Readonly<Record<string, number>>;
  /** Links by evidence. */
  readonly evidence: Readonly<Record<string, number>>;
  /** Discrepancies by "cause, status". */
  readonly discrepancies: Readonly<Record<string, number>>;
  readonly books: readonly BookReconciliation[];
  readonly totals: readonly CoinTotal[];
}

export interface CoinTotal {
  readonly settle_coin: string;
  readonly results: string;
  readonly exchange: string;
  readonly difference: string;
  readonly books: number;
  /** Whether the books differ by no more than the exchange's own rounding. */
  readonly is_within_rounding: boolean;
  /** Books of which one of the two sides is not known. */
  readonly left_out: number;
}

const COUNTED = ['orders', 'positions', 'portfolio', 'position_cycles', 'position_orders', 'position_discrepancies', 'prediction_trading_results'];

/** The exchange cuts each amount of money at the eighth decimal. */
const ROUNDING_UNITS = 10n ** 10n;

/*
 * A book's results are compared with what the exchange's cumRealisedPnl rose by since just before its first cycle. A book
 * without a cycle has no results, and nothing to compare.
 */
const BOOKS = `
WITH results AS (
  SELECT account, category, asset, position_idx, sum(net_pnl) AS results, bool_or(net_pnl IS NULL) AS is_unknown
  FROM prediction_trading_results GROUP BY account, category, asset, position_idx
), links AS (
  SELECT account, category, asset, position_idx, count(*) AS links FROM position_orders GROUP BY account, category, asset, position_idx
), starts AS (
  SELECT DISTINCT ON (account, category, asset, position_idx) account, category, asset, position_idx, cum_realised_pnl_before AS start
  FROM position_cycles ORDER BY account, category, asset, position_idx, first_seq NULLS FIRST, opened_at
)
SELECT account, category, asset, position_idx,
  CASE WHEN r.is_unknown THEN NULL ELSE r.results END AS results,
  CASE WHEN s.account IS NULL THEN 0 ELSE p.cum_realised_pnl - s.start END AS exchange,
  coalesce(l.links, 0) AS links
FROM results r
FULL JOIN (SELECT * FROM positions WHERE category IN ('linear', 'inverse')) p USING (account, category, asset, position_idx)
LEFT JOIN starts s USING (account, category, asset, position_idx)
LEFT JOIN links l USING (account, category, asset, position_idx)
WHERE $1::text IS NULL OR asset = $1
ORDER BY account, category, asset, position_idx`;

/** Counts and sums, of one asset or of all. */
export async function readSummary(queries: Queries, asset: string | null): Promise<Summary> {
  const rows: Record<string, number> = {};
  for (const table of COUNTED) {
    const [row] = await queries.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${table} WHERE $1::text IS NULL OR asset = $1`, [asset]);
    rows[table] = row?.rows ?? 0;
  }
  const histogram = async (text: string): Promise<Record<string, number>> => {
    const found = await queries.query<{ name: string; rows: number }>(text, [asset]);
    return Object.fromEntries(found.map(({ name, rows: count }) => [name, count]));
  };
  const evidence = await histogram('SELECT evidence AS name, count(*) AS rows FROM position_orders WHERE $1::text IS NULL OR asset = $1 GROUP BY 1 ORDER BY 2 DESC, 1');
  const discrepancies = await histogram(
    `SELECT cause || ', ' || status AS name, count(*) AS rows FROM position_discrepancies WHERE $1::text IS NULL OR asset = $1 GROUP BY 1 ORDER BY 1`,
  );
  const found = await queries.query<Omit<BookReconciliation, 'settle_coin' | 'difference'>>(BOOKS, [asset]);
  const books = found.map((book): BookReconciliation => {
    const results = book.results === null ? null : parseDecimal(book.results);
    const exchange = book.exchange === null ? null : parseDecimal(book.exchange);
    const amount = (value: Decimal | null): string | null => (value === null ? null : formatDecimal(value));
    const difference = results === null || exchange === null ? null : results - exchange;
    return { ...book, settle_coin: settleCoin(book.category, book.asset), results: amount(results), exchange: amount(exchange), difference: amount(difference) };
  });
  return { rows, evidence, discrepancies, books, totals: totalsOf(books) };
}

/** Amounts of two coins do not add up. */
export function totalsOf(books: readonly BookReconciliation[]): CoinTotal[] {
  const coins = [...new Set(books.map(({ settle_coin }) => settle_coin))].sort();
  return coins.map((coin) => {
    const ofCoin = books.filter(({ settle_coin }) => settle_coin === coin);
    const known = ofCoin.filter(({ difference }) => difference !== null);
    const sum = (side: 'results' | 'exchange' | 'difference'): string =>
      formatDecimal(known.reduce((total: Decimal, book) => total + parseDecimal(book[side] ?? '0'), 0n));
    return {
      settle_coin: coin,
      results: sum('results'),
      exchange: sum('exchange'),
      difference: sum('difference'),
      books: ofCoin.length,
      is_within_rounding: known.every(({ difference, links }) => abs(parseDecimal(difference ?? '0')) <= ROUNDING_UNITS * BigInt(links + 2)),
      left_out: ofCoin.length - known.length,
    };
  });
}

export function summaryText({ rows, evidence, discrepancies, totals }: Summary): string {
  const counts = (heading: string, of: Readonly<Record<string, number>>): string =>
    Object.keys(of).length === 0
      ? ''
      : `${textTable(
          [
            { heading, align: 'left' },
            { heading: 'rows', align: 'right' },
          ],
          Object.entries(of).map(([name, count]) => [name, String(count)]),
        )}\n`;
  return counts('table', rows) + counts('evidence of links', evidence) + counts('discrepancies', discrepancies) + totals.map(totalText).join('');
}

function totalText({ settle_coin, results, exchange, difference, left_out, is_within_rounding }: CoinTotal): string {
  const notes = [
    ...(is_within_rounding ? [] : ["more than rounding: see show discrepancies"]),
    ...(left_out === 0 ? [] : [`${left_out} ${left_out === 1 ? 'book' : 'books'} left out: not all of it is known`]),
  ];
  const amounts = `sum of results = ${shownNumber(results)} ${settle_coin}, exchange's realised PnL = ${shownNumber(exchange)} ${settle_coin}, difference ${shownNumber(difference)}`;
  return `${amounts}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}\n`;
}
