import { Book } from './book.js';
import { awayFromZero8, decimalText, fromUnits8, money8, ONE, type Fixed } from './fixed.js';
import {
  CANCELLED, executionFrame, executionRow, OPEN, orderFrame, orderRow, positionFrame, positionRow, TOO_LATE,
  type Message, type Order, type Outcome,
} from './frames.js';
import { lotsText, notional, priceOf, quantityOf, ticksText, type Instrument } from './instrument.js';
import type { Trouble } from './options.js';
import type { Random } from './random.js';

/** One execution that changed a position. */
export interface FillEvent {
  kind: 'fill';
  order: Order;
  execId: string;
  lots: number;
  ticks: number;
  /** Execution fee and taxes. */
  fee: Fixed;
  /** The taxes in it. */
  tax: Fixed;
  time: number;
  seq: number;
  /** The order's total before this fill, in lots. */
  fromLots: number;
  /** One of several orders filled in this seq. */
  swept: boolean;
}

/** Funding paid (positive) or received by one leg. */
export interface CashEvent {
  kind: 'cash';
  index: 0 | 1 | 2;
  execId: string;
  amount: Fixed;
  time: number;
  seq: number;
}

/** What happened in one instant of one asset: what is true, and the messages about it. */
export interface Step {
  at: number;
  events: (FillEvent | CashEvent)[];
  messages: Message[];
}

/** Rates in millionths of the notional: taker, maker with rebate, maker. */
const TAKER = 550;
const MAKER = [-100, 200];
const TAX = 100;

/** One asset of one account: its books, its seq, and the messages each event causes. */
export class Market {
  readonly on: Instrument;
  readonly hedge: boolean;
  readonly books: Book[];
  readonly account: number;
  markTicks: number;
  seq: number;
  private readonly uid: number;
  private readonly random: Random;
  private readonly trouble: Trouble;
  private readonly createdAt: number;
  private lastTradeSeq = -1;
  private readonly never: string;

  constructor(on: Instrument, account: number, hedge: boolean, random: Random, trouble: Trouble, startMs: number) {
    this.on = on;
    this.account = account;
    this.uid = 900000001 + account;
    this.hedge = hedge;
    this.random = random;
    this.trouble = trouble;
    this.markTicks = on.firstTicks;
    this.createdAt = startMs - 86400000;
    this.seq = random.int(1, 99) * 1000000000 + random.int(0, 999999999);
    this.books = (hedge ? [1, 2] as const : [0] as const).map((index) => new Book(on, index, startMs - 1000));
    this.never = random.chance(0.5) ? '"-1"' : '-1';
  }

  book(index: number): Book {
    return this.books[this.hedge ? index - 1 : 0] as Book;
  }

  /** Every order event moves the seq of the leg it touches, whether or not the position changes. */
  private touch(index: number): number {
    this.seq += this.random.int(14, 9000);
    this.book(index).seq = this.seq;
    return this.seq;
  }

  private orderMessage(order: Order, outcome: Outcome, seq: number, at: number): Message {
    const quantity = quantityOf(this.on, order.filledLots);
    const inverse = this.on.category === 'inverse';
    const average = order.filledLots === 0 ? ''
      : money8(inverse ? (quantity * ONE) / order.filledValue : (order.filledValue * ONE) / quantity);
    const row = orderRow(this.on, order, outcome, at, average);
    return {
      topic: 'order', at: at + 4, account: this.account, symbol: this.on.symbol,
      frame: orderFrame(`${this.uid}_${this.on.symbol}_${seq}`, at + 4, row),
      told: { orderId: order.orderId, lots: order.filledLots },
    };
  }

