import type { Findings } from '../../src/verify/breach.js';
import { deliveredAnew } from '../position-linker/delivered-anew.js';
import { replaySession } from '../replay/replay-session.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { judgeReplay } from './session-in-memory.js';

/** straight: as recorded; anew: up to a minute later, reordered and repeated; cut: broken off, so that some of it still waits. */
export const HOW = ['straight', 'anew', 'cut'] as const;

export type How = (typeof HOW)[number];

/** What verify says of a simulated session; fifo for even seeds. */
export async function judgedSession(name: string, seed: number, how: How, orders: number): Promise<Findings> {
  const policy = seed % 2 === 0 ? 'fifo' : 'pro-rata';
  const { lines: all } = simulate(scenario(name, seed, { orders }));
  const lines = how === 'cut' ? all.slice(0, Math.floor(all.length * 0.8)) : how === 'anew' ? deliveredAnew(all, seed) : all;
  const result = await replaySession({ lines }, { policy, partitions: 2, isLogKept: true, continues: how === 'cut' });
  return judgeReplay(result, 2, policy);
}
