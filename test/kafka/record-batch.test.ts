import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { decodeRecordBatches, endOfBatches } from '../../src/kafka/batch-decoder.js';
import { encodeRecordBatch, type EncodableRecord } from '../../src/kafka/batch-encoder.js';
import { ConfigurationError, CorruptBatchError } from '../../src/kafka/errors.js';
import {
  ATTRIBUTES_AT,
  BATCH_LENGTH_AT,
  CODEC_GZIP,
  LAST_OFFSET_DELTA_AT,
  LENGTH_OVERHEAD,
  LOG_APPEND_TIME_FLAG,
  MAGIC_AT,
  RECORDS_AT,
  RECORD_COUNT_AT,
} from '../../src/kafka/record-batch.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { marker, NO_PRODUCER, plainBatch, placed, record, transactionalBatch, withChecksum } from './batches.js';

// kafkajs's own encoder and decoder, written by others from the same description of the format.
const require = createRequire(import.meta.url);
const theirRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (fields: object) => object;
const { RecordBatch: theirBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: (fields: object) => Promise<{ buffer: Buffer }> };
const TheirDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const theirDecode = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<{
  records: { offset: string; timestamp: string; key: Buffer | null; value: Buffer | null; headers: Record<string, Buffer | Buffer[]> }[];
}>;

function read(bytes: Buffer, fromOffset = 0): LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of decodeRecordBatches(bytes, 't', 3)) batch.readRecords(records, fromOffset);
  return records;
}

const varied: EncodableRecord[] = [
  { timestampMs: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('value'), headers: [['traceparent', Buffer.from('00-ab')]] },
  { timestampMs: 1_700_000_000_500, key: null, value: null },
  { timestampMs: 1_600_000_000_000, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [['', Buffer.alloc(0)], ['ünï', Buffer.alloc(300, 7)]] },
  { timestampMs: 4_100_000_000_000, key: Buffer.alloc(70, 1), value: Buffer.alloc(20_000, 2) },
];

