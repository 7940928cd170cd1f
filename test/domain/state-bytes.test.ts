import { expect } from 'chai';
import { MONEY_UNIT, abs, moneyUnits, parseDecimal } from '../../src/domain/decimal.js';
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

  it('give back whole and broken numbers of the eighth decimal, of both signs, around every limit of their short forms', () => {
    const sizes = [0, 1, 9, 10, 31, 32, 33, 47, 50, 53, 63, 64, 79, 80, 81, 100].flatMap((bits) => {
      const nearest = (2n ** BigInt(bits) / MONEY_UNIT) * MONEY_UNIT;
      return [-1n, 0n, 1n, 2n, 10_000n, 12_345n].flatMap((units) => [-1024n, -1n, 0n, 1n, 512n, 1024n, 9_765_625n].map((off) => nearest + units * MONEY_UNIT + off));
    });
    const values = [...sizes, ...sizes.map((size) => -size), 5n ** 10n, 2n ** 10n, 5n ** 10n * 2n ** 9n, 5n ** 9n * 2n ** 10n];
    const writer = new StateWriter();
    for (const value of values) {
      writer.clear();
      writer.decimal(value);
      const reader = new StateReader(writer.finish());
      expect(reader.decimal(), String(value)).to.equal(value);
      expect(reader.rest()).to.have.length(0);
      const units = moneyUnits(value);
      if (value % MONEY_UNIT !== 0n) expect(units, String(value)).to.be.NaN;
      else if (abs(value) < 2n ** 80n) expect(units, String(value)).to.equal(Number(value / MONEY_UNIT));
    }
  });

  it('are short for what an exchange tells', () => {
    const bytesOf = (text: string): number => {
      const writer = new StateWriter();
      writer.decimal(parseDecimal(text));
      return writer.written().length;
    };
    expect(['0', '0.001', '1', '-3.5', '64250.5', '2301.07352941', '-0.00012345'].map(bytesOf)).to.deep.equal([2, 2, 3, 4, 6, 7, 3]);
    const writer = new StateWriter();
    writer.text('0e7f9c1a-23b4-4d5e-8f60-718293a4b5c6');
    expect(writer.written()).to.have.length(17);
  });

  it('give back texts, and of those that look like ids every one as it was', () => {
    const id = '0e7f9c1a-23b4-4d5e-8f60-718293a4b5c6';
    const changed = (at: number, character: string): string => id.slice(0, at) + character + id.slice(at + 1);
    // U+0161 and U+01AD are the codes of "a" and of a dash, were only seven bits of them looked at.
    const texts = [
      '', 'x', id, id.toUpperCase(), id.slice(1), `${id}0`, id.replaceAll('-', '0'), 'é'.repeat(36), 'é'.repeat(18),
      ...[...id].flatMap((_, at) => ['A', 'g', '-', '0', '/', ':', '`', '\u0161', '\u01ad', '\u2d2d'].map((character) => changed(at, character))),
    ];
    const writer = new StateWriter();
    for (const text of texts) {
      writer.clear();
      writer.text(text);
      writer.byte(7);
      const reader = new StateReader(writer.finish());
      expect(reader.text()).to.equal(text);
      expect(reader.byte()).to.equal(7);
    }
  });

  it('name an entry that ends within an id', () => {
    const writer = new StateWriter();
    writer.text('0e7f9c1a-23b4-4d5e-8f60-718293a4b5c6');
    const cut = writer.finish().subarray(0, 12);
    expect(() => new StateReader(cut).text()).to.throw(RangeError, 'cut short');
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
