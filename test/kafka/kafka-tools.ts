import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { artefactFolder } from '../../src/stack/artefacts.js';
import { packageRoot, stackPaths } from '../../src/stack/paths.js';
import { requireJava } from '../../src/stack/toolchain.js';
import { downloads } from './kafka-cluster.js';

/*
 * The tools that come with Kafka: a reader and a look at transactions that share nothing with this project.
 */

/** One record as the console consumer prints it: printable ASCII as it is, every other byte as \xHH. */
export interface PrintedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string;
  readonly value: string;
}

/** How the console consumer prints nothing. */
export const PRINTED_NULL = '<null>';

/** How a tool is started. */
export async function javaTool(mainClass: string, args: readonly string[]): Promise<{ readonly program: string; readonly args: readonly string[] }> {
  const options = { env: process.env, say: () => undefined, signal: undefined };
  const java = await requireJava(options);
  const folder = await artefactFolder('kafka-tools', stackPaths(join(packageRoot, '.stack'), downloads()), options);
  const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', join(folder, '*')];
  return { program: java.executable, args: [...jvm, mainClass, ...args] };
}

/** Runs a tool, handing over what it prints line by line; answers its exit code and its last lines. */
async function kafkaTool(mainClass: string, args: readonly string[], onLine: (line: string) => void): Promise<{ readonly code: number | null; readonly errors: string }> {
  const { program, args: all } = await javaTool(mainClass, args);
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString('utf8')).slice(-5_000)));
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity });
  lines.on('line', onLine);
  const [code] = (await Promise.all([once(child, 'exit'), once(lines, 'close'), once(child.stderr, 'close')]))[0] as [number | null];
  return { code, errors };
}

/** Every record of a topic that the Java client shows with read_committed; each partition in order. */
export async function consoleConsume(brokers: readonly string[], topic: string, onRecord: (record: PrintedRecord) => void, idleMs = 4_000): Promise<void> {
  const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer';
  const printed = ['print.partition=true', 'print.offset=true', 'print.timestamp=true', 'print.key=true', `null.literal=${PRINTED_NULL}`, `key.deserializer=${bytes}`, `value.deserializer=${bytes}`];
  let records = 0;
  const { errors } = await kafkaTool(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    ['--bootstrap-server', brokers.join(','), '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed', '--timeout-ms', String(idleMs), ...printed.flatMap((property) => ['--formatter-property', property])],
    (line) => {
      const found = /^\w+:(-?\d+)\tPartition:(\d+)\tOffset:(\d+)\t([^\t]*)\t(.*)$/.exec(line);
      if (found === null) return;
      records++;
      const [, timestampMs, partition, offset, key, value] = found as unknown as [string, string, string, string, string, string];
      onRecord({ partition: Number(partition), offset: Number(offset), timestampMs: Number(timestampMs), key, value });
    },
  );
  const total = /Processed a total of (\d+) messages/.exec(errors)?.[1];
  if (Number(total) !== records) throw new Error(`the console consumer did not read ${topic} to its end: ${records} records, it says ${total}\n${errors}`);
}

/** Transactional ids and their states, as the brokers' coordinators tell them. */
export async function listTransactions(brokers: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows: string[][] = [];
  const { code, errors } = await kafkaTool('org.apache.kafka.tools.TransactionsCommand', ['--bootstrap-server', brokers.join(','), 'list'], (line) => {
    const cells = line.trim().split(/\s+/);
    if (cells.length >= 4 && cells[0] !== 'TransactionalId') rows.push(cells);
  });
  if (code !== 0) throw new Error(`transactions could not be listed:\n${errors}`);
  return new Map(rows.map((cells) => [cells[0] as string, cells.at(-1) as string]));
}

/** Bytes as the console consumer prints them. */
export function printedBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return PRINTED_NULL;
  let text = '';
  for (const byte of bytes) text += byte >= 0x20 && byte <= 0x7e && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return text;
}
