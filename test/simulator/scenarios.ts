import type { SimulationOptions, Trouble } from './options.js';

/** A named kind of session: how many assets, and its trouble. */
export interface Scenario {
  assets: number;
  trouble: Partial<Trouble>;
}

/** Everything the account may do that stays fully knowable. */
const ACTIVE: Partial<Trouble> = {
  reversals: 0.3, inverse: 0.3, hedge: 0.3, external: 0.1, funding: 0.05, sweep: 0.15, sharedSignals: 0.4, noSignal: 0.1,
  extraFees: 0.2, varied: 1,
};

/** Everything delivery may do without losing what the other streams do not tell. */
const SHAKEN: Partial<Trouble> = { skewMs: 800, stalls: 0.01, duplicates: 0.15, stale: 0.05, unknownTypes: 0.05, settings: 0.05 };

export const SCENARIOS: Record<string, Scenario> = {
  clean: { assets: 1, trouble: {} },
  partials: { assets: 3, trouble: {} },
  reversals: { assets: 2, trouble: { reversals: 0.8 } },
  hedge: { assets: 2, trouble: { hedge: 1 } },
  funding: { assets: 2, trouble: { funding: 0.05 } },
  inverse: { assets: 2, trouble: { inverse: 1, funding: 0.03 } },
  external: { assets: 2, trouble: { external: 0.25 } },
  'one-seq': { assets: 2, trouble: { sweep: 0.5 } },
  'shared-signals': { assets: 2, trouble: { sharedSignals: 0.7, noSignal: 0.2 } },
  skew: { assets: 3, trouble: { skewMs: 800 } },
  'late-fills': { assets: 2, trouble: { lateFills: 1 } },
  'late-positions': { assets: 2, trouble: { latePositions: 1 } },
  stalls: { assets: 2, trouble: { stalls: 0.02 } },
  'no-seq': { assets: 2, trouble: { noSeq: 0.2 } },
  'odd-rows': { assets: 2, trouble: { extraFees: 0.4, unknownTypes: 0.1, duplicates: 0.1 } },
  duplicates: { assets: 2, trouble: { duplicates: 0.2, stale: 0.05 } },
  'lost-executions': { assets: 2, trouble: { lostExecutions: 0.15 } },
  'lost-positions': { assets: 2, trouble: { lostPositions: 0.3 } },
  'mid-start': { assets: 3, trouble: { midStart: 0.33, inverse: 0.4, funding: 0.03 } },
  'hidden-trades': { assets: 1, trouble: { external: 0.25, hidden: 0.6 } },
  'orders-only': { assets: 2, trouble: { lostExecutions: 1 } },
  // Kinds of trouble and mixtures beyond the recorded ones.
  overlap: { assets: 2, trouble: { overlap: 4 } },
  varied: { assets: 4, trouble: { varied: 1, inverse: 0.3 } },
  settings: { assets: 2, trouble: { settings: 0.3, hedge: 0.5 } },
  'late-orders': { assets: 2, trouble: { lateOrders: 0.15, unnamedExecutions: 0.5 } },
  'lost-orders': { assets: 2, trouble: { lostOrders: 0.3, hedge: 0.5 } },
  disconnects: { assets: 2, trouble: { disconnects: 0.02 } },
  'bad-input': { assets: 2, trouble: { badLines: 0.1, foreignRows: 0.1, farClock: 0.05 } },
  active: { assets: 4, trouble: ACTIVE },
  shaken: { assets: 4, trouble: { ...ACTIVE, ...SHAKEN } },
  'shaken-late-fills': { assets: 3, trouble: { ...ACTIVE, ...SHAKEN, lateFills: 1 } },
  'shaken-lost-positions': { assets: 3, trouble: { ...ACTIVE, ...SHAKEN, lostPositions: 0.3 } },
  'shaken-lost-executions': { assets: 3, trouble: { ...ACTIVE, ...SHAKEN, sweep: 0, lostExecutions: 0.15 } },
  'shaken-orders-only': { assets: 3, trouble: { ...ACTIVE, ...SHAKEN, sweep: 0, funding: 0, extraFees: 0, lostExecutions: 1 } },
  'shaken-mid-start': { assets: 4, trouble: { ...ACTIVE, ...SHAKEN, midStart: 0.33 } },
  everything: {
    assets: 4,
    trouble: {
      ...ACTIVE, ...SHAKEN, overlap: 3, hidden: 0.2, lostExecutions: 0.05, lostPositions: 0.15, lostOrders: 0.05, lateOrders: 0.05,
      noSeq: 0.05, unnamedExecutions: 0.2, disconnects: 0.005, midStart: 0.2, badLines: 0.02, foreignRows: 0.02, farClock: 0.01,
    },
  },
};

/** Options of a named session; `changes` override the scenario's own. */
export function scenario(name: string, seed: number, changes: Partial<SimulationOptions> = {}): SimulationOptions {
  const found = SCENARIOS[name];
  if (!found) throw new Error(`unknown scenario ${name}; there are ${Object.keys(SCENARIOS).join(', ')}`);
  return { seed, scenario: name, assets: found.assets, ...changes, trouble: { ...found.trouble, ...changes.trouble } };
}
