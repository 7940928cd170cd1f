import type { Relationship } from './fold.js';

/** The truth of a recorded session; amounts are exact fractions "n/d", times milliseconds. `account` only where there are several. */
export interface Truth {
  scenario: string;
  seed: number;
  fills: FillTruth[];
  legs: LegTruth[];
  funding: FundingTruth[];
  results: { 'pro-rata': ResultTruth[]; fifo: ResultTruth[] };
  /** Cycle to signed size of what was open when the recording began. */
  start: Record<string, string>;
  stats: Record<string, number>;
  books: BookTruth[];
}

export interface FillTruth {
  account?: string;
  exec_id: string;
  order_id: string;
  symbol: string;
  idx: number;
  side: string;
  qty: string;
  price: string;
  fee: string;
  time: number;
  seq: number;
  signal: string | null;
  exec_type: string;
  /** False: no order or execution message told of it. */
  visible: boolean;
  /** Part of the fee that only its execution shows; absent: none. */
  tax?: string;
  /** No execution told of it, and the first message of its order that came, or one like it, showed it done. Absent: not so. */
  first_seen?: boolean;
}

export interface LegTruth {
  account?: string;
  exec_id: string;
  order_id: string;
  symbol: string;
  idx: number;
  cycle: string;
  relationship: Relationship;
  size_delta: string;
  before: string;
  after: string;
  price: string;
  time: number;
  seq: number;
  leg: number;
  signal: string | null;
  visible: boolean;
  fee: string;
  swappable?: boolean;
}

export interface FundingTruth {
  account?: string;
  exec_id: string;
  symbol: string;
  idx: number;
  cycle: string;
  fee: string;
  time: number;
  seq: number;
  /** False: its row never came. Absent: it did. */
  visible?: boolean;
}

export interface ResultTruth {
  account?: string;
  signal: string | null;
  cycle: string;
  entry_qty: string;
  entry_value: string;
  exit_qty: string;
  exit_value: string;
  realized: string;
  fees: string;
  funding: string;
}

export interface BookTruth {
  account?: string;
  symbol: string;
  idx: number;
  size: string;
  entry: string;
  cum: string;
  cycle: number;
  /** Seqs of the position records that were delivered, rising; absent: all were. */
  updates?: number[];
  /** A record said that it had never traded: it is known to begin flat. Absent: none did. */
  never_traded?: boolean;
}
