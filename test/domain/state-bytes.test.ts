import { expect } from 'chai';
import { StateReader, StateWriter } from '../../src/domain/state-bytes.js';

describe('state bytes', () => {
  it('give back decimals of any size, at the borders of every word', () => {
    const writer = new StateWriter();
    const values = [0, 62, 63, 64, 126, 127, 128, 190, 191, 192, 400].flatMap((bits) => [-1n, 0n, 1n].flatMap((off) => [2n ** BigInt(bits) + off, -(2n ** BigInt(bits)) + off]));
    writer.start(1);
    for (const value of values) writer.decimal(value);
    const reader = new StateReader(writer.finish());
    expect(reader.byte()).to.equal(1);
    expect(values.map(() => reader.decimal())).to.deep.equal(values);
  });

  it('refuse a number that would come back as another', () => {
    const writer = new StateWriter();
    for (const value of [-2, -1_767_225_662_241]) expect(() => writer.count(value)).to.throw(RangeError, String(value));
    for (const value of [-1, 0, 127, 128, 2 ** 53 - 2]) {
      writer.start(1);
      writer.count(value);
      const reader = new StateReader(writer.finish());
      reader.byte();
      expect(reader.count()).to.equal(value);
    }
  });
});
