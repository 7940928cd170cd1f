import { expect } from 'chai';
import fc from 'fast-check';
import { RecordCodec, UndecodableRecord } from '../../src/avro/record-codec.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { localSchemas } from '../../src/avro/schema-source.js';
import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import { arbitraryRecord } from './arbitrary-record.js';
import { readNaively } from './naive-avro.js';

const schemas = readRecordSchemas();

describe('RecordCodec, any record', () => {
  let codec: RecordCodec;
  before(async () => {
    codec = await RecordCodec.open(localSchemas(schemas), schemas);
  });

  for (const { name, schema } of schemas) {
    it(`gives back ${name} as it was, and the same bytes every time`, () => {
      fc.assert(
        fc.property(arbitraryRecord(schema), (value) => {
          const bytes = Buffer.from(codec.encode(name, value));
          const decoded = codec.decode(bytes);
          expect(decoded.type).to.equal(name);
          expect(decoded.value).to.deep.equal(value);
          expect(readNaively(schema, bytes.subarray(5))).to.deep.equal(value);
          expect(codec.encode(decoded.type, decoded.value as RecordTypes[RecordName])).to.deep.equal(bytes);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('reads mutated bytes as a valid record or refuses them, never anything else', () => {
    const { name, schema } = schemas.find((candidate) => candidate.name === 'PositionOrder')!;
    fc.assert(
      fc.property(arbitraryRecord(schema), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.nat({ max: 40 }), (value, place, noise, cut) => {
        const bytes = Buffer.from(codec.encode(name, value));
        noise.forEach((byte, index) => (bytes[5 + ((place + index * 7) % (bytes.length - 5))] = byte));
        const hostile = cut < 10 ? bytes.subarray(0, bytes.length - cut) : bytes;
        let decoded;
        try {
          decoded = codec.decode(hostile);
        } catch (error) {
          expect(error).to.be.instanceOf(UndecodableRecord);
          return;
        }
        // What was accepted is a value of the schema: it can be written again and says the same.
        const again = codec.encode(decoded.type, decoded.value as RecordTypes[RecordName]);
        expect(codec.decode(again).value).to.deep.equal(decoded.value);
        expect(readNaively(schema, again.subarray(5))).to.deep.equal(decoded.value);
      }),
      { numRuns: 1500 },
    );
  });
});
