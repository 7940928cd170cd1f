import { RecordCodec } from '../avro/record-codec.js';
import { readRecordSchemas } from '../avro/record-schema.js';
import { topicName, type Namespace } from '../config/namespace.js';
import { BROKER_OPTIONS } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { partitionOf } from '../kafka/partitioner.js';
import { recordSubjects } from '../schema-registry/record-subjects.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import { RegistrySchemas } from '../schema-registry/registry-schemas.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { readCapture } from '../ws-gateway/capture-reader.js';
import { isAccountName } from '../ws-gateway/frame-parser.js';
import type { GatewayCounts } from '../ws-gateway/gateway.js';
import { LogWriter } from '../ws-gateway/log-writer.js';
import { runGateway } from '../ws-gateway/run-gateway.js';
import { readSourceTails } from '../ws-gateway/source-tails.js';
import type { PartitionTail } from '../ws-gateway/watermarks.js';
import { defineCommand, UsageError, type Command } from './command.js';
import { ingestJson, ingestText, isoTime, type IngestSummary } from './ingest-summary.js';
import { GATEWAY_USE } from './role-topics.js';
import { checkStart } from './start-check.js';

const PROGRESS_EVERY_MS = 5_000;
const INTERRUPTED = 130;

/** `ingest`: a recorded session into the source topics. */
export const ingestCommands: readonly Command[] = [
  defineCommand({
    path: ['ingest'],
    summary: 'play a recorded session into the source topics',
    details:
      'One JSON object a line: {"receivedAt": ms, "frame": {...}}, plain or gzip. Lines and rows that cannot be used go, bytes unchanged, to ' +
      'ws-gateway.dead_letters. The file ends with a watermark that releases everything, unless --continues says that more follows.',
    options: ['capture', 'speed', 'account', 'continues', 'namespace', ...BROKER_OPTIONS, 'registryUrl', 'joinWindowMs', 'skewAllowanceMs', 'json'],
    async run({ options, stdout, stderr, signal }) {
      const { account, namespace } = options;
      if (account !== null && !isAccountName(account)) throw new UsageError(`--account ${account}: at most 64 characters, without spaces and |`);
      // The client of the broker takes longer to load than the rest; help and wrong usage need none of it.
      const { KafkaLog } = await import('../kafka/kafka-log.js');
      const cluster = { ...clusterAccess(options), clientId: 'position-linker' };
      const partitions = await checkStart(cluster, { namespace, registryUrl: options.registryUrl, uses: [GATEWAY_USE], topics: declaredTopics().filter(({ name }) => GATEWAY_USE.writes.includes(name)), databaseUrl: null });
      const log = new KafkaLog(cluster);
      const appender = log.sourceWriter();
      try {
        const codec = await openCodec(namespace, options.registryUrl);
        const tails = await readSourceTails(log, codec, namespace, partitions);
        const startedMs = performance.now();
        const progress = new Progress(highestWatermark(tails) + options.skewAllowanceMs, startedMs, stderr);
        const run = await runGateway(
          readCapture(options.capture, signal),
          new LogWriter({ appender, encode: (type, value) => codec.encode(type, value), nameOf: (topic) => topicName(namespace, topic) }),
          {
            ...options,
            partitions,
            partitionOf: (asset) => partitionOf(asset, partitions),
            tails,
            signal,
            onProgress: (counts) => progress.report(counts),
          },
        );
        progress.report(run.counts);
        const summary: IngestSummary = { ...run, capture: options.capture, continues: options.continues, seconds: (performance.now() - startedMs) / 1_000 };
        stdout(options.json ? ingestJson(summary) : ingestText(summary));
        return run.interrupted ? INTERRUPTED : 0;
      } finally {
        await appender.close();
        await log.close();
      }
    },
  }),
];

async function openCodec(namespace: Namespace, registryUrl: string): Promise<RecordCodec> {
  const schemas = readRecordSchemas();
  const source = new RegistrySchemas(new RegistryClient(registryUrl), recordSubjects(namespace, declaredTopics(), schemas));
  return RecordCodec.open(source, schemas, ['OrderUpdate', 'Execution', 'PositionUpdate', 'Watermark']);
}

function highestWatermark(tails: readonly (readonly PartitionTail[])[]): number {
  return tails.flat().reduce((highestMs, tail) => Math.max(highestMs, tail.highestWatermarkMs ?? 0), 0);
}

/** Tells a person how far a long file is, and once that it is older than what the topics hold. */
class Progress {
  readonly #reachedMs: number;
  readonly #startedMs: number;
  readonly #stderr: (text: string) => void;
  #nextMs: number;
  #isFirst = true;

  constructor(reachedMs: number, startedMs: number, stderr: (text: string) => void) {
    this.#reachedMs = reachedMs;
    this.#startedMs = startedMs;
    this.#stderr = stderr;
    this.#nextMs = startedMs + PROGRESS_EVERY_MS;
  }

  report(counts: GatewayCounts): void {
    const { firstReceivedMs } = counts;
    if (this.#isFirst && firstReceivedMs !== null) {
      this.#isFirst = false;
      if (firstReceivedMs < this.#reachedMs) {
        this.#stderr(`note: the topics already reach ${isoTime(this.#reachedMs)}, this session begins ${isoTime(firstReceivedMs)}: until then its records are late, which is harmless\n`);
      }
    }
    const nowMs = performance.now();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + PROGRESS_EVERY_MS;
    const rate = Math.round(counts.frames / ((nowMs - this.#startedMs) / 1_000));
    this.#stderr(`${counts.frames} frames, up to ${isoTime(counts.lastReceivedMs)}, ${rate} frames/s\n`);
  }
}
