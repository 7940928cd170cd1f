import { expect } from 'chai';
import fc from 'fast-check';
import type avro from 'avsc';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { compileResolvingReader } from '../../src/avro/resolving-reader.js';
import { compileType } from '../../src/avro/strict-types.js';
import type { SliceableBuffer } from '../../src/avro/tap.js';
import { incompatibilities } from '../../src/schema-gate/compatibility.js';
import { parseSchema } from '../../src/schema-gate/schema-parser.js';
import { arbitraryRecord } from './arbitrary-record.js';
import { olderVersions } from './older-versions.js';

const HEADER = 5;

/** The widest record of a source topic, and those with every kind of type. */
const RECORDS = ['OrderUpdate', 'Fill', 'PositionDiscrepancy'];

describe('readers of older versions', () => {
  for (const { name, schema } of readRecordSchemas().filter((record) => RECORDS.includes(record.name))) {
    it(`${name}: give what the resolver gives, or leave it to that`, () => {
      const own = compileType(schema) as avro.types.RecordType;
      for (const older of olderVersions(schema)) {
        const [now, before] = [parseSchema(JSON.stringify(schema)).root!, parseSchema(JSON.stringify(older)).root!];
        expect([...incompatibilities(now, before), ...incompatibilities(before, now)]).to.deep.equal([]);
        const written = compileType(older);
        const resolver = own.createResolver(written);
        const read = compileResolvingReader(schema, older, (field) => own.fields.find((candidate) => candidate.name === field)?.defaultValue())!;
        let taken = 0;
        fc.assert(
          fc.property(arbitraryRecord(older), fc.nat(), fc.uint8Array({ maxLength: 2 }), (value, place, noise) => {
            const bytes = Buffer.concat([Buffer.alloc(HEADER), written.toBuffer(value)]) as SliceableBuffer;
            noise.forEach((byte, index) => (bytes[HEADER + ((place + index * 7) % (bytes.length - HEADER))] = byte));
            let found;
            try {
              found = read(bytes, HEADER);
            } catch {
              found = undefined;
            }
            if (found === undefined) return;
            taken++;
            const { value: expected, offset } = own.decode(bytes, HEADER, resolver);
            expect(offset).to.equal(bytes.length);
            expect(found).to.deep.equal(expected);
            expect(Object.keys(found)).to.deep.equal(Object.keys(expected as object));
          }),
          { numRuns: 8 },
        );
        expect(taken, 'records read').to.be.above(0);
      }
    });
  }

  const record = (fields: readonly object[]): never => ({ type: 'record', name: 'R', fields }) as never;
  const cases: readonly (readonly [string, object, object])[] = [
    ['a type that was promoted', { name: 'a', type: 'long' }, { name: 'a', type: 'int' }],
    ['another union', { name: 'a', type: ['null', 'string'] }, { name: 'a', type: ['null', 'long'] }],
    ['an enum whose symbols are not ours, without a default', { name: 'a', type: { type: 'enum', name: 'E', symbols: ['A'] } }, { name: 'a', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } }],
    ['a field that has no default', { name: 'a', type: 'int' }, { name: 'b', type: 'int' }],
  ];
  for (const [what, own, written] of cases) {
    it(`leave ${what} to the resolver`, () => expect(compileResolvingReader(record([own]), record([written]), () => undefined)).to.equal(null));
  }

  it('know a field by its alias, and a type by its name wherever it is spelled out', () => {
    const side = { type: 'enum', name: 'Side', symbols: ['Buy', 'Sell', 'None'], default: 'None' };
    const own = record([{ name: 'now', aliases: ['before'], type: ['null', side] }, { name: 'other', type: 'Side', default: 'None' }]);
    const written = { type: 'record', name: 'n.R', fields: [{ name: 'other', type: { ...side, name: 'n.Side', symbols: ['Sell', 'Both'] } }, { name: 'before', type: 'n.Side' }] } as never;
    const read = compileResolvingReader(own, written, () => undefined)!;
    expect(read(Buffer.from([0, 0, 0, 0, 0, 2, 0]) as SliceableBuffer, HEADER)).to.deep.equal({ now: 'Sell', other: 'None' });
  });
});
