import { setTimeout as pause } from 'node:timers/promises';
import { LogError } from '../kafka/errors.js';
import type { Log, TopicPartition, TopicPartitionOffset } from '../kafka/log.js';

/*
 * When is everything that lay in the source topics done, whoever in the groups does it? Stage by stage: a stage is done
 * when it has committed all of its inputs up to a target, or when the rest waits for a watermark that is not there. What
 * it made of them is then in its outputs, so their ends at that moment are the targets of the stages that read them.
 */

/** Records of a partition below its target that wait for a watermark. */
export interface Held extends TopicPartition {
  readonly records: number;
}

export interface StageProgress {
  readonly isDone: boolean;
  readonly held: readonly Held[];
  /** What is still to be done, for a person. */
  readonly remaining: string | null;
}

/** A role or a sink as the drain sees it. Topics by their names in the log. */
export interface DrainStage {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** How far it has come towards these targets, all partitions of all its inputs. */
  progress(targets: readonly TopicPartitionOffset[]): Promise<StageProgress>;
}

export interface DrainOptions {
  readonly log: Log;
  /** Each after those whose outputs it reads. */
  readonly stages: readonly DrainStage[];
  readonly signal: AbortSignal;
  /** Told now and then what is being waited for. */
  readonly onWaiting?: (stage: string, remaining: string) => void;
}

export interface DrainReport {
  /** Records that still wait for a watermark, each counted once. */
  readonly heldRecords: number;
}

const POLL_MS = 50;
const WAITING_NOTICE_MS = 10_000;

/**
 * Ends of all partitions of a topic. A transaction that is committed may not be marked so in every partition yet: what is
 * written now counts, and is waited for until it is decided. Null when the signal came first.
 */
async function decidedEnds(log: Log, topic: string, signal: AbortSignal): Promise<readonly TopicPartitionOffset[] | null> {
  const partitions = Array.from({ length: await log.partitionCount(topic) }, (_, partition): TopicPartition => ({ topic, partition }));
  const written = await log.endOffsets(partitions);
  while (!signal.aborted) {
    const stable = await log.lastStableOffsets(partitions);
    if (stable.every(({ offset }, index) => offset >= (written[index] as TopicPartitionOffset).offset)) return written;
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/**
 * Resolves when every stage is done with what the topics hold now that no stage writes; null when the signal came first. What
 * cannot be looked at for the moment is looked at again: the drain only watches, and the roles go on by their own rules.
 */
export async function drained({ log, stages, signal, onWaiting }: DrainOptions): Promise<DrainReport | null> {
  const written = new Set(stages.flatMap(({ outputs }) => outputs));
  const targets = new Map<string, readonly TopicPartitionOffset[]>();
  const held = new Map<string, number>();
  const sources = new Set(stages.flatMap(({ inputs }) => inputs).filter((topic) => !written.has(topic)));
  const aim = async (topics: Iterable<string>): Promise<boolean> => {
    for (const topic of topics) {
      const ends = await decidedEnds(log, topic, signal);
      if (ends === null) return false;
      targets.set(topic, ends);
    }
    return true;
  };
  if (!(await aim(sources))) return null;
  for (const stage of stages) {
    const progress = await stageDone(stage, stage.inputs.flatMap((topic) => targets.get(topic) ?? []), signal, onWaiting);
    if (progress === null) return null;
    for (const { topic, partition, records } of progress.held) {
      const key = `${topic}/${partition}`;
      held.set(key, Math.max(records, held.get(key) ?? 0));
    }
    if (!(await aim(stage.outputs))) return null;
  }
  return { heldRecords: [...held.values()].reduce((sum, records) => sum + records, 0) };
}

async function stageDone(
  stage: DrainStage,
  targets: readonly TopicPartitionOffset[],
  signal: AbortSignal,
  onWaiting: DrainOptions['onWaiting'],
): Promise<StageProgress | null> {
  for (let waitedMs = 0; !signal.aborted; waitedMs += POLL_MS) {
    const progress = await stage.progress(targets).catch(notYet);
    if (progress.isDone) return progress;
    if (waitedMs > 0 && waitedMs % WAITING_NOTICE_MS === 0) onWaiting?.(stage.name, progress.remaining ?? 'unknown');
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** A broker that is away, or a transaction that a killed process left open and nobody has ended yet, will pass. */
function notYet(error: unknown): StageProgress {
  if (error instanceof LogError && error.kind === 'transient') return { isDone: false, held: [], remaining: error.message };
  throw error;
}

/** One input of one partition: how far it is to come, and how far it has. */
export interface Place {
  readonly target: TopicPartitionOffset;
  readonly position: number;
}

export interface PartitionedStage {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Next offsets to be taken, in the order of the targets. */
  positions(targets: readonly TopicPartitionOffset[]): Promise<readonly number[]>;
  /**
   * Asked where positions stand still below their targets, all inputs of one partition in their order: what waits for a
   * watermark if nothing else is left to do, null if there is something to do.
   */
  look(partition: number, places: readonly Place[]): Promise<readonly Held[] | null>;
}

/** Positions that have not moved for so many looks are worth a closer one. */
const STILL_LOOKS = 3;

/** A stage whose partitions are worked off one by one. */
export function partitionedStage({ name, inputs, outputs, positions, look }: PartitionedStage): DrainStage {
  const standing = new Map<number, { readonly at: string; looks: number; held: readonly Held[] | null }>();
  const heldOf = async (partition: number, places: readonly Place[]): Promise<readonly Held[] | null> => {
    const at = places.map(({ position }) => position).join();
    const before = standing.get(partition);
    if (before === undefined || before.at !== at) {
      standing.set(partition, { at, looks: 1, held: null });
      return null;
    }
    if (before.held === null && ++before.looks % STILL_LOOKS === 0) before.held = await look(partition, places);
    return before.held;
  };
  return {
    name,
    inputs,
    outputs,
    async progress(targets) {
      const reached = await positions(targets);
      const byPartition = new Map<number, Place[]>();
      targets.forEach((target, index) => {
        const places = byPartition.get(target.partition) ?? [];
        places.push({ target, position: reached[index] as number });
        byPartition.set(target.partition, places);
      });
      const held: Held[] = [];
      let remaining: string | null = null;
      for (const [partition, places] of byPartition) {
        const open = places.filter(({ target, position }) => position < target.offset);
        if (open.length === 0) continue;
        const waiting = await heldOf(partition, places);
        if (waiting === null) remaining ??= open.map(({ target, position }) => `${target.topic}/${partition} is at ${position} of ${target.offset}`).join(', ');
        else held.push(...waiting);
      }
      return { isDone: remaining === null, held, remaining };
    },
  };
}
