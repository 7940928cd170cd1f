import { abs, ONE, type Fixed } from '../simulator/fixed.js';
import { notional } from '../simulator/instrument.js';
import { CycleLots, POLICIES, type Earned, type Policy } from './lots.js';

/** A fill as the account really traded it. */
export interface TrueFill {
  account: string;
  symbol: string;
  inverse: boolean;
  index: number;
  execId: string;
  orderId: string;
  /** Signed. */
  quantity: Fixed;
  price: Fixed;
  fee: Fixed;
  time: number;
  seq: number;
  signal: string | null;
  execType: string;
  visible: boolean;
  swappable: boolean;
  /** Part of the fee that only its execution shows. */
  tax: Fixed;
  /** Known only as what an order had done when it was first seen. */
  firstSeen: boolean;
  /** Of a fill merged from several, in their sequence: each part's quantity (positive) and price. */
  parts?: readonly { quantity: Fixed; price: Fixed }[];
  /** What the part beyond zero is worth, where a record says it of a fill of which only totals are told. */
  opening?: Fixed;
}

/** Notional of the part of a fill from `from` to `from + quantity` of its unsigned quantity. */
export function valueOf(fill: TrueFill, from: Fixed, quantity: Fixed): Fixed {
  if (fill.opening !== undefined && quantity < abs(fill.quantity)) return from > 0n ? fill.opening : tradedFor(fill, 0n, abs(fill.quantity)) - fill.opening;
  return tradedFor(fill, from, quantity);
}

function tradedFor(fill: TrueFill, from: Fixed, quantity: Fixed): Fixed {
  if (!fill.parts) return notional(fill.inverse, quantity, fill.price);
  let value = 0n;
  let at = 0n;
  for (const part of fill.parts) {
    const low = at > from ? at : from;
    const high = at + part.quantity < from + quantity ? at + part.quantity : from + quantity;
    if (high > low) value += notional(fill.inverse, high - low, part.price);
    at += part.quantity;
  }
  return value;
}

export interface TrueCash {
  execId: string;
  /** Whether its row came. */
  visible: boolean;
  amount: Fixed;
  time: number;
  seq: number;
}

export type Relationship = 'opened' | 'increased' | 'decreased' | 'closed' | 'reversed';

/** The part of a fill that belongs to one cycle. */
export interface TrueLeg {
  fill: TrueFill;
  leg: 0 | 1;
  cycle: string;
  relationship: Relationship;
  sizeDelta: Fixed;
  before: Fixed;
  after: Fixed;
  /** The leg's share of the fill's fee and notional. */
  fee: Fixed;
  value: Fixed;
}

/** Folds one book's fills and cash in order into legs, cycles and results: small and slow on purpose. */
export class BookFold {
  readonly account: string;
  readonly symbol: string;
  readonly index: number;
  readonly inverse: boolean;
  size: Fixed = 0n;
  cost: Fixed = 0n;
  cum: Fixed = 0n;
  cycle = 0;
  readonly results: Record<Policy, Earned[]> = { 'pro-rata': [], fifo: [] };
  private lots: Record<Policy, CycleLots> | null = null;
  /** Of the last fill: what it closed, and the gross PnL of that in the average-cost view. */
  closed: Fixed = 0n;
  pnl: Fixed = 0n;

  constructor(account: string, symbol: string, index: number, inverse: boolean) {
    this.account = account;
    this.symbol = symbol;
    this.index = index;
    this.inverse = inverse;
  }

  get cycleName(): string {
    return `${this.symbol}:${this.index}:${this.cycle}`;
  }

  get average(): Fixed {
    if (this.size === 0n) return 0n;
    return this.inverse ? (abs(this.size) * ONE) / this.cost : (this.cost * ONE) / abs(this.size);
  }

  /** The book as the recording finds it: its open lots belong to no signal, their entry fee was paid before. */
  begin(size: Fixed, cost: Fixed, cum: Fixed): void {
    this.cum = cum;
    if (size === 0n) return;
    this.newCycle();
    this.size = size;
    this.cost = cost;
    for (const policy of POLICIES) this.openLots(policy, null, abs(size), cost, 0n);
  }

  private newCycle(): void {
    this.cycle++;
    const make = (policy: Policy) => new CycleLots(policy, this.account, this.cycleName);
    this.lots = { 'pro-rata': make('pro-rata'), fifo: make('fifo') };
  }

  private openLots(policy: Policy, signal: string | null, quantity: Fixed, value: Fixed, fee: Fixed): void {
    const lots = (this.lots as Record<Policy, CycleLots>)[policy];
    const known = lots.earned.has(signal);
    lots.open(signal, quantity, value, fee);
    if (!known) this.results[policy].push(lots.earned.get(signal) as Earned);
  }

  fill(fill: TrueFill): TrueLeg[] {
    const legs: TrueLeg[] = [];
    const quantity = abs(fill.quantity);
    const sign = fill.quantity < 0n ? -1n : 1n;
    const closing = this.size !== 0n && this.size > 0n !== fill.quantity > 0n;
    const closed = closing ? (quantity < abs(this.size) ? quantity : abs(this.size)) : 0n;
    const opened = quantity - closed;
    const closingFee = opened === 0n ? fill.fee : (fill.fee * closed) / quantity;
    this.closed = closed;
    this.pnl = 0n;
    if (closed > 0n) {
      const before = this.size;
      const value = valueOf(fill, 0n, closed);
      const part = closed === abs(before) ? this.cost : (this.cost * closed) / abs(before);
      const gain = before > 0n === this.inverse ? -1n : 1n;
      this.pnl = gain * (value - part);
      for (const policy of POLICIES) {
        (this.lots as Record<Policy, CycleLots>)[policy].close(fill.signal, closed, value, closingFee, gain);
      }
      this.cost -= part;
      this.size += sign * closed;
      this.cum += this.pnl - closingFee;
      const relationship = this.size !== 0n ? 'decreased' : opened > 0n ? 'reversed' : 'closed';
      legs.push({ fill, leg: 0, cycle: this.cycleName, relationship, sizeDelta: sign * closed, before, after: this.size, fee: closingFee, value });
    }
    if (opened > 0n) {
      const before = this.size;
      const fee = fill.fee - (closed > 0n ? closingFee : 0n);
      const value = valueOf(fill, closed, opened);
      if (before === 0n) this.newCycle();
      for (const policy of POLICIES) this.openLots(policy, fill.signal, opened, value, fee);
      this.cost += value;
      this.size += sign * opened;
      this.cum -= fee;
      legs.push({
        fill, leg: closed > 0n ? 1 : 0, cycle: this.cycleName, relationship: before === 0n ? 'opened' : 'increased',
        sizeDelta: sign * opened, before, after: this.size, fee, value,
      });
    }
    return legs;
  }

  /** Cash of a flat book belongs to no lot and only moves the realised total. Returns the cycle it fell into. */
  cash(amount: Fixed): string {
    this.cum -= amount;
    if (this.size !== 0n) for (const policy of POLICIES) (this.lots as Record<Policy, CycleLots>)[policy].pay(amount);
    return this.cycleName;
  }
}
