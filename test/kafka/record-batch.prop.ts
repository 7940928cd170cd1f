import { expect } from 'chai';
import fc from 'fast-check';
import { decodeRecordBatches, endOfBatches } from '../../src/kafka/batch-decoder.js';
import { encodeRecordBatch, recordSizeBound } from '../../src/kafka/batch-encoder.js';
import { committedRecords } from '../../src/kafka/committed-records.js';
import { LogError } from '../../src/kafka/errors.js';
import { BATCH_LENGTH_AT, LENGTH_OVERHEAD, RECORDS_AT, readInt64, writeInt64 } from '../../src/kafka/record-batch.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { NO_PRODUCER, placed, withChecksum } from './batches.js';

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const records = fc.array(
  fc.record({
    timestampMs: fc.oneof(fc.integer({ min: 0, max: 2 ** 51 }), fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 })),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 12 }), bytes), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
);

function read(encoded: Buffer): LogRecord[] {
  const found: LogRecord[] = [];
  for (const batch of decodeRecordBatches(encoded, 't', 0)) batch.readRecords(found, 0);
  return found;
}

describe('record batches', () => {
  it('read back as they were written, within the size promised', () => {
    fc.assert(
      fc.property(records, fc.integer({ min: 0, max: 2 ** 52 }), (written, baseOffset) => {
        const batch = placed(encodeRecordBatch(written, NO_PRODUCER), baseOffset);
        expect(batch.length).to.be.at.most(written.reduce((sum, one) => sum + recordSizeBound(one), RECORDS_AT));
        expect(read(batch)).to.deep.equal(
          written.map((one, i) => ({ topic: 't', partition: 0, offset: baseOffset + i, ...one })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('numbers of 64 bits survive, negative ones too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (value) => {
        const buffer = Buffer.alloc(8);
        writeInt64(buffer, value, 0);
        expect(readInt64(buffer, 0)).to.equal(value);
        expect(Number(buffer.readBigInt64BE(0))).to.equal(value);
      }),
    );
  });

  it('of any bytes, cut or changed behind a right checksum, are read, left out or refused, never worse', () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(records, fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), (written, changes, cut) => {
        const whole = encodeRecordBatch(written, NO_PRODUCER);
        for (const { at, to } of changes) {
          // Anything from the magic byte on; a changed length only moves the end.
          const place = 16 + (at % (whole.length - 16));
          whole[place] = to;
        }
        const batch = withChecksum(cut % 3 === 0 ? whole.subarray(0, Math.max(RECORDS_AT, cut % whole.length)) : whole);
        batch.writeInt32BE(batch.length - LENGTH_OVERHEAD, BATCH_LENGTH_AT);
        endOfBatches(batch, 0);
        try {
          expect(read(batch).length).to.be.at.most(batch.length);
        } catch (error) {
          expect(error).to.be.instanceOf(LogError);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('of pure noise are read, left out or refused, never worse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        try {
          committedRecords({ topic: 't', partition: 0, fromOffset: 0, bytes: Buffer.from(noise), aborted: [] });
        } catch (error) {
          expect(error).to.be.instanceOf(LogError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
