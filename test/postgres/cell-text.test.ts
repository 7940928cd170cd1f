import { expect } from 'chai';
import fc from 'fast-check';
import { arrayLiteral, parseTextArray, scalarText, timeText } from '../../src/postgres/cell-text.js';

describe('text of cells', () => {
  it('writes exact decimals, UTC times with milliseconds, words for truth', () => {
    expect(scalarText('numeric', -1_500_000_000_000_000_001n)).to.equal('-1.500000000000000001');
    expect(scalarText('timestamptz', 1_767_225_600_598)).to.equal('2026-01-01T00:00:00.598Z');
    expect(scalarText('boolean', true)).to.equal('true');
    expect(scalarText('bigint', 54_717_739_471)).to.equal('54717739471');
  });

  it('writes years of five digits as PostgreSQL reads them, and no date for what is none', () => {
    expect(timeText(253_402_300_800_000)).to.equal('10000-01-01T00:00:00.000Z');
    expect(timeText(9e15)).to.match(/^not a time/);
  });

  it('writes one array element a row, nulls and lists among them', () => {
    expect(arrayLiteral('numeric', [0n, null, 10n ** 18n])).to.equal('{0,NULL,1}');
    expect(arrayLiteral('text', ['a"b', '', 'NULL', 'c\\d'])).to.equal('{"a\\"b","","NULL","c\\\\d"}');
    expect(arrayLiteral('text[]', [['x', 'y"'], []])).to.equal('{"{\\"x\\",\\"y\\\\\\"\\"}","{}"}');
  });

  it('reads back any list of texts', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('', '"', '\\', ',', '{}', 'a\nb', ' '))), (texts) => {
      expect(parseTextArray(arrayLiteral('text', texts))).to.deep.equal(texts);
    }));
  });

  it('reads what the server writes without quotes', () => {
    expect(parseTextArray('{user,take_profit,"two words"}')).to.deep.equal(['user', 'take_profit', 'two words']);
    expect(parseTextArray('{}')).to.deep.equal([]);
  });
});
