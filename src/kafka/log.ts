import type { LogRecord, OutgoingRecord } from './record.js';

/*
 * The log as the runtime sees it. Two implementations: `kafka-log.ts` over a broker, and the in-memory log of the
 * runtime. Nothing in this file knows Kafka's protocol or its client.
 *
 * How a task runs. Task p of a role = partition p of all its input topics + its state.
 *
 *   1. `log.join(...)` calls `onAssignment` with the tasks this member now owns. A task it keeps goes on undisturbed.
 *   2. gained task: `writer = log.writer("<app>.<role>.<p>")`, `await writer.init(places)`. From here on no predecessor can
 *      write, and none of its transactions is still open.
 *   3. only then `log.committedOffsets(...)`, and restore: `for await (... of log.readRange({ until: 'lastStable' }))`.
 *   4. `reader.assign(...)` at the committed offsets; `poll`, step, `writer.send(...)` any number of times,
 *      `writer.commit(group, offsets)`; again.
 *   5. lost task: `reader.revoke(...)`, stop stepping, `writer.close()`. What it had not committed is aborted by the
 *      successor's `init()`; whatever it still tries is refused with a `FencedError`.
 *
 * Any error of a writer other than in `init()`: throw the writer away, ask `member.owns(task)`, and if it does, go back
 * to step 2 with the same id; if not, drop the task. That holds for `FencedError` too: a transaction that the broker
 * timed out is answered like one that a successor fenced. The outcome of a failed `commit` is unknown until the
 * committed offsets are read again.
 */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `offset` is always the next one to read, never the last one read. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number;
}

export interface CommittedOffset extends TopicPartition {
  /** The next offset to read; `null` when the group never committed one for this partition. */
  readonly offset: number | null;
}

