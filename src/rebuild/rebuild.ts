import { GuidedError } from '../config/guided-error.js';
import { ofAsset } from '../digests/sql-digest.js';
import type { SinkOffset } from '../postgres/sink-offsets.js';
import { compareTable, type TableComparison } from './comparison.js';
import { runJobs, type JobRunner } from './job-pool.js';
import { LiveTables, REBUILT_TABLES, type LivePoint } from './live-tables.js';
import { readNote, type PartitionJob, type PartitionResult } from './partition-job.js';
import type { Progress } from './progress.js';
import { ShadowSchema, type LoadedPartition } from './shadow-schema.js';
import { rangeRecords } from './source-ranges.js';
import type { SourceRange } from './source-feed.js';
import { swapTables } from './swap.js';
import { cutKey, SINK_INPUTS, type Applied, type Cuts } from './tables-build.js';

/*
 * What the log says, compared with what the live tables say, at one point of the log.
 *
 *   1. a snapshot of the live tables is taken. What the sinks stored in it says how many records of each topic every table
 *      holds, partition by partition: that is the point. The ends of the source topics are read after it, so everything the
 *      tables hold follows from records before these ends;
 *   2. partition by partition, the source records run through the same roles, and the tables they make are stopped after
 *      exactly as many records: whatever the service does meanwhile is in neither side;
 *   3. both sides are compared, by digests and row by row;
 *   4. on demand the rebuilt tables take the place of the live ones, at that point: the sinks go on from there.
 */

export interface RebuildOptions {
  readonly databaseUrl: string;
  readonly schema: string;
  /** What the rows depend on: a half-done rebuild goes on only with the same. */
  readonly identity: string;
  /** What of the source topics is to be read; called once the point is known. */
  readonly ranges: () => Promise<readonly (readonly SourceRange[])[]>;
  /** The partition of an asset in the source topics. */
  readonly partitionOf: (asset: string) => number;
  /** Only this partition, and of it only this asset. */
  readonly only: { readonly partition: number; readonly asset: string } | null;
  readonly runners: number;
  readonly start: (shadow: string) => Promise<JobRunner<PartitionJob, PartitionResult>>;
  readonly isSwapWanted: boolean;
  /**
   * The live tables hold all that the source topics hold: both sides are taken as they end, however many records led there. So
   * tables made by other rules can be compared and swapped.
   */
  readonly isAtEnd: boolean;
  /** Differences told in full, per table. */
  readonly shown: number;
  readonly progress: (total: number) => Progress;
  readonly signal: AbortSignal;
}

/** A table whose live side took in more records than the log gives. */
export interface Shortfall {
  readonly sink: string;
  readonly topic: string;
  readonly partition: number;
  readonly live: number;
  readonly rebuilt: number;
}

export interface RebuildReport {
  readonly isEqual: boolean;
  readonly isSwapped: boolean;
  readonly partitions: number;
  /** Partitions that an earlier, interrupted rebuild had done. */
  readonly resumed: number;
  /** Source records read, watermarks among them. */
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly tables: readonly TableComparison[];
  readonly shortfalls: readonly Shortfall[];
  /** Seconds of the clock, stage by stage; of the first three the sum over threads is told in `threadSeconds`. */
  readonly seconds: { readonly load: number; readonly indexes: number; readonly compare: number; readonly swap: number; readonly total: number };
  readonly threadSeconds: { readonly waitingForLog: number; readonly roles: number; readonly copy: number };
}

export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const { databaseUrl, schema, signal } = options;
  const startedMs = performance.now();
  const shadow = await ShadowSchema.lock(databaseUrl, schema, options.only === null ? '' : '_part');
  try {
    const live = await LiveTables.open(databaseUrl, schema);
    try {
      const point = await live.point(options.partitionOf);
      const ranges = await options.ranges();
      const loading = await load(options, shadow, point, ranges);
      const loadedMs = performance.now();
      signal.throwIfAborted();
      await shadow.finish();
      const indexedMs = performance.now();
      const tables: TableComparison[] = [];
      for (const table of REBUILT_TABLES) {
        signal.throwIfAborted();
        tables.push(await compareTable({ table, live, rebuilt: shadow.queries, selection: options.only === null ? null : ofAsset(options.only.asset), shown: options.shown }));
      }
      const comparedMs = performance.now();
      const shortfalls = options.isAtEnd ? [] : shortfallsOf(point, loading.applied);
      const isEqual = shortfalls.length === 0 && tables.every((table) => table.isEqual);
      const isSwapped = options.isSwapWanted && !isEqual;
      if (isSwapped) await swap(options, shadow, live, point, shortfalls, loading.applied);
      else await shadow.drop();
      const endedMs = performance.now();
      const sum = (of: (result: PartitionResult) => number): number => loading.results.reduce((total, result) => total + of(result), 0);
      return {
        isEqual, isSwapped, partitions: loading.partitions, resumed: loading.resumed,
        records: sum(({ records }) => records), rows: sum(({ rows }) => rows), deadLetters: sum(({ deadLetters }) => deadLetters), tables, shortfalls,
        seconds: { load: (loadedMs - startedMs) / 1_000, indexes: (indexedMs - loadedMs) / 1_000, compare: (comparedMs - indexedMs) / 1_000, swap: (endedMs - comparedMs) / 1_000, total: (endedMs - startedMs) / 1_000 },
        threadSeconds: { waitingForLog: sum(({ spent }) => spent.waitingForLog) / 1_000, roles: sum(({ spent }) => spent.roles) / 1_000, copy: sum(({ spent }) => spent.copy) / 1_000 },
      };
    } finally {
      await live.close();
    }
  } finally {
    await shadow.close();
  }
}

