import { RecordCodec } from '../avro/record-codec.js';
import { readRecordSchemas } from '../avro/record-schema.js';
import { localSchemas } from '../avro/schema-source.js';
import type { MemoryLog } from '../runtime/memory-log.js';
import type { Topology } from '../runtime/processor.js';
import type { Settings } from '../runtime/task-state.js';
import { DEAD_LETTER_TOPIC as GATEWAY_DEAD_LETTERS, type GatewayCounts } from '../ws-gateway/gateway.js';
import { ingestIntoMemory, type CaptureInput, type CaptureOptions } from './capture-source.js';
import { MemoryPipeline, type Schedule } from './memory-pipeline.js';
import { MemoryTables, type TableRows } from './memory-tables.js';
import type { CoinReconciliation } from './reconciliation.js';

export interface ReplayOptions extends Omit<CaptureOptions, 'onProgress'> {
  /** In the order of the flow. */
  readonly topologies: readonly Topology[];
  readonly settings: Settings;
  /** How tasks take turns; without it each role does its work after those whose topics it reads. The result is the same. */
  readonly schedule?: { readonly schedule: Schedule; readonly turns: number };
  /** One that was opened before; to compile the schemas only once. */
  readonly codec?: RecordCodec;
  /** Keeps every record in `log` afterwards, for whoever wants to look at topics; else memory holds what is open. */
  readonly isLogKept?: boolean;
}

export interface ReplayResult {
  readonly counts: GatewayCounts;
  readonly tables: readonly TableRows[];
  readonly reconciliation: readonly CoinReconciliation[];
  /** Records that still wait for a watermark. */
  readonly heldRecords: number;
  /** Dead letters of the roles by topic. */
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly log: MemoryLog;
  readonly codec: RecordCodec;
}

/** Ids from 1 by record name, known to this process alone. */
export async function openLocalCodec(): Promise<RecordCodec> {
  const schemas = readRecordSchemas();
  return RecordCodec.open(localSchemas(schemas), schemas);
}

/** A capture through the whole pipeline in memory: the same gateway, topologies, bytes and tables as with servers. */
export async function replayCapture(input: CaptureInput, options: ReplayOptions): Promise<ReplayResult> {
  const codec = options.codec ?? (await openLocalCodec());
  const { partitions, topologies, settings, schedule, isLogKept = false } = options;
  const pipeline = new MemoryPipeline({ topologies, partitions, codec, settings });
  const { log } = pipeline;
  const tables = new MemoryTables(log, codec, partitions);
  const work = (): void => {
    pipeline.run();
    tables.takeIn();
    if (!isLogKept) pipeline.discardRead((topic, partition) => tables.positionOf(topic, partition));
  };
  const counts = await ingestIntoMemory(input, log, codec, { ...options, ...(schedule === undefined ? { onProgress: work } : {}) });
  if (schedule !== undefined) pipeline.runScheduled(schedule.schedule, schedule.turns);
  work();
  return {
    counts,
    tables: tables.tables(),
    reconciliation: tables.reconciliation.byCoin(),
    heldRecords: pipeline.heldRecords,
    deadLetters: deadLettersOf(log),
    log,
    codec,
  };
}

/** Dead letters of the roles by the topic they come from; the gateway counts its own. */
function deadLettersOf(log: MemoryLog): Readonly<Record<string, number>> {
  const topics = log.topicNames().filter((topic) => topic.endsWith('.dead_letters') && topic !== GATEWAY_DEAD_LETTERS);
  return Object.fromEntries(topics.map((topic) => [topic.slice(0, -'.dead_letters'.length), log.totalRecords(topic)]));
}
