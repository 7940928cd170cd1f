import { expect } from 'chai';
import { deliveredAnew } from '../position-linker/delivered-anew.js';
import { replaySession } from '../replay/replay-session.js';
import { Random } from '../simulator/random.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { judgeReplay } from './session-in-memory.js';

/** Sessions with every kind of trouble, cut off in the middle or delivered in another order. */
const SESSIONS = [
  { name: 'everything', seed: 2, how: 'anew' },
  { name: 'mid-start', seed: 0, how: 'anew' },
  { name: 'active', seed: 4, how: 'cut' },
] as const;

describe('what verify judges', () => {
  for (const { name, seed, how } of SESSIONS) {
    it(`holds of ${name}, seed ${seed}, ${how}`, async () => {
      const policy = seed % 2 === 0 ? 'fifo' : 'pro-rata';
      const { lines: all } = simulate(scenario(name, seed, { orders: how === 'cut' ? 30 : 8 }));
      const lines = how === 'cut' ? all.slice(0, Math.floor(all.length * 0.8)) : deliveredAnew(all, seed);
      const result = await replaySession({ lines }, { policy, partitions: 2, isLogKept: true, continues: how === 'cut' });
      const { breaches, made } = await judgeReplay(result, 2, policy);
      expect(breaches).to.deep.equal([]);
      expect(made.size_equation).to.be.greaterThan(3);
    });
  }

  it('holds of tables that are behind their topics, each at its own place', async () => {
    const { lines } = simulate(scenario('late-fills', 8, { orders: 8 }));
    const result = await replaySession({ lines }, { partitions: 2, isLogKept: true });
    for (let seed = 0; seed < 4; seed++) {
      const random = new Random(seed, 5);
      const { breaches, made } = await judgeReplay(result, 2, 'pro-rata', (end) => random.int(0, end));
      expect(breaches, `seed ${seed}`).to.deep.equal([]);
      expect(made.size_equation).to.be.greaterThan(3);
    }
  });
});
