import { expect } from 'chai';
import { backlogPauseMs } from '../../src/runtime/backlog.js';

describe('commits in a backlog', () => {
  it('come up to five intervals apart, but no further than a second, and never before their time', () => {
    expect([1, 100, 200, 600, 1_000, 60_000].map(backlogPauseMs)).to.deep.equal([4, 400, 800, 400, 0, 0]);
  });
});
