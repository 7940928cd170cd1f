import { ONE, type Fixed } from '../simulator/fixed.js';

/** Which open lots a closing fill consumes. */
export type Policy = 'pro-rata' | 'fifo';

export const POLICIES: readonly Policy[] = ['pro-rata', 'fifo'];

/** What one signal earned in one cycle; values are in the settle coin. */
export interface Earned {
  account: string;
  signal: string | null;
  cycle: string;
  entryQuantity: Fixed;
  entryValue: Fixed;
  exitQuantity: Fixed;
  exitValue: Fixed;
  /** Gross. */
  realized: Fixed;
  fees: Fixed;
  funding: Fixed;
}

interface Lot {
  earned: Earned;
  quantity: Fixed;
  cost: Fixed;
}

/** The open lots of one cycle under one policy, with what their signals earned. */
export class CycleLots {
  readonly earned = new Map<string | null, Earned>();
  private lots: Lot[] = [];
  private readonly policy: Policy;
  private readonly account: string;
  private readonly cycle: string;

  constructor(policy: Policy, account: string, cycle: string) {
    this.policy = policy;
    this.account = account;
    this.cycle = cycle;
  }

  private earnedBy(signal: string | null): Earned {
    let found = this.earned.get(signal);
    if (!found) {
      found = {
        account: this.account, signal, cycle: this.cycle, entryQuantity: 0n, entryValue: 0n, exitQuantity: 0n, exitValue: 0n,
        realized: 0n, fees: 0n, funding: 0n,
      };
      this.earned.set(signal, found);
    }
    return found;
  }

  open(signal: string | null, quantity: Fixed, value: Fixed, fee: Fixed): void {
    const earned = this.earnedBy(signal);
    earned.entryQuantity += quantity;
    earned.entryValue += value;
    earned.fees += fee;
    const own = this.policy === 'pro-rata' ? this.lots.find((lot) => lot.earned === earned) : undefined;
    if (own) {
      own.quantity += quantity;
      own.cost += value;
    } else this.lots.push({ earned, quantity, cost: value });
  }

  /** Takes `quantity` off the lots at an exit worth `value`; `gain` is +1 where a higher value is a profit, else -1. */
  close(signal: string | null, quantity: Fixed, value: Fixed, fee: Fixed, gain: 1n | -1n): void {
    const taken = this.policy === 'fifo' ? this.oldestFirst(signal, quantity) : this.evenly(quantity);
    let leftValue = value;
    let leftFee = fee;
    taken.forEach(({ lot, part }, i) => {
      const last = i === taken.length - 1;
      const exit = last ? leftValue : (value * part) / quantity;
      const paid = last ? leftFee : (fee * part) / quantity;
      const cost = part === lot.quantity ? lot.cost : (lot.cost * part) / lot.quantity;
      leftValue -= exit;
      leftFee -= paid;
      lot.quantity -= part;
      lot.cost -= cost;
      lot.earned.exitQuantity += part;
      lot.earned.exitValue += exit;
      lot.earned.realized += gain * (exit - cost);
      lot.earned.fees += paid;
    });
    this.lots = this.lots.filter((lot) => lot.quantity > 0n);
  }

  /** Funding goes to the open lots by quantity. */
  pay(amount: Fixed): void {
    const total = this.lots.reduce((sum, lot) => sum + lot.quantity, 0n);
    let left = amount;
    this.lots.forEach((lot, i) => {
      const part = i === this.lots.length - 1 ? left : (amount * lot.quantity) / total;
      left -= part;
      lot.earned.funding += part;
    });
  }

  private oldestFirst(signal: string | null, quantity: Fixed): { lot: Lot; part: Fixed }[] {
    const own = signal === null ? [] : this.lots.filter((lot) => lot.earned.signal === signal);
    const order = [...own, ...this.lots.filter((lot) => !own.includes(lot))];
    const taken: { lot: Lot; part: Fixed }[] = [];
    let left = quantity;
    for (const lot of order) {
      if (left === 0n) break;
      const part = lot.quantity < left ? lot.quantity : left;
      taken.push({ lot, part });
      left -= part;
    }
    return taken;
  }

  private evenly(quantity: Fixed): { lot: Lot; part: Fixed }[] {
    const total = this.lots.reduce((sum, lot) => sum + lot.quantity, 0n);
    let left = quantity;
    return this.lots.map((lot, i) => {
      const share = quantity === total ? lot.quantity : (lot.quantity * quantity) / total;
      const part = i === this.lots.length - 1 ? left : share;
      left -= part;
      return { lot, part };
    });
  }
}

/** Entry price of a holding: value per quantity; inverse contracts quantity per value. */
export function averagePrice(inverse: boolean, quantity: Fixed, value: Fixed): Fixed {
  if (quantity === 0n || value === 0n) return 0n;
  return inverse ? (quantity * ONE) / value : (value * ONE) / quantity;
}
