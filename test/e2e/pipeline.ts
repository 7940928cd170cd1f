import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import postgres from 'postgres';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { captureNames, readCapture } from '../captures/captures.js';
import { stackEnvironment } from '../cli/temporary-namespace.js';
import type { Row, Tables } from '../truth/rows.js';

const ROOT = new URL('../../', import.meta.url).pathname;

/** All recorded sessions as one: each is an account of its own, and the lines go by receive time. */
export function writeAllCaptures(path: string): void {
  const lines = captureNames().flatMap((name) => readCapture(name).lines.map((line) => {
    const { receivedAt, frame } = JSON.parse(line) as { receivedAt: number; frame: unknown };
    return { receivedAt, text: JSON.stringify({ receivedAt, account: name, frame }) };
  }));
  lines.sort((a, b) => a.receivedAt - b.receivedAt);
  writeFileSync(path, `${lines.map((line) => line.text).join('\n')}\n`);
}

/** Starts a command of the project in a process of its own. */
export function start(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...words], {
    cwd: ROOT, env: { ...process.env, ...stackEnvironment(), POSITION_LINKER_LOG_LEVEL: 'warn' }, stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a command to its end and answers what it printed; throws with its errors if it fails. */
export async function run(...words: readonly string[]): Promise<string> {
  const child = start(words);
  let out = '';
  let errors = '';
  child.stdout!.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  child.stderr!.on('data', (chunk: Buffer) => { errors += chunk.toString(); });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`position-linker ${words.join(' ')} ended with ${code}\n${errors.slice(-4000)}`);
  return out;
}

const TABLES = ['position_orders', 'position_cycles', 'prediction_trading_results', 'position_discrepancies', 'orders', 'positions'] as const;

/** Reads the tables as the judge takes them: amounts as text, times in milliseconds. */
export async function readTables(namespace: string): Promise<Tables> {
  const sql = postgres(stackEnvironment().DATABASE_URL, { max: 1, onnotice: () => undefined });
  try {
    const tables: Record<string, Row[]> = {};
    for (const table of TABLES) {
      const rows = await sql.unsafe(`SELECT * FROM "${namespace}"."${table}"`);
      tables[table] = rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell instanceof Date ? cell.getTime() : cell])));
    }
    return tables as unknown as Tables;
  } finally {
    await sql.end();
  }
}

/** The rows of one account; results have no account in every table, so they go by their cycles. */
export function accountTables(tables: Tables, account: string): Tables {
  const own = (rows: readonly Row[] | undefined): Row[] => (rows ?? []).filter((row) => row['account'] === account);
  const cycles = own(tables.position_cycles);
  const ids = new Set(cycles.map((row) => row['position_id']));
  return {
    position_orders: own(tables.position_orders), position_cycles: cycles,
    prediction_trading_results: tables.prediction_trading_results.filter((row) => ids.has(row['position_id'])),
    position_discrepancies: own(tables.position_discrepancies), orders: own(tables.orders), positions: own(tables.positions),
  };
}

/**
 * A digest of every committed record of a topic partition: key, value without the schema's id, time. Of compacted topics
 * the last record of each key counts, for the broker may have removed any other.
 */
export async function topicDigests(namespace: string, topics: readonly string[], compacted: readonly string[], partitions: number): Promise<Record<string, string>> {
  const log = new KafkaLog({ brokers: stackEnvironment().KAFKA_BROKERS.split(','), clientId: 'position-linker-test' });
  try {
    const digests: Record<string, string> = {};
    for (const topic of [...topics, ...compacted]) {
      for (let partition = 0; partition < partitions; partition++) {
        const texts = new Map<string | number, string>();
        let count = 0;
        for await (const range of log.readRange({ topic: `${namespace}.${topic}`, partition, from: 'earliest', until: 'lastStable' })) {
          for (const record of range.records) {
            const key = record.key === null ? '' : Buffer.from(record.key).toString('hex');
            const value = record.value === null ? 'tombstone' : Buffer.from(record.value.subarray(5)).toString('base64');
            texts.set(compacted.includes(topic) ? key : count, `${record.timestampMs}|${key}|${value}`);
            count += 1;
          }
        }
        const hash = createHash('sha256');
        for (const key of compacted.includes(topic) ? [...texts.keys()].sort() : texts.keys()) hash.update(texts.get(key)!);
        digests[`${topic}/${partition}`] = `${texts.size} ${hash.digest('hex')}`;
      }
    }
    return digests;
  } finally {
    await log.close();
  }
}
