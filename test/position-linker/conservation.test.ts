import { expect } from 'chai';
import { captureNames, readCapture } from '../captures/captures.js';
import { linkCapture } from './core-pipeline.js';

describe('conservation at run time', () => {
  for (const policy of ['pro-rata', 'fifo'] as const) {
    it(`${policy}: at every update of every recorded session the results add up to the exchange's own figure`, () => {
      for (const name of captureNames()) {
        const { checks, breaches, largestErrorPerTolerance } = linkCapture(readCapture(name).lines, { policy }).linker.conservation;
        expect(checks, name).to.be.greaterThan(10);
        expect(breaches, name).to.equal(0);
        expect(largestErrorPerTolerance, name).to.be.lessThan(1);
      }
    });
  }
});
