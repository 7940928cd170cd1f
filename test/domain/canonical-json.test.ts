import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import { parseDecimal } from '../../src/domain/decimal.js';

describe('canonicalJson', () => {
  it('sorts keys at every level and writes decimals as text', () => {
    const value = { b: [{ z: 1, a: null }], a: parseDecimal('1.50'), c: undefined, 'é': true };
    expect(canonicalJson(value)).to.equal('{"a":"1.5","b":[{"a":null,"z":1}],"é":true}');
  });

  it('is the same text whatever the order of the keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).to.equal(canonicalJson(value));
        // Compared by entries: a member named __proto__ is data to JSON.parse and must stay so.
        expect(Object.entries(JSON.parse(canonicalJson(value)) as object)).to.have.deep.members(Object.entries(value).map(([k, v]) => [k, v === 0 ? 0 : v]));
      }),
    );
  });

  it('has one zero and refuses what JSON cannot hold', () => {
    expect(canonicalJson(-0)).to.equal('0');
    expect(() => canonicalJson(Number.NaN)).to.throw(TypeError, 'NaN');
    expect(() => canonicalJson(Number.POSITIVE_INFINITY)).to.throw(TypeError);
  });
});
