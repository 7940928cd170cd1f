/*
 * The live gateway against an exchange in a process of its own, while the roles run in another. Two latencies, nothing subtracted:
 *
 *   topic  from when a frame was received (its record says when) until the broker has acknowledged the record;
 *   link   from when the latest input of a link was received until the link was in a reader's hands, read committed.
 *
 *   node --import tsx bench/stages/gateway.ts --namespace NAME --partitions N --rate FRAMES_A_SECOND --seconds N [--assets N]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GATEWAY_OPTIONS } from '../../src/cli/exchange-options.js';
import { startGateway } from '../../src/cli/gateway-role.js';
import { createLog } from '../../src/config/log.js';
import { topicName } from '../../src/config/namespace.js';
import { resolveOptions } from '../../src/config/resolve.js';
import type { RecordTypes } from '../../src/domain/records.js';
import type { Log, SourceWriter } from '../../src/kafka/log.js';
import { answer, measure, openShell } from './stage-shell.js';

const { values } = parseArgs({
  options: { namespace: { type: 'string' }, partitions: { type: 'string' }, assets: { type: 'string', default: '200' }, rate: { type: 'string', default: '500' }, seconds: { type: 'string', default: '20' }, links: { type: 'boolean', default: false } },
});
const namespace = values.namespace ?? '';
const partitions = Number(values.partitions);
const LINKS = 'position-linker.position_orders';
/** What was received in this time after the first frame is left out: the process is cold. */
const WARM_UP_MS = 3_000;
const QUIET_MS = 3_000;

interface ExchangePlace {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly key: string;
  readonly secret: string;
  readonly frames: number;
  readonly endMs: number;
}

const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('exchange.ts', import.meta.url)), '--rate', values.rate, '--seconds', values.seconds, '--assets', values.assets], { stdio: ['ignore', 'pipe', 'inherit'] });
const [firstLine] = (await once(child.stdout!, 'data')) as [Buffer];
const place = JSON.parse(firstLine.toString()) as ExchangePlace;

const { log, codec } = await openShell(namespace);
const topicMs: number[] = [];
const linkMs: number[] = [];
/** When each record was received, by topic and partition; the place in the list is the offset, because nobody else writes. */
const receivedMs = new Map<string, number[]>();
let firstReceivedMs: number | null = null;
let records = 0;

function noting(writer: SourceWriter): SourceWriter {
  return {
    send: async (outgoing) => {
      const received = outgoing.map(({ topic, partition, value }) => {
        const decoded = value === null ? null : codec.decode(value);
        const atMs = decoded === null || decoded.type === 'Watermark' ? Number.NaN : (decoded.value as RecordTypes['OrderUpdate']).received_at;
        const key = `${topic}/${partition}`;
        const times = receivedMs.get(key);
        if (times === undefined) receivedMs.set(key, [atMs]);
        else times.push(atMs);
        return atMs;
      });
      await writer.send(outgoing);
      const nowMs = exchangeNowMs();
      for (const atMs of received) {
        if (Number.isNaN(atMs)) continue;
        records++;
        firstReceivedMs ??= atMs;
        if (atMs >= firstReceivedMs + WARM_UP_MS) topicMs.push(nowMs - atMs);
      }
    },
    close: () => writer.close(),
  };
}

/** By the clock that receive times are of; before it is known nothing is measured. */
let exchangeNowMs = (): number => Number.NaN;

const observed = new Proxy(log as Log, {
  get: (target, name) => {
    if (name === 'sourceWriter') return () => noting(target.sourceWriter());
    const member: unknown = Reflect.get(target, name, target);
    return typeof member === 'function' ? member.bind(target) : member;
  },
});

let isOver = false;
async function readLinks(): Promise<void> {
  const reader = log.reader();
  const topic = topicName(namespace, LINKS);
  reader.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })));
  for (let quietSinceMs = Date.now(); !isOver || Date.now() < quietSinceMs + QUIET_MS; ) {
    for (const { records: fetched } of await reader.poll(50)) {
      await codec.learn(fetched.map(({ value }) => value));
      const nowMs = exchangeNowMs();
      for (const { value } of fetched) {
        if (value === null) continue;
        const decoded = codec.decode(value);
        if (decoded.type !== 'PositionOrder') continue;
        quietSinceMs = nowMs;
        const { revision, inputs } = decoded.value as RecordTypes['PositionOrder'];
        const times = inputs.flatMap(({ topic: from, partition, offset }) => receivedMs.get(`${topicName(namespace, from)}/${partition}`)?.[offset] ?? receivedMs.get(`${from}/${partition}`)?.[offset] ?? []);
        const inputMs = Math.max(...times);
        if (revision === 0 && times.length > 0 && inputMs >= (firstReceivedMs ?? Infinity) + WARM_UP_MS && inputMs < place.endMs - QUIET_MS) linkMs.push(nowMs - inputMs);
      }
    }
  }
  await reader.close();
}

const spool = mkdtempSync(join(tmpdir(), 'bench-spool-'));
const options = resolveOptions([...GATEWAY_OPTIONS, 'joinWindowMs'], new Map([['wsUrl', place.wsUrl], ['restUrl', place.restUrl], ['spoolDir', spool]]), { BYBIT_API_KEY: place.key, BYBIT_API_SECRET: place.secret });
const gateway = await startGateway({ log: observed, codec, namespace, logger: createLog('warn'), options, signal: new AbortController().signal });
exchangeNowMs = () => gateway.clock.at(performance.now());
const reading = values.links ? readLinks() : Promise.resolve();
const finish = measure();
while (Date.now() < place.endMs + 1_500 || (records < place.frames && Date.now() < place.endMs + 60_000)) await new Promise((resolve) => setTimeout(resolve, 100));
const usage = finish();
// Watermarks go on until the last links are out.
if (values.links) await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
isOver = true;
await reading;
gateway.stop();
await gateway.finished;
await gateway.close();
await log.close();
child.kill('SIGTERM');
rmSync(spool, { recursive: true, force: true });

const first = firstReceivedMs ?? 0;
const inPace = [...receivedMs.values()].flat().filter((atMs) => atMs >= first && atMs < first + 1_000 * Number(values.seconds)).length;
const quantile = (list: readonly number[], share: number): number | null => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? null;
answer({
  ...usage, clockErrorMs: Math.round(exchangeNowMs() - Date.now()), frames: place.frames, records, framesPerSecond: inPace / Number(values.seconds),
  topicP50Ms: quantile(topicMs, 0.5), topicP99Ms: quantile(topicMs, 0.99), topicMaxMs: quantile(topicMs, 1), links: linkMs.length, linkP50Ms: quantile(linkMs, 0.5), linkP99Ms: quantile(linkMs, 0.99),
});
