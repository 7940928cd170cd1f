import { groupId, topicName, type Namespace } from '../config/namespace.js';
import type { Log, TopicPartitionOffset } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import { partitionedStage, type DrainStage, type Held, type Place } from './drain.js';
import type { Processor, Topology } from './processor.js';
import type { LearningCodec } from './learning.js';
import { TaskCore } from './task-core.js';
import { FIRST_STATE_VERSION, MERGE_KEY } from './task-state.js';

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

const FIRST_TAIL_RECORDS = 16;

/** A role's progress by its committed offsets; where they stand still, by what its merge could still take. */
export function roleDrain(options: RoleDrainOptions): DrainStage {
  const { topology, log, namespace } = options;
  return partitionedStage({
    name: topology.role,
    inputs: topology.inputs.map((topic) => topicName(namespace, topic)),
    outputs: [...topology.outputs, ...topology.compactedOutputs].map((topic) => topicName(namespace, topic)),
    positions: (targets) => committedPositions(log, groupId(namespace, topology.role), targets),
    look: (partition, places) => look(options, partition, places),
  });
}

async function committedPositions(log: Log, group: string, targets: readonly TopicPartitionOffset[]): Promise<readonly number[]> {
  const [committed, earliest] = await Promise.all([log.committedOffsets(group, targets), log.earliestOffsets(targets)]);
  return targets.map((_target, index) => committed[index]?.offset ?? earliest[index]?.offset ?? 0);
}

/** Lets a merge that stands where the task stands read the rest, and sees whether it takes anything. */
async function look({ topology, log, codec, namespace }: RoleDrainOptions, partition: number, places: readonly Place[]): Promise<readonly Held[] | null> {
  const core = new TaskCore({ topology: { ...topology, outputs: [], stateVersion: FIRST_STATE_VERSION, createProcessor: () => IDLE }, partition, namespace, codec, settings: {} });
  const position = await storedPosition(log, { topic: topicName(namespace, topology.changelog), partition });
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
  return places.map(({ target }, input) => ({ topic: target.topic, partition, records: core.heldRecords(input) }));
}

/** The merge's position in the changelog: among the last records of the last commit. */
async function storedPosition(log: Log, place: { readonly topic: string; readonly partition: number }): Promise<Uint8Array | null> {
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
