import fc from 'fast-check';
import { expect } from 'chai';
import { ExchangeClock } from '../../../src/ws-gateway/live/exchange-clock.js';

const AHEAD_MS = 1_700_000_000_000;

/** An answer of an exchange that is `aheadMs` ahead, with the ways there and back as given. */
function sample(sentMs: number, thereMs: number, backMs: number, aheadMs = AHEAD_MS) {
  return { sentMs, receivedMs: sentMs + thereMs + backMs, serverMs: sentMs + thereMs + aheadMs };
}

describe("the exchange's clock", () => {
  it('is not known before the first answer', () => {
    expect(new ExchangeClock().offsetMs).to.equal(null);
    expect(() => new ExchangeClock().at(0)).to.throw('not known');
  });

  it('is off by no more than half of the quickest way there and back', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(300), fc.nat(300)), { minLength: 1, maxLength: 30 }), (ways) => {
      const clock = new ExchangeClock();
      ways.forEach(([there, back], index) => clock.take(sample(index * 1_000, there, back)));
      const last = ways.slice(-12).map(([there, back]) => there + back);
      expect(Math.abs(clock.at(0) - AHEAD_MS)).to.be.at.most(Math.min(...last) / 2);
    }));
  });

  it('does not follow one wild answer, nor several that do not agree', () => {
    const clock = new ExchangeClock();
    clock.take(sample(0, 10, 10));
    for (const [index, wild] of [3_600_000, -50_000, 7_200_000, 90_000].entries()) {
      expect(clock.take(sample(1_000 + index, 10, 10, AHEAD_MS + wild))).to.deep.equal({ kind: 'steady' });
      expect(clock.at(0)).to.equal(AHEAD_MS);
    }
  });

  for (const byMs of [60_000, -60_000]) {
    it(`follows a jump of ${byMs} ms once three answers agree, and says by how much`, () => {
      const clock = new ExchangeClock();
      clock.take(sample(0, 10, 10));
      const changes = [1, 2, 3].map((index) => clock.take(sample(index * 2_500, 10, 10, AHEAD_MS + byMs)));
      expect(changes).to.deep.equal([{ kind: 'steady' }, { kind: 'steady' }, { kind: 'jumped', byMs }]);
      expect(clock.at(0)).to.equal(AHEAD_MS + byMs);
    });
  }

  it('forgets old answers, so that a drift of the machine does not stay', () => {
    const clock = new ExchangeClock();
    clock.take(sample(0, 0, 0));
    for (let minute = 1; minute <= 30; minute++) clock.take(sample(minute * 60_000, 5, 5, AHEAD_MS + minute * 20));
    expect(Math.abs(clock.at(0) - (AHEAD_MS + 600))).to.be.at.most(60);
  });

  it('takes no answer that is none', () => {
    const clock = new ExchangeClock();
    clock.take({ sentMs: 0, receivedMs: 10, serverMs: Number.NaN });
    clock.take({ sentMs: 10, receivedMs: 0, serverMs: 5 });
    expect(clock.offsetMs).to.equal(null);
  });
});
