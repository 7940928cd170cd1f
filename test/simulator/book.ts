import type { Fixed } from './fixed.js';
import { ONE } from './fixed.js';
import { notional, priceOf, quantityOf, type Instrument } from './instrument.js';

/** What one fill did to a position, in the exchange's average-cost view. */
export interface Applied {
  closedLots: number;
  /** Gross PnL of the closed part. */
  pnl: Fixed;
}

/** One position as the exchange keeps it: average cost, fees booked into the realised PnL. */
export class Book {
  readonly index: 0 | 1 | 2;
  /** Signed, in lots. */
  size = 0;
  /** Notional at entry, never negative. */
  cost: Fixed = 0n;
  cumRealised: Fixed = 0n;
  curRealised: Fixed = 0n;
  updatedAt: number;
  /** -1: never traded. */
  seq = -1;
  private readonly instrument: Instrument;

  constructor(instrument: Instrument, index: 0 | 1 | 2, updatedAt: number) {
    this.instrument = instrument;
    this.index = index;
    this.updatedAt = updatedAt;
  }

  get averageEntry(): Fixed {
    if (this.size === 0) return 0n;
    const quantity = quantityOf(this.instrument, Math.abs(this.size));
    return this.instrument.category === 'inverse' ? (quantity * ONE) / this.cost : (this.cost * ONE) / quantity;
  }

  /** A fill of `lots` (signed). A fill that crosses zero charges its whole fee to the new holding's curRealisedPnl. */
  fill(lots: number, ticks: number, fee: Fixed): Applied {
    const inverse = this.instrument.category === 'inverse';
    const price = priceOf(this.instrument, ticks);
    const closing = this.size !== 0 && this.size > 0 !== lots > 0;
    const closedLots = closing ? Math.min(Math.abs(lots), Math.abs(this.size)) : 0;
    let pnl = 0n;
    if (closedLots > 0) {
      const open = Math.abs(this.size);
      const part = closedLots === open ? this.cost : (this.cost * BigInt(closedLots)) / BigInt(open);
      const exit = notional(inverse, quantityOf(this.instrument, closedLots), price);
      pnl = this.size > 0 === inverse ? part - exit : exit - part;
      this.cost -= part;
    }
    const openedLots = Math.abs(lots) - closedLots;
    const startsAnew = openedLots > 0 && Math.abs(this.size) === closedLots;
    this.cumRealised += pnl - fee;
    this.curRealised = startsAnew ? -fee : this.curRealised + pnl - fee;
    if (openedLots > 0) this.cost += notional(inverse, quantityOf(this.instrument, openedLots), price);
    this.size += lots;
    return { closedLots, pnl };
  }

  /** Funding or another cash event; positive = paid. */
  pay(amount: Fixed): void {
    this.cumRealised -= amount;
    this.curRealised -= amount;
  }
}