/** What one `poll` has for one partition. `records` may be empty while `nextOffset` moved on (markers, compaction). */
export interface FetchedPartition extends TopicPartition {
  readonly records: readonly LogRecord[];
  /** The position after these records, past markers, aborted and compacted records: what to commit or seek to. */
  readonly nextOffset: number;
  /** Everything below is decided: committed, aborted or never transactional. Reading stops here. */
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

/**
 * Reads committed records of explicitly given partitions; no group, no automatic reset.
 *
 * Buffers are bounded per partition: what is not polled is not fetched on and on.
 */
export interface LogReader {
  /** Adds partitions, or moves those it already has to the given offset (which drops what was buffered of them). */
  assign(offsets: readonly TopicPartitionOffset[]): void;
  /** Records of a revoked partition are never handed out by a later `poll`. Unknown ones are ignored. */
  revoke(partitions: readonly TopicPartition[]): void;
  /** Paused partitions keep their position and buffer, and are left out of `poll` until resumed. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /**
   * Resolves as soon as any partition that is not paused has something, else after `maxWaitMs` with an empty list. A
   * partition occurs at most once in an answer. Not to be called again before it resolved.
   * Rejects with `StateLostError` when a partition's position no longer exists in the log (that partition is then
   * revoked), with `CorruptBatchError` or another `LogError` naming the partition; the other partitions are unharmed.
   */
  poll(maxWaitMs: number): Promise<readonly FetchedPartition[]>;
  close(): Promise<void>;
}

/** Places that a task writes to; nobody but it does, unless said. */
export interface TaskPlaces {
  readonly outputs: readonly TopicPartition[];
  /** Every transaction writes to it. */
  readonly changelog: TopicPartition;
  /** Written to by others as well. */
  readonly deadLetters: readonly TopicPartition[];
  readonly groupId: string;
  /** Partitions whose offsets in the group it commits. */
  readonly inputs: readonly TopicPartition[];
  /** The offsets that belong to the state in the changelog, as far as that is decided, in the order of `inputs`; null without a state. */
  readonly stateOffsets: () => Promise<readonly number[] | null>;
}

/**
 * Writes outputs, changelog and input offsets of one task in transactions, one after the other, under a fixed
 * transactional id. Calls must not overlap, but for `send`: several may be under way before `commit` is called, and are
 * applied in the order of the calls.
 */
export interface TaskWriter {
  /**
   * Fences every earlier writer of this id and waits until its open transaction is aborted or its commit finished. `places`: those
   * to be freed of a transaction that the broker counts as ended but has never marked so.
   */
  init(places?: TaskPlaces): Promise<void>;
  /** Opens a transaction if none is open. Resolves when every record is acknowledged by its partition. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * Adds the offsets and commits, together with everything sent since the last commit. With nothing sent, the offsets
   * alone are committed in a transaction; with neither it is a no-op.
   */
  commit(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void>;
  /** Drops everything sent since the last commit; the writer goes on under a new epoch. A no-op if nothing is open. */
  abort(): Promise<void>;
  /** Gives up what is open without waiting for the log (the next `init()` of this id aborts it). Never rejects. */
  close(): Promise<void>;
}

/**
 * Writes without transactions; every record at least once, each partition in the order of the calls.
 * `send` resolves when all records are acknowledged; if it rejects, any part of them may have been written.
 */
export interface SourceWriter {
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface ReadRange extends TopicPartition {
  /** First offset wanted; a number below the start of the log rejects with `StateLostError`. */
  readonly from: number | 'earliest';
  /** End (exclusive); `lastStable` is looked up once, when reading starts. */
  readonly until: number | 'lastStable';
}

/** Records in order and the position after them; `records` may be empty. */
export interface RangeChunk {
  readonly records: readonly LogRecord[];
  readonly nextOffset: number;
}

/** What a group member owns after a rebalance. Task number = partition number in all input topics of the role. */
export interface Assignment {
  readonly generation: number;
  /** All tasks owned now, ascending. */
  readonly tasks: readonly number[];
  /** Those of `tasks` not owned before. */
  readonly gained: readonly number[];
  /** Those owned before and no longer. */
  readonly lost: readonly number[];
}

export interface GroupMember {
  /**
   * Asks the group, not memory: resolves after a heartbeat or a rebalance later than the call. To be asked before a
   * writer that failed is initialised again: a member that was cut off, or asleep, would otherwise fence the rightful
   * new owner of its former task. False once the member has left.
   */
  owns(task: number): Promise<boolean>;
  /** Leaves the group, so that the others take over at once. Does not call `onAssignment` again. */
  leave(): Promise<void>;
}

export interface JoinOptions {
  readonly groupId: string;
  /** Input topics of the role; all must have the same number of partitions. */
  readonly topics: readonly string[];
  /** Called synchronously, once a rebalance that changed anything or not; must not throw, must not block. */
  readonly onAssignment: (assignment: Assignment) => void;
  /** Membership cannot be kept up. Everything owned is to be given up; joining again is the caller's decision. */
  readonly onFailure: (error: Error) => void;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
}

/** Everything a process needs of the log. One per process, shared by all its roles and tasks. */
export interface Log {
  reader(): LogReader;
  writer(transactionalId: string): TaskWriter;
  sourceWriter(): SourceWriter;
  /** Resolves when joining has begun; the first assignment comes by `onAssignment`. */
  join(options: JoinOptions): Promise<GroupMember>;

  /** Number of partitions of a topic; rejects with `ConfigurationError` if there is no such topic. */
  partitionCount(topic: string): Promise<number>;
  /** In the order asked. Call after `TaskWriter.init()`, or an offset still being committed may be missed. */
  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /** First offset still in the log, in the order asked. */
  earliestOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>;
  /** Last stable offsets (end of what a reader can see), in the order asked. */
  lastStableOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>;
  /**
   * Ends of what is written (high watermarks), in the order asked. While this is above the last stable offset, a
   * transaction is open, or decided and not yet marked so in that partition.
   */
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>;
  /** First offset whose record is not older than the time; the last stable offset where there is none. */
  offsetsForTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<readonly TopicPartitionOffset[]>;
  /** Ends by position, not by record: markers and compaction may leave no record at the end. */
  readRange(range: ReadRange): AsyncIterable<RangeChunk>;

  close(): Promise<void>;
}
