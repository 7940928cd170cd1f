import { randomBytes } from 'node:crypto';
import { Cluster, type ClusterOptions } from '../src/kafka/cluster.js';
import type { CommittedOffset, GroupMember, JoinOptions, Log, LogReader, RangeChunk, ReadRange, SourceWriter, TaskWriter, TopicPartition, TopicPartitionOffset } from '../src/kafka/log.js';
import { KafkaLog } from '../src/kafka/kafka-log.js';
import { readPartitionErrors, writeByTopic, type KafkaRequest, type PartitionError } from '../src/kafka/protocol/request.js';
import { askCoordinator, worstError } from '../src/kafka/transaction-coordinator.js';
import type { OutgoingRecord } from '../src/kafka/record.js';
import { WireWriter } from '../src/kafka/wire.js';

const TIMEOUT_MS = 30_000;
const RUN = randomBytes(4).toString('hex');

/**
 * The same log without transactions, to be compared with: outputs are written idempotently, offsets are committed after
 * them. What a crash between the two leaves is done twice.
 */
export class AtLeastOnceLog implements Log {
  readonly #log: KafkaLog;
  readonly #cluster: Cluster;

  constructor(options: ClusterOptions) {
    this.#log = new KafkaLog(options);
    this.#cluster = new Cluster(options);
  }

  writer(transactionalId: string): TaskWriter {
    return new AtLeastOnceWriter(this.#log.sourceWriter(), this.#cluster, transactionalId);
  }

  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#log.committedOffsets(offsetsGroup(groupId), partitions);
  }

  async close(): Promise<void> {
    this.#cluster.close();
    await this.#log.close();
  }

  reader(): LogReader {
    return this.#log.reader();
  }

  sourceWriter(): SourceWriter {
    return this.#log.sourceWriter();
  }

  join(options: JoinOptions): Promise<GroupMember> {
    return this.#log.join(options);
  }

  partitionCount(topic: string): Promise<number> {
    return this.#log.partitionCount(topic);
  }

  earliestOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#log.earliestOffsets(partitions);
  }

  lastStableOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#log.lastStableOffsets(partitions);
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#log.endOffsets(partitions);
  }

  offsetsForTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<readonly TopicPartitionOffset[]> {
    return this.#log.offsetsForTime(partitions, timestampMs);
  }

  readRange(range: ReadRange): AsyncIterable<RangeChunk> {
    return this.#log.readRange(range);
  }
}

class AtLeastOnceWriter implements TaskWriter {
  readonly #writer: SourceWriter;
  readonly #cluster: Cluster;
  readonly #lane: string;

  constructor(writer: SourceWriter, cluster: Cluster, lane: string) {
    this.#writer = writer;
    this.#cluster = cluster;
    this.#lane = lane;
  }

  async init(): Promise<void> {}

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length > 0) await this.#writer.send(records);
  }

  async commit(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const group = offsetsGroup(groupId);
    await askCoordinator(this.#cluster, 'group', group, this.#lane, offsetCommitRequest(group, offsets), worstError, Date.now() + TIMEOUT_MS);
  }

  async abort(): Promise<void> {}

  async close(): Promise<void> {
    await this.#writer.close();
  }
}

/** Offsets of a group with members are theirs to commit, under their generation; these go to one without, new in every process. */
function offsetsGroup(groupId: string): string {
  return `${groupId}.at-least-once-${RUN}`;
}

function offsetCommitRequest(groupId: string, offsets: readonly TopicPartitionOffset[]): KafkaRequest<PartitionError[]> {
  const writer = new WireWriter().string(groupId).int32(-1).string('');
  writeByTopic(writer, offsets, ({ partition, offset }) => writer.int32(partition).int64(offset).string(null));
  return {
    api: { key: 8, version: 5, name: 'OffsetCommit' },
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return readPartitionErrors(reader);
    },
  };
}
