import fc from 'fast-check';
import { expect } from 'chai';
import { TIMES_KEPT, TimeTally } from '../../src/model-service/time-tally.js';

const T0 = 1_767_225_600_000;

describe('times of a result', () => {
  it('have the earliest and latest of what is left, through text and back', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean())), (script) => {
      let tally = new TimeTally();
      const left: number[] = [];
      for (const [steps, isTakenOut] of script) {
        const index = isTakenOut ? left.indexOf(T0 + steps) : -1;
        if (isTakenOut && index < 0) continue;
        tally.add(T0 + steps, isTakenOut ? -1 : 1);
        if (isTakenOut) left.splice(index, 1);
        else left.push(T0 + steps);
        tally = TimeTally.decode(tally.encode());
        expect(tally.earliest()).to.equal(left.length === 0 ? null : Math.min(...left));
        expect(tally.latest()).to.equal(left.length === 0 ? null : Math.max(...left));
        expect(tally.isEmpty).to.equal(left.length === 0);
      }
    }), { numRuns: 200 });
  });

  it('stay bounded, and keep the newest singly', () => {
    const tally = new TimeTally();
    const count = 4 * TIMES_KEPT;
    for (let step = 0; step < count; step++) tally.add(T0 + step, 1);
    expect(tally.encode().split(',').length).to.be.at.most(2 * TIMES_KEPT + 3);
    expect([tally.earliest(), tally.latest()]).to.deep.equal([T0, T0 + count - 1]);
    for (let step = count - 1; step >= count - TIMES_KEPT; step--) {
      expect(tally.latest()).to.equal(T0 + step);
      tally.add(T0 + step, -1);
    }
    const copy = TimeTally.decode(tally.encode());
    for (let step = 0; step < count - TIMES_KEPT; step++) copy.add(T0 + step, -1);
    expect(copy.isEmpty).to.equal(true);
    copy.add(T0 + 7, 1);
    expect([copy.earliest(), copy.latest()]).to.deep.equal([T0 + 7, T0 + 7]);
  });
});