describe('a record batch', () => {
  it('reads back as it was written', () => {
    const records = read(placed(encodeRecordBatch(varied, NO_PRODUCER), 41));
    expect(records.map(({ offset }) => offset)).to.deep.equal([41, 42, 43, 44]);
    records.forEach((found, i) => {
      const { timestampMs, key, value, headers } = varied[i]!;
      expect(found).to.deep.equal({ topic: 't', partition: 3, offset: 41 + i, timestampMs, key, value, headers: headers ?? [] });
    });
  });

  it('is read by kafkajs as it was written', async () => {
    const batch = await theirDecode(new TheirDecoder(placed(encodeRecordBatch(varied, { ...NO_PRODUCER, producerId: 9 }), 41)));
    expect(batch.records.map(({ offset, timestamp }) => [Number(offset), Number(timestamp)])).to.deep.equal(
      varied.map(({ timestampMs }, i) => [41 + i, timestampMs]),
    );
    expect(batch.records.map(({ key, value }) => [key, value])).to.deep.equal(varied.map(({ key, value }) => [key, value]));
    expect(batch.records[0]!.headers).to.deep.equal({ traceparent: Buffer.from('00-ab') });
  });

  it('written by kafkajs reads well, plain and in gzip', async () => {
    for (const compression of [0, CODEC_GZIP]) {
      const first = 1_700_000_000_000;
      const encoded = await theirBatch({
        compression,
        firstTimestamp: first,
        maxTimestamp: first + 9,
        firstSequence: 4,
        producerId: 77,
        producerEpoch: 2,
        transactional: true,
        lastOffsetDelta: 1,
        records: [
          theirRecord({ key: 'a', value: Buffer.from('x'.repeat(500)), offsetDelta: 0, timestampDelta: 0, headers: { h: 'v' } }),
          theirRecord({ key: null, value: null, offsetDelta: 1, timestampDelta: 9 }),
        ],
      });
      const bytes = Buffer.from(encoded.buffer);
      const [batch] = [...decodeRecordBatches(bytes, 't', 3)];
      expect(batch).to.include({ producerId: 77, producerEpoch: 2, isTransactional: true, isControl: false, recordCount: 2, nextOffset: 2 });
      const records = read(bytes);
      expect(records.map(({ timestampMs }) => timestampMs)).to.deep.equal([first, first + 9]);
      expect(records[0]!.value!.length).to.equal(500);
      expect(records[0]!.headers).to.deep.equal([['h', Buffer.from('v')]]);
      expect([records[1]!.key, records[1]!.value]).to.deep.equal([null, null]);
    }
  });

  it('is skipped up to the offset wanted', () => {
    expect(read(plainBatch(10, ['a', 'b', 'c']), 12).map(({ offset }) => offset)).to.deep.equal([12]);
    expect(read(plainBatch(10, ['a', 'b', 'c']), 13)).to.deep.equal([]);
  });

  it('moves the position past records that compaction removed', () => {
    const batch = plainBatch(10, ['a']);
    batch.writeInt32BE(8, LAST_OFFSET_DELTA_AT);
    const emptied = plainBatch(19, ['b']).subarray(0, RECORDS_AT);
    emptied.writeInt32BE(RECORDS_AT - LENGTH_OVERHEAD, BATCH_LENGTH_AT);
    emptied.writeInt32BE(0, RECORD_COUNT_AT);
    const bytes = Buffer.concat([withChecksum(batch), withChecksum(emptied)]);
    expect([...decodeRecordBatches(bytes, 't', 0)].map(({ nextOffset }) => nextOffset)).to.deep.equal([19, 20]);
    expect(endOfBatches(bytes, 0)).to.equal(20);
    expect(read(bytes)).to.have.length(1);
  });

  it('cut off at the end is left out', () => {
    const whole = plainBatch(0, ['a']);
    for (let cut = 1; cut < 80; cut++) {
      const bytes = Buffer.concat([whole, plainBatch(1, ['b', 'c']).subarray(0, -cut)]);
      expect(read(bytes), `cut ${cut}`).to.have.length(1);
      expect(endOfBatches(bytes, 0)).to.equal(1);
    }
  });

  it('with a byte changed does not pass its checksum', () => {
    const batch = plainBatch(0, ['payload']);
    for (let at = ATTRIBUTES_AT; at < batch.length; at++) {
      const changed = Buffer.from(batch);
      changed[at]! ^= 0x40;
      expect(() => read(changed), `byte ${at}`).to.throw(CorruptBatchError, /t-3 is corrupt/);
    }
  });

  // Behind a right checksum, as only a broken writer makes them: each number in the two records' bytes that can lie.
  const lies: readonly (readonly [what: string, at: number, to: number])[] = [
    ['a record length over the end', RECORDS_AT + 9, 60],
    ['a record length too short', RECORDS_AT, 4],
    ['an offset not above the one before', RECORDS_AT + 12, 0],
    ['an offset above the last one of the batch', RECORDS_AT + 12, 4],
    ['a key longer than its record', RECORDS_AT + 4, 40],
    ['a value longer than its record', RECORDS_AT + 5, 40],
    ['a length below null', RECORDS_AT + 5, 5],
    ['more headers than there are bytes', RECORDS_AT + 8, 40],
  ];
  for (const [what, at, to] of lies) {
    it(`with ${what} is corrupt`, () => {
      const batch = plainBatch(0, ['ab', 'cd']);
      expect(read(batch)).to.have.length(2);
      batch[at] = to;
      expect(() => read(withChecksum(batch))).to.throw(CorruptBatchError);
    });
  }

  it('whose last record claims more than there is, consistently, is corrupt', () => {
    const batch = plainBatch(0, ['ab', 'cd']);
    batch[RECORDS_AT + 9]! += 60; // the record's length, zigzag
    batch[RECORDS_AT + 14]! += 60; // its value's length
    expect(() => read(withChecksum(batch))).to.throw(CorruptBatchError);
  });

  it('whose gzip data is broken, or too small for its count, is corrupt', () => {
    const packed = (data: Buffer, count: number): Buffer => {
      const head = Buffer.from(plainBatch(0, ['a']).subarray(0, RECORDS_AT));
      head.writeInt16BE(CODEC_GZIP, ATTRIBUTES_AT);
      head.writeInt32BE(RECORDS_AT - LENGTH_OVERHEAD + data.length, BATCH_LENGTH_AT);
      head.writeInt32BE(count, RECORD_COUNT_AT);
      return withChecksum(Buffer.concat([head, data]));
    };
    expect(() => read(packed(Buffer.from('no gzip'), 1))).to.throw(CorruptBatchError, /gzip/);
    expect(() => read(packed(gzipSync(Buffer.alloc(20)), 1_000_000))).to.throw(CorruptBatchError, /1000000 records in 20 bytes/);
  });

  it('in a codec or format that is not read names the codec', () => {
    const zstd = plainBatch(0, ['a']);
    zstd.writeInt16BE(4, ATTRIBUTES_AT);
    expect(() => read(withChecksum(zstd))).to.throw(ConfigurationError, /zstd/);
    const old = plainBatch(0, ['a']);
    old[MAGIC_AT] = 1;
    expect(() => read(old)).to.throw(ConfigurationError, /message format 1/);
  });

  it('stamped by the broker has the time of the stamp', () => {
    const batch = plainBatch(0, ['a', 'b']);
    batch.writeInt16BE(LOG_APPEND_TIME_FLAG, ATTRIBUTES_AT);
    batch.writeBigInt64BE(1_234_567n, 35);
    expect(read(withChecksum(batch)).map(({ timestampMs }) => timestampMs)).to.deep.equal([1_234_567, 1_234_567]);
  });

  it('is a marker by its flag, not by its key', () => {
    const kinds = [marker(0, 5, 'abort'), marker(1, 5, 'commit'), transactionalBatch(2, 5, [{ timestampMs: 0, key: Buffer.alloc(4), value: null }])];
    const batches = [...decodeRecordBatches(Buffer.concat(kinds), 't', 0)];
    expect(batches.map(({ isControl, isAbortMarker }) => [isControl, isAbortMarker])).to.deep.equal([[true, true], [true, false], [false, false]]);
  });

  it('holds many more records than a call can have arguments', () => {
    const records = Array.from({ length: 200_000 }, () => record('v'));
    expect(read(encodeRecordBatch(records, NO_PRODUCER))).to.have.length(200_000);
  });
});
