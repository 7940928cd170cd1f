import { expect } from 'chai';
import { openLocalCodec } from '../../src/replay/replay.js';
import { emptyReport, runSession } from './campaign.js';

/** The short form of `scripts/mutate`. */
describe('mutated records', () => {
  it('crash nothing, hold up nothing, and none of them vanishes', async () => {
    const report = emptyReport();
    await runSession(await openLocalCodec(), 4, 40, report);
    expect(report.problems.filter((problem) => !problem.includes(' took '))).to.deep.equal([]);
    expect(report.mutated).to.be.greaterThan(300);
    expect(report.deadLetters).to.be.greaterThan(100);
    expect([...report.roles.values()].every(({ outputs, threw }) => outputs > 0 && threw === 0)).to.equal(true);
  });
});
