import { CALM, isTroubleName, type SimulationOptions, type Trouble, type TroubleName } from './options.js';

/** How much of each kind of trouble there may be at most. */
const MOST: Trouble = {
  reversals: 0.6, hedge: 1, inverse: 1, varied: 1, external: 0.25, hidden: 0.4, funding: 0.05, sweep: 0.3, sharedSignals: 0.6, noSignal: 0.2,
  overlap: 4, midStart: 0.3, extraFees: 0.3, settings: 0.3, noSeq: 0.2, unknownTypes: 0.1, unnamedExecutions: 0.5, skewMs: 1500, lateFills: 1,
  latePositions: 1, stalls: 0.02, duplicates: 0.2, stale: 0.1, lostExecutions: 0.2, lostOrders: 0.3, lostPositions: 0.3, lateOrders: 0.15,
  disconnects: 0.02, badLines: 0.05, foreignRows: 0.05, farClock: 0.05,
};
/** Kinds that a session has or has not. */
const WHOLE: ReadonlySet<TroubleName> = new Set<TroubleName>(['hedge', 'inverse', 'varied', 'lateFills', 'latePositions']);
const COUNTS: ReadonlySet<TroubleName> = new Set<TroubleName>(['overlap', 'skewMs']);
/** Share of all kinds that a mixture has. */
const SHARE = 0.35;
const LEAST_OF_MOST = 0.2;

/** Numbers from 0 to below 1 (mulberry32): seeds found by trying mixtures depend on it. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A session with some kinds of trouble at once, chosen by its seed, each as bad as the seed says. */
export function mixture(seed: number, orders: number): SimulationOptions {
  const next = numbers(seed);
  const trouble: Partial<Trouble> = {};
  for (const name of Object.keys(CALM).filter(isTroubleName)) {
    if (next() >= SHARE) continue;
    const amount = MOST[name] * (WHOLE.has(name) ? 1 : LEAST_OF_MOST + (1 - LEAST_OF_MOST) * next());
    trouble[name] = COUNTS.has(name) ? Math.round(amount) : amount;
  }
  return { seed, scenario: `mixture ${seed}`, assets: 3, orders, trouble };
}
