/*
 * A replay from offset 0 of source topics that three earlier releases and this one wrote, each record with the next version
 * of its schema: how many are decoded a second, by resolvers made once, and how many of our own version beside it.
 *
 *   node --import tsx bench/older-versions.ts [--records N] [--runs N] [--json]
 */
import { parseArgs } from 'node:util';
import { RecordCodec } from '../src/avro/record-codec.js';
import { readRecordSchemas } from '../src/avro/record-schema.js';
import { localSchemas } from '../src/avro/schema-source.js';
import { settingsOf, topologies } from '../src/cli/role-table.js';
import { DEFAULT_SIGNAL_PATTERN } from '../src/domain/signal.js';
import { openLocalCodec, replayCapture } from '../src/replay/replay.js';
import { captureNames } from '../test/captures/captures.js';
import { constantFields, earlierReleases, OlderWriter, schemaOf, valuesByName } from '../test/replay/older-log.js';
import { median, whole } from './report.js';

const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } } });
const RECORDS = Number(values.records);
const PARTITIONS = 3;
const FIRST_OLDER_ID = 1_000;
const SETTINGS = { policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000, signalPattern: DEFAULT_SIGNAL_PATTERN } as const;

/** The source records of all recorded sessions, in the order of their topics, without watermarks. */
async function sourceRecords(): Promise<{ readonly codec: RecordCodec; readonly own: readonly Uint8Array[] }> {
  const codec = await openLocalCodec();
  const own: Uint8Array[] = [];
  for (const name of captureNames()) own.push(...(await sessionRecords(name, codec)));
  return { codec, own };
}

async function sessionRecords(name: string, codec: RecordCodec): Promise<readonly Uint8Array[]> {
  const path = new URL(`../test/captures/${name}/frames.jsonl.gz`, import.meta.url).pathname;
  const { log } = await replayCapture({ path }, {
    account: null, partitions: PARTITIONS, codec, joinWindowMs: SETTINGS.joinWindowMs, skewAllowanceMs: 500, continues: false, isLogKept: true, topologies: topologies(SETTINGS), settings: settingsOf(SETTINGS),
  });
  const places = ['ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position'].flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })));
  const all = places.flatMap(({ topic, partition }) => log.records(topic, partition).map((record) => record.value)).filter((value) => value !== null);
  return all.filter((value) => codec.decode(value).type !== 'Watermark');
}

const schemas = readRecordSchemas();
const { codec: before, own } = await sourceRecords();
const texts = new Map<number, string>();
const writers = new Map(
  [...valuesByName(before, own)].map(([name, written]) => {
    const schema = schemaOf(schemas, name);
    const versions = [...earlierReleases(schema, constantFields(schema, written)), schema];
    const ids = versions.map((version) => {
      const id = FIRST_OLDER_ID + texts.size;
      texts.set(id, JSON.stringify(version));
      return id;
    });
    return [name, new OlderWriter(versions, ids)] as const;
  }),
);
const mixed = own.map((bytes) => {
  const { type, value } = before.decode(bytes);
  return (writers.get(type) as OlderWriter).bytes(value);
});
const local = localSchemas(schemas);
const codec = await RecordCodec.open({ idOf: (record) => local.idOf(record), textOf: async (id) => texts.get(id) ?? local.textOf(id) }, schemas);
await codec.learn(mixed);

function run(log: readonly Uint8Array[]): { readonly records: number; readonly seconds: number; readonly cpuSeconds: number } {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  let records = 0;
  while (records < RECORDS) {
    for (const bytes of log) codec.decode(bytes);
    records += log.length;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { records, seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function measured(log: readonly Uint8Array[]): { readonly records: number; readonly seconds: number; readonly cpuSeconds: number; readonly perSecond: number; readonly perCpuSecond: number } {
  run(log.slice(0, 200));
  const runs = Array.from({ length: Number(values.runs) + 1 }, () => run(log)).slice(1);
  const seconds = median(runs.map((one) => one.seconds));
  const cpuSeconds = median(runs.map((one) => one.cpuSeconds));
  const records = runs[0]?.records ?? 0;
  return { records, seconds, cpuSeconds, perSecond: records / seconds, perCpuSecond: records / cpuSeconds };
}

const older = measured(mixed);
const present = measured(own);
if (values.json) {
  process.stdout.write(`${JSON.stringify({ ...older, peakRssMb: process.resourceUsage().maxRSS / 1024, versions: texts.size, presentPerCpuSecond: present.perCpuSecond })}\n`);
} else {
  console.log(`source records of ${texts.size / 4} kinds in four versions each, ${own.length} of them over and over, resolvers made once, one core:`);
  console.log(`  versions in turns  ${whole(older.perCpuSecond)} decodes a CPU second, ${whole(older.perSecond)} a second of the clock`);
  console.log(`  our version alone  ${whole(present.perCpuSecond)} decodes a CPU second, ${whole(present.perSecond)} a second of the clock`);
}
