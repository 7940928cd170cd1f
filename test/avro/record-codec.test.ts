import { expect } from 'chai';
import type { AvroNamedSchema } from '../../src/avro/record-types.js';
import { RecordCodec, UndecodableRecord, UnencodableRecord, type UndecodableReason } from '../../src/avro/record-codec.js';
import { readRecordSchemas, recordSchema, type RecordSchema } from '../../src/avro/record-schema.js';
import { localSchemas, type SchemaSource } from '../../src/avro/schema-source.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import type { PredictionDelta } from '../../src/domain/records.js';

const schemas = readRecordSchemas();

const delta: PredictionDelta = {
  id: 'd1', signal_id: 'sig', position_id: 'p1', account: 'main', category: 'linear', asset: 'BTCUSDT', position_idx: 0, side: 'Buy',
  kind: 'exit', quantity: parseDecimal('0.25'), price: parseDecimal('65012.5'), value: parseDecimal('16253.125'), realized_pnl: parseDecimal('-1'),
  fee: 0n, funding: -1n, exit_signal_id: null, exit_reason: 'user', link_id: 'l1', cash_id: null, reverses: null, seq: 4688002127,
  executed_at: 1716800399334, known_at: 1716800399335,
};

/** Written out once: a change of these bytes breaks every log that exists. */
const GOLDEN_DELTA =
  '0464310206736967047031086d61696e0c6c696e6561720e425443555344540000021003782dace9d9000002140dc455ae0b0333020000140371156b82c0' +
  'ccc080000210f21f494c589c0000020002ff0002087573657202046c310000029ef1e9f622cc9fb994f763ce9fb994f763';

function reasonOf(run: () => unknown): UndecodableReason {
  try {
    run();
  } catch (error) {
    if (error instanceof UndecodableRecord) return error.reason;
    throw error;
  }
  throw new Error('decoded');
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value) * 2n;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

