import type { TrueFill } from '../truth/fold.js';
import { truthOf, type BookBegin, type Happened } from '../truth/truth-of.js';
import type { Truth } from '../truth/truth.js';
import type { Message } from './frames.js';
import { priceOf, quantityOf } from './instrument.js';
import type { CashEvent, FillEvent, Market } from './market.js';

/**
 * Writes down what is true while a session is made. What no delivered message told counts as untold: a fill of which neither
 * an execution nor an order message came is not visible, and a signal that no message named is none.
 */
export class Recorder {
  private readonly named: boolean;
  private readonly begins = new Map<Market, BookBegin[]>();
  private readonly events: { market: Market; event: FillEvent | CashEvent }[] = [];
  private readonly toldFills = new Set<string>();
  /** Totals in lots that messages of an order showed. */
  private readonly toldOrders = new Map<string, Set<number>>();
  /** Totals in lots at which told executions of an order end. */
  private readonly toldEnds = new Map<string, number[]>();
  private readonly namedOrders = new Set<string>();
  private readonly updates = new Map<string, Set<number>>();

  constructor(markets: readonly Market[], named: boolean) {
    this.named = named;
    for (const market of markets) this.begin(market);
  }

  private accountOf(market: Market): string {
    return this.named ? `account-${market.account + 1}` : '';
  }

  /** The recording of this asset begins now. */
  begin(market: Market): void {
    this.begins.set(market, market.books.map((book) => ({
      account: this.accountOf(market), symbol: market.on.symbol, index: book.index, inverse: market.on.category === 'inverse',
      size: (book.size < 0 ? -1n : 1n) * quantityOf(market.on, Math.abs(book.size)), cost: book.cost, cum: book.cumRealised,
    })));
  }

  record(market: Market, event: FillEvent | CashEvent): void {
    this.events.push({ market, event });
  }

  delivered(message: Message): void {
    for (const execId of message.execIds ?? []) this.toldFills.add(execId);
    for (const orderId of message.names ?? []) this.namedOrders.add(orderId);
    message.seqs?.forEach((seq, leg) => {
      const key = `${this.named ? `account-${message.account + 1}` : ''}|${message.symbol}|${message.seqs?.length === 1 ? 0 : leg + 1}`;
      const known = this.updates.get(key);
      if (known) known.add(seq);
      else this.updates.set(key, new Set([seq]));
    });
    if (message.told) {
      const { orderId, lots } = message.told;
      this.namedOrders.add(orderId);
      const totals = this.toldOrders.get(orderId);
      if (totals) totals.add(lots);
      else this.toldOrders.set(orderId, new Set([lots]));
    }
  }

  private fillOf(market: Market, event: FillEvent): TrueFill {
    const { order } = event;
    const quantity = quantityOf(market.on, event.lots);
    const totals = [...(this.toldOrders.get(order.orderId) ?? [])];
    const upTo = event.fromLots + event.lots;
    const told = this.toldFills.has(event.execId) || totals.some((lots) => lots >= upTo);
    return {
      account: this.accountOf(market), symbol: market.on.symbol, inverse: market.on.category === 'inverse', index: order.index,
      execId: event.execId, orderId: order.orderId, quantity: order.side === 'Buy' ? quantity : -quantity,
      price: priceOf(market.on, event.ticks), fee: event.fee, time: event.time, seq: event.seq,
      signal: told && this.namedOrders.has(order.orderId) ? order.signal : null, execType: order.execType, visible: told,
      swappable: event.swept, tax: event.tax, firstSeen: told && !this.toldFills.has(event.execId) && this.isFirstSeen(event, totals),
    };
  }

  /** Whether everything that was told of an order shows this fill done. */
  private isFirstSeen({ order, fromLots, lots }: FillEvent, totals: readonly number[]): boolean {
    return totals.every((total) => total >= fromLots + lots) && !(this.toldEnds.get(order.orderId) ?? []).some((end) => end <= fromLots);
  }

  /** Folds all that happened, once it is known what was told of it. */
  truth(scenario: string, seed: number, stats: Record<string, number>): Truth {
    for (const { event } of this.events) {
      if (event.kind !== 'fill' || !this.toldFills.has(event.execId)) continue;
      this.toldEnds.set(event.order.orderId, [...(this.toldEnds.get(event.order.orderId) ?? []), event.fromLots + event.lots]);
    }
    const happened = this.events.map(({ market, event }): Happened => event.kind === 'fill'
      ? { fill: this.fillOf(market, event) }
      : { cash: { ...event, visible: this.toldFills.has(event.execId) }, account: this.accountOf(market), symbol: market.on.symbol, index: event.index });
    const truth = truthOf(scenario, seed, stats, [...this.begins.values()].flat(), happened);
    if ((stats['dropped'] ?? 0) > 0) {
      for (const book of truth.books) {
        const seqs = [...(this.updates.get(`${book.account ?? ''}|${book.symbol}|${book.idx}`) ?? [])];
        book.updates = seqs.filter((seq) => seq >= 0).sort((a, b) => a - b);
        if (seqs.some((seq) => seq < 0)) book.never_traded = true;
      }
    }
    return truth;
  }
}
