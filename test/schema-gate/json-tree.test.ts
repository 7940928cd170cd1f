import { expect } from 'chai';
import fc from 'fast-check';
import { JsonTextError, lineAndColumn, plainValue, readJson, type JsonNode } from '../../src/schema-gate/json-tree.js';

describe('JSON with places', () => {
  it('has the values of the platform, and each at the text that it was read from', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const node = readJson(text);
        expect(plainValue(node)).to.deep.equal(JSON.parse(text));
        const walk = (part: JsonNode): void => {
          expect(JSON.parse(text.slice(part.offset, part.end))).to.deep.equal(plainValue(part));
          if (part.kind === 'object') for (const { value: inner } of part.entries) walk(inner);
          if (part.kind === 'array') part.items.forEach(walk);
        };
        walk(node);
      }),
      { numRuns: 50 },
    );
  });

  const wrong: readonly (readonly [string, string, number])[] = [
    ['', 'the text ends here', 0],
    ['{"a": 1,}', 'a key in double quotes is missing', 8],
    ['{"a" 1}', 'a colon after the key is missing', 5],
    ['[1 2]', 'a comma or ] is missing', 3],
    ['[1', 'the text ends here', 2],
    ['{"a": 1, "a": 2}', 'key "a" stands twice', 9],
    ['"a\nb"', 'does not end on its line', 0],
    ['"\\x"', 'wrong escape', 0],
    ['01', 'text after the end', 1],
    ["{'a': 1}", 'a key in double quotes', 1],
    ['nul', '"n" begins no value', 0],
    ['1 2', 'text after the end of the value', 2],
    ['['.repeat(600), 'nested more than 500 deep', 501],
  ];
  for (const [text, message, offset] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))} at its place`, () => {
      expect(() => readJson(text)).to.throw(JsonTextError, message).with.property('offset', offset);
    });
  }

  it('counts lines and columns as editors do', () => {
    expect(lineAndColumn('a\n\u{1f600}bc', 5)).to.deep.equal({ line: 2, column: 3 });
    expect(lineAndColumn('', 0)).to.deep.equal({ line: 1, column: 1 });
    expect(plainValue(readJson('\ufeff [1]'))).to.deep.equal([1]);
  });
});