describe('RecordCodec', () => {
  let codec: RecordCodec;
  before(async () => {
    codec = await RecordCodec.open(localSchemas(schemas), schemas);
  });

  it('has golden bytes: magic 0, schema id, Avro', () => {
    // Local ids count the schemas by name, so a new record moves them.
    const id = (name: string): string => (schemas.findIndex((schema) => schema.name === name) + 1).toString(16).padStart(8, '0');
    expect(codec.encode('Watermark', { watermark_at: 1_000 }).toString('hex')).to.equal(`00${id('Watermark')}d00f`);
    expect(codec.encode('PredictionDelta', delta).toString('hex')).to.equal(`00${id('PredictionDelta')}${GOLDEN_DELTA}`);
  });

  it('names the field that a value cannot hold', () => {
    const wrong = (change: object): (() => unknown) => () => codec.encode('PredictionDelta', { ...delta, ...change } as PredictionDelta);
    expect(wrong({ quantity: 10n ** 38n })).to.throw(UnencodableRecord, 'PredictionDelta.quantity');
    expect(wrong({ quantity: 0.25 })).to.throw(UnencodableRecord, 'PredictionDelta.quantity');
    expect(wrong({ seq: 1n })).to.throw(UnencodableRecord, 'PredictionDelta.seq');
    expect(wrong({ seq: 1.5 })).to.throw(UnencodableRecord, 'PredictionDelta.seq');
    expect(wrong({ kind: 'gift' })).to.throw(UnencodableRecord, 'PredictionDelta.kind');
    expect(wrong({ position_id: undefined })).to.throw(UnencodableRecord, 'PredictionDelta.position_id');
    expect(wrong({ executed_at: Number.NaN })).to.throw(UnencodableRecord, 'PredictionDelta.executed_at');
  });

  it('keeps earlier bytes when later ones fill the slab, and writes records larger than one', () => {
    const first = codec.encode('PredictionDelta', delta);
    const copy = Buffer.from(first);
    for (let i = 0; i < 2000; i++) codec.encode('PredictionDelta', delta);
    expect(first.equals(copy)).to.equal(true);
    const long = { ...delta, exit_reason: 'é'.repeat(200_000) };
    expect(codec.decode(codec.encode('PredictionDelta', long)).value).to.deep.equal(long);
    expect(codec.encode('PredictionDelta', delta).equals(copy)).to.equal(true);
  });

  it('writes half a surrogate pair as U+FFFD, so that the bytes stay UTF-8', () => {
    const read = codec.decode(codec.encode('PredictionDelta', { ...delta, signal_id: 'a\ud800b' }));
    expect((read.value as PredictionDelta).signal_id).to.equal('a\ufffdb');
  });

  it('says the record of bytes without decoding them', () => {
    expect(codec.nameOf(codec.encode('Watermark', { watermark_at: 1 }))).to.equal('Watermark');
    expect(codec.nameOf(Buffer.from([0, 0, 0, 9, 9]))).to.equal(null);
    expect(codec.nameOf(Buffer.from([1]))).to.equal(null);
  });

  describe('refuses hostile bytes', () => {
    const cases: readonly (readonly [string, UndecodableReason, () => Uint8Array])[] = [
      ['nothing', 'too_short', () => Buffer.alloc(0)],
      ['less than a header', 'too_short', () => Buffer.from([0, 0, 0, 0])],
      ['another magic byte', 'bad_magic', () => Buffer.from([1, 0, 0, 0, 1, 0])],
      ['an id nobody knows', 'unknown_schema_id', () => Buffer.from([0, 0, 1, 0, 1, 0])],
      ['a header alone', 'truncated', () => codec.encode('PredictionDelta', delta).subarray(0, 5)],
      ['one byte less', 'truncated', () => codec.encode('PredictionDelta', delta).subarray(0, -1)],
      ['one byte more', 'trailing_data', () => Buffer.concat([codec.encode('PredictionDelta', delta), Buffer.alloc(1)])],
      ['a string of 2 GB', 'truncated', () => Buffer.concat([header('PredictionDelta'), varint(2 ** 31)])],
      ['a string of negative length', 'invalid', () => Buffer.concat([header('PredictionDelta'), Buffer.from([1])])],
      ['a varint without end', 'invalid', () => Buffer.concat([header('PredictionDelta'), Buffer.alloc(4000, 0xff)])],
      ['a number of eleven bytes', 'invalid', () => Buffer.concat([header('Watermark'), Buffer.alloc(10, 0x80), Buffer.alloc(1)])],
      ['a time beyond 53 bits', 'invalid', () => Buffer.concat([header('Watermark'), varint(2 ** 60)])],
      ['a time below -1', 'invalid', () => Buffer.concat([header('Watermark'), Buffer.from([3])])],
      ['a time of several bytes below -1', 'invalid', () => Buffer.concat([header('Watermark'), Buffer.from([0xff, 0xff, 0x7f])])],
      ['invalid UTF-8', 'invalid', () => replace('PredictionDelta', delta, Buffer.from('main'), Buffer.from([0x6d, 0xc3, 0x28, 0x6e]))],
      ['invalid UTF-8 in a long string', 'invalid', () => longString(Buffer.alloc(40, 0xfe))],
      ['an enum symbol that is not there', 'invalid', () => replace('PredictionDelta', delta, Buffer.from('BTCUSDT\0\0'), Buffer.from('BTCUSDT\0\x10'))],
      ['a union branch that is not there', 'invalid', () => replace('PredictionDelta', delta, Buffer.from('\x04d1\x02'), Buffer.from('\x04d1\x04'))],
      ['a decimal of 17 bytes', 'invalid', () => decimal(Buffer.alloc(17, 1))],
      ['a decimal of 39 digits', 'invalid', () => decimal(Buffer.alloc(16, 0x7f))],
    ];
    for (const [name, reason, bytes] of cases) it(name, () => expect(reasonOf(() => codec.decode(bytes()))).to.equal(reason));

    it('an array that claims 50 million items, at once and without the memory', () => {
      const started = process.memoryUsage().heapUsed;
      const { inputs: _, ...cash } = { ...cashEvent, inputs: [] };
      const whole = codec.encode('CashEvent', { ...cash, inputs: [] });
      const lying = Buffer.concat([whole.subarray(0, -1), varint(50_000_000), Buffer.alloc(8)]);
      expect(reasonOf(() => codec.decode(lying))).to.equal('truncated');
      expect(process.memoryUsage().heapUsed - started).to.be.below(20_000_000);
    });

    it('a boolean of 7 and an int of 40 bits', () => {
      const whole = codec.encode('CashEvent', cashEvent);
      // The last bytes are retracted, revision and the end of the array.
      const retracted = Buffer.from(whole);
      retracted[whole.length - 3] = 7;
      expect(reasonOf(() => codec.decode(retracted))).to.equal('invalid');
      const revision = Buffer.concat([whole.subarray(0, -2), varint(2 ** 40), Buffer.alloc(1)]);
      expect(reasonOf(() => codec.decode(revision))).to.equal('invalid');
    });

    function header(name: 'PredictionDelta' | 'Watermark'): Buffer {
      return codec.encode(name, (name === 'Watermark' ? { watermark_at: 0 } : delta) as never).subarray(0, 5);
    }

    function replace(name: 'PredictionDelta', value: PredictionDelta, from: Buffer, to: Buffer): Buffer {
      const bytes = Buffer.from(codec.encode(name, value));
      const at = bytes.indexOf(from);
      expect(at, 'place to break').to.be.greaterThan(0);
      to.copy(bytes, at);
      return bytes;
    }

    function longString(bytes: Buffer): Buffer {
      return Buffer.concat([header('PredictionDelta'), varint(bytes.length), bytes, codec.encode('PredictionDelta', delta).subarray(8)]);
    }

    function decimal(bytes: Buffer): Buffer {
      const whole = codec.encode('PredictionDelta', { ...delta, quantity: 0n });
      const head = whole.indexOf(Buffer.from('BTCUSDT')) + 7 + 3;
      return Buffer.concat([whole.subarray(0, head), varint(bytes.length), bytes, whole.subarray(head + 2)]);
    }
  });

  const cashEvent = {
    account: 'main', category: 'linear', asset: 'BTCUSDT', position_idx: null, cash_id: 'c1', kind: 'funding', side: 'Buy', amount: 1n, currency: 'USDT',
    seq: null, occurred_at: 5, source: 'execution', retracted: false, revision: 0, inputs: [],
  } as const;
});

