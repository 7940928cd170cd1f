import { expect } from 'chai';
import type { RecordCodec } from '../../src/avro/record-codec.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { modelService } from '../../src/model-service/results-sink.js';
import type { ResultRecord } from '../../src/model-service/result-tables.js';
import type { Queries } from '../../src/postgres/session.js';
import type { RowChange, SinkTask, SinkUnit, StoredPosition } from '../../src/postgres/sink.js';
import { localCodec, logRecord } from '../table-sinks/memory-topics.js';
import { id } from '../table-sinks/records.js';
import { cycle, delta, T0 } from './deltas.js';

const [DELTAS, CYCLES] = modelService.inputs.map(({ topic }) => topic) as [string, string];
const NOTHING_STORED = { query: () => Promise.resolve([]) } as Queries;
const start: StoredPosition[] = modelService.inputs.map(() => ({ nextOffset: 0, watermarkMs: null, recordsApplied: 0, mergeState: null }));
const position_id = id('cycle');

describe('model-service: deltas and cycles into results', () => {
  let codec: RecordCodec;
  let task: SinkTask;

  before(async () => {
    codec = await localCodec();
  });

  beforeEach(() => {
    task = modelService.createTask(codec, start);
  });

  const deltaAt = (offset: number, known_at: number, changes = {}): LogRecord => logRecord(codec, DELTAS, offset, 'PredictionDelta', delta({ position_id, known_at, ...changes }));
  const cycleAt = (offset: number, known_at: number, verified_to_seq: number): LogRecord => logRecord(codec, CYCLES, offset, 'PositionCycle', cycle({ position_id, known_at, verified_to_seq }));
  const watermark = (topic: string, offset: number, watermark_at: number): LogRecord => logRecord(codec, topic, offset, 'Watermark', { watermark_at });
  const rows = (unit: SinkUnit | null): ResultRecord[] =>
    (unit?.tables[0]?.changes as readonly RowChange<unknown>[] | undefined ?? []).flatMap((change) => (change.kind === 'upsert' ? [change.record as ResultRecord] : []));

  it('wait for the other topic: what is taken depends on the logs, not on who was read first', async () => {
    task.push(0, [deltaAt(0, T0 + 10)], 1);
    expect(task.isDirty).to.equal(false);
    expect(await task.take(NOTHING_STORED)).to.equal(null);
    task.push(1, [watermark(CYCLES, 0, T0 + 10)], 1);
    expect(task.isDirty).to.equal(true);
    const unit = await task.take(NOTHING_STORED);
    expect(rows(unit)).to.have.length(1);
    expect(unit?.moves.map(({ topic, from, to, records }) => [topic, from, to, records])).to.deep.equal([[DELTAS, 0, 1, 1], [CYCLES, 0, 0, 0]]);
  });

  it('go on from what is stored with the offsets as if they had never stopped', async () => {
    const records: [number, LogRecord][] = [
      [0, deltaAt(0, T0 + 10)], [1, cycleAt(0, T0 + 10, 5)], [0, watermark(DELTAS, 1, T0 + 20)], [1, watermark(CYCLES, 1, T0 + 20)],
      [0, deltaAt(2, T0 + 5)], [1, cycleAt(2, T0 + 21, 6)], [0, watermark(DELTAS, 3, T0 + 30)], [1, watermark(CYCLES, 3, T0 + 30)],
    ];
    const run = async (restart: boolean): Promise<SinkUnit['moves'][]> => {
      let current = modelService.createTask(codec, start);
      const moves: SinkUnit['moves'][] = [];
      let stored = start;
      for (const [input, record] of records) {
        current.push(input, [record], record.offset + 1);
        const unit = await current.take(NOTHING_STORED);
        if (unit === null) continue;
        moves.push(unit.moves);
        stored = unit.moves.map(({ to, watermarkMs, mergeState }) => ({ nextOffset: to, watermarkMs, recordsApplied: 0, mergeState }));
        if (!restart) continue;
        current = modelService.createTask(codec, stored);
        for (const [again, one] of records.slice(0, records.findIndex(([, other]) => other === record) + 1)) {
          if (one.offset >= (stored[again]?.nextOffset ?? 0)) current.push(again, [one], one.offset + 1);
        }
      }
      return moves;
    };
    const straight = await run(false);
    expect(straight.length).to.be.greaterThan(1);
    expect(await run(true)).to.deep.equal(straight);
  });

  it('make a dead letter of what is no result, when its turn comes, and go on', async () => {
    const stray = logRecord(codec, DELTAS, 1, 'PositionCycle', cycle({ position_id: 'no uuid' }));
    const tombstone: LogRecord = { ...deltaAt(2, T0), value: null };
    task.push(0, [deltaAt(0, T0 + 1), stray, tombstone, deltaAt(3, T0 + 2)], 4);
    expect(task.isDirty).to.equal(false);
    task.push(1, [watermark(CYCLES, 0, T0 + 10)], 1);
    const unit = await task.take(NOTHING_STORED);
    expect(unit?.failed.map(({ record, stage }) => [record.offset, stage])).to.deep.equal([[1, 'decode'], [2, 'decode']]);
    expect(rows(unit).map(({ entry_quantity }) => entry_quantity)).to.deep.equal([delta().quantity * 2n]);
  });
});
