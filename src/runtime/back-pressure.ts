import type { LogReader, TopicPartition } from '../kafka/log.js';

/** Records in memory over all inputs, about; a single input always gets a little. */
const TOTAL_RECORDS = 12_000;
const MIN_RECORDS = 250;
const MAX_RECORDS = 4_000;

/** A task as far as its inputs fill memory. */
export interface BufferingTask {
  partitions(): readonly TopicPartition[];
  isAhead(topic: string, maxBuffered: number): boolean;
}

/** Pauses inputs that are far ahead of what their task can take, and resumes them. */
export class BackPressure {
  private readonly reader: LogReader;
  private readonly maxRecords: number | null;
  private readonly paused = new Map<string, TopicPartition>();

  /** maxRecords of one input; null for a share of a total. */
  constructor(reader: LogReader, maxRecords: number | null) {
    this.reader = reader;
    this.maxRecords = maxRecords;
  }

  regulate(tasks: readonly BufferingTask[]): void {
    const inputs = tasks.reduce((sum, task) => sum + task.partitions().length, 0);
    const max = this.maxRecords ?? Math.min(MAX_RECORDS, Math.max(MIN_RECORDS, TOTAL_RECORDS / Math.max(1, inputs)));
    for (const task of tasks) for (const place of task.partitions()) this.set(place, task.isAhead(place.topic, max));
  }

  /** The reader no longer has these partitions. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const place of partitions) this.paused.delete(keyOf(place));
  }

  private set(place: TopicPartition, isAhead: boolean): void {
    const key = keyOf(place);
    if (isAhead === this.paused.has(key)) return;
    if (isAhead) {
      this.paused.set(key, place);
      this.reader.pause([place]);
    } else {
      this.paused.delete(key);
      this.reader.resume([place]);
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}|${partition}`;
}
