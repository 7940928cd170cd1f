import { topicName, type Namespace } from '../config/namespace.js';
import type { Log } from '../kafka/log.js';
import { partitionedStage, type DrainStage, type Held, type Place } from '../runtime/drain.js';
import type { Database } from './database.js';
import { makeDurable } from './sink-commit.js';
import { readSinkOffsets, type SinkOffset } from './sink-offsets.js';
import type { SinkCodec, SinkRole } from './sink.js';

export interface SinkDrainOptions {
  readonly sink: SinkRole;
  readonly log: Log;
  readonly codec: SinkCodec;
  readonly database: Database;
  readonly namespace: Namespace;
}

/** A sink's progress by the offsets stored with its rows; where they stand still, by what its task could still take. */
export function sinkDrain(options: SinkDrainOptions): DrainStage {
  const { sink, log, database, namespace } = options;
  let stored = new Map<string, SinkOffset>();
  const stage = partitionedStage({
    name: sink.role,
    inputs: sink.inputs.map(({ topic }) => topicName(namespace, topic)),
    outputs: [],
    async positions(targets) {
      const [offsets, earliest] = await Promise.all([readSinkOffsets(database, sink.inputs), log.earliestOffsets(targets)]);
      stored = new Map(offsets.map((offset) => [`${offset.sink}|${topicName(namespace, offset.topic)}|${offset.partition}`, offset]));
      return targets.map(({ topic, partition }, index) => {
        const input = sink.inputs.find((candidate) => topicName(namespace, candidate.topic) === topic);
        return stored.get(`${input?.sink}|${topic}|${partition}`)?.nextOffset ?? earliest[index]?.offset ?? 0;
      });
    },
    look: (partition, places) => look(options, stored, partition, places),
  });
  return {
    ...stage,
    async progress(targets) {
      const progress = await stage.progress(targets);
      // A sink does not wait for the disk at every commit; before anybody says that rows are there, they are on it.
      if (progress.isDone) await makeDurable(database);
      return progress;
    },
  };
}

/** Lets a task that stands where the stored offsets stand read the rest, and sees whether it has anything to say. */
async function look({ sink, log, codec, database }: SinkDrainOptions, stored: ReadonlyMap<string, SinkOffset>, partition: number, places: readonly Place[]): Promise<readonly Held[] | null> {
  const positions = places.map(({ target, position }, input) => {
    const known = stored.get(`${sink.inputs[input]?.sink}|${target.topic}|${partition}`);
    return known ?? { nextOffset: position, watermarkMs: null, recordsApplied: 0, mergeState: null };
  });
  const task = sink.createTask(codec, positions);
  for (const [input, { target, position: from }] of places.entries()) {
    if (from >= target.offset) continue;
    for await (const { records, nextOffset } of log.readRange({ topic: target.topic, partition, from, until: target.offset })) {
      await codec.learn(records.map(({ value }) => value));
      task.push(input, records, nextOffset);
      if ((await task.take(database)) !== null) return null;
    }
  }
  return places.map(({ target }, input) => ({ topic: target.topic, partition, records: task.buffered(input) }));
}
