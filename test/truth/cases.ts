import { parseFixed, type Fixed } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import type { TrueCash, TrueFill } from './fold.js';
import type { Truth } from './truth.js';

/** What is true of one book, before any table is looked at. */
export interface BookCase {
  key: string;
  account: string;
  symbol: string;
  index: number;
  inverse: boolean;
  /** Signed size and cost of what was open when the recording began. */
  startSize: Fixed;
  startCost: Fixed;
  fills: TrueFill[];
  cash: TrueCash[];
  /** Seqs of the delivered position records; null: all were delivered. */
  updates: readonly number[] | null;
  /** A record told that it had never traded. */
  neverTraded: boolean;
}

export function bookKey(account: string, symbol: string, index: number): string {
  return `${account}|${symbol}|${index}`;
}

/** Coin-margined contracts end in USD. */
export function isInverse(symbol: string): boolean {
  return symbol.endsWith('USD');
}

export function casesOf(truth: Truth): Map<string, BookCase> {
  const cases = new Map<string, BookCase>();
  for (const book of truth.books) {
    const account = book.account ?? '';
    const key = bookKey(account, book.symbol, book.idx);
    cases.set(key, {
      key, account, symbol: book.symbol, index: book.idx, inverse: isInverse(book.symbol), startSize: 0n, startCost: 0n, fills: [], cash: [],
      updates: book.updates ?? null, neverTraded: book.never_traded ?? false,
    });
  }
  const of = (account: string | undefined, symbol: string, index: number): BookCase => {
    const found = cases.get(bookKey(account ?? '', symbol, index));
    if (!found) throw new Error(`the truth has no book ${symbol}:${index}`);
    return found;
  };
  const swappable = new Set(truth.legs.filter((leg) => leg.swappable).map((leg) => leg.exec_id));
  for (const fill of truth.fills) {
    const quantity = parseFixed(fill.qty);
    of(fill.account, fill.symbol, fill.idx).fills.push({
      account: fill.account ?? '', symbol: fill.symbol, inverse: isInverse(fill.symbol), index: fill.idx, execId: fill.exec_id,
      orderId: fill.order_id, quantity: fill.side === 'Buy' ? quantity : -quantity, price: parseFixed(fill.price), fee: parseFixed(fill.fee),
      time: fill.time, seq: fill.seq, signal: fill.signal, execType: fill.exec_type, visible: fill.visible, swappable: swappable.has(fill.exec_id),
      tax: fill.tax === undefined ? 0n : parseFixed(fill.tax), firstSeen: fill.first_seen ?? false,
    });
  }
  for (const row of truth.funding) {
    of(row.account, row.symbol, row.idx).cash.push({
      execId: row.exec_id, visible: row.visible ?? true, amount: parseFixed(row.fee), time: row.time, seq: row.seq,
    });
  }
  for (const [name, size] of Object.entries(truth.start)) {
    const [account, cycle] = name.includes('|') ? (name.split('|') as [string, string]) : ['', name];
    const [symbol, index] = cycle.split(':') as [string, string];
    const found = of(account, symbol, Number(index));
    found.startSize = parseFixed(size);
    found.startCost = startCost(truth, found, cycle);
  }
  return cases;
}

/** The start lots are in the null bucket of their cycle; what else went in there is known from the legs. */
function startCost(truth: Truth, book: BookCase, cycle: string): Fixed {
  const bucket = truth.results.fifo.find((row) => row.signal === null && row.cycle === cycle && (row.account ?? '') === book.account);
  if (!bucket) throw new Error(`the truth has a start in ${cycle} but no null bucket of it`);
  let cost = parseFixed(bucket.entry_value);
  for (const leg of truth.legs) {
    if (leg.cycle !== cycle || (leg.account ?? '') !== book.account || leg.signal !== null) continue;
    if (leg.relationship !== 'opened' && leg.relationship !== 'increased') continue;
    const quantity = parseFixed(leg.size_delta);
    cost -= notional(book.inverse, quantity < 0n ? -quantity : quantity, parseFixed(leg.price));
  }
  return cost;
}
