import { setImmediate } from 'node:timers/promises';
import type { FieldsRead } from '../domain/fields-read.js';
import type { Log } from '../kafka/log.js';
import type { LearningCodec } from '../runtime/learning.js';
import type { Topology } from '../runtime/processor.js';
import { PartitionPipeline, type OutputListener, type RecordFilter } from './partition-pipeline.js';
import { StageError } from './role-stage.js';
import { SourceFeed, type SourceRange } from './source-feed.js';

export interface PartitionRunOptions {
  readonly log: Log;
  readonly codec: LearningCodec;
  readonly topologies: readonly Topology[];
  readonly partition: number;
  readonly ranges: readonly SourceRange[];
  readonly filter?: RecordFilter;
  /** Begins anew: everything heard before is void. Answers the listener of the new life. */
  readonly begin: () => { readonly onOutput: OutputListener; readonly isEnough?: () => boolean };
  /** Told how many records of the log were taken in since the last call. */
  readonly onProgress?: (records: number) => void;
  readonly signal?: AbortSignal;
}

export interface PartitionSummary {
  /** Source records taken in, watermarks among them. */
  readonly records: number;
  readonly deadLetters: number;
  /** When all sources had begun, by the event time of their first records; null where there was none. */
  readonly begunMs: number | null;
  /** Time in which the log had to be waited for. */
  readonly waitedMs: number;
}

/** Stopped by the caller before the end. */
export class StoppedError extends Error {
  override name = 'StoppedError';
}

/** Records handed over at a time, and how many may wait before an input is left alone. */
const FED_AT_A_TIME = 128;
const PROGRESS_RECORDS = 5_000;

/**
 * Reads one partition of the source topics through all roles. A record that breaks a processor is a dead letter when the
 * role meets it again after its restart; so here the partition begins again without it.
 */
export async function runPartition(options: PartitionRunOptions): Promise<PartitionSummary> {
  const poison = new Set<string>();
  for (;;) {
    try {
      return await runOnce(options, poison);
    } catch (error) {
      if (!(error instanceof StageError) || error.poisonId === null || poison.has(error.poisonId)) throw error;
      poison.add(error.poisonId);
    }
  }
}

async function runOnce({ log, codec, topologies, partition, ranges, filter, begin, onProgress, signal }: PartitionRunOptions, poison: ReadonlySet<string>): Promise<PartitionSummary> {
  const { onOutput, isEnough = () => false } = begin();
  const pipeline = new PartitionPipeline({ topologies, partition, onOutput, poison, ...(filter === undefined ? {} : { filter }) });
  const feeds = ranges.map((range) => new SourceFeed(log, codec, range, fieldsRead(topologies, range.topic)));
  for (const { topic, from } of ranges) pipeline.startAt(topic, from);
  let records = 0;
  let told = 0;
  let waitedMs = 0;
  const tell = (isLast: boolean): void => {
    if (records - told < PROGRESS_RECORDS && !isLast) return;
    onProgress?.(records - told);
    told = records;
  };
  try {
    while (!isEnough()) {
      if (signal?.aborted === true) throw new StoppedError('stopped before the end');
      const fed = feedHungry(feeds, pipeline) || feedAny(feeds, pipeline);
      records += fed;
      pipeline.work();
      tell(false);
      if (fed > 0) continue;
      const waiting = feeds.filter((feed) => !feed.hasRecords && !feed.isEnded);
      if (waiting.length === 0) break;
      const fromMs = performance.now();
      await Promise.all(waiting.map((feed) => feed.load()));
      waitedMs += performance.now() - fromMs;
      await setImmediate();
    }
    tell(true);
    const firsts = feeds.flatMap(({ firstMs }) => (firstMs === null ? [] : [firstMs]));
    return { records, deadLetters: pipeline.deadLetters, begunMs: firsts.length === 0 ? null : Math.max(...firsts), waitedMs };
  } finally {
    await Promise.all(feeds.map((feed) => feed.close()));
  }
}

/** What all readers of a topic look at together; null where one of them wants whole records. A name that one leaves out it wants whole. */
function fieldsRead(topologies: readonly Topology[], topic: string): FieldsRead | null {
  const all = topologies.filter(({ inputs }) => inputs.includes(topic)).map(({ reads }) => reads ?? null);
  const [first, ...others] = all;
  if (first === undefined || all.includes(null)) return null;
  const names = Object.keys(first ?? {}).filter((name) => others.every((reads) => reads !== null && name in reads)) as (keyof FieldsRead)[];
  return Object.fromEntries(names.map((name) => [name, [...new Set(all.flatMap((reads) => reads?.[name] ?? []))]])) as FieldsRead;
}

/** Feeds what is loaded of the inputs that have little waiting; 0 when one of them has to be loaded first. */
function feedHungry(feeds: readonly SourceFeed[], pipeline: PartitionPipeline): number {
  let fed = 0;
  for (const feed of feeds) if (pipeline.buffered(feed.range.topic) < FED_AT_A_TIME) fed += feed.feed(pipeline, FED_AT_A_TIME);
  return fed;
}

/** Once nobody hungry has anything left to come, the others are fed on: what they hold waits, as it does in the roles. */
function feedAny(feeds: readonly SourceFeed[], pipeline: PartitionPipeline): number {
  if (feeds.some((feed) => !feed.isEnded && !feed.hasRecords)) return 0;
  let fed = 0;
  for (const feed of feeds) fed += feed.feed(pipeline, FED_AT_A_TIME);
  return fed;
}
