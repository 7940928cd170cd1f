import type { Decimal } from '../domain/decimal.js';
import type { PredictionDelta } from '../domain/records.js';

/** Sums of one signal over all cycles, in one settle coin each asset has its own of. */
export interface SignalSums {
  realized: Decimal;
  fees: Decimal;
  funding: Decimal;
  entryQuantity: Decimal;
  /** Live deltas whose gross result is not known. */
  unknown: number;
}

/** Results by signal and settle coin, from deltas alone: Σ deltas is what the tables hold. */
export type SignalResults = Map<string, SignalSums>;

/** Separates a signal from its coin; in neither. */
const BAR = '|';

export function signalKey(signalId: string | null, coin: string): string {
  return `${coin}${BAR}${signalId ?? ''}`;
}

export function readSignalKey(key: string): { readonly signalId: string | null; readonly coin: string } {
  const bar = key.indexOf(BAR);
  const signalId = key.slice(bar + 1);
  return { signalId: signalId === '' ? null : signalId, coin: key.slice(0, bar) };
}

export function addToResults(results: SignalResults, coin: string, delta: PredictionDelta): void {
  const sums = sumsOf(results, signalKey(delta.signal_id, coin));
  if (delta.realized_pnl === null) sums.unknown += delta.reverses === null ? 1 : -1;
  else sums.realized += delta.realized_pnl;
  sums.fees += delta.fee;
  sums.funding += delta.funding;
  if (delta.kind === 'entry') sums.entryQuantity += delta.quantity;
}

export function mergeResults(into: SignalResults, from: SignalResults): void {
  for (const [key, { realized, fees, funding, entryQuantity, unknown }] of from) {
    const sums = sumsOf(into, key);
    sums.realized += realized;
    sums.fees += fees;
    sums.funding += funding;
    sums.entryQuantity += entryQuantity;
    sums.unknown += unknown;
  }
}

function sumsOf(results: SignalResults, key: string): SignalSums {
  let sums = results.get(key);
  if (sums === undefined) results.set(key, (sums = { realized: 0n, fees: 0n, funding: 0n, entryQuantity: 0n, unknown: 0 }));
  return sums;
}

/** One signal before and after. Null: a part of it is not known; 0 where the signal has no results at all. */
export interface SignalDifference {
  readonly signalId: string | null;
  readonly coin: string;
  readonly before: SignalView;
  readonly after: SignalView;
  /** Of the net result. */
  readonly difference: Decimal | null;
}

export interface SignalView {
  readonly realized: Decimal | null;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly net: Decimal | null;
}

/** Signals whose results differ, the largest difference of net results first; unknown ones before all. */
export function signalDifferences(before: SignalResults, after: SignalResults): SignalDifference[] {
  const differences: SignalDifference[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [viewOf(before.get(key)), viewOf(after.get(key))];
    if (was.realized === is.realized && was.fees === is.fees && was.funding === is.funding) continue;
    differences.push({ ...readSignalKey(key), before: was, after: is, difference: was.net === null || is.net === null ? null : is.net - was.net });
  }
  const size = ({ difference }: SignalDifference): bigint | null => (difference === null ? null : difference < 0n ? -difference : difference);
  return differences.sort((a, b) => {
    const [x, y] = [size(a), size(b)];
    if (x === null || y === null) return x === y ? 0 : x === null ? -1 : 1;
    return x > y ? -1 : x < y ? 1 : 0;
  });
}

/** Everything, signal or not, by coin. */
export function totalsByCoin(results: SignalResults): ReadonlyMap<string, SignalView> {
  const totals: SignalResults = new Map();
  for (const [key, sums] of results) {
    const { coin } = readSignalKey(key);
    mergeResults(totals, new Map([[signalKey(null, coin), sums]]));
  }
  return new Map([...totals].map(([key, sums]) => [readSignalKey(key).coin, viewOf(sums)]));
}

function viewOf(sums: SignalSums | undefined): SignalView {
  if (sums === undefined) return { realized: 0n, fees: 0n, funding: 0n, net: 0n };
  const realized = sums.unknown === 0 ? sums.realized : null;
  return { realized, fees: sums.fees, funding: sums.funding, net: realized === null ? null : realized - sums.fees - sums.funding };
}
