import { expect } from 'chai';
import fc from 'fast-check';
import { SeqClock } from '../../src/position-linker/seq-clock.js';

const pairs = fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { maxLength: 40 });
const times = Array.from({ length: 62 }, (_, atMs) => atMs);

function clockOf(known: readonly (readonly [number, number])[]): SeqClock {
  const clock = new SeqClock();
  for (const [atMs, seq] of known) clock.add(atMs, seq);
  return clock;
}

describe('dates by time', () => {
  it('a time is dated to the lowest seq known at or after it, whatever came first', () => {
    fc.assert(fc.property(pairs, (known) => {
      const clock = clockOf(known);
      for (const time of times) {
        const later = known.filter(([atMs]) => atMs >= time).map(([, seq]) => seq);
        expect(clock.at(time)?.seq ?? null).to.equal(later.length === 0 ? null : Math.min(...later));
      }
    }));
  });

  it('after seqs were forgotten, dates above them are as before, and the others stay at or below them', () => {
    fc.assert(fc.property(pairs, fc.nat(60), (known, forgotten) => {
      const before = clockOf(known);
      const after = clockOf(known);
      after.forgetUpTo(forgotten);
      for (const time of times) {
        const seq = before.at(time)?.seq ?? null;
        const now = after.at(time)?.seq ?? null;
        if (seq !== null && seq <= forgotten) expect(now).to.be.within(seq, forgotten);
        else expect(now).to.equal(seq);
      }
      expect(after.length).to.be.at.most(before.length);
      const kept = Array.from({ length: after.length }, (_, n) => after.pairAt(n).seq);
      expect(kept.filter((seq) => seq <= forgotten).length).to.be.at.most(1);
    }));
  });
});
