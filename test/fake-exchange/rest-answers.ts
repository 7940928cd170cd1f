import type { AccountHistory, Row, ShownRow } from './session.js';

const WEEK_MS = 7 * 86_400_000;
const DAY_MS = 86_400_000;
const CLOSED = new Set(['Filled', 'Cancelled', 'Rejected', 'Deactivated', 'PartiallyFilledCanceled']);

/** An answer: its rows, or the code and text of a refusal. */
export type RestAnswer = { readonly kind: 'result'; readonly result: object } | { readonly kind: 'refused'; readonly code: number; readonly message: string };

export interface RestView {
  readonly history: AccountHistory;
  /** The exchange's time. */
  readonly nowMs: number;
  /** What happened after it is not shown yet. */
  readonly shownMs: number;
}

const refused = (message: string): RestAnswer => ({ kind: 'refused', code: 10001, message });

export function openOrders(view: RestView, query: URLSearchParams): RestAnswer {
  const category = query.get('category');
  if (category === 'linear' && !query.get('symbol') && !query.get('settleCoin') && !query.get('baseCoin')) return refused('Missing some parameters that must be filled in, symbol or settleCoin or baseCoin');
  const rows = latestOrders(view).filter((row) => row['category'] === category && !CLOSED.has(String(row['orderStatus'])) && matches(row, query));
  return page(category, byNewest(rows, 'createdTime'), query, 50);
}

/** By the time an order was made; what was cancelled without a fill is kept for a day. */
export function orderHistory(view: RestView, query: URLSearchParams): RestAnswer {
  const category = query.get('category');
  const range = rangeOf(query, view.nowMs);
  if (range === null) return refused('The time range between startTime and endTime cannot exceed 7 days');
  const rows = latestOrders(view).filter((row) => {
    if (row['category'] !== category || !CLOSED.has(String(row['orderStatus'])) || !matches(row, query)) return false;
    if (Number(row['cumExecQty']) === 0 && Number(row['updatedTime']) < view.nowMs - DAY_MS) return false;
    return query.has('orderId') || isWithin(row, 'createdTime', range);
  });
  return page(category, byNewest(rows, 'createdTime'), query, 50);
}

export function executions(view: RestView, query: URLSearchParams): RestAnswer {
  const category = query.get('category');
  const range = rangeOf(query, view.nowMs);
  if (range === null) return refused('The time range between startTime and endTime cannot exceed 7 days');
  const rows = view.history.executions.filter(({ atMs, row }) => atMs <= view.shownMs && row['category'] === category && isWithin(row, 'execTime', range) && matches(row, query)).map(({ row }) => row);
  return page(category, byNewest(unique(rows, 'execId'), 'execTime'), query, 100);
}

/** By settle coin only what is open is shown, by symbol also what is flat. */
export function positions(view: RestView, query: URLSearchParams): RestAnswer {
  const category = query.get('category');
  const symbol = query.get('symbol');
  if (category === 'linear' && !symbol && !query.get('settleCoin')) return refused('Missing some parameters that must be filled in, symbol or settleCoin');
  const rows = present([...view.history.positions.values()].map((shown) => lastShown(shown, view.shownMs)))
    .filter((row) => row['category'] === category && matches(row, query) && (symbol !== null || Number(row['size']) !== 0));
  return page(category, rows, query, 200);
}

export function transactionLog(view: RestView, query: URLSearchParams): RestAnswer {
  const range = rangeOf(query, view.nowMs);
  if (range === null) return refused('The time range between startTime and endTime cannot exceed 7 days');
  const rows = view.history.transactions
    .filter(({ atMs, row }) => atMs <= view.shownMs && (!query.get('category') || row['category'] === query.get('category')) && isWithin(row, 'transactionTime', range))
    .map(({ row }) => row);
  return page(null, byNewest(unique(rows, 'id'), 'transactionTime'), query, 50);
}

function latestOrders({ history, shownMs }: RestView): Row[] {
  return present([...history.orders.values()].map((shown) => lastShown(shown, shownMs)));
}

function present(rows: readonly (Row | null)[]): Row[] {
  return rows.filter((row) => row !== null);
}

/** The last row in time; a message that came again late does not take an order back. */
function lastShown(shown: readonly ShownRow[], untilMs: number): Row | null {
  let last: Row | null = null;
  for (const { atMs, row } of shown) if (atMs <= untilMs) last = row;
  return last;
}

function matches(row: Row, query: URLSearchParams): boolean {
  const symbol = query.get('symbol');
  const coin = query.get('settleCoin');
  const orderId = query.get('orderId');
  if (symbol && row['symbol'] !== symbol) return false;
  if (orderId && row['orderId'] !== orderId) return false;
  return !coin || row['category'] !== 'linear' || String(row['symbol']).endsWith(coin) || (coin === 'USDC' && String(row['symbol']).endsWith('PERP'));
}

interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Null where it is longer than the exchange allows. */
function rangeOf(query: URLSearchParams, nowMs: number): TimeRange | null {
  const start = query.get('startTime');
  const end = query.get('endTime');
  const toMs = end !== null ? Number(end) : start !== null ? Number(start) + WEEK_MS : nowMs;
  const fromMs = start !== null ? Number(start) : toMs - WEEK_MS;
  return toMs - fromMs > WEEK_MS ? null : { fromMs, toMs };
}

function isWithin(row: Row, field: string, { fromMs, toMs }: TimeRange): boolean {
  const timeMs = Number(row[field]);
  return timeMs >= fromMs && timeMs <= toMs;
}

function unique(rows: readonly Row[], field: string): Row[] {
  return [...new Map(rows.map((row) => [row[field], row])).values()];
}

function byNewest(rows: readonly Row[], field: string): Row[] {
  return [...rows].sort((a, b) => Number(b[field]) - Number(a[field]));
}

/** The cursor holds characters that have to be encoded, as the exchange's does. */
function page(category: string | null, rows: readonly Row[], query: URLSearchParams, most: number): RestAnswer {
  const limit = Math.min(Number(query.get('limit') ?? 20), most);
  const cursor = /^page%3A(\d+)$/.exec(query.get('cursor') ?? '');
  const from = cursor === null ? 0 : Number(cursor[1]);
  const list = rows.slice(from, from + limit);
  return { kind: 'result', result: { ...(category === null ? {} : { category }), list, nextPageCursor: from + limit < rows.length ? `page%3A${from + limit}` : '' } };
}
