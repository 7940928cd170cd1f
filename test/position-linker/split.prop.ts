import { expect } from 'chai';
import fc from 'fast-check';
import { partOf, splitByWeight } from '../../src/position-linker/split.js';

const total = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const weight = fc.bigInt({ min: 1n, max: 10n ** 22n });

describe('splitting', () => {
  it('parts add up to the whole, and none is off its share by a unit', () => {
    fc.assert(fc.property(total, fc.array(weight, { minLength: 1, maxLength: 8 }), (whole, weights) => {
      const parts = splitByWeight(whole, weights);
      const sum = weights.reduce((a, b) => a + b, 0n);
      expect(parts.reduce((a, b) => a + b, 0n)).to.equal(whole);
      parts.forEach((part, i) => {
        const off = part * sum - whole * weights[i]!;
        expect(off < sum && off > -sum, `part ${i}`).to.equal(true);
      });
    }), { numRuns: 300 });
  });

  it('missing units go to the largest remainders, ties to the earlier', () => {
    expect(splitByWeight(10n, [1n, 1n, 1n])).to.deep.equal([4n, 3n, 3n]);
    expect(splitByWeight(11n, [1n, 2n, 3n])).to.deep.equal([2n, 4n, 5n]);
    expect(splitByWeight(-10n, [1n, 1n, 1n])).to.deep.equal([-4n, -3n, -3n]);
    expect(splitByWeight(0n, [5n, 7n])).to.deep.equal([0n, 0n]);
  });

  it('a part taken off is the first of a split in two', () => {
    fc.assert(fc.property(total, weight, weight, (whole, taken, rest) => {
      expect(partOf(whole, taken, taken + rest)).to.equal(splitByWeight(whole, [taken, rest])[0]);
    }), { numRuns: 500 });
    expect(partOf(7n, 3n, 3n)).to.equal(7n);
    expect(partOf(1n, 1n, 2n)).to.equal(1n);
  });
});
