import { expect } from 'chai';
import { describeType } from '../../src/schema-gate/avro-schema.js';
import { lineAndColumn } from '../../src/schema-gate/json-tree.js';
import { parseSchema } from '../../src/schema-gate/schema-parser.js';

const field = (text: string): string => `{"type": "record", "name": "R", "fields": [\n  ${text}\n]}`;

describe('schemas', () => {
  const wrong: readonly (readonly [string, string, string, string])[] = [
    ['no JSON', '{"type":', 'invalid-json', '/'],
    ['a number', '7', 'invalid-schema', '/'],
    ['no type', '{"name": "a"}', 'invalid-schema', '/'],
    ['a type that nobody knows', field('{"name": "a", "type": "text"}'), 'invalid-schema', '/fields/0/type'],
    ['a record without fields', '{"type": "record", "name": "R"}', 'invalid-schema', '/'],
    ['fields that are no list', '{"type": "record", "name": "R", "fields": {}}', 'invalid-schema', '/fields'],
    ['a field without a type', field('{"name": "a"}'), 'invalid-schema', '/fields/0'],
    ['a field that is a text', field('"a"'), 'invalid-schema', '/fields/0'],
    ['two fields of one name', field('{"name": "a", "type": "int"}, {"name": "a", "type": "int"}'), 'invalid-schema', '/fields/1'],
    ['a name with a hyphen', field('{"name": "a-b", "type": "int"}'), 'invalid-schema', '/fields/0/name'],
    ['a record name with a space', '{"type": "record", "name": "a b", "fields": []}', 'invalid-schema', '/name'],
    ['a name defined twice', field('{"name": "a", "type": {"type": "fixed", "name": "R", "size": 1}}'), 'invalid-schema', '/fields/0/type'],
    ["Avro's own name defined", '{"type": "fixed", "name": "int", "size": 1}', 'invalid-schema', '/'],
    ['a union in a union', '["null", ["int"]]', 'invalid-schema', '/1'],
    ['a branch twice', '["int", "int"]', 'invalid-schema', '/1'],
    ['an enum without symbols', '{"type": "enum", "name": "E"}', 'invalid-schema', '/'],
    ['a symbol twice', '{"type": "enum", "name": "E", "symbols": ["A", "A"]}', 'invalid-schema', '/symbols'],
    ['a symbol that is none', '{"type": "enum", "name": "E", "symbols": ["1"]}', 'invalid-schema', '/symbols'],
    ['a default that is no symbol', '{"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}', 'invalid-schema', '/default'],
    ['a size that is none', '{"type": "fixed", "name": "F", "size": -1}', 'invalid-schema', '/size'],
    ['an array of nothing', '{"type": "array"}', 'invalid-schema', '/'],
    ['a default beyond 32 bits', field('{"name": "a", "type": "int", "default": 2147483648}'), 'invalid-default', '/fields/0/default'],
    ['a default with a fraction', field('{"name": "a", "type": "long", "default": 1.5}'), 'invalid-default', '/fields/0/default'],
    ['bytes with a character that is none', field('{"name": "a", "type": "bytes", "default": "\\u0100"}'), 'invalid-default', '/fields/0/default'],
    ['a default of no branch', field('{"name": "a", "type": ["null", "int"], "default": "x"}'), 'invalid-default', '/fields/0/default'],
    ['a default that lacks a field', field('{"name": "a", "type": {"type": "record", "name": "I", "fields": [{"name": "b", "type": "int"}]}, "default": {}}'), 'invalid-default', '/fields/0/default'],
  ];
  for (const [what, text, rule, path] of wrong) {
    it(`refuse ${what}`, () => {
      const { problems, root } = parseSchema(text);
      expect(problems.map((problem) => [problem.rule, problem.place.path])).to.deep.equal([[rule, path]]);
      expect(root === null).to.equal(rule !== 'invalid-default');
    });
  }

  it('name every problem at once, each at its line', () => {
    const { problems, text } = parseSchema('{\n "type": "record", "name": "R", "fields": [\n  {"name": "a", "type": "text"},\n  {"name": "b", "type": "int", "default": "x"},\n  {"name": "c", "type": {"type": "fixed", "name": "F", "size": "x"}}\n]}');
    expect(problems.map(({ place }) => lineAndColumn(text, place.offset))).to.deep.equal([{ line: 3, column: 25 }, { line: 5, column: 64 }, { line: 4, column: 43 }]);
  });

  it('find names in their namespaces, their own among them', () => {
    const { problems, root } = parseSchema(
      JSON.stringify({
        type: 'record', name: 'n.R', fields: [
          { name: 'own', type: ['null', 'R'] },
          { name: 'side', type: { type: 'enum', name: 'Side', symbols: ['A'] } },
          { name: 'again', type: 'n.Side' },
          { name: 'other', type: { type: 'fixed', name: 'F', namespace: 'm', size: 4, aliases: ['G'], logicalType: 'decimal', precision: 4 } },
          { name: 'wrapped', type: { type: { type: 'long' } } },
        ],
      }),
    );
    expect(problems).to.deep.equal([]);
    const fields = root!.type.kind === 'record' ? root!.type.fields : [];
    expect(fields.map(({ type }) => describeType(type.type))).to.deep.equal(['union of [null, record n.R]', 'enum n.Side', 'enum n.Side', 'fixed m.F of 4 bytes (decimal(4, 0))', 'long']);
    expect((fields[3]!.type.type as { readonly aliases: readonly string[] }).aliases).to.deep.equal(['m.G']);
  });
});
