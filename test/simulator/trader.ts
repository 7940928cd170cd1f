import type { Order } from './frames.js';
import type { Market, Step } from './market.js';
import type { Plan, Trouble } from './options.js';
import type { Random } from './random.js';

/** An order with what is still going to happen to it: one list of fill sizes per matching event. */
interface Working {
  order: Order;
  matches: number[][];
  cancelled: boolean;
  cancelledTooLate: boolean;
}

const EXTERNAL = [
  ['CreateByTakeProfit', 'Trade'], ['CreateByStopLoss', 'Trade'], ['CreateByTrailingStop', 'Trade'], ['CreateByClosing', 'Trade'],
  ['CreateByLiq', 'BustTrade'], ['CreateByAdl_PassThrough', 'AdlTrade'],
] as const;

/** A marker between the orders before the recording and those in it. */
export interface Started {
  started: true;
  at: number;
}

/** Trades one asset until its share of the orders is done; every yielded step is later than the one before. */
export class Trader {
  private readonly market: Market;
  private readonly trouble: Trouble;
  private readonly random: Random;
  private readonly working: Working[] = [];
  private readonly signals: string[] = [];
  private clock: number;
  private readonly meanGap: number;

  constructor(market: Market, plan: Plan, random: Random) {
    this.market = market;
    this.trouble = plan.trouble;
    this.random = random;
    this.clock = plan.startTimeMs;
    this.meanGap = plan.meanGapMs * plan.assets * plan.accounts;
    this.clock += random.int(0, this.meanGap);
  }

  *run(orders: number): Generator<Step | Started> {
    const before = Math.floor(orders * this.trouble.midStart);
    for (let n = 0; n < orders; n++) {
      if (this.trouble.midStart > 0 && n === before) {
        for (const step of this.finish()) void step;
        yield { started: true, at: this.tick(20, 40) };
      }
      this.tick(Math.floor(this.meanGap * 0.2), Math.floor(this.meanGap * 1.5));
      const steps = this.order();
      for (const step of steps) if (n >= before) yield step;
    }
    yield* this.finish();
  }

  private tick(low: number, high: number): number {
    this.clock += Math.max(1, this.random.int(low, high));
    return this.clock;
  }

  /** One order, alone or among others that are still working. */
  private *order(): Generator<Step> {
    const { random, trouble, market } = this;
    market.markTicks = Math.max(100, market.markTicks + Math.round((market.markTicks * random.int(-60, 60)) / 10000));
    if (random.chance(trouble.settings)) yield market.settingChanged(this.clock);
    if (random.chance(trouble.funding)) {
      for (const step of market.fund(this.clock)) yield step;
      this.tick(20, 60);
    }
    const open = market.books.filter((book) => book.size !== 0);
    if (open.length > 0 && random.chance(trouble.external)) return yield* this.external();
    if (random.chance(trouble.sweep)) return yield* this.sweep();
    const made = this.plannedOrder(random.chance(0.5));
    if (!made.order.market || random.chance(0.4)) yield market.accept(made.order, this.clock);
    this.working.push(made);
    const most = Math.max(1, trouble.overlap);
    if (most === 1) return yield* this.finish();
    while (this.working.length >= most || (this.working.length > 0 && random.chance(0.5))) {
      this.tick(3, 300);
      yield* this.advance(random.int(0, this.working.length - 1));
    }
  }

  private *finish(): Generator<Step> {
    while (this.working.length > 0) {
      this.tick(2, this.random.chance(0.4) ? 400 : 40);
      yield* this.advance(0);
    }
  }

  /** The next thing that happens to one working order. */
  private *advance(position: number): Generator<Step> {
    const next = this.working[position] as Working;
    const { order } = next;
    const lots = next.matches[0];
    if (!lots || this.wouldCrossLeg(order, lots)) {
      this.working.splice(position, 1);
      if (order.filledLots < order.lots) yield this.market.cancel(order, this.clock);
      return;
    }
    next.matches.shift();
    const step = this.market.match([{ order, lots }], this.clock);
    if (next.matches.length === 0 && !next.cancelled) {
      this.working.splice(position, 1);
      const seq = (step.events[0] as { seq: number }).seq;
      if (next.cancelledTooLate) step.messages.push(this.market.cancelTooLate(order, seq, this.clock));
    }
    yield step;
  }

  /** A hedge leg stops at zero: the exchange cancels what would go on. */
  private wouldCrossLeg(order: Order, lots: readonly number[]): boolean {
    if (!this.market.hedge) return false;
    const size = this.market.book(order.index).size;
    const closing = size !== 0 ? size > 0 !== (order.side === 'Buy') : (order.index === 1) !== (order.side === 'Buy');
    return closing && lots.reduce((sum, part) => sum + part, 0) > Math.abs(size);
  }

