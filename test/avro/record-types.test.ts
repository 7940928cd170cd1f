import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { recordTypesText, SchemaTypeError, type AvroNamedSchema, type AvroSchema } from '../../src/avro/record-types.js';

const decimal = { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 18 } as const;
const side: AvroNamedSchema = { type: 'enum', name: 'Side', symbols: ['Buy', 'Sell'] };

function record(name: string, ...types: readonly AvroSchema[]): AvroNamedSchema {
  return { type: 'record', name, doc: `One ${name}.`, fields: types.map((type, index) => ({ name: `field_${index}`, type })) };
}

describe('recordTypesText', () => {
  it('gives each type of Avro its TypeScript', () => {
    const text = recordTypesText([record('Lot', 'string', 'int', 'boolean', decimal, ['null', decimal], { type: 'long', logicalType: 'timestamp-millis' }, side, ['null', 'Side'], { type: 'array', items: ['null', 'string'] })]);
    const lines = [...text.matchAll(/readonly field_\d: (.*);/g)].map((match) => match[1]);
    expect(lines).to.deep.equal(['string', 'number', 'boolean', 'Decimal', 'Decimal | null', 'number', 'Side', 'Side | null', 'readonly (string | null)[]']);
    expect(text).to.include("export type Side = 'Buy' | 'Sell';").and.include('/** One Lot. */\nexport interface Lot {').and.include('  readonly Lot: Lot;').and.include("  'Lot',");
    expect(text).to.include('/** Milliseconds since the epoch. */\n  readonly field_5: number;');
  });

  it('writes a type that several records share once, and does not depend on their order', () => {
    const schemas = [record('Lot', side), record('Cycle', side)];
    const text = recordTypesText(schemas);
    expect(text.match(/export type Side/g)).to.have.length(1);
    expect(recordTypesText([...schemas].reverse())).to.equal(text);
  });

  const refused: readonly (readonly [string, readonly AvroNamedSchema[], string])[] = [
    ['two types of one name', [record('Lot', side), record('Cycle', { ...side, symbols: ['Buy'] })], 'Lot.field_0: Side differs'],
    ['another scale', [record('Lot', { ...decimal, scale: 8 })], 'Lot.field_0: decimals have precision 38 and scale 18'],
    ['floats', [record('Lot', 'double')], 'Lot.field_0: type "double" has no TypeScript type here'],
    ['another unit of time', [record('Lot', { type: 'long', logicalType: 'timestamp-micros' })], 'Lot.field_0'],
    ['a wide union', [record('Lot', ['null', 'string', 'int'])], 'Lot.field_0: only unions of null'],
    ['a nested record that is wrong', [record('Lot', { ...record('Part', 'float') })], 'Lot.field_0.Part.field_0: type "float"'],
  ];
  for (const [what, schemas, message] of refused) it(`refuses ${what}`, () => expect(() => recordTypesText(schemas)).to.throw(SchemaTypeError, message));

  it('was run after the last change of a schema', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/generate-types.ts', '--check'], { encoding: 'utf8' });
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
  });
});
