import type { Fill, PositionOrder, PredictionDelta, RecordName, RecordTypes } from '../domain/records.js';
import { settleCoin } from '../domain/settle-coin.js';
import type { Log } from '../kafka/log.js';
import type { LearningCodec } from '../runtime/learning.js';
import type { Topology } from '../runtime/processor.js';
import type { OutputListener, RecordFilter } from './partition-pipeline.js';
import { runPartition } from './partition-run.js';
import { addToResults, type SignalResults } from './signal-results.js';
import type { SourceRange } from './source-feed.js';
import { FirstSeqsWatch, isExternal, ofSignal, WithoutOrders, type IsTakenOut } from './without-orders.js';

/** What is imagined. */
export interface WhatIf {
  readonly withoutSignal: string | null;
  readonly withoutExternal: boolean;
  /** The log as it stood at this event time. */
  readonly untilMs: number | null;
}

export interface WhatIfJob {
  readonly partition: number;
  readonly ranges: readonly SourceRange[];
  readonly whatIf: WhatIf;
  /** Only results of this asset. */
  readonly asset: string | null;
}

export interface WhatIfResult {
  readonly partition: number;
  readonly records: number;
  readonly before: SignalResults;
  readonly after: SignalResults;
}

export interface WhatIfShell {
  readonly log: Log;
  readonly codec: LearningCodec;
  readonly topologies: readonly Topology[];
  /** With other settings, where the what-if has any. */
  readonly imagined: readonly Topology[];
}

/** One partition as it was, then as it would have been. */
export async function runWhatIf({ log, codec, topologies, imagined }: WhatIfShell, { partition, ranges, whatIf, asset }: WhatIfJob, onProgress: (records: number) => void, signal?: AbortSignal): Promise<WhatIfResult> {
  const isTakenOut = takenOut(whatIf);
  let watch = new FirstSeqsWatch(isTakenOut);
  let before: SignalResults = new Map();
  let after: SignalResults = new Map();
  const common = { log, codec, partition, onProgress, ...(signal === undefined ? {} : { signal }) };
  const was = await runPartition({
    ...common, topologies, ranges,
    begin: () => {
      watch = new FirstSeqsWatch(isTakenOut);
      before = new Map();
      return { onOutput: both(resultsListener(before, asset), watchListener(watch, whatIf)) };
    },
  });
  let without = new WithoutOrders(isTakenOut, watch.firstSeqs());
  const filter: RecordFilter = (role, type, value) => without.filter(role, type, value);
  const would = await runPartition({
    ...common, topologies: imagined, filter, ranges: ranges.map((range) => ({ ...range, untilMs: whatIf.untilMs })),
    begin: () => {
      without = new WithoutOrders(isTakenOut, watch.firstSeqs());
      after = new Map();
      return { onOutput: resultsListener(after, asset) };
    },
  });
  return { partition, records: was.records + would.records, before, after };
}

function takenOut({ withoutSignal, withoutExternal }: WhatIf): IsTakenOut {
  const isOfSignal = withoutSignal === null ? (): boolean => false : ofSignal(withoutSignal);
  return (fill) => isOfSignal(fill) || (withoutExternal && isExternal(fill));
}

function resultsListener(results: SignalResults, asset: string | null): OutputListener {
  return (_topic, type, value) => {
    if (type !== 'PredictionDelta') return;
    const delta = value as PredictionDelta;
    if (asset === null || delta.asset === asset) addToResults(results, settleCoin(delta.category, delta.asset), delta);
  };
}

/** What the position stream alone showed is external, too: nobody knows which order it was. */
function watchListener(watch: FirstSeqsWatch, { withoutExternal }: WhatIf): OutputListener {
  return (_topic, type: RecordName, value: RecordTypes[RecordName]) => {
    if (type === 'Fill') watch.fill(value as Fill);
    else if (withoutExternal && type === 'PositionOrder') watch.residual(value as PositionOrder);
  };
}

function both(first: OutputListener, second: OutputListener): OutputListener {
  return (topic, type, value) => {
    first(topic, type, value);
    second(topic, type, value);
  };
}