  private link(): { linkId: string; signal: string | null } {
    if (this.random.chance(this.trouble.noSignal)) return { linkId: '', signal: null };
    const reuse = this.signals.length > 0 && this.random.chance(this.trouble.sharedSignals);
    const signal = reuse ? this.random.pick(this.signals) : this.random.hex32();
    if (!reuse && this.trouble.sharedSignals > 0) {
      this.signals.push(signal);
      if (this.signals.length > 6) this.signals.shift();
    }
    return { linkId: `${signal}_${this.random.int(1, 9)}`, signal };
  }

  private newOrder(index: 0 | 1 | 2, side: 'Buy' | 'Sell', lots: number, market: boolean, kind?: (typeof EXTERNAL)[number], hidden = false): Order {
    const { linkId, signal } = kind ? { linkId: '', signal: null } : this.link();
    return {
      orderId: this.random.uuid(), linkId, signal, side, index, lots, limitTicks: this.market.markTicks, market, hidden,
      createType: kind?.[0] ?? 'CreateByUser', execType: kind?.[1] ?? 'Trade', createdAt: this.clock,
      filledLots: 0, filledValue: 0n, feeUnits: 0n,
    };
  }

  /** Opens, adds, takes off, closes, or goes through zero. */
  private intent(): { index: 0 | 1 | 2; side: 'Buy' | 'Sell'; lots: number } {
    const { random, market } = this;
    const index = market.hedge ? random.pick([1, 2] as const) : 0;
    const size = market.book(index).size;
    const some = random.int(1, market.on.largestLots);
    if (size === 0) return { index, side: index === 1 || (index === 0 && random.chance(0.5)) ? 'Buy' : 'Sell', lots: some };
    const away = size > 0 ? 'Sell' : 'Buy';
    if (!market.hedge && random.chance(this.trouble.reversals)) return { index, side: away, lots: Math.abs(size) + some };
    if (random.chance(0.6)) return { index, side: away, lots: random.chance(0.5) ? Math.abs(size) : random.int(1, Math.abs(size)) };
    return { index, side: size > 0 ? 'Buy' : 'Sell', lots: some };
  }

  private plannedOrder(market: boolean): Working {
    const { index, side, lots } = this.intent();
    const matches = this.split(lots);
    const cancelled = this.random.chance(0.07);
    if (cancelled) matches.splice(this.random.int(0, matches.length - 1));
    return { order: this.newOrder(index, side, lots, market), matches, cancelled, cancelledTooLate: !cancelled && this.random.chance(0.05) };
  }

  /** Cuts a quantity into matching events, and some of those into several fills. */
  private split(lots: number): number[][] {
    const events = this.random.chance(0.35) ? this.cut(lots, this.random.int(2, 5)) : [lots];
    return events.map((part) => (this.random.chance(0.2) ? this.cut(part, this.random.int(2, 5)) : [part]));
  }

  private cut(lots: number, pieces: number): number[] {
    const parts: number[] = [];
    let left = lots;
    for (let i = 1; i < pieces && left > 1; i++) {
      const part = this.random.int(1, Math.max(1, Math.floor((left * 2) / pieces)));
      parts.push(Math.min(part, left - 1));
      left -= parts[parts.length - 1] as number;
    }
    parts.push(left);
    return parts;
  }

  private *external(): Generator<Step> {
    const { random, market } = this;
    const book = random.pick(market.books.filter((one) => one.size !== 0));
    const lots = random.chance(0.6) ? Math.abs(book.size) : random.int(1, Math.abs(book.size));
    const hidden = random.chance(this.trouble.hidden);
    const order = this.newOrder(book.index, book.size > 0 ? 'Sell' : 'Buy', lots, true, random.pick(EXTERNAL), hidden);
    for (const part of this.cut(lots, random.chance(0.3) ? 3 : 1)) {
      yield market.match([{ order, lots: [part] }], this.clock);
      this.tick(2, 30);
    }
  }

  private *sweep(): Generator<Step> {
    const { random, market } = this;
    const wanted = this.intent();
    const pieces = this.cut(wanted.lots, random.chance(0.8) ? 2 : 3);
    const orders = pieces.map((lots) => this.newOrder(wanted.index, wanted.side, lots, false));
    for (const order of orders) {
      yield market.accept(order, this.clock);
      this.tick(5, 40);
    }
    yield market.match(orders.map((order) => ({ order, lots: random.chance(0.4) ? this.cut(order.lots, 2) : [order.lots] })), this.clock);
  }
}
