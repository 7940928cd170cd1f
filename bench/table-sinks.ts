/**
 * How fast records become rows: decode, reduce and upsert of position_orders and orders by the sink as it runs, from a log
 * in memory into the PostgreSQL of DATABASE_URL, in a schema of its own. First every row is new, then every row is there.
 * Run: node --import tsx bench/table-sinks.ts [rows]
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RecordCodec } from '../src/avro/record-codec.js';
import { readRecordSchemas } from '../src/avro/record-schema.js';
import { localSchemas } from '../src/avro/schema-source.js';
import { parseDecimal } from '../src/domain/decimal.js';
import type { Order, PositionOrder } from '../src/domain/records.js';
import type { OutgoingRecord } from '../src/kafka/record.js';
import { openDatabase, type Database } from '../src/postgres/database.js';
import { migrate } from '../src/postgres/migrate.js';
import { SinkRunner } from '../src/postgres/sink-runner.js';
import { MemoryLog } from '../src/runtime/memory-log.js';
import { ROW_SOURCES } from '../src/table-sinks/row-sources.js';
import { tableSinks } from '../src/table-sinks/table-sinks.js';
import { printTable } from './rate.js';

const RUNS = 3;
const PARTITIONS = 12;
const T0 = 1_767_225_600_000;
const LEGS_OF_A_CYCLE = 6;
const silent = { info: () => undefined, warn: () => undefined, error: (fields: object) => console.error(fields) };
const d = parseDecimal;

interface Made {
  readonly topic: string;
  readonly type: 'PositionOrder' | 'Order';
  readonly value: (revision: number) => PositionOrder | Order;
}

function links(count: number): Made[] {
  let position_id = '';
  let signal_id = '';
  return Array.from({ length: count }, (_, n): Made => {
    if (n % LEGS_OF_A_CYCLE === 0) position_id = randomUUID();
    if (n % 3 === 0) signal_id = randomUUID().replaceAll('-', '');
    const row: Omit<PositionOrder, 'revision'> = {
      id: randomUUID(), position_id, account: '900000001', category: 'linear', asset: `COIN${Math.floor(n / 50) % 200}USDT`, position_idx: 0, order_id: randomUUID(), exec_id: randomUUID(), leg: 0,
      side: 'Buy', relationship_type: 'increased', size_delta: d('0.017'), size_before: d('0.034'), size_after: d('0.051'), execution_price: d('2299.5'), execution_fee: d('0.02150033'),
      executed_at: T0 + n, seq: 54_717_739_471 + n, signal_id, evidence: 'exact', source: 'execution', candidates: null,
      checks: [{ name: 'closed_size', expected: 0n, actual: 0n, agrees: true }], retracted: false, reason: 'new', known_at: T0 + n + 500, inputs: [{ topic: 'ws-gateway.execution', partition: 3, offset: n }],
    };
    return { topic: 'position-linker.position_orders', type: 'PositionOrder', value: (revision) => ({ ...row, revision }) };
  });
}

function orders(count: number): Made[] {
  return Array.from({ length: count }, (_, n): Made => {
    const order_link_id = randomUUID().replaceAll('-', '');
    const row: Omit<Order, 'revision'> = {
      account: '900000001', category: 'linear', asset: `COIN${Math.floor(n / 50) % 200}USDT`, position_idx: 0, order_id: randomUUID(), order_link_id, signal_id: order_link_id, side: 'Buy', order_type: 'Limit',
      quantity: d('0.017'), price: d('2299.5'), status: 'Filled', filled_quantity: d('0.017'), average_price: d('2299.5'), fees: d('0.02150033'), create_type: 'CreateByUser', cancel_type: '',
      reject_reason: 'EC_NoError', stop_order_type: '', time_in_force: 'GTC', reduce_only: false, close_on_trigger: false, trigger_price: null, take_profit: null, stop_loss: null,
      created_at: T0 + n, updated_at: T0 + n + 9, executed_at: T0 + n + 9, message_seq: 54_717_739_471 + n, message_at: T0 + n, inputs: [{ topic: 'ws-gateway.order', partition: 3, offset: n }],
    };
    return { topic: 'order-manager.order_events', type: 'Order', value: (revision) => ({ ...row, revision }) };
  });
}

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the server's process for this connection; NaN where it is not on this machine, or not Linux. */
  readonly serverSeconds: number;
}

