import { ofAsset } from '../digests/sql-digest.js';
import { compareTable, type TableComparison } from './comparison.js';
import { runJobs, type JobRunner } from './job-pool.js';
import { REBUILT_TABLES } from './live-tables.js';
import type { PartitionJob, PartitionResult } from './partition-job.js';
import type { Progress } from './progress.js';
import { ShadowSchema } from './shadow-schema.js';
import { rangeRecords } from './source-ranges.js';
import type { SourceRange } from './source-feed.js';

/*
 * Two rebuilds of one stretch of the log under different settings, compared with each other: what the settings change. The
 * live tables have no part in it, so it does not matter where they stand.
 */

export interface VariantOptions {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly ranges: readonly (readonly SourceRange[])[];
  readonly only: { readonly partition: number; readonly asset: string } | null;
  readonly runners: number;
  /** A runner under the settings as they are, or under the others. */
  readonly start: (side: 'was' | 'would', shadow: string) => Promise<JobRunner<PartitionJob, PartitionResult>>;
  readonly shown: number;
  readonly progress: (total: number) => Progress;
  readonly signal: AbortSignal;
}

export interface VariantReport {
  readonly isEqual: boolean;
  readonly records: number;
  /** `live`: under the settings as they are. */
  readonly tables: readonly TableComparison[];
  /** Records that could not be used, under the settings as they are and under the others. */
  readonly deadLetters: { readonly was: number; readonly would: number };
  readonly seconds: number;
}

/** Leaves nothing behind. */
export async function compareVariant({ databaseUrl, schema, ranges, only, runners, start, shown, progress, signal }: VariantOptions): Promise<VariantReport> {
  const startedMs = performance.now();
  const was = await ShadowSchema.lock(databaseUrl, schema, '_was');
  try {
    const would = await ShadowSchema.lock(databaseUrl, schema, '_would');
    try {
      const jobs = ranges
        .map((of, partition): PartitionJob => ({ partition, ranges: of, cuts: null }))
        .filter(({ partition }) => only === null || only.partition === partition)
        .sort((a, b) => rangeRecords(b.ranges) - rangeRecords(a.ranges));
      const bar = progress(2 * jobs.reduce((sum, job) => sum + rangeRecords(job.ranges), 0));
      const side = async (name: 'was' | 'would', shadow: ShadowSchema): Promise<PartitionResult[]> => {
        await shadow.prepare(`${name} ${startedMs}`, () => false);
        return runJobs({ jobs, runners, start: () => start(name, shadow.name), onProgress: (records) => bar.add(records), signal });
      };
      const [before, after] = [await side('was', was), await side('would', would)];
      bar.end();
      const tables: TableComparison[] = [];
      for (const table of REBUILT_TABLES) {
        // What the model-service remembers follows from the cycles.
        if (table.name === 'prediction_cycles') continue;
        tables.push(await compareTable({ table, live: was.queries, rebuilt: would.queries, selection: only === null ? null : ofAsset(only.asset), isContentOnly: true, shown }));
      }
      const sum = (results: readonly PartitionResult[], of: (result: PartitionResult) => number): number => results.reduce((total, result) => total + of(result), 0);
      return {
        isEqual: tables.every((table) => table.isEqual),
        records: sum(before, ({ records }) => records),
        tables,
        deadLetters: { was: sum(before, ({ deadLetters }) => deadLetters), would: sum(after, ({ deadLetters }) => deadLetters) },
        seconds: (performance.now() - startedMs) / 1_000,
      };
    } finally {
      await would.drop().catch(() => undefined);
      await would.close();
    }
  } finally {
    await was.drop().catch(() => undefined);
    await was.close();
  }
}
