import { expect } from 'chai';
import { stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';
import { comparePairs, EXPLAINED } from './registry-pairs.js';

const SEED = 20_260_101;
const PAIRS = 2_000;

describe('the checker beside a real registry', () => {
  it(`decides ${PAIRS} random pairs as the registry does, but for differences that are explained`, async () => {
    const comparisons = await comparePairs(stackEnvironment().SCHEMA_REGISTRY_URL, `${temporaryNamespace('pairs')}.`, SEED, PAIRS);
    expect(comparisons.length).to.be.at.least(PAIRS);
    const different = comparisons.filter(({ ours, theirs }) => ours !== theirs);
    const unexplained = different.filter((comparison) => !EXPLAINED.some(({ covers }) => covers(comparison)));
    expect(unexplained.map((comparison) => JSON.stringify(comparison)), `of ${different.length} differences`).to.deep.equal([]);
    // Both verdicts are there, or nothing would be shown.
    for (const verdict of ['compatible', 'incompatible'] as const) expect(comparisons.filter(({ ours }) => ours === verdict).length, verdict).to.be.above(PAIRS / 5);
  });
});
