import { expect } from 'chai';
import { compareNaturally, matchVersions } from '../../src/schema-gate/match-versions.js';

/** path:name, or path alone for a type without a name. */
function files(...specs: readonly string[]): { readonly path: string; readonly fullName: string | null; readonly aliases: readonly string[] }[] {
  return specs.map((spec) => {
    const [path = '', fullName = null, ...aliases] = spec.split(':');
    return { path, fullName, aliases };
  });
}

describe('earlier versions', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[], readonly (number | null)[]])[] = [
    ['of one name, wherever they lie', ['order.avsc:n.Order', 'fill.avsc:n.Fill'], ['x/1.avsc:n.Fill', 'y.avsc:n.Order'], [1, 0]],
    ['in a folder named after the file', ['order.avsc', 'fill.avsc'], ['fill/1.avsc', 'fill/2.avsc', 'order/1.avsc'], [1, 1, 0]],
    ['in a folder named after the record, however it is spelled', ['a.avsc:n.OrderUpdate', 'b.avsc:n.Fill'], ['order-update/1.avsc', 'n.Fill/1.avsc'], [0, 1]],
    ['in a folder for each version', ['order.avsc', 'fill.avsc'], ['v1/order.avsc', 'v2/fill.avsc', 'v2/order.avsc'], [0, 1, 0]],
    ['with the version in the name', ['order.avsc', 'fill.avsc'], ['order-1.avsc', 'order.v2.avsc', 'fill_3.avsc'], [0, 0, 1]],
    ['whose name ends in a number itself', ['case-1.avsc', 'case-2.avsc'], ['case-1.avsc', 'case-2/1.avsc'], [0, 1]],
    ['that had another name at the same place', ['order.avsc:n.Order', 'fill.avsc:n.Fill'], ['order.avsc:n.Purchase', 'fill.avsc:n.Fill'], [0, 1]],
    ['whose place has another schema now', ['order.avsc:n.Purchase', 'old.avsc:n.Order'], ['order.avsc:n.Order'], [1]],
    ['of names that stand in several files', ['a.avsc:R', 'b.avsc:S'], ['a.avsc:R', 'b.avsc:R'], [0, 1]],
    ['known by an alias', ['a.avsc:n.Order:n.Purchase', 'b.avsc:n.Fill'], ['x.avsc:n.Purchase'], [0]],
    ['of another namespace', ['a.avsc:n.Order', 'b.avsc:n.Fill'], ['x.avsc:m.Order'], [0]],
    ['of nothing that can be told, of one schema alone', ['a.avsc:R'], ['1.avsc:S', '2.avsc:T'], [0, 0]],
    ['without a name beside their kin', ['a.avsc:n.R', 'b.avsc:n.S'], ['x/1.avsc:n.Q', 'x/2.avsc:n.R', 'y/1.avsc:n.T'], [0, 0, null]],
    ['of a schema that is gone', ['a.avsc:n.R', 'b.avsc:n.S'], ['c.avsc:n.T', 'a.avsc:n.R'], [null, 0]],
  ];
  for (const [what, checked, earlier, expected] of cases) {
    it(`${what}`, () => expect(matchVersions(files(...checked), files(...earlier))).to.deep.equal(expected));
  }

  it('come in the order in which people count', () => {
    const paths = ['b/10.avsc', 'b/9.avsc', 'a.avsc', 'b/v2.avsc', 'b/v10.avsc', 'b/007.avsc', 'b.avsc'];
    expect(paths.sort(compareNaturally)).to.deep.equal(['a.avsc', 'b/007.avsc', 'b/9.avsc', 'b/10.avsc', 'b/v2.avsc', 'b/v10.avsc', 'b.avsc']);
  });
});
