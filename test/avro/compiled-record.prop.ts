import { expect } from 'chai';
import fc from 'fast-check';
import { compileReader, compileWriter } from '../../src/avro/compiled-record.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { compileType } from '../../src/avro/strict-types.js';
import type { SliceableBuffer } from '../../src/avro/tap.js';
import { arbitraryRecord } from './arbitrary-record.js';

const HEADER = 5;
const ROOM = 64 * 1024;

/** The same with ASCII text only, as nearly every record is. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[^ -~]/gu, '.');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

describe('compiled records', () => {
  for (const { name, schema } of readRecordSchemas()) {
    const general = compileType(schema);
    const read = compileReader(schema);
    const write = compileWriter(schema);
    const some = (schema.fields ?? []).filter((_, place) => place % 3 === 1).map((field) => field.name);
    const readSome = compileReader(schema, new Set(some));

    it(`${name}: write what the general codec writes, or leave it to that`, () => {
      const into = Buffer.alloc(ROOM) as SliceableBuffer;
      let written = 0;
      fc.assert(
        fc.property(arbitraryRecord(schema), fc.boolean(), (made, isPlain) => {
          const value = (isPlain ? plain(made) : made) as object;
          const expected = general.toBuffer(value);
          const end = write(into, HEADER, value);
          if (end < 0) return;
          written++;
          expect(into.subarray(HEADER, end)).to.deep.equal(expected);
          expect(write(into.subarray(0, end - 1) as SliceableBuffer, HEADER, value), 'without room for the last byte').to.equal(-1);
        }),
        { numRuns: 15 },
      );
      expect(written).to.be.above(0);
    });

    it(`${name}: read what the general codec reads, or leave it to that`, () => {
      let taken = 0;
      let parts = 0;
      fc.assert(
        fc.property(arbitraryRecord(schema), fc.boolean(), fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.nat({ max: 20 }), (made, isPlain, place, noise, cut) => {
          const value = (isPlain ? plain(made) : made) as object;
          const whole = Buffer.concat([Buffer.alloc(HEADER), general.toBuffer(value)]);
          noise.forEach((byte, index) => (whole[HEADER + ((place + index * 7) % (whole.length - HEADER))] = byte));
          const bytes = (cut === 0 ? whole.subarray(0, whole.length - 1) : whole) as SliceableBuffer;
          let found;
          try {
            found = read(bytes, HEADER);
          } catch {
            found = undefined;
          }
          if (found === undefined) {
            let part;
            try {
              part = readSome(bytes, HEADER);
            } catch {
              part = undefined;
            }
            expect(part, 'what is not read whole is not read in part').to.equal(undefined);
            return;
          }
          taken++;
          const { value: expected, offset } = general.decode(bytes, HEADER);
          expect(offset).to.equal(bytes.length);
          expect(found).to.deep.equal(expected);
          const part = readSome(bytes, HEADER);
          if (part === undefined) return;
          parts++;
          expect(part).to.deep.equal(Object.fromEntries(some.map((field) => [field, (expected as Record<string, unknown>)[field]])));
        }),
        { numRuns: 40 },
      );
      expect(taken).to.be.above(0);
      expect(parts).to.be.above(0);
    });
  }
});
