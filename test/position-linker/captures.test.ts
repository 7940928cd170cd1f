import { expect } from 'chai';
import { captureNames, readCapture } from '../captures/captures.js';
import { judgeSession } from './judged-session.js';

describe('recorded sessions through the cores', () => {
  for (const name of captureNames()) {
    it(`${name}: every leg, cycle and result is the true one under both policies`, () => {
      const { lines, truth, grain } = readCapture(name);
      for (const policy of ['pro-rata', 'fifo'] as const) expect(judgeSession(lines, truth, { policy, grain }), policy).to.deep.equal([]);
    });
  }
});
