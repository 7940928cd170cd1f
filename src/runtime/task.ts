import { performance } from 'node:perf_hooks';
import { deadLetterTopic, groupId, topicName, transactionalId } from '../config/namespace.js';
import { StateLostError } from '../kafka/errors.js';
import type { CommittedOffset, FetchedPartition, Log, TaskPlaces, TaskWriter, TopicPartition, TopicPartitionOffset } from '../kafka/log.js';
import { backlogPauseMs } from './backlog.js';
import { STATE_KEY, StateVersionError } from './task-state.js';
import { TaskCore, type CommitUnit, type TaskCoreOptions } from './task-core.js';

/*
 * The order of a commit. A crash between any two of these loses and doubles nothing:
 *
 *   1. `core.takeUnit()`: in one synchronous step the outputs not sent yet, the changes of state, the merge's position
 *      and the input offsets, all of the same moment. The core may go on at once: what it makes belongs to the next unit.
 *   2. every `writer.send` of this transaction that is still under way is waited for;
 *   3. `writer.send` of the rest: outputs and dead letters, then the changelog;
 *   4. `writer.commit`: the input offsets join the transaction, and it is committed. Until the log has decided that,
 *      no reader sees any of it, and a successor's `init()` undoes it; from then on a successor finds all of it.
 *   5. only now the first `send` of the next transaction.
 *
 * Whatever fails in 2 to 4 ends this task's life: its memory may be ahead of the log, and only the log knows whether
 * the commit took place. The next life begins with `start()`: fence, then read the committed offsets, then the state.
 */

/** Outputs of one task are sent ahead of the commit in pieces of about this many records. */
const SEND_AHEAD_RECORDS = 1_000;
/** A transaction is committed before its time when it holds this much. */
const MAX_TRANSACTION_RECORDS = 20_000;
/** While a commit is under way the core goes on until its next unit holds this much. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** Entries handled in one turn, so that sockets and other tasks get theirs. */
const STEP_ENTRIES = 1_000;
/** How often a task with a commit under way is looked at when nothing else happens. */
const COMMITTING_TURN_MS = 5;

export interface TaskOptions extends TaskCoreOptions {
  readonly log: Log;
  readonly commitIntervalMs: number;
}

/** One life of task p of a role: from the fence to the first failure or the end. Used once. */
export class Task {
  readonly partition: number;
  private readonly options: TaskOptions;
  private readonly inputs: readonly string[];
  private readonly group: string;
  private readonly core: TaskCore;
  private readonly writer: TaskWriter;
  /** How much later a commit may come while there is a backlog. */
  private readonly backlogMs: number;
  private committing: Promise<void> | null = null;
  private sending: Promise<void>[] = [];
  private sentRecords = 0;
  private commitDueMs = 0;
  private failure: Error | null = null;
  private isClosed = false;
  private hasMore = false;
  private commits = 0;
  private setRight: readonly CommittedOffset[] = [];

  constructor(options: TaskOptions) {
    this.options = options;
    this.partition = options.partition;
    this.inputs = options.topology.inputs.map((topic) => topicName(options.namespace, topic));
    this.group = groupId(options.namespace, options.topology.role);
    this.core = new TaskCore(options);
    this.backlogMs = backlogPauseMs(options.commitIntervalMs);
    this.writer = options.log.writer(transactionalId(options.namespace, options.topology.role, options.partition));
  }

  /** Fences whoever had the task, restores its state, and answers the offsets to read from. */
  async start(): Promise<readonly TopicPartitionOffset[]> {
    const partitions = this.partitions();
    await this.writer.init(this.places(partitions));
    const committed = await this.options.log.committedOffsets(this.group, partitions);
    const stored = await this.restored(this.core);
    if (stored === null && committed.some(({ offset }) => offset !== null)) throw this.stateMissing();
    if (stored !== null) {
      committed.forEach(({ offset }, input) => {
        if (offset !== null && offset > (stored[input] as number)) throw this.stateElsewhere(input, offset, stored[input] as number);
      });
      if (!this.core.isRemaking) return this.startAtState(committed, stored);
    }
    const earliest = await this.options.log.earliestOffsets(partitions);
    if (this.core.isRemaking) this.assertWhole(earliest);
    this.core.startAt(earliest.map(({ offset }) => offset));
    return earliest;
  }

  /**
   * The state was committed together with its offsets, so where the group shows older ones, or none, the state is right: a group that
   * was empty for a week has lost its offsets, and a broker that was killed was seen to come back with the group's offsets of
   * minutes ago, though those since are in its log. They are committed again, so that everybody sees them.
   */
  private async startAtState(committed: readonly CommittedOffset[], stored: readonly number[]): Promise<readonly TopicPartitionOffset[]> {
    const offsets = committed.map(({ topic, partition }, input) => ({ topic, partition, offset: stored[input] as number }));
    const older = committed.filter(({ offset }, input) => offset !== stored[input]);
    if (older.length > 0) {
      await this.writer.commit(this.group, offsets);
      this.setRight = older;
    }
    return offsets;
  }

  /** Offsets as the group showed them at the start where the state stood further on. */
  get offsetsSetRight(): readonly CommittedOffset[] {
    return this.setRight;
  }

  get error(): Error | null {
    return this.failure;
  }

  /** Transactions committed in this life. */
  get commitCount(): number {
    return this.commits;
  }

  deliver(fetched: FetchedPartition): void {
    if (!this.isAlive) return;
    this.guarded(() => this.core.push(this.inputs.indexOf(fetched.topic), fetched.records, fetched.nextOffset));
  }