describe('RecordCodec, other writers', () => {
  const watermark = schemas.find((schema) => schema.name === 'Watermark')!;
  const own: AvroNamedSchema = watermark.schema;

  /** A registry in which id 1 is ours and id 2 the given writer's. */
  function twoSchemas(writer: object | string | null): SchemaSource & { asked: number[] } {
    const asked: number[] = [];
    return {
      asked,
      idOf: async () => 1,
      textOf: async (id) => {
        asked.push(id);
        return writer === null || id !== 2 ? null : typeof writer === 'string' ? writer : JSON.stringify(writer);
      },
    };
  }

  async function read(writer: object | string | null, body: Buffer, records: readonly RecordSchema[] = [watermark]): Promise<unknown> {
    const codec = await RecordCodec.open(twoSchemas(writer), records);
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), body]);
    await codec.learn([bytes]);
    return codec.decode(bytes).value;
  }

  async function reason(writer: object | string | null, body: Buffer): Promise<UndecodableReason> {
    return read(writer, body).then(
      () => expect.fail('decoded'),
      (error: unknown) => (error as UndecodableRecord).reason,
    );
  }

  const field = own.fields![0]!;

  it('reads a version with a field more, and one with a field less that has a default', async () => {
    const more = { ...own, fields: [field, { name: 'note', type: 'string', default: '' }] };
    expect(await read(more, Buffer.from([0xd0, 0x0f, 2, 0x78]))).to.deep.equal({ watermark_at: 1000 });
    const reader = recordSchema({ ...own, fields: [field, { name: 'spread', type: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 18 }, default: '\u0000' }] });
    expect(await read(own, Buffer.from([0xd0, 0x0f]), [reader])).to.deep.equal({ watermark_at: 1000, spread: 0n });
  });

  it('refuses what would be read wrong by a factor, and what it cannot read', async () => {
    const as = (type: object | string): object => ({ ...own, fields: [{ ...field, type }] });
    expect(await reason(as({ type: 'long', logicalType: 'timestamp-micros' }), Buffer.from([2]))).to.equal('unusable_schema');
    expect(await reason(as('long'), Buffer.from([2]))).to.equal('unusable_schema');
    expect(await reason(as('string'), Buffer.from([0]))).to.equal('unusable_schema');
    expect(await reason(as({ type: 'map', values: 'null' }), Buffer.from([0]))).to.equal('unusable_schema');
    expect(await reason({ ...own, name: 'Sandglass' }, Buffer.from([2]))).to.equal('unknown_record');
    expect(await reason('not JSON', Buffer.from([2]))).to.equal('unusable_schema');
    expect(await reason(null, Buffer.from([2]))).to.equal('unknown_schema_id');
  });

  it('refuses another scale of a decimal', async () => {
    const decimal = (scale: number) => ({ type: 'bytes' as const, logicalType: 'decimal', precision: 38, scale });
    const reader = recordSchema({ ...own, fields: [{ name: 'size', type: decimal(18) }] });
    const writer = { ...own, fields: [{ name: 'size', type: decimal(8) }] };
    const error = await read(writer, Buffer.from([2, 1]), [reader]).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(UndecodableRecord).with.property('reason', 'unusable_schema');
  });

  it('skips the items of an unread array no further than there are bytes', async () => {
    const more = { ...own, fields: [field, { name: 'nothing', type: { type: 'array', items: 'null' } }] };
    expect(await reason(more, Buffer.concat([Buffer.from([2]), varint(50_000_000), Buffer.from([0])]))).to.equal('truncated');
  });

  it('asks again for an id that was unknown: it may have been registered since', async () => {
    const registered = new Map([[1, own]]);
    const codec = await RecordCodec.open({ idOf: async () => 1, textOf: async (id) => (registered.has(id) ? JSON.stringify(registered.get(id)) : null) }, [watermark]);
    const bytes = Buffer.from([0, 0, 0, 0, 2, 2]);
    await codec.learn([bytes]);
    expect(reasonOf(() => codec.decode(bytes))).to.equal('unknown_schema_id');
    registered.set(2, own);
    await codec.learn([bytes]);
    expect(codec.decode(bytes)).to.deep.equal({ type: 'Watermark', value: { watermark_at: 1 } });
  });

  it('asks for an id once, and has nothing to wait for then', async () => {
    const source = twoSchemas(own);
    const codec = await RecordCodec.open(source, [watermark]);
    const bytes = Buffer.from([0, 0, 0, 0, 2, 2]);
    expect(codec.learn([null, Buffer.from([5, 5]), codec.encode('Watermark', { watermark_at: 1 })])).to.equal(null);
    await codec.learn([bytes, bytes]);
    expect(codec.learn([bytes])).to.equal(null);
    expect(source.asked).to.deep.equal([2]);
  });
});
