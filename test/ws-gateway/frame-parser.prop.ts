import fc from 'fast-check';
import { expect } from 'chai';
import { parseCaptureLine } from '../../src/ws-gateway/capture-line.js';
import { parseFrame } from '../../src/ws-gateway/frame-parser.js';
import { RecordCodec } from '../../src/avro/record-codec.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { localSchemas } from '../../src/avro/schema-source.js';
import { executionRow, frameOf, orderRow, positionRow, type WireRow } from './exchange-rows.js';

const ORIGIN = { account: 'main', receivedAtMs: 1_767_225_600_310, source: 'stream' } as const;

/** Values that come near to right ones. */
const oddValue = fc.oneof(
  fc.constantFrom<unknown>('', '0', '-1', '1e5', '-0', 'NaN', 'Infinity', ' 1', '1,5', null, true, {}, [], 'Buy', 'None', '99999999999999999999', 4_102_444_800_000),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.bigInt().map(String),
  fc.jsonValue(),
);

function changed(row: WireRow): fc.Arbitrary<WireRow> {
  return fc.dictionary(fc.constantFrom(...Object.keys(row)), oddValue, { maxKeys: 4 }).map((changes) => ({ ...row, ...changes }));
}

const nearlyRight = fc.oneof(
  fc.array(changed(orderRow()), { maxLength: 3 }).map((rows) => frameOf('order', rows)),
  fc.array(changed(executionRow()), { maxLength: 3 }).map((rows) => frameOf('execution', rows)),
  fc.array(changed(positionRow()), { maxLength: 3 }).map((rows) => frameOf('position', rows)),
);

describe('frame parser, on anything', () => {
  it('never throws on a line, whatever it is', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.jsonValue().map((frame) => JSON.stringify({ receivedAt: 1, frame }))), (text) => {
      const line = parseCaptureLine(text);
      if (line.kind === 'line') parseFrame(line.frame, ORIGIN);
    }), { numRuns: 500 });
  });

  it('answers one outcome a row, and every record fits its schema', async () => {
    const schemas = readRecordSchemas();
    const codec = await RecordCodec.open(localSchemas(schemas), schemas);
    let records = 0;
    let refusals = 0;
    fc.assert(fc.property(nearlyRight, (frame) => {
      const rows = parseFrame(frame, ORIGIN);
      expect(rows).to.have.length((frame['data'] as unknown[]).length);
      for (const row of rows) {
        if (row.kind === 'rejected') {
          refusals++;
          expect(row.message).to.not.equal('');
          continue;
        }
        records++;
        expect(Number.isSafeInteger(row.eventMs) && row.eventMs >= 0).to.equal(true);
        expect(codec.decode(codec.encode(row.type, row.value as never)).value).to.deep.equal({ ...row.value });
      }
    }), { numRuns: 1_000 });
    expect(records, 'records among the samples').to.be.greaterThan(100);
    expect(refusals, 'refusals among the samples').to.be.greaterThan(100);
  });
});
