import { abs, MONEY_UNIT, type Decimal } from '../../src/domain/decimal.js';
import type { Account, OracleLeg, Trade } from './account.js';
import { grouped, split, type OracleCash, type OracleFill } from './evidence.js';
import type { Shown } from './shown.js';

export type Flow = OracleFill | OracleCash;

/** Whether a record says what the second leg of an order-derived fill is worth, of which only the average price is known. */
export function tellsSecondLeg(fill: OracleFill, shown: Shown | null, opened: Decimal): boolean {
  return fill.source === 'order' && shown !== null && shown.value !== null && shown.seq === fill.seq && abs(shown.size) === opened && shown.size > 0n === fill.quantity > 0n;
}

export function tradeOf(fill: OracleFill, shown: Shown | null): Trade {
  return {
    quantity: fill.quantity, fee: fill.fee, signal: fill.signal, seq: fill.seq, at: fill.at, kind: 'fill',
    valueOf: (closed, opened) => {
      if (closed === 0n || opened === 0n) return closed === 0n ? { closing: 0n, opening: fill.value } : { closing: fill.value, opening: 0n };
      if (tellsSecondLeg(fill, shown, opened)) {
        return { closing: fill.value - shown!.value!, opening: shown!.value! };
      }
      const [closing, opening] = split(fill.value, [closed, opened]) as [Decimal, Decimal];
      return { closing, opening };
    },
  };
}

/** How many of a fill's own checks agree and disagree once it is booked. */
export function checksOf(fill: OracleFill, account: Account): { agree: number; disagree: number } {
  let agree = 0;
  let disagree = 0;
  const count = (fits: boolean): void => void (fits ? agree++ : disagree++);
  if (fill.closedSize !== null) count(fill.closedSize === account.closed);
  if (fill.execPnl !== null) count(abs(fill.execPnl - account.pnl) <= 2n * MONEY_UNIT);
  return { agree, disagree };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

export function book(account: Account, flow: Flow, shown: Shown | null): OracleLeg[] {
  if (flow.kind === 'fill') return account.trade(tradeOf(flow, shown));
  account.pay(flow.amount);
  return [];
}

/** Fills of one seq: whole orders in the sequence at which most checks come out right; an order's by what it leaves. */
export function inSequence(flows: readonly Flow[], account: Account, shown: Shown | null, ambiguous: Set<string>): Flow[] {
  const ordered: Flow[] = [];
  const trial = account.copy();
  for (const seq of [...new Set(flows.map((flow) => flow.seq))].sort((a, b) => a - b)) {
    const same = flows.filter((flow) => flow.seq === seq);
    const fills = same.filter((flow): flow is OracleFill => flow.kind === 'fill');
    const orders = [...grouped(fills, (fill) => fill.orderId)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => {
      return own.sort((a, b) => ((a.leaves ?? 0n) !== (b.leaves ?? 0n) ? ((a.leaves ?? 0n) > (b.leaves ?? 0n) ? -1 : 1) : a.id < b.id ? -1 : 1));
    });
    let best: { sequence: OracleFill[]; score: number } | null = null;
    let equal = 0;
    for (const sequence of permutations(orders)) {
      const attempt = trial.copy();
      let score = 0;
      for (const fill of sequence.flat()) {
        book(attempt, fill, shown);
        const { disagree } = checksOf(fill, attempt);
        if (disagree === 0) score++;
      }
      if (best === null || score > best.score) [best, equal] = [{ sequence: sequence.flat(), score }, 1];
      else if (score === best.score) equal++;
    }
    if (equal > 1) for (const fill of fills) ambiguous.add(fill.id);
    const next: Flow[] = [...(best?.sequence ?? []), ...same.filter((flow) => flow.kind === 'cash').sort((a, b) => (a.id < b.id ? -1 : 1))];
    for (const flow of next) book(trial, flow, shown);
    ordered.push(...next);
  }
  return ordered;
}
