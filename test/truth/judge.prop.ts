import { expect } from 'chai';
import fc from 'fast-check';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { judge } from './judge.js';
import { POLICIES } from './lots.js';
import { MUTATIONS } from './mutations.js';
import { tablesOfTruth } from './tables-of-truth.js';

/** Sessions told in full, so that everything about them is knowable. Quantities of these contracts are worth more than any tolerance. */
const KNOWABLE = ['clean', 'reversals', 'hedge', 'funding', 'one-seq', 'shared-signals', 'external'];

/** Made once: 2 seeds of each, with the tables of both policies. */
const SESSIONS = [1, 2].flatMap((seed) => KNOWABLE.flatMap((name) => {
  const { truth } = simulate(scenario(name, seed, { orders: 9 }));
  return POLICIES.map((policy) => ({ name, seed, truth, policy, tables: tablesOfTruth(truth, policy) }));
}));

describe('judge', () => {
  for (const mutation of MUTATIONS) {
    it(`rejects ${mutation.name}`, () => {
      let applied = 0;
      fc.assert(
        fc.property(fc.constantFrom(...SESSIONS), fc.nat(100000), ({ name, seed, truth, policy, tables }, pick) => {
          const spoilt = mutation.apply(tables, pick);
          if (spoilt === null) return;
          applied++;
          expect(judge(spoilt, truth, { policy }), `${name} ${seed}`).to.not.deep.equal([]);
        }),
        { numRuns: 8 },
      );
      expect(applied, 'times it applied').to.be.greaterThan(0);
    });
  }

  it('accepts the same tables in any order of rows', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KNOWABLE, 'hidden-trades', 'mid-start', 'inverse'), fc.nat(1000), fc.constantFrom(...POLICIES), (name, seed, policy) => {
        const { truth } = simulate(scenario(name, seed, { orders: 9 }));
        const tables = tablesOfTruth(truth, policy);
        const turned = Object.fromEntries(Object.entries(tables).map(([table, rows]) => [table, [...(rows as unknown[])].reverse()])) as unknown as typeof tables;
        expect(judge(turned, truth, { policy })).to.deep.equal([]);
      }),
      { numRuns: 10 },
    );
  });
});
