import { runJobs, type JobRunner } from './job-pool.js';
import type { Progress } from './progress.js';
import { mergeResults, signalDifferences, totalsByCoin, type SignalDifference, type SignalResults, type SignalView } from './signal-results.js';
import { rangeRecords } from './source-ranges.js';
import type { SourceRange } from './source-feed.js';
import type { WhatIf, WhatIfJob, WhatIfResult } from './what-if-job.js';

export interface WhatIfOptions {
  readonly ranges: readonly (readonly SourceRange[])[];
  readonly only: { readonly partition: number; readonly asset: string } | null;
  readonly whatIf: WhatIf;
  readonly runners: number;
  readonly start: () => Promise<JobRunner<WhatIfJob, WhatIfResult>>;
  readonly progress: (total: number) => Progress;
  readonly signal: AbortSignal;
}

export interface CoinChange {
  readonly coin: string;
  readonly before: SignalView;
  readonly after: SignalView;
}

export interface WhatIfReport {
  readonly records: number;
  /** Signals with results, under either. */
  readonly signals: number;
  /** Those whose results differ. */
  readonly differences: readonly SignalDifference[];
  readonly totals: readonly CoinChange[];
  readonly seconds: number;
}

const NOTHING: SignalView = { realized: 0n, fees: 0n, funding: 0n, net: 0n };

/** The log as it is and as it is imagined, signal by signal. Stores nothing. */
export async function whatIf({ ranges, only, whatIf: imagined, runners, start, progress, signal }: WhatIfOptions): Promise<WhatIfReport> {
  const startedMs = performance.now();
  const jobs = ranges
    .map((of, partition): WhatIfJob => ({ partition, ranges: of, whatIf: imagined, asset: only?.asset ?? null }))
    .filter(({ partition }) => only === null || only.partition === partition)
    .sort((a, b) => rangeRecords(b.ranges) - rangeRecords(a.ranges));
  const bar = progress(2 * jobs.reduce((sum, job) => sum + rangeRecords(job.ranges), 0));
  const results = await runJobs({ jobs, runners, start, onProgress: (records) => bar.add(records), signal });
  bar.end();
  const before: SignalResults = new Map();
  const after: SignalResults = new Map();
  for (const result of results) {
    mergeResults(before, result.before);
    mergeResults(after, result.after);
  }
  const [was, would] = [totalsByCoin(before), totalsByCoin(after)];
  return {
    records: results.reduce((sum, { records }) => sum + records, 0),
    signals: new Set([...before.keys(), ...after.keys()]).size,
    differences: signalDifferences(before, after),
    totals: [...new Set([...was.keys(), ...would.keys()])].sort().map((coin) => ({ coin, before: was.get(coin) ?? NOTHING, after: would.get(coin) ?? NOTHING })),
    seconds: (performance.now() - startedMs) / 1_000,
  };
}
