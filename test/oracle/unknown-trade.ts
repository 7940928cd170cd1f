import { abs, divide, multiply, type Decimal } from '../../src/domain/decimal.js';
import type { Account, Trade } from './account.js';
import { book, checksOf, type Flow } from './booking.js';
import { split } from './evidence.js';
import type { Shown } from './shown.js';

/** A size change that no fill explains, at a place among the flows: its money is what they leave of the record's. */
export function residualTrade(size: Decimal, at: Shown, account: Account, money: Decimal): Trade {
  const crosses = account.size !== 0n && account.size > 0n !== size > 0n && abs(size) > abs(account.size);
  const opens = account.size === 0n || account.size > 0n === size > 0n;
  const gain = (account.size > 0n ? 1n : -1n) * (account.inverse ? -1n : 1n);
  return {
    quantity: size, signal: null, seq: at.seq, at: at.at, kind: 'residual', fee: opens || crosses ? -money : 0n,
    valueOf: (closed, opened, on) => {
      if (opens) return { closing: 0n, opening: at.value! - on.cost };
      if (crosses) return { closing: on.inverse ? divide(closed, at.entry!) : multiply(closed, at.entry!), opening: on.inverse ? divide(opened, at.entry!) : multiply(opened, at.entry!) };
      const cost = closed === abs(on.size) ? on.cost : split(on.cost, [closed, abs(on.size) - closed])[0]!;
      return { closing: cost + gain * money, opening: 0n };
    },
  };
}

/** The money the record shows beyond what the fills and cash explain, with the residual before `after`. */
export function moneyOf(account: Account, after: readonly Flow[], at: Shown, lacking: Decimal): Decimal {
  const trial = account.copy();
  trial.trade(residualTrade(lacking, at, trial, 0n));
  for (const flow of after) book(trial, flow, at);
  return at.cum - trial.cum;
}

/** Where among the flows a residual makes most checks agree; of equal places the last. */
export function placeOf(account: Account, flows: readonly Flow[], at: Shown, lacking: Decimal): number {
  let best = -1;
  let bestScore = -1;
  for (let place = 0; place <= flows.length; place++) {
    const trial = account.copy();
    let score = 0;
    flows.forEach((flow, i) => {
      if (i === place) trial.trade(residualTrade(lacking, at, trial, 0n));
      book(trial, flow, at);
      if (flow.kind === 'fill') score += checksOf(flow, trial).agree;
    });
    if (score >= bestScore) [best, bestScore] = [place, score];
  }
  return best;
}
