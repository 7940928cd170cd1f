import type { Decimal } from '../domain/decimal.js';
import type { PredictionDelta } from '../domain/records.js';
import { TimeTally } from './time-tally.js';

/** Number of live deltas that say something, by what they say. Entries with the count 0 are removed. */
export type Counts = Map<string, number>;

/** Everything a row needs, as sums and multisets: adding a delta and then its reversal leaves no trace. */
export interface Tally {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly positionIdx: number;
  /** Of the newest delta that takes none back: a correction may find that the cycle was on the other side. */
  side: 'Buy' | 'Sell' | 'None';
  /** Deltas less reversals. */
  live: number;
  entryQuantity: Decimal;
  entryValue: Decimal;
  /** Live entries whose cost is not known. */
  entriesWithoutValue: number;
  exitQuantity: Decimal;
  exitValue: Decimal;
  /** Exit quantity whose value is not known. */
  exitQuantityWithoutValue: Decimal;
  realized: Decimal;
  /** Live deltas whose gross result is not known. */
  realizedUnknown: number;
  fees: Decimal;
  funding: Decimal;
  readonly entryTimes: TimeTally;
  readonly exitTimes: TimeTally;
  readonly exitSignals: Counts;
  readonly exitReasons: Counts;
}

export function emptyTally(delta: PredictionDelta): Tally {
  return {
    account: delta.account,
    category: delta.category,
    asset: delta.asset,
    positionIdx: delta.position_idx,
    side: delta.side,
    live: 0,
    entryQuantity: 0n,
    entryValue: 0n,
    entriesWithoutValue: 0,
    exitQuantity: 0n,
    exitValue: 0n,
    exitQuantityWithoutValue: 0n,
    realized: 0n,
    realizedUnknown: 0,
    fees: 0n,
    funding: 0n,
    entryTimes: new TimeTally(),
    exitTimes: new TimeTally(),
    exitSignals: new Map(),
    exitReasons: new Map(),
  };
}

/**
 * Adds a delta; a reversal carries negative amounts, so sums just add, and counts go down by one.
 * A residual with quantity closes (its value is the implied exit value), one without is money only.
 */
export function addDelta(tally: Tally, delta: PredictionDelta): void {
  const count = delta.reverses === null ? 1 : -1;
  tally.live += count;
  if (count === 1) tally.side = delta.side;
  if (delta.realized_pnl === null) tally.realizedUnknown += count;
  else tally.realized += delta.realized_pnl;
  tally.fees += delta.fee;
  tally.funding += delta.funding;
  if (delta.kind === 'entry') addEntry(tally, delta, count);
  else if (delta.kind === 'exit' || (delta.kind === 'residual' && delta.quantity !== 0n)) addExit(tally, delta, count);
}

function addEntry(tally: Tally, delta: PredictionDelta, count: 1 | -1): void {
  tally.entryQuantity += delta.quantity;
  tally.entryValue += delta.value;
  if (!hasValue(delta)) tally.entriesWithoutValue += count;
  tally.entryTimes.add(delta.executed_at, count);
}

function addExit(tally: Tally, delta: PredictionDelta, count: 1 | -1): void {
  tally.exitQuantity += delta.quantity;
  tally.exitValue += delta.value;
  if (!hasValue(delta)) tally.exitQuantityWithoutValue += delta.quantity;
  tally.exitTimes.add(delta.executed_at, count);
  if (delta.exit_signal_id !== null) addCount(tally.exitSignals, delta.exit_signal_id, count);
  if (delta.exit_reason !== null) addCount(tally.exitReasons, delta.exit_reason, count);
}

/** Where nothing is known of the value both price and value are missing; a residual has a value but no price. */
function hasValue(delta: PredictionDelta): boolean {
  return delta.price !== null || delta.value !== 0n;
}

function addCount(counts: Counts, name: string, count: 1 | -1): void {
  const now = (counts.get(name) ?? 0) + count;
  if (now === 0) counts.delete(name);
  else counts.set(name, now);
}

/** Nothing live is left of the row. */
export function isEmptyTally(tally: Tally): boolean {
  return (
    tally.live === 0 &&
    tally.entryQuantity === 0n &&
    tally.exitQuantity === 0n &&
    tally.realized === 0n &&
    tally.fees === 0n &&
    tally.funding === 0n &&
    tally.entryTimes.isEmpty &&
    tally.exitTimes.isEmpty
  );
}

const VERSION = 1;

/** JSON text with a version; decimals as text in units of 10^-18. The same tally gives the same text. */
export function encodeTally(tally: Tally): string {
  return JSON.stringify({
    v: VERSION,
    account: tally.account,
    category: tally.category,
    asset: tally.asset,
    idx: tally.positionIdx,
    side: tally.side,
    live: tally.live,
    eq: tally.entryQuantity.toString(),
    ev: tally.entryValue.toString(),
    eu: tally.entriesWithoutValue,
    xq: tally.exitQuantity.toString(),
    xv: tally.exitValue.toString(),
    xu: tally.exitQuantityWithoutValue.toString(),
    pnl: tally.realized.toString(),
    pu: tally.realizedUnknown,
    fee: tally.fees.toString(),
    fund: tally.funding.toString(),
    et: tally.entryTimes.encode(),
    xt: tally.exitTimes.encode(),
    xs: sortedEntries(tally.exitSignals),
    xr: sortedEntries(tally.exitReasons),
  });
}

function sortedEntries(counts: Counts): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

type StoredTally = {
  v: number;
  account: string;
  category: string;
  asset: string;
  idx: number;
  side: Tally['side'];
  live: number;
  eu: number;
  pu: number;
  et: string;
  xt: string;
  xs: [string, number][];
  xr: [string, number][];
} & Record<'eq' | 'ev' | 'xq' | 'xv' | 'xu' | 'pnl' | 'fee' | 'fund', string>;

/** Reads what encodeTally wrote; throws on another version. */
export function decodeTally(text: string): Tally {
  const stored = JSON.parse(text) as StoredTally;
  if (stored.v !== VERSION) throw new Error(`stored result has version ${stored.v}, this program reads ${VERSION}: rebuild the results`);
  return {
    account: stored.account,
    category: stored.category,
    asset: stored.asset,
    positionIdx: stored.idx,
    side: stored.side,
    live: stored.live,
    entryQuantity: BigInt(stored.eq),
    entryValue: BigInt(stored.ev),
    entriesWithoutValue: stored.eu,
    exitQuantity: BigInt(stored.xq),
    exitValue: BigInt(stored.xv),
    exitQuantityWithoutValue: BigInt(stored.xu),
    realized: BigInt(stored.pnl),
    realizedUnknown: stored.pu,
    fees: BigInt(stored.fee),
    funding: BigInt(stored.fund),
    entryTimes: TimeTally.decode(stored.et),
    exitTimes: TimeTally.decode(stored.xt),
    exitSignals: new Map(stored.xs),
    exitReasons: new Map(stored.xr),
  };
}
