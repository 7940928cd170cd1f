import { expect } from 'chai';
import { Random } from '../simulator/random.js';
import { replaySession } from '../replay/replay-session.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { judgedSession, type How } from './judged-session.js';
import { judgeReplay } from './session-in-memory.js';

/** The short form of `scripts/verify-sessions`. */
const SESSIONS: readonly (readonly [name: string, seed: number, how: How, orders: number])[] = [
  ['everything', 2, 'anew', 8],
  ['mid-start', 0, 'anew', 8],
  ['active', 4, 'cut', 30],
  ['everything', 31025, 'cut', 25],
  ['everything', 32199, 'cut', 40],
  ['everything', 41171, 'cut', 60],
];

describe('what verify judges', () => {
  for (const [name, seed, how, orders] of SESSIONS) {
    it(`holds of ${name}, seed ${seed}, ${how}`, async () => {
      const { breaches, made } = await judgedSession(name, seed, how, orders);
      expect(breaches).to.deep.equal([]);
      expect(made.size_equation).to.be.greaterThan(3);
    });
  }

  it('holds where what an order\'s totals show happened before a fill of a lower seq', async () => {
    const { lines } = simulate(scenario('everything', 7, { assets: 8, accounts: 2, orders: 120, meanGapMs: 350, trouble: { midStart: 0 } }));
    const { breaches } = await judgeReplay(await replaySession({ lines }, { partitions: 2, isLogKept: true }), 2, 'pro-rata');
    expect(breaches).to.deep.equal([]);
  });

  it('holds where a residual stands between two cycles that open inside one seq: they are two', async () => {
    const { lines } = simulate(scenario('everything', 10, { assets: 8, accounts: 2, orders: 250, meanGapMs: 350, trouble: { midStart: 0 } }));
    const asset = lines.filter((line) => line.includes('BTCUSDT'));
    const { breaches } = await judgeReplay(await replaySession({ lines: asset }, { partitions: 1, isLogKept: true }), 1, 'pro-rata');
    expect(breaches).to.deep.equal([]);
  });

  it('holds where a lot is closed at an average that no update shows, after one whose price was exact', async () => {
    const { lines } = simulate(scenario('everything', 55, { assets: 8, accounts: 2, orders: 250, meanGapMs: 350, trouble: { midStart: 0 } }));
    const asset = lines.filter((line) => line.includes('DOGEUSD"'));
    const { breaches } = await judgeReplay(await replaySession({ lines: asset }, { partitions: 1, isLogKept: true }), 1, 'pro-rata');
    expect(breaches).to.deep.equal([]);
  });

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
