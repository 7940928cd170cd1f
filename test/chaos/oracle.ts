import { createHash } from 'node:crypto';
import { topicName } from '../../src/config/namespace.js';
import { settingsOf, topologies, type PipelineOptions } from '../../src/cli/role-table.js';
import { DEFAULT_SIGNAL_PATTERN } from '../../src/domain/signal.js';
import type { RecordCodec } from '../../src/avro/record-codec.js';
import type { Log, TopicPartition } from '../../src/kafka/log.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { MemoryPipeline } from '../../src/replay/memory-pipeline.js';
import { MemoryTables, type TableRows } from '../../src/replay/memory-tables.js';
import type { MemoryLog } from '../../src/runtime/memory-log.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';

export const PIPELINE: PipelineOptions = { policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000, signalPattern: DEFAULT_SIGNAL_PATTERN };
export const TOPOLOGIES = topologies(PIPELINE);
/** Topics whose every record counts; and those in which the newest of a key does, for the broker may have removed others. */
export const EVENT_TOPICS = TOPOLOGIES.flatMap(({ outputs }) => outputs);
export const COMPACTED_TOPICS = TOPOLOGIES.flatMap(({ compactedOutputs }) => compactedOutputs);
/** Several tasks write to these, so only what is in them is certain, not in which order. */
export const DEAD_LETTER_TOPICS = [...new Set(TOPOLOGIES.flatMap(({ inputs }) => inputs))].map((topic) => `${topic}.dead_letters`);

/** What has to be in topics and tables, given what is in the source topics. */
export interface Expected {
  readonly log: MemoryLog;
  readonly tables: readonly TableRows[];
  readonly sourceRecords: number;
  readonly heldRecords: number;
}

/** Runs the pure core over the source topics as they are on the broker. */
export async function expectedOf(log: Log, codec: RecordCodec, namespace: string, partitions: number, horizonMs: number): Promise<Expected> {
  const options = { ...PIPELINE, horizonMs };
  const pipeline = new MemoryPipeline({ topologies: topologies(options), partitions, codec, settings: settingsOf(options) });
  const tables = new MemoryTables(pipeline.log, codec, partitions);
  let sourceRecords = 0;
  for (const topic of SOURCE_TOPICS) {
    for (let partition = 0; partition < partitions; partition++) {
      for await (const record of recordsOf(log, { topic: topicName(namespace, topic), partition })) {
        await codec.learn([record.value]);
        if (record.offset !== pipeline.log.end(topic, partition)) throw new Error(`${topic}/${partition} has a hole before offset ${record.offset}`);
        pipeline.log.append([{ ...record, topic }]);
        sourceRecords++;
      }
    }
  }
  pipeline.run();
  tables.takeIn();
  return { log: pipeline.log, tables: tables.tables(), sourceRecords, heldRecords: pipeline.heldRecords };
}

export async function* recordsOf(log: Log, place: TopicPartition): AsyncGenerator<LogRecord> {
  for await (const { records } of log.readRange({ ...place, from: 'earliest', until: 'lastStable' })) yield* records;
}

/** A record as one short text. */
export function digestOf(timestampMs: number, key: string, value: string): string {
  return createHash('sha1').update(`${timestampMs}\t${key}\t${value}`).digest('base64');
}