  /** Handles what can be handled, sends, and begins a commit when one is due. Never throws: see error. */
  turn(): void {
    if (!this.isAlive || this.isBlocked) return;
    this.guarded(() => {
      this.hasMore = this.core.step(STEP_ENTRIES) === STEP_ENTRIES;
      if (this.committing !== null) return;
      if (this.core.isDirty && this.isCommitDue()) this.beginCommit();
      else if (this.core.bufferedOutputs >= SEND_AHEAD_RECORDS) this.sendAhead();
    });
  }

  /** In how many milliseconds the task wants its next turn, whether records come or not. */
  get waitMs(): number {
    if (!this.isAlive) return 0;
    if (this.committing !== null) return this.hasMore && !this.isBlocked ? 0 : COMMITTING_TURN_MS;
    if (this.hasMore) return 0;
    return this.core.isDirty ? Math.max(0, this.commitDueMs - performance.now()) : Number.POSITIVE_INFINITY;
  }

  /** Inputs of which no more should be read now. */
  isAhead(topic: string, maxBuffered: number): boolean {
    return this.core.isAhead(this.inputs.indexOf(topic), maxBuffered);
  }

  private places(inputs: readonly TopicPartition[]): TaskPlaces {
    const { topology, namespace } = this.options;
    const place = (topic: string): TopicPartition => ({ topic: topicName(namespace, topic), partition: this.partition });
    return {
      outputs: [...topology.outputs, ...topology.compactedOutputs].map(place), changelog: place(topology.changelog), deadLetters: topology.inputs.map(deadLetterTopic).map(place),
      groupId: this.group, inputs, stateOffsets: () => this.restored(new TaskCore(this.options)),
    };
  }

  partitions(): readonly TopicPartition[] {
    return this.inputs.map((topic) => ({ topic, partition: this.partition }));
  }

  /** Commits what has been taken, then closes. Rejects with the failure that prevented it. */
  async finish(): Promise<void> {
    if (this.isAlive && this.committing !== null) await this.committing;
    if (this.isAlive && this.core.isDirty) {
      this.guarded(() => this.beginCommit());
      await this.committing;
    }
    await this.close();
    if (this.failure !== null) throw this.failure;
  }

  /** Ends this life at once; what is not committed is left to the next one. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.writer.close();
  }

  private get isBlocked(): boolean {
    return this.committing !== null && this.core.bufferedOutputBytes > MAX_WAITING_BYTES;
  }

  private get isAlive(): boolean {
    return this.failure === null && !this.isClosed;
  }

  private isCommitDue(): boolean {
    if (this.sentRecords + this.core.bufferedOutputs >= MAX_TRANSACTION_RECORDS) return true;
    return performance.now() >= this.commitDueMs + (this.hasMore ? this.backlogMs : 0);
  }

  private sendAhead(): void {
    const outputs = this.core.takeOutputs();
    this.sentRecords += outputs.length;
    const sent = this.writer.send(outputs);
    sent.catch((error: unknown) => this.fail(error));
    this.sending.push(sent);
  }

  private beginCommit(): void {
    this.commitDueMs = performance.now() + this.options.commitIntervalMs;
    const unit = this.core.takeUnit();
    if (unit === null) return;
    const sending = this.sending;
    this.sending = [];
    this.sentRecords = 0;
    this.committing = this.commit(unit, sending)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.committing = null;
      });
  }

  private async commit(unit: CommitUnit, sending: readonly Promise<void>[]): Promise<void> {
    await Promise.all(sending);
    await this.writer.send([...unit.outputs, ...unit.changelog]);
    await this.writer.commit(this.group, unit.offsets);
    this.commits++;
  }

  /** Gives a core the state of the changelog, as far as that is decided; answers the offsets it belongs to, null without one. */
  private async restored(core: TaskCore): Promise<readonly number[] | null> {
    const { log, namespace, topology } = this.options;
    const live = new Map<string, Uint8Array>();
    const topic = topicName(namespace, topology.changelog);
    for await (const { records } of log.readRange({ topic, partition: this.partition, from: 'earliest', until: 'lastStable' })) {
      for (const { key, value } of records) {
        const name = Buffer.from(key as Uint8Array).toString('utf8');
        if (value === null) live.delete(name);
        // Copied: a view would keep the whole fetched block alive until the restore ends.
        else live.set(name, Buffer.from(value));
      }
    }
    const version = live.get(STATE_KEY);
    if (version !== undefined) core.restore(STATE_KEY, version);
    live.delete(STATE_KEY);
    for (const [key, value] of live) core.restore(key, value);
    return core.finishRestore();
  }

  /** State of an older version is made anew from the first record on. */
  private assertWhole(earliest: readonly TopicPartitionOffset[]): void {
    const cut = earliest.find(({ offset }) => offset > 0);
    if (cut === undefined) return;
    throw new StateVersionError(
      `the state of ${this.options.topology.role} is of an older version, and cannot be made anew: ${cut.topic}/${cut.partition} begins at offset ${cut.offset}`,
      'start the version that wrote the state, or begin anew under another --namespace',
    );
  }

  private guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.isClosed) return;
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }

  private stateMissing(): Error {
    return new StateLostError(
      `${this.group} has committed offsets for partition ${this.partition}, but ${this.options.topology.changelog} holds no state for it; delete the group's offsets to begin again at the first record`,
      { topic: this.options.topology.changelog, partition: this.partition },
    );
  }

  private stateElsewhere(input: number, committed: number, stored: number): Error {
    const topic = this.inputs[input] as string;
    return new StateLostError(
      `${this.group} stands at offset ${committed} of ${topic}/${this.partition}, its state only at ${stored}: somebody moved the offsets; set them back, or delete both offsets and changelog to begin again`,
      { topic, partition: this.partition },
    );
  }
}
