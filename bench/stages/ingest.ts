/*
 * A made-up session through the real gateway into the source topics of a namespace. Answers what was written and how long it took,
 * making the session up included.
 *
 *   node --import tsx bench/stages/ingest.ts --namespace NAME --partitions N --records N [--assets N]
 */
import { parseArgs } from 'node:util';
import { topicName } from '../../src/config/namespace.js';
import { partitionOf } from '../../src/kafka/partitioner.js';
import { LogWriter } from '../../src/ws-gateway/log-writer.js';
import { runGateway } from '../../src/ws-gateway/run-gateway.js';
import { sessionFrames } from './session.js';
import { answer, measure, openShell } from './stage-shell.js';

const { values } = parseArgs({ options: { namespace: { type: 'string' }, partitions: { type: 'string' }, records: { type: 'string' }, assets: { type: 'string', default: '200' }, gap: { type: 'string', default: '2.5' } } });
const namespace = values.namespace ?? '';
const partitions = Number(values.partitions);
const wanted = Number(values.records);

const { log, codec } = await openShell(namespace);
const appender = log.sourceWriter();
let written = 0;
let firstMs: number | null = null;
let lastMs = 0;
const finish = measure();
const { counts } = await runGateway(
  sessionFrames({ seed: 1, assets: Number(values.assets), meanGapMs: Number(values.gap), isEnough: () => written >= wanted }),
  new LogWriter({ appender, encode: (type, value) => codec.encode(type, value), nameOf: (topic) => topicName(namespace, topic) }),
  {
    account: 'bench', partitions, partitionOf: (asset) => partitionOf(asset, partitions), skewAllowanceMs: 500, joinWindowMs: 5_000, speed: 'max', continues: false,
    onProgress: ({ records, firstReceivedMs, lastReceivedMs }) => {
      written = Object.values(records).reduce((sum, count) => sum + count, 0);
      firstMs ??= firstReceivedMs;
      lastMs = lastReceivedMs ?? lastMs;
    },
  },
);
const usage = finish();
await appender.close();
await log.close();
answer({ ...usage, records: written, byTopic: counts.records, watermarks: counts.watermarks, sessionSeconds: (lastMs - (firstMs ?? lastMs)) / 1000 });
