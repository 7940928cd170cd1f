import { Cluster, type ClusterOptions } from './cluster.js';
import type { LogError } from './errors.js';
import { PartitionFetcher } from './fetcher.js';
import { GroupMembership } from './group-membership.js';
import { IdempotentProducer } from './idempotent-producer.js';
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
} from './log.js';
import { earliestOffsets, endOffsets, fetchCommittedOffsets, lastStableOffsets, offsetsForTime } from './offsets.js';
import { readRange } from './read-range.js';
import { TransactionalProducer } from './transactional-producer.js';

export interface KafkaLogOptions extends ClusterOptions {
  /** The broker aborts a task's transaction that is older than this; must exceed the longest commit interval. */
  readonly transactionTimeoutMs?: number;
  /** Something is being tried again; told so that it can be logged. */
  readonly onWarning?: (message: string, cause: LogError) => void;
}

/** Writers of one lane wait for each other at the broker; more lanes, more sockets. */
const WRITER_LANES = 8;
const RANGE_LANES = 4;

/** The log over a Kafka cluster, Kafka 3.0 or newer. Connects when first used. */
export class KafkaLog implements Log {
  readonly #cluster: Cluster;
  readonly #options: KafkaLogOptions;
  #writers = 0;
  #readers = 0;
  #ranges = 0;
  #members = 0;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#cluster = new Cluster(options);
  }

  reader(): LogReader {
    const { onWarning } = this.#options;
    return new PartitionFetcher(this.#cluster, { lane: `fetch-${this.#readers++}`, ...(onWarning && { onWarning }) });
  }

  writer(transactionalId: string): TaskWriter {
    const { transactionTimeoutMs, onWarning } = this.#options;
    const lane = `write-${this.#writers++ % WRITER_LANES}`;
    return new TransactionalProducer(this.#cluster, { transactionalId, lane, ...(transactionTimeoutMs && { transactionTimeoutMs }), ...(onWarning && { onWarning }) });
  }

  sourceWriter(): SourceWriter {
    return new IdempotentProducer(this.#cluster, { lane: `write-${this.#writers++ % WRITER_LANES}` });
  }

  async join(options: JoinOptions): Promise<GroupMember> {
    return new GroupMembership(this.#cluster, `group-${this.#members++}`, options);
  }

  partitionCount(topic: string): Promise<number> {
    return this.#cluster.partitionCount(topic);
  }

  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return fetchCommittedOffsets(this.#cluster, groupId, partitions);
  }

  earliestOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return earliestOffsets(this.#cluster, partitions);
  }

  lastStableOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return lastStableOffsets(this.#cluster, partitions);
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return endOffsets(this.#cluster, partitions);
  }

  offsetsForTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<readonly TopicPartitionOffset[]> {
    return offsetsForTime(this.#cluster, partitions, timestampMs);
  }

  readRange(range: ReadRange): AsyncIterable<RangeChunk> {
    return readRange(this.#cluster, `range-${this.#ranges++ % RANGE_LANES}`, range);
  }

  async close(): Promise<void> {
    this.#cluster.close();
  }
}