const TICKS_A_SECOND = 100;

async function serverSeconds(database: Database): Promise<number> {
  const backends = await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE application_name = $1', [database.schema]);
  let ticks = 0;
  for (const { pid } of backends) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      return Number.NaN;
    }
  }
  return ticks / TICKS_A_SECOND;
}

/** Appends all records, and times the sink from there to the last stored offset. */
async function timed(codec: RecordCodec, log: MemoryLog, runner: SinkRunner, database: Database, made: readonly Made[], revision: number): Promise<Run> {
  const records = made.map(({ topic, type, value }, n): OutgoingRecord => {
    const record = value(revision);
    const partition = Math.floor(n / 50) % PARTITIONS;
    return { topic, partition, timestampMs: T0, key: Buffer.from(record.asset), value: codec.encode(type, record as never) };
  });
  const before = runner.progress().rows;
  const serverBefore = await serverSeconds(database);
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  log.append(records, true);
  while (runner.progress().rows < before + made.length) await new Promise((resolve) => setTimeout(resolve, 2));
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const server = (await serverSeconds(database)) - serverBefore;
  await database.query('CHECKPOINT').catch(() => undefined);
  return { seconds, cpuSeconds: (user + system) / 1e6, serverSeconds: server };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const rows = Number(process.argv[2] ?? 100_000);
const databaseUrl = process.env['DATABASE_URL'];
if (databaseUrl === undefined) throw new Error('DATABASE_URL is not set: eval "$(scripts/position-linker stack env)"');
const schema = `bench_${randomBytes(4).toString('hex')}`;
const schemas = readRecordSchemas();
const codec = await RecordCodec.open(localSchemas(schemas), schemas);
const printed: string[][] = [['table', 'rows', 'rows/s', 'µs/row', 'own CPU', "server's CPU"]];
const database = openDatabase({ databaseUrl, schema, commitsEarly: true, applicationName: schema });
try {
  await migrate(databaseUrl, schema);
  for (const [table, make] of [['position_orders', links], ['orders', orders]] as const) {
    const runs: Record<'new' | 'replaced', Run[]> = { new: [], replaced: [] };
    for (let run = 0; run < RUNS; run++) {
      await database.query(`TRUNCATE ${table}, sink_offsets`);
      const log = new MemoryLog({ hasMarkers: true });
      for (const { topic } of ROW_SOURCES) log.createTopic(topic, PARTITIONS);
      const runner = new SinkRunner({ sink: tableSinks, log, codec, database, namespace: null, commitIntervalMs: 100, logger: silent });
      runner.start();
      const made = make(rows);
      runs.new.push(await timed(codec, log, runner, database, made, 0));
      runs.replaced.push(await timed(codec, log, runner, database, made, 1));
      runner.stop();
      await runner.finished;
    }
    for (const kind of ['new', 'replaced'] as const) {
      const seconds = median(runs[kind].map((run) => run.seconds));
      const cpuSeconds = median(runs[kind].map((run) => run.cpuSeconds));
      const server = median(runs[kind].map((run) => run.serverSeconds));
      printed.push([`${table}, ${kind}`, String(rows), String(Math.round(rows / seconds)), ((seconds * 1e6) / rows).toFixed(1), ((cpuSeconds * 1e6) / rows).toFixed(1), ((server * 1e6) / rows).toFixed(1)]);
    }
  }
  printTable(printed);
} finally {
  await database.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  await database.close();
}
