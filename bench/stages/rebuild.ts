/*
 * A rebuild of everything in the source topics of a namespace into empty tables, or its ceiling. Answers what it took, stage by
 * stage. `load` leaves the rows in files for `ceiling`, which reads and decodes the same records and copies the same rows.
 *
 *   node --import tsx bench/stages/rebuild.ts --namespace NAME --threads N --files DIR load|ceiling
 */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { DEFAULT_SIGNAL_PATTERN } from '../../src/domain/signal.js';
import { OPTIONS } from '../../src/config/options.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { copyStatement } from '../../src/postgres/copy-text.js';
import { dropSchema } from '../../src/postgres/drop-schema.js';
import { identifier } from '../../src/postgres/table-sql.js';
import { runJobs } from '../../src/rebuild/job-pool.js';
import { REBUILT_TABLES } from '../../src/rebuild/live-tables.js';
import type { PartitionJob, PartitionResult } from '../../src/rebuild/partition-job.js';
import { ShadowSchema } from '../../src/rebuild/shadow-schema.js';
import { sourceRanges } from '../../src/rebuild/source-ranges.js';
import { threadRunner } from '../../src/rebuild/thread-runner.js';
import type { TableRunnerSettings } from '../../src/cli/rebuild-runner.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import type { CeilingJob, CeilingResult, CeilingSettings } from './rebuild-ceiling-thread.js';
import { answer, measure } from './stage-shell.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { namespace: { type: 'string' }, threads: { type: 'string' }, files: { type: 'string' } } });
const namespace = values.namespace ?? '';
const threads = Number(values.threads);
const folder = values.files ?? '';
const { KAFKA_BROKERS = '', SCHEMA_REGISTRY_URL: registryUrl = '', DATABASE_URL: databaseUrl = '' } = process.env;
const brokers = KAFKA_BROKERS.split(',');
const MEBIBYTE = 1024 * 1024;
const memoryMb = Math.floor(totalmem() / MEBIBYTE / (threads + 1));
const signal = new AbortController().signal;

const log = new KafkaLog({ brokers, clientId: 'bench-rebuild' });
const { ranges } = await sourceRanges({ log, namespace, topics: SOURCE_TOPICS, from: 'first', to: null, untilMs: null });
const shadow = await ShadowSchema.lock(databaseUrl, `${namespace}_${positionals[0]}`);
await shadow.prepare(String(performance.timeOrigin), () => false);
answer(positionals[0] === 'load' ? await load() : await ceiling());
await shadow.drop();
await shadow.close();
await dropSchema(databaseUrl, shadow.name);
await log.close();
process.exit(0);

function file(table: string, part: number): string {
  return join(folder, `${table}.${part}`);
}

async function load(): Promise<object> {
  const noAccess = { saslMechanism: null, saslUsername: null, saslPassword: null, tls: false, tlsCa: null, tlsCert: null, tlsKey: null };
  const settings: TableRunnerSettings = {
    kind: 'tables', brokers: { brokers, ...noAccess }, registryUrl, databaseUrl, namespace, shadow: shadow.name,
    pipeline: { policy: 'pro-rata', joinWindowMs: OPTIONS.joinWindowMs.fallback ?? 0, horizonMs: OPTIONS.horizonMs.fallback ?? 0, horizonEvents: OPTIONS.horizonEvents.fallback ?? 0, signalPattern: DEFAULT_SIGNAL_PATTERN },
  };
  const finish = measure();
  const results = await runJobs<PartitionJob, PartitionResult>({
    jobs: ranges.map((of, partition) => ({ partition, ranges: of, cuts: null })), runners: threads, signal, onProgress: () => undefined,
    start: () => threadRunner(new URL('../../src/cli/rebuild-thread.ts', import.meta.url), settings, memoryMb),
  });
  const loaded = finish();
  await shadow.finish();
  const indexed = finish();
  await writeRows();
  const sum = (of: (result: PartitionResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const seconds = (of: (spent: PartitionResult['spent']) => number): number => sum(({ spent }) => of(spent)) / 1_000;
  return {
    ...loaded, records: sum(({ records }) => records), rows: sum(({ rows }) => rows), indexSeconds: indexed.seconds - loaded.seconds,
    waitingSeconds: seconds(({ waitingForLog }) => waitingForLog), rolesSeconds: seconds(({ roles }) => roles), copySeconds: seconds(({ copy }) => copy),
  };
}

/** All rows, as many parts of each table as there are threads. The client leaves a connection paused after such a read: each has its own. */
async function writeRows(): Promise<void> {
  for (const table of REBUILT_TABLES) {
    const parts = Array.from({ length: threads }, (_, part) => openSync(file(table.name, part), 'w'));
    const client = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
    const columns = table.columns.map(({ name }) => identifier(name)).join(', ');
    let row = 0;
    for await (const line of await client.unsafe(`COPY ${identifier(shadow.name)}.${identifier(table.name)} (${columns}) TO STDOUT`).readable()) writeSync(parts[row++ % threads] as number, line as Buffer);
    await client.end({ timeout: 0 });
    for (const part of parts) closeSync(part);
  }
}

async function ceiling(): Promise<object> {
  const settings: CeilingSettings = { brokers, registryUrl, databaseUrl, namespace, schema: shadow.name };
  const jobs: CeilingJob[] = [
    ...ranges.map((of): CeilingJob => ({ kind: 'read', ranges: of })),
    ...REBUILT_TABLES.flatMap((table) => Array.from({ length: threads }, (_, part): CeilingJob => ({ kind: 'copy', statement: copyStatement(table), file: file(table.name, part) }))),
  ];
  const bytes = REBUILT_TABLES.flatMap(({ name }) => Array.from({ length: threads }, (_, part) => statSync(file(name, part)).size)).reduce((sum, size) => sum + size, 0);
  const start = (): ReturnType<typeof threadRunner<CeilingJob, CeilingResult>> => threadRunner(new URL('./rebuild-ceiling-thread.ts', import.meta.url), settings, memoryMb);
  const measured = async (kind: CeilingJob['kind']): Promise<{ readonly seconds: number; readonly records: number }> => {
    const runners = await Promise.all(Array.from({ length: threads }, start));
    const waiting = jobs.filter((job) => job.kind === kind);
    const lanes = await Promise.all(runners.map(async (runner) => {
      let [ms, records] = [0, 0];
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
        const result = await runner.run(job, () => undefined);
        ms += result.ms;
        records += result.records;
      }
      return { ms, records };
    }));
    await Promise.all(runners.map((runner) => runner.close()));
    return { seconds: Math.max(...lanes.map(({ ms }) => ms)) / 1_000, records: lanes.reduce((sum, { records }) => sum + records, 0) };
  };
  const finish = measure();
  const read = await measured('read');
  const copy = await measured('copy');
  return { ...finish(), seconds: read.seconds + copy.seconds, records: read.records, readSeconds: read.seconds, copySeconds: copy.seconds, bytes };
}
