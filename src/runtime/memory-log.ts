import { ConfigurationError, FencedError, StateLostError } from '../kafka/errors.js';
import type {
  CommittedOffset,
  GroupMember,
  JoinOptions,
  Log,
  LogReader,
  RangeChunk,
  ReadRange,
  SourceWriter,
  TaskWriter,
  TopicPartition,
  TopicPartitionOffset,
} from '../kafka/log.js';
import type { LogRecord, OutgoingRecord, RecordHeader } from '../kafka/record.js';
import { MemoryGroup } from './memory-group.js';
import { MemoryReader } from './memory-reader.js';

/** Points at which a test may break a writer; a throw there reaches the caller as the log's own error would. */
export type WriterStep = 'init' | 'send' | 'commit' | 'committed';

export interface MemoryLogOptions {
  /** Partitions of a topic that is named for the first time; without it topics must be created. */
  readonly defaultPartitions?: number;
  /** Every commit leaves a hole of one offset in each partition it wrote, as a transaction marker does. */
  readonly hasMarkers?: boolean;
  /** Called before each step, `committed` after the commit took effect and before the caller learns of it. */
  readonly onWriterStep?: (step: WriterStep, transactionalId: string) => void;
}

const NO_HEADERS: readonly RecordHeader[] = [];

export interface MemoryPartition {
  readonly records: LogRecord[];
  nextOffset: number;
  written: number;
}

/**
 * A log in memory behind the same port as the broker's: topics, fenced writers, transactions that become visible as a
 * whole, committed offsets, group membership. Nothing is compacted or deleted. What is open in a transaction lies in
 * its writer, so the last stable offset is the end.
 */
export class MemoryLog implements Log {
  private readonly topics = new Map<string, MemoryPartition[]>();
  private readonly committed = new Map<string, number>();
  private readonly epochs = new Map<string, number>();
  private readonly groups = new Map<string, MemoryGroup>();
  private readonly readers = new Set<MemoryReader>();
  private readonly options: MemoryLogOptions;

  constructor(options: MemoryLogOptions = {}) {
    this.options = options;
  }

  createTopic(topic: string, partitions: number): void {
    if (this.topics.has(topic)) throw new ConfigurationError(`topic ${topic} exists`, { topic });
    this.topics.set(topic, Array.from({ length: partitions }, () => ({ records: [], nextOffset: 0, written: 0 })));
  }

  topicNames(): readonly string[] {
    return [...this.topics.keys()].sort();
  }

  /** All records of a partition; the array is the log's own. */
  records(topic: string, partition: number): readonly LogRecord[] {
    return this.partition(topic, partition).records;
  }

  /** Records ever written to a topic. */
  totalRecords(topic: string): number {
    return (this.topics.get(topic) ?? []).reduce((sum, { written }) => sum + written, 0);
  }

  end(topic: string, partition: number): number {
    return this.partition(topic, partition).nextOffset;
  }

