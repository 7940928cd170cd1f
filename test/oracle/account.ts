import { abs, divide, min, type Decimal } from '../../src/domain/decimal.js';
import type { RelationshipType } from '../../src/domain/records.js';
import { split } from './evidence.js';

export type Policy = 'pro-rata' | 'fifo';

interface Lot {
  signal: string | null;
  quantity: Decimal;
  cost: Decimal;
}

/** What a leg moves: sums per (signal, cycle, kind). */
export interface Sum {
  quantity: Decimal;
  value: Decimal;
  realized: Decimal;
  fee: Decimal;
  funding: Decimal;
}

export interface OracleCycle {
  n: number;
  firstSeq: number | null;
  lastSeq: number | null;
  sign: 1n | -1n;
  openedAt: number;
  closedAt: number | null;
  maxSize: Decimal;
  exitQuantity: Decimal;
  exitValue: Decimal;
  fees: Decimal;
  funding: Decimal;
  realized: Decimal;
}

export interface OracleLeg {
  cycle: OracleCycle;
  leg: number;
  relationship: RelationshipType;
  before: Decimal;
  after: Decimal;
  fee: Decimal;
  value: Decimal;
}

/** A trade to be booked: a fill, or a residual of which nothing but the size is known. */
export interface Trade {
  /** Signed. */
  quantity: Decimal;
  /** Notional of a part of the trade: the closing one first. */
  valueOf(closed: Decimal, opened: Decimal, account: Account): { closing: Decimal; opening: Decimal };
  fee: Decimal;
  signal: string | null;
  seq: number | null;
  at: number;
  kind: 'fill' | 'residual' | 'start';
}

/** One book being folded: size, the exchange's average cost and total, the lots, cycles and sums. Copied to try things. */
export class Account {
  size: Decimal = 0n;
  /** Average-cost view of the exchange. */
  cost: Decimal = 0n;
  cum: Decimal = 0n;
  /** Of the last trade: its closed part and the gross result of that in the average-cost view. */
  closed: Decimal = 0n;
  pnl: Decimal = 0n;
  cycle: OracleCycle | null = null;
  cycles: OracleCycle[] = [];
  lots: Lot[] = [];
  sums = new Map<string, Sum>();
  readonly inverse: boolean;
  readonly policy: Policy;

  constructor(inverse: boolean, policy: Policy) {
    this.inverse = inverse;
    this.policy = policy;
  }

  copy(): Account {
    return Object.assign(new Account(this.inverse, this.policy), structuredClone({ ...this }), { cycle: null }, this.#copiedCycles());
  }

  #copiedCycles(): Pick<Account, 'cycles' | 'cycle' | 'sums'> {
    const cycles = this.cycles.map((cycle) => ({ ...cycle }));
    return { cycles, cycle: this.cycle === null ? null : cycles[this.cycles.indexOf(this.cycle)]!, sums: new Map([...this.sums].map(([key, sum]) => [key, { ...sum }])) };
  }

  add(signal: string | null, cycle: OracleCycle, kind: string, change: Partial<Sum>): void {
    const key = `${signal ?? ''}|${this.cycles.indexOf(cycle)}|${kind}`;
    const sum = this.sums.get(key) ?? { quantity: 0n, value: 0n, realized: 0n, fee: 0n, funding: 0n };
    for (const name of Object.keys(change) as (keyof Sum)[]) sum[name] += change[name]!;
    this.sums.set(key, sum);
    cycle.fees += change.fee ?? 0n;
    cycle.funding += change.funding ?? 0n;
    cycle.realized += change.realized ?? 0n;
  }

  trade(trade: Trade): OracleLeg[] {
    const quantity = abs(trade.quantity);
    const sign = trade.quantity > 0n ? 1n : -1n;
    const closes = this.size !== 0n && this.size > 0n !== trade.quantity > 0n;
    const closed = closes ? min(quantity, abs(this.size)) : 0n;
    const opened = quantity - closed;
    const value = trade.valueOf(closed, opened, this);
    const [closingFee, openingFee] = split(trade.fee, [closed, opened]) as [Decimal, Decimal];
    const legs: OracleLeg[] = [];
    this.closed = closed;
    this.pnl = 0n;
    if (closed > 0n) {
      const before = this.size;
      this.size += sign * closed;
      const cycle = this.#close(trade, closed, value.closing, closingFee);
      const relationship = this.size !== 0n ? 'decreased' : opened > 0n ? 'reversed' : 'closed';
      legs.push({ cycle, leg: 0, relationship, before, after: this.size, fee: closingFee, value: value.closing });
    }
    if (opened > 0n) {
      const before = this.size;
      this.size += sign * opened;
      const cycle = this.#open(trade, sign, opened, value.opening, openingFee, before === 0n);
      legs.push({ cycle, leg: legs.length, relationship: before === 0n ? 'opened' : 'increased', before, after: this.size, fee: openingFee, value: value.opening });
    }
    return legs;
  }

