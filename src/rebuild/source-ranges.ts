import { topicName, type Namespace } from '../config/namespace.js';
import { GuidedError } from '../config/guided-error.js';
import type { Log, TopicPartition } from '../kafka/log.js';
import type { SourceRange } from './source-feed.js';

/** One end of a range: an offset in every partition, or a time. */
export type RangeBound = { readonly kind: 'offset'; readonly offset: number } | { readonly kind: 'time'; readonly ms: number };

export interface RangeOptions {
  readonly log: Log;
  readonly namespace: Namespace;
  /** Bare names. */
  readonly topics: readonly string[];
  readonly from: RangeBound | 'first' | 'whatever-is-there';
  readonly to: RangeBound | null;
  /** The log as it stood at this event time. */
  readonly untilMs: number | null;
}

/** What of the source topics is read, by partition; and whether it begins with the first record ever written. */
export async function sourceRanges({ log, namespace, topics, from, to, untilMs }: RangeOptions): Promise<{ readonly ranges: readonly (readonly SourceRange[])[]; readonly isWhole: boolean }> {
  const names = topics.map((topic) => topicName(namespace, topic));
  const counts = await Promise.all(names.map((name) => log.partitionCount(name)));
  const partitions = counts[0] ?? 0;
  if (counts.some((count) => count !== partitions)) throw new GuidedError(`${names.join(', ')} differ in partitions: ${counts.join(', ')}`, 'they must have the same number; see `position-linker topics plan`');
  const places: TopicPartition[] = names.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
  const [first, ends] = await Promise.all([log.earliestOffsets(places), log.lastStableOffsets(places)]);
  const starts = from === 'first' || from === 'whatever-is-there' ? first.map(({ offset }) => offset) : await boundOffsets(log, places, from);
  const stops = to === null ? ends.map(({ offset }) => offset) : await boundOffsets(log, places, to);
  const cut = first.findIndex(({ offset }) => offset > 0);
  if (cut >= 0 && from === 'first') {
    const { topic, partition, offset } = first[cut] as (typeof first)[number];
    throw new GuidedError(`${topic}/${partition} begins at offset ${offset}: the records before it are gone, so nothing can be rebuilt from the first record on`, 'give --from earliest to rebuild from what is there; such a rebuild compares later cycles only, and is never swapped');
  }
  const range = (topic: number, partition: number): SourceRange => {
    const place = topic * partitions + partition;
    const least = first[place]?.offset ?? 0;
    const end = Math.min(ends[place]?.offset ?? 0, stops[place] ?? 0);
    const begin = Math.min(Math.max(least, starts[place] ?? 0), Math.max(least, end));
    return { topic: topics[topic] as string, logTopic: names[topic] as string, partition, from: begin, until: Math.max(begin, end), untilMs };
  };
  const ranges = Array.from({ length: partitions }, (_, partition) => topics.map((_topic, topic) => range(topic, partition)));
  return { ranges, isWhole: ranges.flat().every((one) => one.from === 0) };
}

async function boundOffsets(log: Log, places: readonly TopicPartition[], bound: RangeBound): Promise<readonly number[]> {
  if (bound.kind === 'offset') return places.map(() => bound.offset);
  return (await log.offsetsForTime(places, bound.ms)).map(({ offset }) => offset);
}

/** Offsets between the ends: an estimate of the records, markers and gaps among them. */
export function rangeRecords(ranges: readonly SourceRange[]): number {
  return ranges.reduce((sum, { from, until }) => sum + Math.max(0, until - from), 0);
}