  /** Index in records() of the first record at or after the offset. */
  indexOf(topic: string, partition: number, offset: number): number {
    const { records } = this.partition(topic, partition);
    let low = 0;
    let high = records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((records[middle] as LogRecord).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets records below the offset; their offsets stay used. */
  discardBelow(topic: string, partition: number, offset: number): void {
    const { records } = this.partition(topic, partition);
    const count = this.indexOf(topic, partition, offset);
    if (count > 0) records.splice(0, count);
  }

  append(records: readonly OutgoingRecord[], isTransaction = false): void {
    const touched = new Set<MemoryPartition>();
    for (const record of records) {
      const target = this.partition(record.topic, record.partition);
      const { topic, partition, timestampMs, key, value, headers = NO_HEADERS } = record;
      target.records.push({ topic, partition, offset: target.nextOffset++, timestampMs, key, value, headers });
      target.written++;
      touched.add(target);
    }
    if (isTransaction && this.options.hasMarkers === true) for (const target of touched) target.nextOffset++;
    for (const reader of this.readers) reader.wake();
  }

  /** Makes outputs and offsets visible as one. */
  commitTransaction(records: readonly OutgoingRecord[], groupId: string, offsets: readonly TopicPartitionOffset[]): void {
    for (const offset of offsets) this.committed.set(offsetKey(groupId, offset), offset.offset);
    this.append(records, true);
  }

  /** What brokers do with a group that was empty for long. */
  forgetGroup(groupId: string): void {
    for (const key of [...this.committed.keys()]) if (key.startsWith(`${groupId}|`)) this.committed.delete(key);
  }

  committedOffset(groupId: string, partition: TopicPartition): number | null {
    return this.committed.get(offsetKey(groupId, partition)) ?? null;
  }

  reader(): LogReader {
    const reader = new MemoryReader(this, () => this.readers.delete(reader));
    this.readers.add(reader);
    return reader;
  }

  writer(transactionalId: string): TaskWriter {
    const step = (name: WriterStep): void => this.options.onWriterStep?.(name, transactionalId);
    let epoch = -1;
    let open: OutgoingRecord[] = [];
    const check = (): void => {
      if (epoch < 0 || this.epochs.get(transactionalId) !== epoch) throw new FencedError(`${transactionalId} has a newer writer`);
    };
    return {
      init: async () => {
        step('init');
        epoch = (this.epochs.get(transactionalId) ?? -1) + 1;
        this.epochs.set(transactionalId, epoch);
        open = [];
      },
      send: async (records) => {
        check();
        step('send');
        for (const record of records) this.partition(record.topic, record.partition);
        open.push(...records);
      },
      commit: async (groupId, offsets) => {
        check();
        step('commit');
        const records = open;
        open = [];
        this.commitTransaction(records, groupId, offsets);
        step('committed');
      },
      abort: async () => {
        check();
        open = [];
      },
      close: async () => {
        epoch = -1;
      },
    };
  }

  sourceWriter(): SourceWriter {
    return { send: async (records) => this.append(records), close: async () => undefined };
  }

  async join(options: JoinOptions): Promise<GroupMember> {
    const counts = await Promise.all(options.topics.map((topic) => this.partitionCount(topic)));
    if (new Set(counts).size !== 1) throw new ConfigurationError(`topics ${options.topics.join(', ')} differ in partitions: ${counts.join(', ')}`);
    let group = this.groups.get(options.groupId);
    if (group === undefined) this.groups.set(options.groupId, (group = new MemoryGroup(counts[0] as number)));
    return group.join(options);
  }

  async partitionCount(topic: string): Promise<number> {
    const partitions = this.topics.get(topic);
    if (partitions !== undefined) return partitions.length;
    if (this.options.defaultPartitions === undefined) throw new ConfigurationError(`there is no topic ${topic}`, { topic });
    return this.options.defaultPartitions;
  }

  async committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: this.committedOffset(groupId, { topic, partition }) }));
  }

  async earliestOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: 0 }));
  }

  async lastStableOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: this.end(topic, partition) }));
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: this.end(topic, partition) }));
  }

  async offsetsForTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<readonly TopicPartitionOffset[]> {
    return partitions.map(({ topic, partition }) => {
      const found = this.records(topic, partition).find((record) => record.timestampMs >= timestampMs);
      return { topic, partition, offset: found?.offset ?? this.end(topic, partition) };
    });
  }

  async *readRange({ topic, partition, from, until }: ReadRange): AsyncIterable<RangeChunk> {
    const end = until === 'lastStable' ? this.end(topic, partition) : until;
    const start = from === 'earliest' ? 0 : from;
    if (start < 0) throw new StateLostError(`${topic}/${partition} begins at 0`, { topic, partition });
    const records = this.records(topic, partition).slice(this.indexOf(topic, partition, start), this.indexOf(topic, partition, end));
    yield { records, nextOffset: Math.max(start, end) };
  }

  async close(): Promise<void> {
    for (const reader of this.readers) await reader.close();
  }

  private partition(topic: string, partition: number): MemoryPartition {
    let partitions = this.topics.get(topic);
    if (partitions === undefined) {
      if (this.options.defaultPartitions === undefined) throw new ConfigurationError(`there is no topic ${topic}`, { topic });
      this.createTopic(topic, this.options.defaultPartitions);
      partitions = this.topics.get(topic) as MemoryPartition[];
    }
    const found = partitions[partition];
    if (found === undefined) throw new ConfigurationError(`topic ${topic} has no partition ${partition}`, { topic, partition });
    return found;
  }
}

function offsetKey(groupId: string, { topic, partition }: TopicPartition): string {
  return `${groupId}|${topic}|${partition}`;
}

