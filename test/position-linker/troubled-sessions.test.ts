import { expect } from 'chai';
import { mixture } from '../simulator/mixture.js';
import type { SimulationOptions } from '../simulator/options.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { judgeSession } from './judged-session.js';

/** Sessions with every kind of trouble that once differed from their truth: by the number of their orders, seeds. */
const FOUND: readonly (readonly [number, readonly number[]])[] = [
  [30, [26006, 27017, 27022, 28029, 28037, 28046, 28059, 40078, 40097, 60047, 60076, 60225, 60286, 80337, 90365]],
  [25, [
    29001, 29035, 29062, 29073, 29079, 29082, 29105, 29109, 29116, 29155, 29179, 29185, 29243, 31054, 31200, 31202, 31247, 31371, 31387, 31552, 31079, 31107, 31207, 31269,
    31295, 31449, 31589, 50046, 50127, 50163, 50260, 50335, 50367, 50378, 701254, 701410, 701442, 701585,
  ]],
];

/** Mixtures of some kinds of trouble that once differed, likewise. */
const FOUND_MIXTURES: readonly (readonly [number, readonly number[]])[] = [
  [30, [1026, 1042, 1079, 1427, 1721, 2347, 6148]],
  [90, [20096, 20576]],
];

describe('sessions with every kind of trouble', () => {
  for (const [orders, seeds] of FOUND) {
    for (const seed of seeds) {
      it(`seed ${seed}: every leg, cycle and result is the true one as far as it can be known`, () => {
        expectTruth(scenario('everything', seed, { orders }));
      });
    }
  }
  for (const [orders, seeds] of FOUND_MIXTURES) {
    for (const seed of seeds) {
      it(`mixture ${seed}: every leg, cycle and result is the true one as far as it can be known`, () => {
        expectTruth(mixture(seed, orders));
      });
    }
  }
});

function expectTruth(options: SimulationOptions): void {
  const { lines, truth } = simulate(options);
  for (const policy of ['pro-rata', 'fifo'] as const) expect(judgeSession(lines, truth, { policy, grain: 'order-message' }), policy).to.deep.equal([]);
}