  /** A position message; in hedge mode it carries both legs, each with its own seq. */
  positionMessage(at: number, seqs?: readonly number[]): Message {
    const used = seqs ?? this.books.map((book) => book.seq);
    const rows = this.books.map((book, i) => {
      const seq = used[i] as number;
      return positionRow(this.on, book, seq < 0 ? this.never : String(seq), this.markTicks, this.createdAt);
    });
    return {
      topic: 'position', at: at + 6, account: this.account, symbol: this.on.symbol, seqs: used,
      frame: positionFrame(`${this.uid}_position_${at + 6}`, at + 6, rows.join(',')),
    };
  }

  /** The latest state with the asset's latest seq on every leg. */
  snapshot(at: number): Step {
    for (const book of this.books) if (book.seq >= 0) book.seq = this.seq;
    return { at, events: [], messages: [this.positionMessage(at)] };
  }

  accept(order: Order, at: number): Step {
    const seq = this.touch(order.index);
    const message = this.orderMessage(order, { status: 'New', ...OPEN }, seq, at);
    return { at, events: [], messages: [message, this.positionMessage(at)] };
  }

  cancel(order: Order, at: number): Step {
    const seq = this.touch(order.index);
    return { at, events: [], messages: [this.orderMessage(order, CANCELLED, seq, at), this.positionMessage(at)] };
  }

  /** A cancel that lost the race: a second `Filled` under the fill's own seq, no position push. */
  cancelTooLate(order: Order, seq: number, at: number): Message {
    const message = this.orderMessage(order, TOO_LATE, seq, at);
    return { ...message, at: message.at + 5 };
  }

  settingChanged(at: number): Step {
    const seqs = this.books.map((book) => (book.seq < 0 || this.lastTradeSeq < 0 ? -1 : Math.min(book.seq, this.lastTradeSeq)));
    return { at, events: [], messages: [this.positionMessage(at, seqs)] };
  }

  /** One matching event: each order fills by its parts, in the given sequence; one position record after all of it. */
  match(parts: readonly { order: Order; lots: readonly number[] }[], at: number): Step {
    const seq = this.touch((parts[0] as { order: Order }).order.index);
    this.lastTradeSeq = seq;
    const events: FillEvent[] = [];
    const rows: string[] = [];
    const odd: string[] = [];
    const execIds: string[] = [];
    const names: string[] = [];
    const messages: Message[] = [];
    for (const { order, lots } of parts) {
      for (const part of lots) {
        const made = this.execute(order, part, at, seq, parts.length > 1);
        events.push(made.event);
        if (order.hidden) continue;
        rows.push(made.row);
        execIds.push(made.event.execId);
        if (made.named) names.push(order.orderId);
        if (this.random.chance(this.trouble.unknownTypes)) odd.push(made.oddRow());
      }
      const status = order.filledLots === order.lots ? 'Filled' : 'PartiallyFilled';
      if (!order.hidden) messages.push(this.orderMessage(order, { status, ...OPEN }, seq, at));
    }
    if (rows.length > 0) {
      if (parts.length > 1) this.random.shuffle(rows);
      const place = parts.length > 1 || this.random.chance(0.5) ? 0 : messages.length;
      const execution = (data: string): Message => ({
        topic: 'execution', at: at + 4, account: this.account, symbol: this.on.symbol,
        frame: executionFrame(`${this.uid}_${this.on.symbol}_${seq}`, at + 4, data),
      });
      messages.splice(place, 0, { ...execution(rows.join(',')), execIds, names });
      for (const row of odd) messages.push(execution(row));
    }
    messages.push(this.positionMessage(at));
    return { at, events, messages };
  }