interface Loading {
  readonly partitions: number;
  readonly resumed: number;
  readonly results: readonly PartitionResult[];
  /** By partition, those of earlier runs among them. */
  readonly applied: ReadonlyMap<number, readonly Applied[]>;
}

async function load({ identity, only, runners, start, progress, signal, isAtEnd }: RebuildOptions, shadow: ShadowSchema, point: LivePoint, ranges: readonly (readonly SourceRange[])[]): Promise<Loading> {
  const wanted = ranges.map((_range, partition) => partition).filter((partition) => only === null || only.partition === partition);
  const cutsOf = (partition: number): PartitionJob['cuts'] => isAtEnd ? null : [...(point.cuts.get(partition) ?? new Map<string, number>())].sort(([a], [b]) => (a < b ? -1 : 1));
  const isCurrent = ({ partition, note }: LoadedPartition): boolean => !isAtEnd && wanted.includes(partition) && JSON.stringify(readNote(note).cuts) === JSON.stringify(cutsOf(partition));
  const kept = await shadow.prepare(identity, isCurrent);
  const applied = new Map(kept.map(({ partition, note }) => [partition, readNote(note).applied]));
  const jobs = wanted
    .filter((partition) => !applied.has(partition))
    .map((partition): PartitionJob => ({ partition, ranges: ranges[partition] ?? [], cuts: cutsOf(partition) }))
    .sort((a, b) => rangeRecords(b.ranges) - rangeRecords(a.ranges));
  const shown = progress(jobs.reduce((sum, job) => sum + rangeRecords(job.ranges), 0));
  try {
    const results = await runJobs({ jobs, runners, start: () => start(shadow.name), onProgress: (records) => shown.add(records), signal });
    for (const result of results) applied.set(result.partition, result.applied);
    return { partitions: wanted.length, resumed: kept.length, results, applied };
  } finally {
    shown.end();
  }
}

function shortfallsOf({ cuts }: LivePoint, applied: ReadonlyMap<number, readonly Applied[]>): Shortfall[] {
  const found: Shortfall[] = [];
  for (const [partition, of] of applied) {
    const wanted: Cuts = cuts.get(partition) ?? new Map();
    for (const { sink, topic } of SINK_INPUTS) {
      const live = wanted.get(cutKey(sink, topic)) ?? 0;
      const rebuilt = of.find((one) => one.sink === sink && one.topic === topic)?.records ?? 0;
      if (rebuilt < live) found.push({ sink, topic, partition, live, rebuilt });
    }
  }
  return found.sort((a, b) => a.partition - b.partition);
}

async function swap({ databaseUrl, schema, isAtEnd }: RebuildOptions, shadow: ShadowSchema, live: LiveTables, { offsets }: LivePoint, shortfalls: readonly Shortfall[], applied: Loading['applied']): Promise<void> {
  if (shortfalls.length > 0) {
    const [{ sink, topic, partition, live: taken, rebuilt }] = shortfalls as [Shortfall];
    throw new GuidedError(
      `table ${sink} took in ${taken} records of ${topic}/${partition}, of which the log gives only ${rebuilt}: the tables were made from another log, or by other rules, and cannot be swapped at this point`,
      'compare without --swap to see what differs',
    );
  }
  const appliedOf = ({ sink, topic, partition }: SinkOffset): number | undefined => applied.get(partition)?.find((one) => one.sink === sink && one.topic === topic)?.records;
  // At the end of the log the tables stand where they stood, after as many records as these rules give.
  const positions = isAtEnd ? offsets.map((offset) => ({ ...offset, recordsApplied: appliedOf(offset) ?? offset.recordsApplied })) : offsets;
  // The snapshot's own transaction would be waited for.
  await live.close();
  await swapTables({ databaseUrl, live: schema, shadow: shadow.name, offsets: positions });
}
