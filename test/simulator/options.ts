/** What a session contains and what goes wrong with its delivery. Every number is a probability unless said otherwise; all default to 0. */
export interface Trouble {
  // What the account does.
  /** Share of orders that cross zero, where a position is open. */
  reversals: number;
  /** Share of assets with a long and a short leg. 1 = all. */
  hedge: number;
  /** Share of assets that are coin-margined. */
  inverse: number;
  /** Each asset has its own price tick and lot size, from coarse to fine. 0 or 1. */
  varied: number;
  /** Per step with an open position: the exchange, or the user on the web, closes some of it without an order link id. */
  external: number;
  /** Share of those that no order or execution message tells of. */
  hidden: number;
  /** Per step with an open position: a funding row. */
  funding: number;
  /** Two or three resting orders of one side fill in one seq, rows in no order. */
  sweep: number;
  /** Share of orders that reuse an earlier signal. */
  sharedSignals: number;
  /** Share of orders without a signal. */
  noSignal: number;
  /** How many orders of one asset may be working at a time (a count; 0 and 1 mean one). */
  overlap: number;
  /** The recording begins after this share of the orders. */
  midStart: number;
  /** Fills that also carry a tax. */
  extraFees: number;
  /** Position pushes for a changed setting, with the seq of the last transaction, "-1" where there was none. */
  settings: number;
  // What the rows lack.
  /** Execution rows whose seq is -1. */
  noSeq: number;
  /** Fills followed by an execution row of a type nobody knows. */
  unknownTypes: number;
  /** Execution messages whose rows name no order link id, as those of maker fills on the fast stream. */
  unnamedExecutions: number;
  // What delivery does.
  /** Streams drift apart by up to this many milliseconds. */
  skewMs: number;
  /** Order and execution streams run 0.9 to 1.5 s behind. 0 or 1. */
  lateFills: number;
  /** The position stream runs 0.9 to 1.5 s behind. 0 or 1. */
  latePositions: number;
  /** Per message: its stream falls silent for 2 to 15 s and then delivers everything. */
  stalls: number;
  duplicates: number;
  /** Per position message: an older one of the asset is sent again. */
  stale: number;
  lostExecutions: number;
  lostOrders: number;
  lostPositions: number;
  /** Order messages that arrive 6 to 20 s late, out of order. */
  lateOrders: number;
  /** Per order message: a disconnect begins, in which all streams lose everything for 1 to 10 s. */
  disconnects: number;
  // What does not belong.
  /** Lines that are no readable record. */
  badLines: number;
  /** Spot orders and option positions between the others. */
  foreignRows: number;
  /** Copies of messages whose clock says the year 2100. */
  farClock: number;
}

export type TroubleName = keyof Trouble;

export const CALM: Trouble = {
  reversals: 0.2, hedge: 0, inverse: 0, varied: 0, external: 0, hidden: 0, funding: 0, sweep: 0, sharedSignals: 0,
  noSignal: 0.05, overlap: 1, midStart: 0, extraFees: 0, settings: 0, noSeq: 0, unknownTypes: 0, unnamedExecutions: 0,
  skewMs: 0, lateFills: 0, latePositions: 0, stalls: 0, duplicates: 0, stale: 0, lostExecutions: 0, lostOrders: 0,
  lostPositions: 0, lateOrders: 0, disconnects: 0, badLines: 0, foreignRows: 0, farClock: 0,
};

export interface SimulationOptions {
  /** A whole number; the same options with the same seed give the same bytes. */
  seed: number;
  /** Name written into the truth. */
  scenario?: string;
  assets?: number;
  /** Orders over all assets and accounts. */
  orders?: number;
  trouble?: Partial<Trouble>;
  /** Milliseconds since the epoch of the session's beginning. */
  startTimeMs?: number;
  /** Mean time between two orders of the whole session, in milliseconds. */
  meanGapMs?: number;
  /** More than one: every line names its account, and each account trades all assets. */
  accounts?: number;
}

export interface Plan {
  seed: number;
  scenario: string;
  assets: number;
  orders: number;
  trouble: Trouble;
  startTimeMs: number;
  meanGapMs: number;
  accounts: number;
}

export function planOf(options: SimulationOptions): Plan {
  return {
    seed: options.seed,
    scenario: options.scenario ?? 'custom',
    assets: options.assets ?? 2,
    orders: options.orders ?? 60,
    trouble: { ...CALM, ...options.trouble },
    startTimeMs: options.startTimeMs ?? 1767225600000,
    meanGapMs: options.meanGapMs ?? 900,
    accounts: options.accounts ?? 1,
  };
}

export function isTroubleName(name: string): name is TroubleName {
  return Object.hasOwn(CALM, name);
}
