import { expect } from 'chai';
import { Progress, progressText } from '../../src/rebuild/progress.js';

describe('the progress of a rebuild', () => {
  it('tells share, rate and time left', () => {
    expect(progressText(25_000, 100_000, 5_000, false)).to.equal('25 % of 100000 records, 5000 records/s, 0:15 left');
    expect(progressText(25_000, 100_000, 5_000_000, false)).to.equal('25 % of 100000 records, 5 records/s, 4:10:00 left');
    expect(progressText(0, 100_000, 0, true)).to.equal(`[${'-'.repeat(30)}] 0 % of 100000 records, 0 records/s, time left unknown`);
  });

  it('writes over itself on a terminal and takes itself away; elsewhere it is lines', () => {
    for (const isTerminal of [true, false]) {
      let nowMs = 0;
      let text = '';
      const progress = new Progress({ total: 1_000, isTerminal, write: (piece) => (text += piece), now: () => nowMs });
      nowMs = 10_000;
      progress.add(500);
      progress.end();
      expect(text.includes('\r')).to.equal(isTerminal);
      expect(text.endsWith('\n')).to.equal(!isTerminal);
      expect(text).to.contain('50 % of 1000 records, 50 records/s, 0:10 left');
    }
  });
});
