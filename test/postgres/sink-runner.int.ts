import { expect } from 'chai';
import type { RecordCodec } from '../../src/avro/record-codec.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { modelService } from '../../src/model-service/results-sink.js';
import { ResultTable } from '../../src/model-service/result-table.js';
import { scalarText } from '../../src/postgres/cell-text.js';
import type { Database } from '../../src/postgres/database.js';
import { readPipelineSettings } from '../../src/postgres/pipeline-settings.js';
import { readSinkOffsets } from '../../src/postgres/sink-offsets.js';
import type { SinkCodec, SinkRole } from '../../src/postgres/sink.js';
import type { SinkRunner } from '../../src/postgres/sink-runner.js';
import type { Cell } from '../../src/postgres/table.js';
import { tableSinks } from '../../src/table-sinks/table-sinks.js';
import { localCodec } from '../table-sinks/memory-topics.js';
import { id, link, T0 } from '../table-sinks/records.js';
import { scratchSchema, type Scratch } from './scratch-database.js';
import { DELTAS_TOPIC, numbers, PARTITIONS, SinkRig, until } from './sink-rig.js';

const SINKS: readonly SinkRole[] = [tableSinks, modelService];
const LINKS = 'position-linker.position_orders';

describe('sinks', () => {
  let codec: RecordCodec;
  let scratch: Scratch;
  let rig: SinkRig;
  let database: Database;
  let runners: SinkRunner[] = [];

  before(async () => {
    codec = await localCodec();
  });

  beforeEach(async () => {
    scratch = await scratchSchema();
    database = scratch.open('reader');
    rig = new SinkRig(codec);
    runners = [];
  });

  afterEach(async () => {
    for (const runner of runners) runner.stop();
    await Promise.all(runners.map(({ finished }) => finished));
    await scratch.drop();
  });

  const start = (sink: SinkRole, name = scratch.schema): SinkRunner => {
    const runner = rig.start(sink, scratch.open(name));
    runners.push(runner);
    return runner;
  };

  const areAtEnd = async (sinks: readonly SinkRole[] = SINKS): Promise<boolean> => {
    for (const { inputs } of sinks) {
      const stored = await readSinkOffsets(database, inputs);
      if (stored.length < inputs.length * PARTITIONS) return false;
      if (stored.some(({ topic, partition, nextOffset }) => nextOffset < rig.log.end(topic, partition))) return false;
    }
    return true;
  };

  const rowsOf = async (table: string, columns: readonly string[]): Promise<string[]> => {
    const rows = await database.query(`SELECT ${columns.map((name) => `"${name}"::text`).join(', ')} FROM ${table}`);
    return rows.map((row) => JSON.stringify(Object.values(row))).sort();
  };

  /** Every row of every table, and how many records each partition of each topic took: none lost, none twice. */
  async function expectEverything(): Promise<void> {
    for (const { table, rows } of rig.expected.tables().map((entry) => ({ table: entry.table, rows: entry.rows() }))) {
      const shown = table.columns.map(({ name, type }, index) => ({ name, type, index })).filter(({ type }) => !['timestamptz', 'jsonb', 'text[]'].includes(type));
      const text = (row: readonly Cell[]): string => JSON.stringify(shown.map(({ type, index }) => (row[index] === null ? null : scalarText(type, row[index] as string))));
      expect(await rowsOf(table.name, shown.map(({ name }) => name)), table.name).to.deep.equal(rows.map(text).sort());
    }
    for (const { inputs } of SINKS) {
      for (const { topic, partition, recordsApplied } of await readSinkOffsets(database, inputs)) {
        expect(recordsApplied, `records of ${topic}/${partition}`).to.equal(rig.counts.get(`${topic}|${partition}`) ?? 0);
      }
    }
    const results = new ResultTable({ startsEmpty: true });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const topic of [DELTAS_TOPIC, 'position-linker.position_cycles']) {
        for (const { value } of rig.log.records(topic, partition)) {
          const decoded = codec.decode(value as Uint8Array);
          if (decoded.type === 'PredictionDelta') results.apply(decoded.value);
          else if (decoded.type === 'PositionCycle') results.applyCycle(decoded.value);
        }
      }
    }
    const columns = ['position_id', 'signal_id', 'entry_quantity', 'fees', 'final_to_seq'];
    const wanted = results.rows().map((row) => JSON.stringify([row.position_id, row.signal_id, scalarText('numeric', row.entry_quantity), scalarText('numeric', row.fees), row.final_to_seq === null ? null : String(row.final_to_seq)]));
    expect(await rowsOf('prediction_trading_results', columns), 'results').to.deep.equal(wanted.sort());
  }

  it('bring every record into its table, and tell how far', async () => {
    const random = numbers(1);
    for (const sink of SINKS) start(sink);
    for (let step = 0; step < 300; step++) {
      rig.commitSome(random, step);
      if (step % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await until(areAtEnd, 'all records in the tables');
    await expectEverything();
    const [first] = await readSinkOffsets(database, modelService.inputs);
    expect(first?.watermarkMs).to.be.greaterThan(T0);
    expect(JSON.parse(first?.mergeState ?? '')).to.include({ v: 1 });
  });

  it('lose nothing and double nothing while their connections are ended again and again', async () => {
    const random = numbers(2);
    for (const sink of SINKS) start(sink);
    let ended = 0;
    for (let step = 0; step < 400; step++) {
      rig.commitSome(random, step);
      if (step % 5 === 0) ended += await scratch.terminate(scratch.schema);
      if (step % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(areAtEnd, 'all records in the tables');
    expect(ended).to.be.greaterThan(40);
    await expectEverything();
  });

  it('lose nothing and double nothing when two that are not in one group both think the partitions theirs', async () => {
    const random = numbers(3);
    for (const sink of SINKS) {
      start(sink);
      start({ ...sink, role: `${sink.role}-zombie` });
    }
    for (let step = 0; step < 200; step++) {
      rig.commitSome(random, step);
      if (step % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await until(areAtEnd, 'all records in the tables');
    await expectEverything();
  });

  it('lose nothing and double nothing while instances come and go', async () => {
    const random = numbers(4);
    let step = 0;
    for (let round = 0; round < 8; round++) {
      const some = SINKS.flatMap((sink) => [start(sink), ...(round % 2 === 0 ? [start(sink)] : [])]);
      for (let n = 0; n < 30; n++) {
        rig.commitSome(random, step++);
        if (n % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      for (const runner of some) runner.stop();
      for (const { finished } of some) expect(await finished).to.deep.equal({ kind: 'stopped' });
    }
    for (const sink of SINKS) start(sink);
    await until(areAtEnd, 'all records in the tables');
    await expectEverything();
  });

  it('a stored offset that is moved back is followed', async () => {
    const random = numbers(5);
    start(tableSinks);
    for (let step = 0; step < 50; step++) rig.commitSome(random, step);
    await until(() => areAtEnd([tableSinks]), 'all records in the tables');
    await database.query(`DELETE FROM position_orders`);
    await database.query(`UPDATE sink_offsets SET next_offset = 0, records_applied = 0 WHERE sink = 'position_orders'`);
    for (let step = 50; step < 60; step++) rig.commitSome(random, step);
    start(modelService);
    await until(areAtEnd, 'all records in the tables again');
    await expectEverything();
  });

  it('a stored offset that is moved back is found by a sink that has nothing to do', async () => {
    const random = numbers(11);
    for (let step = 1; step <= 20; step++) rig.commitSome(random, step);
    const runner = rig.start(tableSinks, scratch.open('idle'), { idleCheckMs: 20 });
    runners.push(runner);
    await until(() => areAtEnd([tableSinks]), 'the end');
    const before = await rowsOf('position_orders', ['id']);
    await database.query('DELETE FROM position_orders; UPDATE sink_offsets SET next_offset = 0, records_applied = 0 WHERE sink = \'position_orders\'');
    await until(async () => JSON.stringify(await rowsOf('position_orders', ['id'])) === JSON.stringify(before), 'the rows to come back');
  });

  it('what a server forgot in a crash is written again, although no record follows', async () => {
    const random = numbers(8);
    for (const sink of SINKS) start(sink);
    for (let step = 0; step < 30; step++) rig.commitSome(random, step);
    await until(areAtEnd, 'all records in the tables');
    // As a crash does: rows and offsets go back together, and the connections are gone.
    await database.transaction(async (queries) => {
      await queries.query('DELETE FROM position_orders');
      await queries.query('DELETE FROM prediction_trading_results');
      await queries.query('DELETE FROM prediction_cycles');
      await queries.query(`UPDATE sink_offsets SET next_offset = 0, records_applied = 0, merge_state = NULL WHERE sink IN ('position_orders', 'prediction_trading_results')`);
    });
    expect(await scratch.terminate(scratch.schema)).to.be.greaterThan(0);
    await until(areAtEnd, 'all records in the tables again');
    await expectEverything();
  });

  describe('with a row that the database refuses', () => {
    const deadLetters = (topic: string): LogRecord[] => Array.from({ length: PARTITIONS }, (_, partition) => rig.log.records(`${topic}.dead_letters`, partition)).flat();
    const header = (record: LogRecord, name: string): string => Buffer.from(record.headers.find(([key]) => key === `__streams.errors.${name}`)?.[1] ?? []).toString();

    it('it becomes a dead letter with the SQL error, its earlier state stays, and the rest goes on', async () => {
      await database.query(`ALTER TABLE position_orders ADD CONSTRAINT not_poison CHECK (reason <> 'poison')`);
      const records = Array.from({ length: 50 }, (_, n) => rig.record(LINKS, 0, 'PositionOrder', link({ id: id(`row ${n}`) }), T0));
      const poisoned = [
        rig.record(LINKS, 0, 'PositionOrder', link({ id: id('row 7'), revision: 1, reason: 'poison' }), T0 + 1),
        rig.record(LINKS, 0, 'PositionOrder', link({ id: id('row 33'), revision: 1, reason: 'poison' }), T0 + 1),
        rig.record(LINKS, 0, 'PositionOrder', link({ id: id('new and poison'), reason: 'poison' }), T0 + 1),
        rig.record(LINKS, 0, 'PositionOrder', link({ id: id('nul'), signal_id: 'a\u0000b' }), T0 + 1),
        rig.record(LINKS, 0, 'PositionOrder', link({ id: 'no uuid' }), T0 + 1),
      ];
      rig.log.append([...records, ...poisoned, rig.record(LINKS, 0, 'PositionOrder', link({ id: id('after') }), T0 + 2)], true);
      start(tableSinks);
      await until(() => areAtEnd([tableSinks]), 'all records passed');
      const [count] = await database.query<{ rows: number; revised: number }>('SELECT count(*) AS rows, count(*) FILTER (WHERE revision > 0) AS revised FROM position_orders');
      expect(count).to.deep.equal({ rows: 51, revised: 0 });
      const letters = deadLetters(LINKS);
      expect(letters.map((letter) => Number(header(letter, 'offset'))).sort((a, b) => a - b)).to.deep.equal([50, 51, 52, 53, 54]);
      for (const letter of letters) {
        expect(header(letter, 'stage')).to.equal('sink');
        expect(header(letter, 'topic')).to.equal(LINKS);
        expect(letter.value).to.deep.equal(rig.log.records(LINKS, 0)[Number(header(letter, 'offset'))]?.value);
      }
      expect(letters.map((letter) => header(letter, 'exception')).sort()).to.deep.equal(['SQLSTATE 22021', 'SQLSTATE 22P02', 'SQLSTATE 23514', 'SQLSTATE 23514', 'SQLSTATE 23514']);
    });

    it('bytes that are no record become a dead letter as they are', async () => {
      const bytes = Buffer.from('not Avro at all');
      rig.log.append([{ topic: LINKS, partition: 1, timestampMs: T0, key: Buffer.from('X'), value: bytes }, rig.record(LINKS, 1, 'PositionOrder', link(), T0)], true);
      start(tableSinks);
      await until(() => areAtEnd([tableSinks]), 'all records passed');
      const [letter, ...more] = deadLetters(LINKS);
      expect(more).to.deep.equal([]);
      expect(letter?.value).to.deep.equal(bytes);
      expect(header(letter as LogRecord, 'stage')).to.equal('decode');
      expect(await rowsOf('position_orders', ['id'])).to.have.length(1);
    });
  });

  it('stopped while the registry does not answer, takes nothing for unreadable', async () => {
    rig.log.append([rig.record(LINKS, 0, 'PositionOrder', link(), T0)], true);
    let asked = 0;
    const deaf: SinkCodec = {
      nameOf: () => null,
      decode: () => {
        throw new Error('unknown schema id');
      },
      decoderOf: () => () => {
        throw new Error('unknown schema id');
      },
      learn: () => {
        asked++;
        return Promise.reject(new Error('registry is down'));
      },
    };
    const runner = rig.start(tableSinks, scratch.open(), { codec: deaf });
    await until(() => asked > 2, 'the registry asked');
    runner.stop();
    expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
    expect(rig.log.records(`${LINKS}.dead_letters`, 0)).to.deep.equal([]);
    start(tableSinks);
    await until(() => areAtEnd([tableSinks]), 'all records in the tables');
    expect(await rowsOf('position_orders', ['id'])).to.have.length(1);
  });

  it('ends, and says why, when the tables were made with other settings, or there are none', async () => {
    const withSettings = (policy: string): Promise<unknown> => rig.start(tableSinks, scratch.open(), { settings: { policy } }).finished;
    const first = rig.start(tableSinks, scratch.open(), { settings: { policy: 'fifo' } });
    await until(async () => (await readPipelineSettings(database))['policy'] === 'fifo', 'the settings stored');
    first.stop();
    expect(await first.finished).to.deep.equal({ kind: 'stopped' });
    expect(String(((await withSettings('pro-rata')) as { error?: Error }).error)).to.contain('policy is fifo in the tables and pro-rata in this start');
    await database.query('DELETE FROM schema_migrations');
    expect(String(((await withSettings('fifo')) as { error?: Error }).error)).to.contain('no tables');
  });

  it('ends, and says why, when a table is missing', async () => {
    await database.query('DROP TABLE position_orders CASCADE');
    rig.commitSome(numbers(6), 0);
    for (let step = 1; step < 20; step++) rig.commitSome(numbers(step), step);
    const outcome = await start(tableSinks).finished;
    expect(outcome.kind).to.equal('failed');
    expect(outcome.kind === 'failed' && outcome.error.message).to.contain('42P01');
  });
});
