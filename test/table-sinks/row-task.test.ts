import { expect } from 'chai';
import type { RecordCodec } from '../../src/avro/record-codec.js';
import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import type { LogRecord } from '../../src/kafka/record.js';
import type { Queries } from '../../src/postgres/session.js';
import type { RowChange, SinkTask, SinkUnit, StoredPosition } from '../../src/postgres/sink.js';
import { ROW_SOURCES } from '../../src/table-sinks/row-sources.js';
import { tableSinks } from '../../src/table-sinks/table-sinks.js';
import { localCodec, logRecord } from './memory-topics.js';
import { cycle, id, link, order, T0 } from './records.js';

const NO_DATABASE = {} as Queries;
const LINKS = ROW_SOURCES.findIndex(({ record }) => record === 'PositionOrder');
const ORDERS = ROW_SOURCES.findIndex(({ record }) => record === 'Order');
const POSITIONS = ROW_SOURCES.findIndex(({ record }) => record === 'Position');

const start: StoredPosition[] = ROW_SOURCES.map(() => ({ nextOffset: 10, watermarkMs: null, recordsApplied: 0, mergeState: null }));

describe('table sinks: records into rows', () => {
  let codec: RecordCodec;
  let task: SinkTask;

  before(async () => {
    codec = await localCodec();
  });

  beforeEach(() => {
    task = tableSinks.createTask(codec, start);
  });

  const raw = <N extends RecordName>(input: number, offset: number, type: N, value: RecordTypes[N]): LogRecord => logRecord(codec, ROW_SOURCES[input]?.topic ?? '', offset, type, value);
  const taken = async (): Promise<SinkUnit> => (await task.take(NO_DATABASE)) as SinkUnit;
  const changesOf = (unit: SinkUnit, table: string): RowChange<unknown>[] => unit.tables.flatMap((entry) => (entry.table.name === table ? (entry.changes as RowChange<unknown>[]) : []));

  it('keeps the last state of a row within a batch, with the ones before it behind it', async () => {
    const first = link({ revision: 0 });
    const second = link({ revision: 1, reason: 'late_fill' });
    task.push(LINKS, [raw(LINKS, 10, 'PositionOrder', first), raw(LINKS, 11, 'PositionOrder', second)], 12);
    const [change, ...more] = changesOf(await taken(), 'position_orders');
    expect(more).to.deep.equal([]);
    expect(change).to.deep.include({ kind: 'upsert', record: second });
    expect(change?.previous).to.deep.include({ kind: 'upsert', record: first, previous: null });
  });

  it('deletes what is retracted, and takes back a retraction', async () => {
    task.push(LINKS, [raw(LINKS, 10, 'PositionOrder', link()), raw(LINKS, 11, 'PositionOrder', link({ retracted: true, revision: 1 })), raw(LINKS, 12, 'PositionOrder', link({ id: id('other'), retracted: true }))], 13);
    expect(changesOf(await taken(), 'position_orders').map(({ kind }) => kind)).to.deep.equal(['delete', 'delete']);
    task.push(LINKS, [raw(LINKS, 13, 'PositionOrder', link({ retracted: true, revision: 2 })), raw(LINKS, 14, 'PositionOrder', link({ revision: 3 }))], 15);
    expect(changesOf(await taken(), 'position_orders').map(({ kind }) => kind)).to.deep.equal(['upsert']);
  });

  it('deletes by a tombstone, whose key names the row', async () => {
    const topic = ROW_SOURCES[POSITIONS]?.topic ?? '';
    task.push(POSITIONS, [{ topic, partition: 0, offset: 10, timestampMs: T0, key: Buffer.from('SOLUSDT|my|account|linear|2'), value: null, headers: [] }], 11);
    const [change] = changesOf(await taken(), 'positions');
    expect(change).to.deep.include({ kind: 'delete', key: ['SOLUSDT', 'my|account', 'linear', 2] });
  });

  it('a tombstone where none belongs is a dead letter', async () => {
    const topic = ROW_SOURCES[LINKS]?.topic ?? '';
    task.push(LINKS, [{ topic, partition: 0, offset: 10, timestampMs: T0, key: Buffer.from('SOLUSDT'), value: null, headers: [] }], 11);
    expect((await taken()).failed).to.have.length(1);
  });

  it('passes over records of other kinds, takes watermarks, and counts its own', async () => {
    const unread = raw(ORDERS, 11, 'PositionCycle', cycle());
    task.push(ORDERS, [raw(ORDERS, 10, 'Watermark', { watermark_at: T0 }), unread, raw(ORDERS, 12, 'Order', order()), raw(ORDERS, 13, 'Watermark', { watermark_at: T0 - 5 })], 15);
    const { moves, failed } = await taken();
    expect(moves).to.deep.equal([{ sink: 'orders', topic: 'order-manager.order_events', from: 10, to: 15, watermarkMs: T0, records: 1, mergeState: null }]);
    expect(failed).to.deep.equal([]);
  });

  it('moves on past markers although there is no record', async () => {
    expect(task.isDirty).to.equal(false);
    task.push(LINKS, [], 11);
    expect(task.isDirty).to.equal(true);
    expect((await taken()).moves).to.deep.include({ sink: 'position_orders', topic: 'position-linker.position_orders', from: 10, to: 11, watermarkMs: null, records: 0, mergeState: null });
    expect(await task.take(NO_DATABASE)).to.equal(null);
  });

  it('what cannot be decoded is a dead letter, and what follows is taken', async () => {
    const bytes = Buffer.from(raw(LINKS, 10, 'PositionOrder', link()).value ?? []);
    task.push(LINKS, [{ ...raw(LINKS, 10, 'PositionOrder', link()), value: bytes.subarray(0, 20) }, raw(LINKS, 11, 'PositionOrder', link())], 12);
    const unit = await taken();
    expect(unit.failed.map(({ stage, record }) => [stage, record.offset])).to.deep.equal([['decode', 10]]);
    expect(changesOf(unit, 'position_orders')).to.have.length(1);
  });

  it('refuses records behind its position: they would be applied twice', () => {
    expect(() => task.push(LINKS, [raw(LINKS, 9, 'PositionOrder', link())], 10)).to.throw('offset 9 came after 9');
  });
});