  #close(trade: Trade, quantity: Decimal, value: Decimal, fee: Decimal): OracleCycle {
    const cycle = this.cycle!;
    const gain = cycle.sign * (this.inverse ? -1n : 1n);
    const wasOpen = abs(this.size) + quantity;
    const averageCost = this.size === 0n ? this.cost : split(this.cost, [quantity, wasOpen - quantity])[0]!;
    this.pnl = gain * (value - averageCost);
    this.cost -= averageCost;
    this.cum += this.pnl - fee;
    const taken = this.#take(trade, quantity).filter(({ part }) => part > 0n);
    const weights = taken.map(({ part }) => part);
    const values = split(value, weights);
    const fees = split(fee, weights);
    taken.forEach(({ lot, part }, i) => {
      const cost = part === lot.quantity ? lot.cost : split(lot.cost, [part, lot.quantity - part])[0]!;
      lot.quantity -= part;
      lot.cost -= cost;
      this.add(lot.signal, cycle, trade.kind === 'residual' ? 'residual' : 'exit', { quantity: part, value: values[i]!, realized: gain * (values[i]! - cost), fee: fees[i]! });
    });
    this.lots = this.lots.filter((lot) => lot.quantity > 0n);
    cycle.lastSeq = trade.seq;
    if (trade.kind !== 'residual') {
      cycle.exitQuantity += quantity;
      cycle.exitValue += value;
    }
    if (this.size === 0n) {
      cycle.closedAt = trade.at;
      this.cycle = null;
    }
    return cycle;
  }

  /** How much of a closing quantity each lot gives. */
  #take(trade: Trade, quantity: Decimal): { lot: Lot; part: Decimal }[] {
    if (this.policy === 'pro-rata') return split(quantity, this.lots.map((lot) => lot.quantity)).map((part, i) => ({ lot: this.lots[i]!, part }));
    const own = this.lots.filter((lot) => trade.signal !== null && lot.signal === trade.signal);
    let left = quantity;
    return [...own, ...this.lots.filter((lot) => !own.includes(lot))].map((lot) => {
      const part = min(left, lot.quantity);
      left -= part;
      return { lot, part };
    });
  }

  #open(trade: Trade, sign: 1n | -1n, quantity: Decimal, value: Decimal, fee: Decimal, anew: boolean): OracleCycle {
    if (anew) {
      const n = this.cycles.filter((cycle) => cycle.firstSeq === trade.seq).length;
      this.cycle = {
        n, firstSeq: trade.seq, lastSeq: trade.seq, sign, openedAt: trade.at, closedAt: null, maxSize: 0n, exitQuantity: 0n, exitValue: 0n,
        fees: 0n, funding: 0n, realized: 0n,
      };
      this.cycles.push(this.cycle);
      this.cost = 0n;
    }
    const cycle = this.cycle!;
    cycle.lastSeq = trade.seq;
    if (abs(this.size) > cycle.maxSize) cycle.maxSize = abs(this.size);
    this.cost += value;
    this.cum -= fee;
    const own = this.policy === 'pro-rata' ? this.lots.find((lot) => lot.signal === trade.signal) : undefined;
    if (own === undefined) this.lots.push({ signal: trade.signal, quantity, cost: value });
    else {
      own.quantity += quantity;
      own.cost += value;
    }
    // What a residual opens is an entry too: by its kind a result tells what came in from what went out.
    this.add(trade.signal, cycle, 'entry', { quantity, value, fee });
    return cycle;
  }

  /** Money without quantity goes to the open lots by quantity; a flat book's to no signal, in its last cycle. */
  pay(amount: Decimal): void {
    this.cum -= amount;
    if (this.cycle === null) {
      const last = this.cycles.at(-1);
      if (last !== undefined) this.add(null, last, 'funding', { funding: amount });
      return;
    }
    split(amount, this.lots.map((lot) => lot.quantity)).forEach((part, i) => this.add(this.lots[i]!.signal, this.cycle!, 'funding', { funding: part }));
  }

  /** Money that fills should have explained and did not. */
  adjust(amount: Decimal): void {
    this.cum += amount;
    const cycle = this.cycle ?? this.cycles.at(-1);
    if (cycle !== undefined) this.add(null, cycle, 'residual', { realized: amount });
  }

  get averageEntry(): Decimal {
    return this.inverse ? divide(abs(this.size), this.cost) : divide(this.cost, abs(this.size));
  }
}
