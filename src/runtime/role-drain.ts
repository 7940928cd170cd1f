import { groupId, topicName, type Namespace } from '../config/namespace.js';
import type { Log, TopicPartitionOffset } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import type { DrainStage, StageProgress } from './drain.js';
import type { Processor, Topology } from './processor.js';
import type { LearningCodec } from './role-runner.js';
import { TaskCore } from './task-core.js';
import { MERGE_KEY } from './task-state.js';

export interface RoleDrainOptions {
  readonly topology: Topology;
  readonly log: Log;
  readonly codec: LearningCodec;
  readonly namespace: Namespace;
}

/** Handles nothing: what counts is whether the merge would hand anything over. */
const IDLE: Processor = {
  process: () => undefined,
  advance: () => -1,
  takeChanges: () => [],
  restore: () => undefined,
  finishRestore: () => undefined,
};

/** Committed offsets that have not moved for so many looks are worth a closer one. */
const STILL_LOOKS = 3;
const FIRST_TAIL_RECORDS = 16;

/** A role's progress by its committed offsets; where they stand still, by what its merge could still take. */
export class RoleDrain implements DrainStage {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  private readonly options: RoleDrainOptions;
  private readonly stillFor = new Map<number, { readonly at: string; looks: number; held: StageProgress['held'] | null }>();

  constructor(options: RoleDrainOptions) {
    const { topology, namespace } = options;
    this.options = options;
    this.name = topology.role;
    this.inputs = topology.inputs.map((topic) => topicName(namespace, topic));
    this.outputs = [...topology.outputs, ...topology.compactedOutputs].map((topic) => topicName(namespace, topic));
  }

  async progress(targets: readonly TopicPartitionOffset[]): Promise<StageProgress> {
    const { log, namespace } = this.options;
    const [committed, earliest] = await Promise.all([log.committedOffsets(groupId(namespace, this.name), targets), log.earliestOffsets(targets)]);
    const behind = new Map<number, { target: TopicPartitionOffset; position: number }[]>();
    targets.forEach((target, index) => {
      const position = committed[index]?.offset ?? earliest[index]?.offset ?? 0;
      const places = behind.get(target.partition) ?? [];
      places.push({ target, position });
      behind.set(target.partition, places);
    });
    const held: StageProgress['held'][number][] = [];
    let remaining: string | null = null;
    for (const [partition, places] of behind) {
      const open = places.filter(({ target, position }) => position < target.offset);
      if (open.length === 0) continue;
      const waiting = await this.heldOf(partition, places);
      if (waiting === null) remaining ??= open.map(({ target, position }) => `${target.topic}/${partition} is at ${position} of ${target.offset}`).join(', ');
      else held.push(...waiting);
    }
    return { isDone: remaining === null, held, remaining };
  }

  /** Records that wait for a watermark where nothing else is left to do; null while there is more to do, or it may be. */
  private async heldOf(partition: number, places: readonly { target: TopicPartitionOffset; position: number }[]): Promise<StageProgress['held'] | null> {
    const at = places.map(({ position }) => position).join();
    const still = this.stillFor.get(partition);
    if (still === undefined || still.at !== at) {
      this.stillFor.set(partition, { at, looks: 1, held: null });
      return null;
    }
    if (still.held !== null) return still.held;
    if (++still.looks < STILL_LOOKS) return null;
    still.looks = 0;
    still.held = await this.look(partition, places);
    return still.held;
  }

  /** Lets a merge that stands where the task stands read the rest, and sees whether it takes anything. */
  private async look(partition: number, places: readonly { target: TopicPartitionOffset; position: number }[]): Promise<StageProgress['held'] | null> {
    const { topology, log, codec, namespace } = this.options;
    const core = new TaskCore({ topology: { ...topology, outputs: [], createProcessor: () => IDLE }, partition, namespace, codec, settings: {} });
    const position = await this.storedPosition(partition);
    if (position !== null) core.restore(MERGE_KEY, position);
    const stored = core.finishRestore();
    if (stored !== null && stored.some((offset, input) => offset !== places[input]?.position)) return null;
    if (stored === null) core.startAt(places.map((place) => place.position));
    for (const [input, { target, position: from }] of places.entries()) {
      if (from >= target.offset) continue;
      for await (const { records, nextOffset } of log.readRange({ topic: target.topic, partition, from, until: target.offset })) {
        await codec.learn(records.map(({ value }) => value));
        core.push(input, records, nextOffset);
        if (core.step(1) > 0) return null;
      }
    }
    if (core.step(1) > 0) return null;
    return places.map(({ target }, input) => ({ topic: target.topic, partition, records: core.bufferedRecords(input) }));
  }

  /** The merge's position in the changelog: among the last records of the last commit. */
  private async storedPosition(partition: number): Promise<Uint8Array | null> {
    const { topology, log, namespace } = this.options;
    const place = { topic: topicName(namespace, topology.changelog), partition };
    const [[earliest], [end]] = await Promise.all([log.earliestOffsets([place]), log.lastStableOffsets([place])]);
    const first = earliest?.offset ?? 0;
    const last = end?.offset ?? 0;
    for (let records = FIRST_TAIL_RECORDS; ; records *= 8) {
      const from = Math.max(first, last - records);
      let found: LogRecord | null = null;
      for await (const chunk of log.readRange({ ...place, from, until: last })) {
        for (const record of chunk.records) if (record.key !== null && Buffer.from(record.key).toString('utf8') === MERGE_KEY) found = record;
      }
      if (found !== null) return found.value;
      if (from === first) return null;
    }
  }
}
