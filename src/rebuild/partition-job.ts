import type { Position } from '../domain/records.js';
import { naturalKey } from '../domain/uuid.js';
import type { Log } from '../kafka/log.js';
import type { Session } from '../postgres/session.js';
import type { LearningCodec } from '../runtime/learning.js';
import type { Topology } from '../runtime/processor.js';
import type { OutputListener } from './partition-pipeline.js';
import { runPartition } from './partition-run.js';
import { loadPartition } from './shadow-schema.js';
import type { SourceRange } from './source-feed.js';
import { TablesBuild, type Applied } from './tables-build.js';

/** One partition to be rebuilt into the shadow tables. */
export interface PartitionJob {
  readonly partition: number;
  readonly ranges: readonly SourceRange[];
  /** Where each table ends, by cutKey; null: at the end of the ranges. */
  readonly cuts: readonly (readonly [string, number])[] | null;
}

/** By book: seq of the first position update, as it arrived. */
export type FirstUpdates = ReadonlyMap<string, number>;

export interface PartitionResult {
  readonly partition: number;
  /** Source records read, watermarks among them. */
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly applied: readonly Applied[];
  readonly firstUpdates: FirstUpdates;
  /** When all sources had begun, on the exchange's clock. */
  readonly begunMs: number | null;
  /** Time spent in each stage, in milliseconds. */
  readonly spent: { readonly waitingForLog: number; readonly roles: number; readonly copy: number };
}

/** What a process or thread needs to work off jobs. */
export interface JobShell {
  readonly log: Log;
  readonly codec: LearningCodec;
  readonly topologies: readonly Topology[];
  /** Of the shadow schema. */
  readonly session: Session;
}

/** Reads, runs the roles, and loads what they make, in one transaction at the end. */
export async function runJob({ log, codec, topologies, session }: JobShell, { partition, ranges, cuts }: PartitionJob, onProgress: (records: number) => void, signal?: AbortSignal): Promise<PartitionResult> {
  let tables = new TablesBuild(cuts === null ? null : new Map(cuts));
  let firstUpdates = new Map<string, number>();
  const startedMs = performance.now();
  const { records, deadLetters, begunMs, waitedMs } = await runPartition({
    log, codec, topologies, partition, ranges, onProgress,
    ...(signal === undefined ? {} : { signal }),
    begin: () => {
      const build = new TablesBuild(cuts === null ? null : new Map(cuts));
      const firsts = new Map<string, number>();
      tables = build;
      firstUpdates = firsts;
      const onOutput: OutputListener = (topic, type, value) => {
        if (type === 'Position') noteFirst(firsts, value as Position);
        build.take(topic, type, value);
      };
      return { onOutput, isEnough: () => build.isFull };
    },
  });
  const applied = tables.applied();
  const built = tables.tables();
  const builtMs = performance.now();
  const rows = await loadPartition(session, built, { partition, note: noteOf(cuts, applied) });
  return { partition, records, rows, deadLetters, applied, firstUpdates, begunMs, spent: { waitingForLog: waitedMs, roles: builtMs - startedMs - waitedMs, copy: performance.now() - builtMs } };
}

function noteFirst(firsts: Map<string, number>, { account, category, asset, position_idx, seq, version }: Position): void {
  if (version === 0) firsts.set(naturalKey(account, category, asset, position_idx), seq ?? -1);
}

/** What tells whether a loaded partition is still what is wanted, and what it took in. */
export function noteOf(cuts: PartitionJob['cuts'], applied: readonly Applied[]): string {
  return JSON.stringify({ cuts, applied });
}

export function readNote(note: string): { readonly cuts: PartitionJob['cuts']; readonly applied: readonly Applied[] } {
  return JSON.parse(note) as { readonly cuts: PartitionJob['cuts']; readonly applied: readonly Applied[] };
}
