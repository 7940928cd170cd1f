import { expect } from 'chai';
import fc from 'fast-check';
import { NumberList } from '../../src/domain/number-list.js';

const step = fc.record({ does: fc.constantFrom('push', 'push', 'push', 'push many', 'replace', 'set', 'pop', 'drop first', 'truncate'), a: fc.nat(), b: fc.nat(), value: fc.double({ noNaN: true }) });

describe('a list of numbers', () => {
  it('holds what a plain one does, whatever is done to it', () => {
    let longest = 0;
    fc.assert(fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const list = new NumberList();
      const plain: number[] = [];
      for (const { does, a, b, value } of steps) {
        const { length } = plain;
        const from = a % (length + 1);
        const to = from + (b % (length - from + 1));
        if (does === 'push') {
          list.push(value);
          plain.push(value);
        } else if (does === 'push many') {
          for (let n = 0; n < 40; n++) {
            list.push(n);
            plain.push(n);
          }
        } else if (does === 'replace') {
          list.replace(from, to, value);
          plain.splice(from, to - from, value);
        } else if (does === 'drop first') {
          list.dropFirst(from);
          plain.splice(0, from);
        } else if (does === 'truncate') {
          list.truncate(from);
          plain.length = from;
        } else if (length > 0 && does === 'pop') expect(list.pop()).to.equal(plain.pop());
        else if (length > 0) {
          list.set(a % length, value);
          plain[a % length] = value;
        }
        longest = Math.max(longest, plain.length);
        expect(list.length).to.equal(plain.length);
        expect(plain.map((_, index) => list.at(index))).to.deep.equal(plain);
      }
    }), { numRuns: 300 });
    expect(longest).to.be.greaterThan(200);
  });
});
