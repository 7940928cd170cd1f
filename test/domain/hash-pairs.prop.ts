import { expect } from 'chai';
import fc from 'fast-check';
import { HashPairs } from '../../src/domain/hash-pairs.js';

/** Few hashes, so that they meet; some differ in their highest bits alone, and some are negative. */
const hash = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0x7fffffff, -0x80000000, 1 << 30, 3 << 29), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
const step = fc.record({ does: fc.constantFrom('add', 'add', 'remove', 'remove known'), hash, value: fc.nat({ max: 4 }), n: fc.nat() });

describe('pairs of a hash and a value', () => {
  it('are found, each as often as it was added and not removed, beside a plain list', () => {
    let most = 0;
    fc.assert(fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const pairs = new HashPairs();
      const plain: { hash: number; value: number }[] = [];
      const remove = (wanted: { hash: number; value: number }): void => {
        pairs.remove(wanted.hash, wanted.value);
        const at = plain.findIndex((one) => one.hash === wanted.hash && one.value === wanted.value);
        if (at >= 0) plain.splice(at, 1);
      };
      for (const { does, n, ...pair } of steps) {
        if (does === 'add') {
          pairs.add(pair.hash, pair.value);
          plain.push(pair);
        } else if (does === 'remove') remove(pair);
        else if (plain.length > 0) remove(plain[n % plain.length]!);
        most = Math.max(most, plain.length);
      }
      for (const wanted of new Set([...steps.map((one) => one.hash), 77])) {
        const values = plain.filter((one) => one.hash === wanted).map((one) => one.value).sort();
        const found: number[] = [];
        expect(pairs.find(wanted, (value) => found.push(value) < 0)).to.equal(-1);
        expect(found.sort()).to.deep.equal(values);
        expect(pairs.has(wanted)).to.equal(values.length > 0);
        for (const value of values) expect(pairs.find(wanted, (one) => one === value)).to.equal(value);
      }
    }), { numRuns: 200 });
    expect(most).to.be.greaterThan(40);
  });

  it('give their room back', () => {
    const pairs = new HashPairs();
    const least = pairs.capacity;
    for (let n = 0; n < 10_000; n++) pairs.add(Math.imul(n, 0x85ebca6b), n);
    expect(pairs.capacity).to.be.within(20_000, 40_000);
    for (let n = 0; n < 10_000; n++) {
      expect(pairs.find(Math.imul(n, 0x85ebca6b), (value) => value === n)).to.equal(n);
      pairs.remove(Math.imul(n, 0x85ebca6b), n);
    }
    expect(pairs.capacity).to.equal(least);
  });
});
