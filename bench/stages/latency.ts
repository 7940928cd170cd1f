/*
 * From input to readable link. The gateway writes a session at recorded pace into the source topics of a namespace whose roles
 * run in another process; a reader takes what position-linker commits. The latency of a link is the time at which its record was in
 * the reader's hands, read committed, less the time at which the gateway handed the latest input that the link names (its fill) to the
 * producer. Nothing is subtracted: the skew allowance by which watermarks stay behind is in it.
 *
 *   node --import tsx bench/stages/latency.ts --namespace NAME --partitions N --rate RECORDS_A_SECOND --seconds N --warm-up-seconds N
 */
import { parseArgs } from 'node:util';
import { topicName } from '../../src/config/namespace.js';
import type { RecordTypes } from '../../src/domain/records.js';
import { partitionOf } from '../../src/kafka/partitioner.js';
import { LogWriter } from '../../src/ws-gateway/log-writer.js';
import { runGateway } from '../../src/ws-gateway/run-gateway.js';
import type { SourceWriter } from '../../src/ws-gateway/source-writer.js';
import { RECORDS_AN_ORDER, sessionFrames } from './session.js';
import { answer, measure, openShell } from './stage-shell.js';

const { values } = parseArgs({
  options: {
    namespace: { type: 'string' }, partitions: { type: 'string' }, assets: { type: 'string', default: '200' },
    rate: { type: 'string', default: '2000' }, seconds: { type: 'string', default: '30' }, 'warm-up-seconds': { type: 'string', default: '10' },
  },
});
const namespace = values.namespace ?? '';
const partitions = Number(values.partitions);
const seconds = Number(values.seconds);
const warmUpSeconds = Number(values['warm-up-seconds']);
/** The closing watermark releases the last records at once; they would look quicker than they are. */
const TAIL_MS = 2_000;
/** The reader ends when nothing came for so long after the gateway ended. */
const QUIET_MS = 3_000;
const LINKS = 'position-linker.position_orders';

const { log, codec } = await openShell(namespace);
const appender = log.sourceWriter();
const toLog = new LogWriter({ appender, encode: (type, value) => codec.encode(type, value), nameOf: (topic) => topicName(namespace, topic) });

/** When each record was written, by topic and partition; the place in the list is the offset, because the topics were empty and nobody else writes. */
const writtenMs = new Map<string, number[]>();
const noting: SourceWriter = {
  write: (topic, partition, key, type, value, timestampMs) => {
    const place = `${topic}/${partition}`;
    let times = writtenMs.get(place);
    if (times === undefined) writtenMs.set(place, (times = []));
    times.push(performance.now());
    toLog.write(topic, partition, key, type, value, timestampMs);
  },
  writeRaw: (...record) => toLog.writeRaw(...record),
  drain: () => toLog.drain(),
  flush: () => toLog.flush(),
};

const latencies: { readonly inputMs: number; readonly ms: number }[] = [];
let lastLinkMs = performance.now();
let startedMs = 0;
let endedMs = Infinity;

async function readLinks(): Promise<void> {
  const reader = log.reader();
  const topic = topicName(namespace, LINKS);
  reader.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })));
  while (performance.now() < Math.max(endedMs, lastLinkMs) + QUIET_MS) {
    for (const { records } of await reader.poll(50)) {
      await codec.learn(records.map(({ value }) => value));
      const nowMs = performance.now();
      for (const { value } of records) {
        if (value === null) continue;
        const decoded = codec.decode(value);
        if (decoded.type !== 'PositionOrder') continue;
        lastLinkMs = nowMs;
        noteLink(decoded.value as RecordTypes['PositionOrder'], nowMs);
      }
    }
  }
  await reader.close();
}

/** Only the first that is said of a leg: a later revision waits for evidence that comes later. */
function noteLink({ revision, inputs }: RecordTypes['PositionOrder'], nowMs: number): void {
  if (revision !== 0) return;
  const times = inputs.flatMap(({ topic, partition, offset }) => writtenMs.get(`${topic}/${partition}`)?.[offset] ?? []);
  if (times.length === 0) return;
  const inputMs = Math.max(...times);
  if (inputMs < startedMs + warmUpSeconds * 1_000) return;
  latencies.push({ inputMs, ms: nowMs - inputMs });
}

const finish = measure();
const reading = readLinks();
let firstReceivedMs: number | null = null;
startedMs = performance.now();
const meanGapMs = (1_000 * RECORDS_AN_ORDER) / Number(values.rate);
const run = await runGateway(
  sessionFrames({
    seed: 2, assets: Number(values.assets), meanGapMs, chunkFrames: 20,
    isEnough: (reachedMs) => reachedMs - (firstReceivedMs ??= reachedMs) >= (seconds + warmUpSeconds) * 1_000,
  }),
  noting,
  { account: 'bench', partitions, partitionOf: (asset) => partitionOf(asset, partitions), skewAllowanceMs: 500, joinWindowMs: 5_000, speed: 1, continues: false },
);
endedMs = performance.now();
const records = Object.values(run.counts.records).reduce((sum, count) => sum + count, 0);
const lateSeconds = (endedMs - startedMs) / 1_000 - ((run.counts.lastReceivedMs ?? 0) - (run.counts.firstReceivedMs ?? 0)) / 1_000;
await reading;
const usage = finish();
await appender.close();
await log.close();

const counted = latencies.filter(({ inputMs }) => inputMs < endedMs - TAIL_MS).map(({ ms }) => ms).sort((a, b) => a - b);
const quantile = (share: number): number | null => counted[Math.min(counted.length - 1, Math.floor(counted.length * share))] ?? null;
answer({
  ...usage, records, recordsPerSecond: records / ((endedMs - startedMs) / 1_000), lateSeconds, links: counted.length,
  p50Ms: quantile(0.5), p90Ms: quantile(0.9), p99Ms: quantile(0.99), maxMs: counted.at(-1) ?? null,
});
