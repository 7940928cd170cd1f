import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseDecimal } from '../../src/domain/decimal.js';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { openDatabase } from '../../src/postgres/database.js';
import type { Cell, Table } from '../../src/postgres/table.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import { replaySession } from './replay-session.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CAPTURE = fileURLToPath(new URL('../captures/hedge/frames.jsonl.gz', import.meta.url));
const PARTITIONS = 3;
const WIRE_HEADER_BYTES = 5;
/** Not the compacted topics: the broker may have compacted them by the time they are read. Their tables are compared. */
const OUTPUTS = ['order-manager.order_events', 'position-linker.position_orders', 'position-linker.position_cycles', 'position-linker.prediction_deltas', 'position-linker.discrepancies'];

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run scripts/test, or start a stack and set it`);
  return value;
}

describe('the pipeline on real servers', () => {
  const namespace = `pipe_${process.pid}_${Math.floor(performance.timeOrigin) % 1_000_000}`;
  const running: ChildProcess[] = [];
  const env = { ...process.env, POSITION_LINKER_NAMESPACE: namespace, POSITION_LINKER_LOG_LEVEL: 'warn' };

  const start = (...words: string[]): ChildProcess => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...words], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    return child;
  };
  const finish = async (child: ChildProcess): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> => {
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, stdout, stderr };
  };
  const command = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await finish(start(...words));
    expect(code, `${words.join(' ')}: ${stderr}`).to.equal(0);
    return stdout;
  };

  const log = new KafkaLog({ brokers: required('KAFKA_BROKERS').split(','), clientId: 'pipeline-test' });
  const database = openDatabase({ databaseUrl: required('DATABASE_URL'), schema: namespace });
  let expected: ReplayResult;

  before(async () => {
    expected = await replaySession({ path: CAPTURE }, { partitions: PARTITIONS, isLogKept: true });
    await command('setup', '--partitions', String(PARTITIONS));
  });
  after(async () => {
    for (const child of running) child.kill('SIGKILL');
    await database.query(`DROP SCHEMA IF EXISTS "${namespace}" CASCADE`);
    await database.close();
    await log.close();
    const admin = new TopicAdmin({ brokers: required('KAFKA_BROKERS').split(','), clientId: 'pipeline-test' });
    await admin.delete((await admin.topicNames()).filter((topic) => topic.startsWith(`${namespace}.`)));
    await admin.close();
  });

  it('writes the records and rows of a replay, through kill -9 in the middle of the work', async () => {
    // The session comes in at five times its pace, so that every life ends somewhere in the work.
    const ingested = command('ingest', '--capture', CAPTURE, '--speed', '5');
    for (const lifeMs of [3_000, 4_000, 5_000]) {
      const child = start('run', 'all', '--session-timeout-ms', '6000', '--commit-interval-ms', '20');
      const ended = finish(child);
      await new Promise((resolve) => setTimeout(resolve, lifeMs));
      child.kill('SIGKILL');
      await ended;
    }
    await ingested;
    const beside = start('run', 'order-manager', 'position-linker', '--session-timeout-ms', '6000');
    const last = await command('run', 'all', '--drain', '--session-timeout-ms', '6000');
    expect(last.trimEnd().split('\n').at(-1)).to.equal('drained: everything released is in place; 0 records wait for a watermark');
    expect((await command('verify')).trimEnd().split('\n').at(-1)).to.match(/^all holds: /);
    const stopped = finish(beside);
    beside.kill('SIGTERM');
    expect((await stopped).code).to.equal(0);
    for (const topic of OUTPUTS) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const written = await linesOf(topic, partition);
        expect(written, `${topic}/${partition}`).to.deep.equal(expected.log.records(topic, partition).map(line));
      }
    }
    for (const { table, rows } of expected.tables) {
      expect(await sqlRows(table), table.name).to.have.deep.members(comparable(table, rows));
    }
    expect(expected.tables.every(({ table, rows }) => rows.length > 0 || table.name === 'position_discrepancies')).to.equal(true);
  });

  it('refuses other settings, and names both', async () => {
    const { code, stderr } = await finish(start('run', 'position-linker', '--policy', 'fifo'));
    expect(code).to.equal(4);
    expect(stderr).to.contain('policy is pro-rata in the state and fifo in this start');
  });

  async function linesOf(topic: string, partition: number): Promise<readonly string[]> {
    const lines: string[] = [];
    for await (const { records } of log.readRange({ topic: `${namespace}.${topic}`, partition, from: 'earliest', until: 'lastStable' })) lines.push(...records.map(line));
    return lines;
  }

  /** Rows as the table in memory holds them; the sink's own columns and JSON are left out. */
  async function sqlRows(table: Table<never>): Promise<readonly (readonly Cell[])[]> {
    const columns = table.columns.filter(({ isInternal, type }) => isInternal !== true && type !== 'jsonb');
    const rows = await database.query<Record<string, Cell>>(`SELECT ${columns.map(({ name }) => `"${name}"`).join(', ')} FROM ${table.name}`);
    return rows.map((row) =>
      columns.map(({ name, type }) => {
        const cell = row[name] as Cell;
        if (cell === null) return null;
        if (type === 'numeric') return parseDecimal(String(cell));
        return type === 'timestamptz' ? Date.parse(String(cell)) : cell;
      }),
    );
  }
});

function comparable(table: Table<never>, rows: readonly (readonly Cell[])[]): readonly (readonly Cell[])[] {
  return rows.map((row) => row.filter((_cell, position) => table.columns[position]?.isInternal !== true && table.columns[position]?.type !== 'jsonb'));
}

/** A record without its offset and schema id, which differ between one log and another. */
function line({ timestampMs, key, value }: LogRecord): string {
  const text = (bytes: Uint8Array | null, from: number): string => (bytes === null ? '-' : Buffer.from(bytes).subarray(from).toString('hex'));
  return `${timestampMs} ${text(key, 0)} ${text(value, WIRE_HEADER_BYTES)}`;
}
