import type { FetchedPartition, LogReader, TopicPartition, TopicPartitionOffset } from '../kafka/log.js';
import type { MemoryLog } from './memory-log.js';

const MAX_RECORDS_PER_PARTITION = 1_000;

interface Position {
  readonly topic: string;
  readonly partition: number;
  offset: number;
  isPaused: boolean;
}

/** The memory log's reader: partitions round robin, nothing buffered, since everything is in memory. */
export class MemoryReader implements LogReader {
  private readonly log: MemoryLog;
  private readonly onClose: () => void;
  private readonly positions = new Map<string, Position>();
  private wakeUp: (() => void) | null = null;

  constructor(log: MemoryLog, onClose: () => void) {
    this.log = log;
    this.onClose = onClose;
  }

  assign(offsets: readonly TopicPartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const key = positionKey({ topic, partition });
      this.positions.set(key, { topic, partition, offset, isPaused: this.positions.get(key)?.isPaused ?? false });
    }
    this.wake();
  }

  revoke(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.positions.delete(positionKey(partition));
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.setPaused(partitions, true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.setPaused(partitions, false);
    this.wake();
  }

  async poll(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    const ready = this.fetch();
    if (ready.length > 0) return ready;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, maxWaitMs);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = null;
    return this.fetch();
  }

  async close(): Promise<void> {
    this.positions.clear();
    this.onClose();
    this.wake();
  }

  wake(): void {
    this.wakeUp?.();
  }

  private setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    for (const partition of partitions) {
      const position = this.positions.get(positionKey(partition));
      if (position !== undefined) position.isPaused = isPaused;
    }
  }

  private fetch(): FetchedPartition[] {
    const ready: FetchedPartition[] = [];
    for (const position of this.positions.values()) {
      const { topic, partition } = position;
      const end = this.log.end(topic, partition);
      if (position.isPaused || position.offset >= end) continue;
      const all = this.log.records(topic, partition);
      const first = this.log.indexOf(topic, partition, position.offset);
      const records = all.slice(first, first + MAX_RECORDS_PER_PARTITION);
      const last = records.at(-1);
      position.offset = last === undefined || first + records.length === all.length ? end : last.offset + 1;
      ready.push({ topic, partition, records, nextOffset: position.offset, lastStableOffset: end, highWatermark: end });
    }
    return ready;
  }
}

function positionKey({ topic, partition }: TopicPartition): string {
  return `${topic}|${partition}`;
}
