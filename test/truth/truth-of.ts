import { abs, fraction, type Fixed } from '../simulator/fixed.js';
import { BookFold, type TrueCash, type TrueFill, type TrueLeg } from './fold.js';
import type { Earned } from './lots.js';
import type { ResultTruth, Truth } from './truth.js';

/** A book and the state in which the recording finds it. */
export interface BookBegin {
  account: string;
  symbol: string;
  index: number;
  inverse: boolean;
  /** Signed. */
  size: Fixed;
  cost: Fixed;
  cum: Fixed;
}

/** In the order in which it happened, per book at least. */
export type Happened = { fill: TrueFill } | { cash: TrueCash; account: string; symbol: string; index: number };

/** Folds what happened into the truth of a session. An empty account is left out. */
export function truthOf(scenario: string, seed: number, stats: Record<string, number>, books: readonly BookBegin[], happened: readonly Happened[]): Truth {
  const folds = new Map<string, BookFold>();
  const start: Record<string, string> = {};
  for (const book of books) {
    const fold = new BookFold(book.account, book.symbol, book.index, book.inverse);
    fold.begin(book.size, book.cost, book.cum);
    folds.set(keyOf(book.account, book.symbol, book.index), fold);
    if (book.size !== 0n) start[`${book.account ? `${book.account}|` : ''}${fold.cycleName}`] = fraction(book.size);
  }
  const foldOf = (account: string, symbol: string, index: number): BookFold => {
    const fold = folds.get(keyOf(account, symbol, index));
    if (!fold) throw new Error(`no book ${symbol}:${index} was declared`);
    return fold;
  };
  const truth: Truth = { scenario, seed, fills: [], legs: [], funding: [], results: { 'pro-rata': [], fifo: [] }, start, stats: { ...stats }, books: [] };
  for (const one of happened) {
    if ('fill' in one) {
      truth.fills.push(fillRow(one.fill));
      for (const leg of foldOf(one.fill.account, one.fill.symbol, one.fill.index).fill(one.fill)) truth.legs.push(legRow(leg));
    } else {
      const fold = foldOf(one.account, one.symbol, one.index);
      truth.funding.push({
        ...owner(one.account), exec_id: one.cash.execId, symbol: one.symbol, idx: one.index, cycle: fold.cash(one.cash.amount),
        fee: fraction(one.cash.amount), time: one.cash.time, seq: one.cash.seq, ...(one.cash.visible ? {} : { visible: false }),
      });
    }
  }
  truth.stats['fills'] = truth.fills.length;
  for (const fold of folds.values()) {
    truth.results['pro-rata'].push(...fold.results['pro-rata'].map(resultRow));
    truth.results.fifo.push(...fold.results.fifo.map(resultRow));
    truth.books.push({
      ...owner(fold.account), symbol: fold.symbol, idx: fold.index, size: fraction(fold.size), entry: fraction(fold.average),
      cum: fraction(fold.cum), cycle: fold.cycle,
    });
  }
  return truth;
}

function keyOf(account: string, symbol: string, index: number): string {
  return `${account}|${symbol}|${index}`;
}

function owner(account: string): { account?: string } {
  return account === '' ? {} : { account };
}

function fillRow(fill: TrueFill): Truth['fills'][number] {
  return {
    ...owner(fill.account), exec_id: fill.execId, order_id: fill.orderId, symbol: fill.symbol, idx: fill.index,
    side: fill.quantity > 0n ? 'Buy' : 'Sell', qty: fraction(abs(fill.quantity)), price: fraction(fill.price), fee: fraction(fill.fee),
    time: fill.time, seq: fill.seq, signal: fill.signal, exec_type: fill.execType, visible: fill.visible,
    ...(fill.tax === 0n ? {} : { tax: fraction(fill.tax) }), ...(fill.firstSeen ? { first_seen: true } : {}),
  };
}

function legRow(leg: TrueLeg): Truth['legs'][number] {
  const { fill } = leg;
  return {
    ...owner(fill.account), exec_id: fill.execId, order_id: fill.orderId, symbol: fill.symbol, idx: fill.index, cycle: leg.cycle,
    relationship: leg.relationship, size_delta: fraction(leg.sizeDelta), before: fraction(leg.before), after: fraction(leg.after),
    price: fraction(fill.price), time: fill.time, seq: fill.seq, leg: leg.leg, signal: fill.signal, visible: fill.visible,
    fee: fraction(leg.fee), ...(fill.swappable ? { swappable: true } : {}),
  };
}

function resultRow(row: Earned): ResultTruth {
  return {
    ...owner(row.account), signal: row.signal, cycle: row.cycle, entry_qty: fraction(row.entryQuantity), entry_value: fraction(row.entryValue),
    exit_qty: fraction(row.exitQuantity), exit_value: fraction(row.exitValue), realized: fraction(row.realized), fees: fraction(row.fees),
    funding: fraction(row.funding),
  };
}
