import { ofPositions } from '../digests/sql-digest.js';
import { arrayLiteral } from '../postgres/cell-text.js';
import type { Queries } from '../postgres/session.js';
import { compareTable, type TableComparison } from './comparison.js';
import { runJobs, type JobRunner } from './job-pool.js';
import { LiveTables, REBUILT_TABLES } from './live-tables.js';
import type { FirstUpdates, PartitionJob, PartitionResult } from './partition-job.js';
import type { Progress } from './progress.js';
import { ShadowSchema } from './shadow-schema.js';
import { rangeRecords } from './source-ranges.js';
import type { SourceRange } from './source-feed.js';

/*
 * A rebuild that does not begin at the first record, or ends before the last: every book starts as one whose past is not
 * known, and goes on after the end. Compared are cycles that begin after the book's first update of the range, a join window
 * after all source topics have begun (offsets of several topics are no one moment), and are closed within it, with their
 * links and results; not their history.
 */

export interface RangeOptions {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly ranges: readonly (readonly SourceRange[])[];
  readonly only: { readonly partition: number; readonly asset: string } | null;
  readonly runners: number;
  readonly joinWindowMs: number;
  readonly start: (shadow: string) => Promise<JobRunner<PartitionJob, PartitionResult>>;
  readonly shown: number;
  readonly progress: (total: number) => Progress;
  readonly signal: AbortSignal;
}

export interface RangeReport {
  readonly isEqual: boolean;
  readonly records: number;
  /** Cycles compared, of all that the range made. */
  readonly cycles: { readonly compared: number; readonly rebuilt: number };
  readonly tables: readonly TableComparison[];
  readonly seconds: number;
}

/** What the exchange had realised before: a book without a past knows it as it was shown, one with a past to the last decimal. */
const FROM_THE_PAST: ReadonlySet<string> = new Set(['cum_realised_pnl_before']);
const COMPARED = ['position_cycles', 'position_orders', 'prediction_trading_results'];

interface CycleRow {
  readonly position_id: string;
  readonly book: string;
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  readonly opened_at: string;
  readonly is_closed: boolean;
}

/** Leaves nothing behind. */
export async function compareRange(options: RangeOptions): Promise<RangeReport> {
  const { databaseUrl, schema, ranges, only, runners, start, shown, progress, signal, joinWindowMs } = options;
  const startedMs = performance.now();
  const shadow = await ShadowSchema.lock(databaseUrl, schema, '_range');
  try {
    await shadow.prepare(`range ${startedMs}`, () => false);
    const jobs = ranges
      .map((of, partition): PartitionJob => ({ partition, ranges: of, cuts: null }))
      .filter(({ partition }) => only === null || only.partition === partition)
      .sort((a, b) => rangeRecords(b.ranges) - rangeRecords(a.ranges));
    const bar = progress(jobs.reduce((sum, job) => sum + rangeRecords(job.ranges), 0));
    const results = await runJobs({ jobs, runners, start: () => start(shadow.name), onProgress: (records) => bar.add(records), signal });
    bar.end();
    const live = await LiveTables.open(databaseUrl, schema);
    try {
      const firsts = new Map(results.flatMap(({ firstUpdates }) => [...firstUpdates]));
      const rebuilt = (await cyclesOf(shadow.queries)).filter(({ book }) => only === null || book.split('|').at(-2) === only.asset);
      const begunMs = results.reduce((latest, result) => Math.max(latest, result.begunMs ?? 0), 0) + joinWindowMs;
      const { ids, windows } = comparable(rebuilt, firsts, begunMs);
      const liveIds = (await cyclesOf(live)).filter((cycle) => isInWindow(cycle, windows, begunMs)).map(({ position_id }) => position_id);
      const selection = ofPositions(arrayLiteral('uuid', [...new Set([...ids, ...liveIds])]));
      const tables: TableComparison[] = [];
      for (const table of REBUILT_TABLES) {
        if (COMPARED.includes(table.name)) tables.push(await compareTable({ table, live, rebuilt: shadow.queries, selection, isContentOnly: true, leftOut: FROM_THE_PAST, shown }));
      }
      return {
        isEqual: tables.every((table) => table.isEqual),
        records: results.reduce((sum, { records }) => sum + records, 0),
        cycles: { compared: ids.length, rebuilt: rebuilt.length },
        tables,
        seconds: (performance.now() - startedMs) / 1_000,
      };
    } finally {
      await live.close();
    }
  } finally {
    await shadow.drop().catch(() => undefined);
    await shadow.close();
  }
}

function cyclesOf(queries: Queries): Promise<CycleRow[]> {
  return queries.query<CycleRow>(
    `SELECT position_id, account || '|' || category || '|' || asset || '|' || position_idx AS book, first_seq, last_seq, opened_at, closed_at IS NOT NULL AS is_closed FROM position_cycles`,
  );
}

interface Window {
  readonly afterSeq: number;
  untilSeq: number;
}

/** Of the rebuilt cycles those that count, and by book the stretch in which the live table must have the same. */
function comparable(cycles: readonly CycleRow[], firsts: FirstUpdates, begunMs: number): { readonly ids: readonly string[]; readonly windows: ReadonlyMap<string, Window> } {
  const windows = new Map<string, Window>();
  const ids: string[] = [];
  for (const { position_id, book, first_seq, last_seq, opened_at, is_closed } of cycles) {
    const afterSeq = firsts.get(book);
    if (afterSeq === undefined || !is_closed || first_seq === null || last_seq === null || first_seq <= afterSeq || Date.parse(opened_at) <= begunMs) continue;
    ids.push(position_id);
    const window = windows.get(book);
    if (window === undefined) windows.set(book, { afterSeq, untilSeq: last_seq });
    else window.untilSeq = Math.max(window.untilSeq, last_seq);
  }
  return { ids, windows };
}

function isInWindow({ book, first_seq, last_seq, opened_at, is_closed }: CycleRow, windows: ReadonlyMap<string, Window>, begunMs: number): boolean {
  const window = windows.get(book);
  return window !== undefined && is_closed && Date.parse(opened_at) > begunMs && first_seq !== null && last_seq !== null && first_seq > window.afterSeq && last_seq <= window.untilSeq;
}
