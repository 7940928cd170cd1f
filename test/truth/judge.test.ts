import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { SCENARIOS, scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { judge } from './judge.js';
import { POLICIES } from './lots.js';
import { tablesOfTruth } from './tables-of-truth.js';
import type { Truth } from './truth.js';

const captures = new URL('../captures/', import.meta.url);

function truthOf(name: string): Truth {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}/truth.json.gz`, captures))).toString()) as Truth;
}

describe('judge', () => {
  const names = readdirSync(captures, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);

  it('knows all sample sessions', () => expect(names).to.have.length(21));

  for (const name of names) {
    it(`accepts the tables made from the truth of ${name}`, () => {
      const truth = truthOf(name);
      for (const policy of POLICIES) expect(judge(tablesOfTruth(truth, policy), truth, { policy })).to.deep.equal([]);
    });
  }

  for (const name of Object.keys(SCENARIOS)) {
    it(`accepts the tables made from the truth of a simulated session: ${name}`, () => {
      const { truth } = simulate(scenario(name, 11));
      for (const policy of POLICIES) expect(judge(tablesOfTruth(truth, policy), truth, { policy })).to.deep.equal([]);
    });
  }
});
