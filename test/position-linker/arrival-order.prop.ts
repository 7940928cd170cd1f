import { expect } from 'chai';
import { scenario, SCENARIOS } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { linkCapture } from './core-pipeline.js';
import { deliveredAnew } from './delivered-anew.js';
import { differences, liveRows } from './live-rows.js';

/** Sessions that once gave other rows: a row of an unknown type whose order came later stood under two books. */
const FOUND: readonly (readonly [string, number])[] = [['shaken', 7], ['shaken-lost-positions', 12], ['shaken-mid-start', 6], ['everything', 5]];

const SESSIONS = [...Object.keys(SCENARIOS).map((name, i) => [name, 100 + i, 10] as const), ...FOUND.map(([name, seed]) => [name, seed, 14] as const)];

describe('live rows as a function of the set of events', () => {
  for (const [name, seed, orders] of SESSIONS) {
    const policy = seed % 2 === 0 ? 'fifo' : 'pro-rata';
    it(`${name}, seed ${seed}, ${policy}: the same frames delivered otherwise give the same rows`, () => {
      const { lines } = simulate(scenario(name, seed, { orders }));
      const rows = liveRows(linkCapture(lines, { policy }).log);
      const again = liveRows(linkCapture(deliveredAnew(lines, seed), { policy }).log);
      expect(rows.size).to.be.greaterThan(0);
      expect(differences(rows, again)).to.deep.equal([]);
    });
  }
});
