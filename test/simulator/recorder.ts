import { BookFold, type TrueFill, type TrueLeg } from '../truth/fold.js';
import type { Truth } from '../truth/truth.js';
import type { Earned } from '../truth/lots.js';
import { abs, fraction, type Fixed } from './fixed.js';
import type { Message } from './frames.js';
import { priceOf, quantityOf } from './instrument.js';
import type { CashEvent, FillEvent, Market } from './market.js';

type Happening = { market: Market; event: FillEvent | CashEvent } | { market: Market; begins: BookState[] };

interface BookState {
  index: number;
  size: Fixed;
  cost: Fixed;
  cum: Fixed;
}

/**
 * Writes down what is true while a session is made. What no delivered message told counts as untold: a fill of which neither
 * an execution nor an order message came is not visible, and a signal that no message named is none.
 */
export class Recorder {
  private readonly markets: readonly Market[];
  private readonly named: boolean;
  private readonly happenings: Happening[] = [];
  private readonly toldFills = new Set<string>();
  private readonly toldOrders = new Map<string, number>();
  private readonly namedOrders = new Set<string>();

  constructor(markets: readonly Market[], named: boolean) {
    this.markets = markets;
    this.named = named;
  }

  /** The recording of this asset begins now. */
  begin(market: Market): void {
    const begins = market.books.map((book) => ({
      index: book.index, size: (book.size < 0 ? -1n : 1n) * quantityOf(market.on, Math.abs(book.size)), cost: book.cost, cum: book.cumRealised,
    }));
    this.happenings.push({ market, begins });
  }

  record(market: Market, event: FillEvent | CashEvent): void {
    this.happenings.push({ market, event });
  }

  delivered(message: Message): void {
    for (const execId of message.execIds ?? []) this.toldFills.add(execId);
    for (const orderId of message.names ?? []) this.namedOrders.add(orderId);
    if (message.told) {
      const { orderId, lots } = message.told;
      this.namedOrders.add(orderId);
      this.toldOrders.set(orderId, Math.max(lots, this.toldOrders.get(orderId) ?? 0));
    }
  }

  private fillOf(market: Market, fold: BookFold, event: FillEvent): TrueFill {
    const { order } = event;
    const quantity = quantityOf(market.on, event.lots);
    const told = this.toldFills.has(event.execId) || (this.toldOrders.get(order.orderId) ?? 0) >= event.fromLots + event.lots;
    return {
      account: fold.account, symbol: market.on.symbol, inverse: fold.inverse, index: order.index, execId: event.execId,
      orderId: order.orderId, quantity: order.side === 'Buy' ? quantity : -quantity, price: priceOf(market.on, event.ticks),
      fee: event.fee, time: event.time, seq: event.seq, signal: told && this.namedOrders.has(order.orderId) ? order.signal : null,
      execType: order.execType, visible: told, swappable: event.swept,
    };
  }

  /** Folds all that happened, now that it is known what was told of it. */
  private fold() {
    const folds = new Map<Market, BookFold[]>();
    for (const market of this.markets) {
      const account = this.named ? `account-${market.account + 1}` : '';
      const inverse = market.on.category === 'inverse';
      folds.set(market, market.books.map((book) => new BookFold(account, market.on.symbol, book.index, inverse)));
    }
    const foldOf = (market: Market, index: number) => (folds.get(market) as BookFold[]).find((one) => one.index === index) as BookFold;
    const fills: TrueFill[] = [];
    const legs: TrueLeg[] = [];
    const cash: { fold: BookFold; event: CashEvent; cycle: string }[] = [];
    const start: Record<string, string> = {};
    for (const happening of this.happenings) {
      const { market } = happening;
      if ('begins' in happening) {
        for (const state of happening.begins) {
          const fold = foldOf(market, state.index);
          fold.begin(state.size, state.cost, state.cum);
          if (state.size !== 0n) start[`${this.named ? `${fold.account}|` : ''}${fold.cycleName}`] = fraction(state.size);
        }
      } else if (happening.event.kind === 'cash') {
        const { event } = happening;
        const fold = foldOf(market, event.index);
        cash.push({ fold, event, cycle: fold.cash(event.amount) });
      } else {
        const fold = foldOf(market, happening.event.order.index);
        const fill = this.fillOf(market, fold, happening.event);
        fills.push(fill);
        legs.push(...fold.fill(fill));
      }
    }
    return { folds: [...folds.values()].flat(), fills, legs, cash, start };
  }

  truth(scenario: string, seed: number, stats: Record<string, number>): Truth {
    const { folds, fills, legs, cash, start } = this.fold();
    return {
      scenario,
      seed,
      fills: fills.map((fill) => ({
        ...this.owner(fill.account), exec_id: fill.execId, order_id: fill.orderId, symbol: fill.symbol, idx: fill.index,
        side: fill.quantity > 0n ? 'Buy' : 'Sell', qty: fraction(abs(fill.quantity)), price: fraction(fill.price), fee: fraction(fill.fee),
        time: fill.time, seq: fill.seq, signal: fill.signal, exec_type: fill.execType, visible: fill.visible,
      })),
      legs: legs.map((leg) => ({
        ...this.owner(leg.fill.account), exec_id: leg.fill.execId, order_id: leg.fill.orderId, symbol: leg.fill.symbol, idx: leg.fill.index,
        cycle: leg.cycle, relationship: leg.relationship, size_delta: fraction(leg.sizeDelta), before: fraction(leg.before),
        after: fraction(leg.after), price: fraction(leg.fill.price), time: leg.fill.time, seq: leg.fill.seq, leg: leg.leg,
        signal: leg.fill.signal, visible: leg.fill.visible, fee: fraction(leg.fee), ...(leg.fill.swappable ? { swappable: true } : {}),
      })),
      funding: cash.map(({ fold, event, cycle }) => ({
        ...this.owner(fold.account), exec_id: event.execId, symbol: fold.symbol, idx: event.index, cycle,
        fee: fraction(event.amount), time: event.time, seq: event.seq,
      })),
      results: {
        'pro-rata': folds.flatMap((fold) => fold.results['pro-rata']).map((row) => this.result(row)),
        fifo: folds.flatMap((fold) => fold.results.fifo).map((row) => this.result(row)),
      },
      start,
      stats: { ...stats, fills: fills.length },
      books: folds.map((fold) => ({
        ...this.owner(fold.account), symbol: fold.symbol, idx: fold.index, size: fraction(fold.size), entry: fraction(fold.average),
        cum: fraction(fold.cum), cycle: fold.cycle,
      })),
    };
  }

  private owner(account: string): { account?: string } {
    return this.named ? { account } : {};
  }

  private result(row: Earned) {
    return {
      ...this.owner(row.account), signal: row.signal, cycle: row.cycle, entry_qty: fraction(row.entryQuantity),
      entry_value: fraction(row.entryValue), exit_qty: fraction(row.exitQuantity), exit_value: fraction(row.exitValue),
      realized: fraction(row.realized), fees: fraction(row.fees), funding: fraction(row.funding),
    };
  }
}
