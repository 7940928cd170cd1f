import { BookFold, type TrueFill, type TrueLeg } from '../truth/fold.js';
import type { Truth } from '../truth/truth.js';
import type { Earned } from '../truth/lots.js';
import { abs, fraction } from './fixed.js';
import type { Message } from './frames.js';
import { priceOf, quantityOf } from './instrument.js';
import type { CashEvent, FillEvent, Market } from './market.js';


/** Writes down what is true while a session is made. */
export class Recorder {
  private readonly named: boolean;
  private readonly folds = new Map<Market, BookFold[]>();
  private readonly fills: { fill: TrueFill; upTo: number; hidden: boolean }[] = [];
  private readonly legs: TrueLeg[] = [];
  private readonly cash: { market: Market; event: CashEvent; cycle: string }[] = [];
  private readonly start: Record<string, string> = {};
  private readonly toldFills = new Set<string>();
  private readonly toldOrders = new Map<string, number>();

  constructor(markets: readonly Market[], named: boolean) {
    this.named = named;
    for (const market of markets) {
      const account = named ? `account-${market.account + 1}` : '';
      const inverse = market.on.category === 'inverse';
      this.folds.set(market, market.books.map((book) => new BookFold(account, market.on.symbol, book.index, inverse)));
    }
  }

  private foldOf(market: Market, index: number): BookFold {
    return (this.folds.get(market) as BookFold[]).find((fold) => fold.index === index) as BookFold;
  }

  /** The recording of this asset begins now. */
  begin(market: Market): void {
    for (const book of market.books) {
      const fold = this.foldOf(market, book.index);
      const sign = book.size < 0 ? -1n : 1n;
      fold.begin(sign * quantityOf(market.on, Math.abs(book.size)), book.cost, book.cumRealised);
      if (book.size !== 0) this.start[`${this.named ? `${fold.account}|` : ''}${fold.cycleName}`] = fraction(fold.size);
    }
  }

  record(market: Market, event: FillEvent | CashEvent): void {
    if (event.kind === 'cash') {
      this.cash.push({ market, event, cycle: this.foldOf(market, event.index).cash(event.amount) });
      return;
    }
    const { order } = event;
    const fold = this.foldOf(market, order.index);
    const quantity = quantityOf(market.on, event.lots);
    const fill: TrueFill = {
      account: fold.account, symbol: market.on.symbol, inverse: fold.inverse, index: order.index, execId: event.execId,
      orderId: order.orderId, quantity: order.side === 'Buy' ? quantity : -quantity, price: priceOf(market.on, event.ticks),
      fee: event.fee, time: event.time, seq: event.seq, signal: order.signal, execType: order.execType, visible: true,
      swappable: event.swept,
    };
    this.fills.push({ fill, upTo: event.fromLots + event.lots, hidden: order.hidden });
    this.legs.push(...fold.fill(fill));
  }

  delivered(message: Message): void {
    for (const execId of message.execIds ?? []) this.toldFills.add(execId);
    if (message.told) {
      const { orderId, lots } = message.told;
      this.toldOrders.set(orderId, Math.max(lots, this.toldOrders.get(orderId) ?? 0));
    }
  }

  truth(scenario: string, seed: number, stats: Record<string, number>): Truth {
    for (const { fill, upTo } of this.fills) {
      fill.visible = this.toldFills.has(fill.execId) || (this.toldOrders.get(fill.orderId) ?? 0) >= upTo;
    }
    const folds = [...this.folds.values()].flat();
    return {
      scenario,
      seed,
      fills: this.fills.map(({ fill }) => ({
        ...this.owner(fill.account), exec_id: fill.execId, order_id: fill.orderId, symbol: fill.symbol, idx: fill.index,
        side: fill.quantity > 0n ? 'Buy' : 'Sell', qty: fraction(abs(fill.quantity)), price: fraction(fill.price), fee: fraction(fill.fee),
        time: fill.time, seq: fill.seq, signal: fill.signal, exec_type: fill.execType, visible: fill.visible,
      })),
      legs: this.legs.map((leg) => ({
        ...this.owner(leg.fill.account), exec_id: leg.fill.execId, order_id: leg.fill.orderId, symbol: leg.fill.symbol, idx: leg.fill.index,
        cycle: leg.cycle, relationship: leg.relationship, size_delta: fraction(leg.sizeDelta), before: fraction(leg.before),
        after: fraction(leg.after), price: fraction(leg.fill.price), time: leg.fill.time, seq: leg.fill.seq, leg: leg.leg,
        signal: leg.fill.signal, visible: leg.fill.visible, fee: fraction(leg.fee), ...(leg.fill.swappable ? { swappable: true } : {}),
      })),
      funding: this.cash.map(({ market, event, cycle }) => ({
        ...this.owner(this.foldOf(market, event.index).account), exec_id: event.execId, symbol: market.on.symbol, idx: event.index, cycle,
        fee: fraction(event.amount), time: event.time, seq: event.seq,
      })),
      results: {
        'pro-rata': folds.flatMap((fold) => fold.results['pro-rata']).map((row) => this.result(row)),
        fifo: folds.flatMap((fold) => fold.results.fifo).map((row) => this.result(row)),
      },
      start: this.start,
      stats: { ...stats, fills: this.fills.length },
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