  private execute(order: Order, lots: number, at: number, seq: number, swept: boolean) {
    const ticks = Math.max(1, order.limitTicks + this.random.int(-30, 30));
    const inverse = this.on.category === 'inverse';
    const quantity = quantityOf(this.on, lots);
    const value = notional(inverse, quantity, priceOf(this.on, ticks));
    const rate = order.market ? TAKER : this.random.pick(MAKER);
    const feeUnits = awayFromZero8((value * BigInt(rate)) / 1000000n);
    const taxUnits = this.random.chance(this.trouble.extraFees) ? awayFromZero8((value * BigInt(TAX)) / 1000000n) : 0n;
    const fee = fromUnits8(feeUnits + taxUnits);
    const book = this.book(order.index);
    const applied = book.fill(order.side === 'Buy' ? lots : -lots, ticks, fee);
    book.updatedAt = at;
    const event: FillEvent = {
      kind: 'fill', order, execId: this.random.uuid(), lots, ticks, fee, tax: fromUnits8(taxUnits), time: at, seq, fromLots: order.filledLots, swept,
    };
    order.filledLots += lots;
    order.filledValue += value;
    order.feeUnits += feeUnits;
    const tax = taxUnits === 0n ? '[]'
      : `[{"feeCoin":"${this.on.coin}","feeType":"UNKNOWN","subFeeType":"UNKNOWN","feeRate":"0.0001","fee":"${decimalText(taxUnits, 8)}"}]`;
    const shown = {
      orderId: order.orderId, linkId: order.linkId, orderPrice: ticksText(this.on, order.limitTicks),
      orderQuantity: lotsText(this.on, order.lots), orderType: order.market ? 'Market' : 'Limit', createType: order.createType,
      execId: event.execId, execType: order.execType, side: order.side, price: ticksText(this.on, ticks),
      quantity: lotsText(this.on, lots), value: money8(value), fee: decimalText(feeUnits, 8), feeRate: decimalText(rate, 6),
      leaves: lotsText(this.on, order.lots - order.filledLots), closedSize: lotsText(this.on, applied.closedLots),
      pnl: money8(applied.pnl), time: at, maker: !order.market, seq: this.random.chance(this.trouble.noSeq) ? -1 : seq,
      markPrice: ticksText(this.on, this.markTicks), extraFees: tax,
    };
    if (this.random.chance(this.trouble.unnamedExecutions)) shown.linkId = '';
    const oddRow = () => executionRow(this.on, {
      ...shown, execId: this.random.uuid(), execType: 'SomethingNew', fee: '0', closedSize: '0', pnl: '0',
    });
    return { event, row: executionRow(this.on, shown), named: shown.linkId !== '', oddRow };
  }

  /** Funding of every open leg, each under its own seq. */
  fund(at: number): Step[] {
    return this.books.filter((book) => book.size !== 0).map((book) => {
      const seq = this.touch(book.index);
      this.lastTradeSeq = seq;
      const lots = Math.abs(book.size);
      const value = notional(this.on.category === 'inverse', quantityOf(this.on, lots), priceOf(this.on, this.markTicks));
      const rate = this.random.pick([100, 100, 300, -50]);
      const units = awayFromZero8((value * BigInt(book.size > 0 ? rate : -rate)) / 1000000n);
      book.pay(fromUnits8(units));
      book.updatedAt = at;
      const execId = this.random.uuid();
      const price = ticksText(this.on, this.markTicks);
      const row = executionRow(this.on, {
        orderId: `${at}-${this.on.symbol}-${book.index}`, linkId: '', orderPrice: '0', orderQuantity: '0', orderType: 'UNKNOWN',
        createType: '', execId, execType: 'Funding', side: book.size > 0 ? 'Buy' : 'Sell', price, quantity: lotsText(this.on, lots),
        value: money8(value), fee: decimalText(units, 8), feeRate: decimalText(rate, 6), leaves: '0', closedSize: '0',
        pnl: '0', time: at, maker: false, seq, markPrice: price, extraFees: '[]',
      });
      const message: Message = {
        topic: 'execution', at: at + 4, account: this.account, symbol: this.on.symbol, execIds: [execId],
        frame: executionFrame(`${this.uid}_${this.on.symbol}_${seq}`, at + 4, row),
      };
      const event: CashEvent = { kind: 'cash', index: book.index, execId, amount: fromUnits8(units), time: at, seq };
      return { at, events: [event], messages: [message, this.positionMessage(at)] };
    });
  }
}
