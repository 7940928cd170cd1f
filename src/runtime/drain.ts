import { setTimeout as pause } from 'node:timers/promises';
import type { Log, TopicPartition, TopicPartitionOffset } from '../kafka/log.js';

/*
 * When is everything that lay in the source topics done, whoever in the groups does it? Stage by stage: a stage is done
 * when it has committed all of its inputs up to a target, or when the rest waits for a watermark that is not there. What
 * it made of them is then in its outputs, so their ends at that moment are the targets of the stages that read them.
 */

export interface StageProgress {
  readonly isDone: boolean;
  /** Records below the targets that wait for a watermark, by partition. */
  readonly held: readonly (TopicPartition & { readonly records: number })[];
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

/** Ends of all partitions of these topics, as far as a reader can see. */
export async function topicEnds(log: Log, topics: readonly string[]): Promise<readonly TopicPartitionOffset[]> {
  const partitions: TopicPartition[] = [];
  for (const topic of topics) {
    const count = await log.partitionCount(topic);
    for (let partition = 0; partition < count; partition++) partitions.push({ topic, partition });
  }
  return log.lastStableOffsets(partitions);
}

/** Resolves when every stage is done with what the topics hold now that no stage writes; null when the signal came first. */
export async function drained({ log, stages, signal, onWaiting }: DrainOptions): Promise<DrainReport | null> {
  const written = new Set(stages.flatMap(({ outputs }) => outputs));
  const targets = new Map<string, readonly TopicPartitionOffset[]>();
  const held = new Map<string, number>();
  const sources = new Set(stages.flatMap(({ inputs }) => inputs).filter((topic) => !written.has(topic)));
  for (const topic of sources) targets.set(topic, await topicEnds(log, [topic]));
  for (const stage of stages) {
    const progress = await stageDone(stage, stage.inputs.flatMap((topic) => targets.get(topic) ?? []), signal, onWaiting);
    if (progress === null) return null;
    for (const { topic, partition, records } of progress.held) {
      const key = `${topic}/${partition}`;
      held.set(key, Math.max(records, held.get(key) ?? 0));
    }
    for (const topic of stage.outputs) targets.set(topic, await topicEnds(log, [topic]));
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
    const progress = await stage.progress(targets);
    if (progress.isDone) return progress;
    if (waitedMs > 0 && waitedMs % WAITING_NOTICE_MS === 0) onWaiting?.(stage.name, progress.remaining ?? 'unknown');
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}
