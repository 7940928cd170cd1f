import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { groupId, topicName, type Namespace } from '../config/namespace.js';
import { LogError, StateLostError } from '../kafka/errors.js';
import type { Assignment, FetchedPartition, GroupMember, Log, LogReader, SourceWriter, TopicPartition } from '../kafka/log.js';
import type { LifecycleLog, RoleOutcome } from '../runtime/role-runner.js';
import type { Settings } from '../runtime/task-state.js';
import type { Database } from './database.js';
import { deadLetterWriter } from './dead-letter-writer.js';
import { commitUnits, makeDurable, type CommitSummary, type TaskUnit } from './sink-commit.js';
import { requireMigrated } from './migrate.js';
import { claimPipelineSettings } from './pipeline-settings.js';
import { openSinkOffsets } from './sink-offsets.js';
import { retryLevel, retryPauseMs, sinkVerdict } from './sink-supervision.js';
import type { SinkCodec, SinkRole, SinkTask } from './sink.js';

export interface SinkOptions {
  readonly sink: SinkRole;
  readonly log: Log;
  readonly codec: SinkCodec;
  /** Opened by the caller for this sink, and closed by the caller after `finished`. */
  readonly database: Database;
  readonly namespace: Namespace;
  /** Options the rows depend on; a sink whose tables were made with others ends with a SettingsError. */
  readonly settings?: Settings;
  readonly commitIntervalMs: number;
  readonly sessionTimeoutMs?: number;
  readonly logger: LifecycleLog;
  /** Pause before the next attempt, by the number of failures since the last commit. */
  readonly pauseMs?: (attempts: number) => number;
}

/** What this process did since its start. */
export interface SinkProgress {
  /** Partitions owned now. */
  readonly partitions: readonly number[];
  readonly commits: number;
  /** Rows written or deleted. */
  readonly rows: number;
  readonly deadLetters: number;
  /** Records that wait: for a commit, or for a watermark. */
  readonly buffered: number;
}

interface Seat {
  readonly partition: number;
  task: SinkTask | null;
}

/** Records in memory over all inputs, about; a single input always gets a little. */
const BUFFERED_RECORDS = 60_000;
const MIN_BUFFERED_RECORDS = 200;
const MAX_BUFFERED_RECORDS = 8_000;
/** More than this waiting is committed before its time. */
const EARLY_COMMIT_RECORDS = 4_000;
const LONGEST_POLL_MS = 50;
const BUSY_POLL_MS = 5;

/**
 * One instance of a role that ends in tables: a group member, one reader, and a task for each partition it owns. The next
 * records are read and decoded while the database works; one commit at a time takes in all partitions. There is one way
 * out of every trouble: forget what is in memory, read the stored offsets, go on from there.
 */
export class SinkRunner {
  /** Resolves when the role has ended, for whatever reason; never rejects. */
  readonly finished: Promise<RoleOutcome>;
  private readonly options: SinkOptions;
  private readonly role: string;
  private readonly topics: readonly string[];
  private readonly reader: LogReader;
  private readonly deadLetters: SourceWriter;
  private readonly seats = new Map<number, Seat>();
  private readonly opened: { readonly seat: Seat; readonly task: SinkTask; readonly offsets: readonly number[] }[] = [];
  private readonly background = new Set<Promise<void>>();
  private readonly paused = new Map<string, TopicPartition>();
  private readonly stopping = new AbortController();
  private readonly totals = { commits: 0, rows: 0, deadLetters: 0 };
  private committing: Promise<void> | null = null;
  private commitDueMs = 0;
  /** Failures since the last commit. */
  private attempts = 0;
  private seenLosses = 0;
  private joins = 0;
  private member: GroupMember | null = null;
  private failure: Error | null = null;
  private settle: (outcome: RoleOutcome) => void = () => undefined;

  constructor(options: SinkOptions) {
    this.options = options;
    this.role = options.sink.role;
    this.seenLosses = options.database.lostConnections;
    this.topics = options.sink.inputs.map(({ topic }) => topicName(options.namespace, topic));
    this.reader = options.log.reader();
    this.deadLetters = options.log.sourceWriter();
    this.finished = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  start(): void {
    void this.run();
  }

  /** Commits what was read, leaves the group, and ends. Await `finished`. */
  stop(): void {
    this.stopping.abort();
  }

  progress(): SinkProgress {
    let buffered = 0;
    for (const { task } of this.seats.values()) if (task !== null) for (let input = 0; input < this.topics.length; input++) buffered += task.buffered(input);
    return { partitions: [...this.seats.keys()].sort((a, b) => a - b), ...this.totals, buffered };
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    this.keepInBackground(this.join());
    while (!this.isStopping) {
      try {
        this.seatOpened();
        for (const fetched of await this.reader.poll(this.pollMs())) await this.deliver(fetched);
      } catch (error) {
        this.readFailed(error);
      }
      this.recheckAfterLoss();
      if (this.committing === null && this.isCommitDue()) this.beginCommit();
      this.regulateReading();
      // A poll that always has something answers without ever letting sockets speak.
      await setImmediate();
    }
    await this.shutDown();
  }

  private async join(): Promise<void> {
    const { log, namespace, sessionTimeoutMs, database, settings } = this.options;
    try {
      await requireMigrated(database, database.schema);
      if (settings !== undefined) await claimPipelineSettings(database, settings);
      this.member = await log.join({
        groupId: groupId(namespace, this.role),
        topics: this.topics,
        onAssignment: (assignment) => this.assigned(assignment),
        onFailure: (error) => this.membershipFailed(error),
        ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
      });
      this.joins = 0;
    } catch (error) {
      this.membershipFailed(error);
    }
  }

  private assigned({ tasks, generation }: Assignment): void {
    if (this.isStopping) return;
    const lost = [...this.seats.keys()].filter((partition) => !tasks.includes(partition));
    const gained = tasks.filter((partition) => !this.seats.has(partition));
    this.options.logger.info({ role: this.role, generation, owned: tasks, gained, lost }, 'assignment');
    for (const partition of lost) this.unseat(partition);
    for (const partition of gained) {
      const seat: Seat = { partition, task: null };
      this.seats.set(partition, seat);
      this.open(seat, 0);
    }
  }

  private membershipFailed(error: unknown): void {
    for (const partition of [...this.seats.keys()]) this.unseat(partition);
    this.member = null;
    if (this.isStopping) return;
    if (sinkVerdict(error, this.joins) === 'fatal') {
      this.end(error);
      return;
    }
    const pauseMs = this.pauseMs(this.joins);
    this.options.logger[retryLevel(this.joins++)]({ role: this.role, error, pauseMs }, 'no member of the group, joining again');
    this.keepInBackground(this.later(pauseMs, () => this.join()));
  }

  private unseat(partition: number): void {
    const seat = this.seats.get(partition);
    if (seat === undefined) return;
    this.seats.delete(partition);
    this.forget(seat);
  }

  private forget(seat: Seat): void {
    seat.task = null;
    const places = this.places(seat);
    this.reader.revoke(places);
    for (const place of places) this.paused.delete(placeKey(place));
  }

  private places({ partition }: Seat): TopicPartition[] {
    return this.topics.map((topic) => ({ topic, partition }));
  }

  /** Reads the stored offsets and makes a task that begins there. */
  private open(seat: Seat, pauseMs: number): void {
    this.keepInBackground(
      this.later(pauseMs, async () => {
        if (this.seats.get(seat.partition) !== seat) return;
        try {
          const { sink, codec, log, database } = this.options;
          // Two that both think the partition theirs would take turns for ever; the group knows whose it is.
          if (this.attempts > 0 && (await this.member?.owns(seat.partition)) === false) {
            this.options.logger.info({ role: this.role, task: seat.partition }, 'task belongs to another member now');
            this.unseat(seat.partition);
            return;
          }
          const earliest = (await log.earliestOffsets(this.places(seat))).map(({ offset }) => offset);
          const stored = await openSinkOffsets(database, sink.inputs, seat.partition, earliest);
          stored.forEach(({ nextOffset }, input) => {
            if (nextOffset < (earliest[input] as number)) throw this.recordsGone(input, seat.partition, nextOffset, earliest[input] as number);
          });
          this.opened.push({ seat, task: sink.createTask(codec, stored), offsets: stored.map(({ nextOffset }) => nextOffset) });
        } catch (error) {
          this.failed([seat], error);
        }
      }),
    );
  }

  /** Only between two polls, so that no answer under way can belong to an earlier position. */
  private seatOpened(): void {
    for (const { seat, task, offsets } of this.opened.splice(0)) {
      if (this.seats.get(seat.partition) !== seat) continue;
      seat.task = task;
      const places = this.places(seat);
      this.reader.resume(places);
      this.reader.assign(places.map((place, input) => ({ ...place, offset: offsets[input] as number })));
      this.options.logger.info({ role: this.role, task: seat.partition, offsets }, 'task running');
    }
  }

  private async deliver(fetched: FetchedPartition): Promise<void> {
    await this.learn(fetched);
    this.seats.get(fetched.partition)?.task?.push(this.topics.indexOf(fetched.topic), fetched.records, fetched.nextOffset);
  }

  /** Asks for schemas seen for the first time; while the registry does not answer, the sink waits. */
  private async learn(fetched: FetchedPartition): Promise<void> {
    for (let attempt = 0; !this.isStopping; attempt++) {
      const learning = this.options.codec.learn(fetched.records.map(({ value }) => value));
      if (learning === null) return;
      try {
        await learning;
        return;
      } catch (error) {
        const pauseMs = this.pauseMs(attempt);
        this.options.logger[retryLevel(attempt)]({ role: this.role, topic: fetched.topic, error, pauseMs }, 'schema registry does not answer');
        await this.later(pauseMs, async () => undefined);
      }
    }
  }

  private dirty(): { readonly seat: Seat; readonly task: SinkTask }[] {
    return [...this.seats.values()].flatMap((seat) => (seat.task?.isDirty === true ? [{ seat, task: seat.task }] : []));
  }

  private isCommitDue(): boolean {
    const dirty = this.dirty();
    if (dirty.length === 0) return false;
    if (performance.now() >= this.commitDueMs) return true;
    let waiting = 0;
    for (const { task } of dirty) for (let input = 0; input < this.topics.length; input++) waiting += task.buffered(input);
    return waiting >= EARLY_COMMIT_RECORDS;
  }

  private beginCommit(): void {
    this.commitDueMs = performance.now() + this.options.commitIntervalMs;
    this.committing = this.commit().finally(() => {
      this.committing = null;
    });
  }

  /** Never rejects. */
  private async commit(): Promise<void> {
    const tasks = this.dirty();
    try {
      const units: TaskUnit[] = [];
      for (const { seat, task } of tasks) {
        const unit = await task.take(this.options.database);
        if (unit !== null) units.push({ partition: seat.partition, unit });
      }
      if (units.length === 0) return;
      const summary = await commitUnits(this.options.database, units, deadLetterWriter(this.deadLetters));
      for (const { task } of tasks) task.committed();
      this.count(summary);
    } catch (error) {
      this.failed(tasks.map(({ seat }) => seat), error);
    }
  }

  private count({ rows, failed }: CommitSummary): void {
    this.totals.commits++;
    this.totals.rows += rows;
    this.totals.deadLetters += failed;
    if (failed > 0) this.options.logger.warn({ role: this.role, records: failed }, 'records became dead letters');
    if (this.attempts > 0) this.options.logger.info({ role: this.role, attempts: this.attempts }, 'writing again');
    this.attempts = 0;
  }

  /** What these seats hold in memory is void. */
  private failed(seats: readonly Seat[], error: unknown): void {
    const verdict = sinkVerdict(error, this.attempts);
    if (verdict === 'fatal') {
      this.end(error);
      return;
    }
    const pauseMs = verdict === 'moved' && this.attempts === 0 ? 0 : this.pauseMs(this.attempts);
    const partitions = seats.map(({ partition }) => partition);
    this.options.logger[retryLevel(this.attempts++)]({ role: this.role, partitions, error, verdict, pauseMs }, 'going back to the stored offsets');
    for (const seat of seats) {
      if (this.seats.get(seat.partition) !== seat) continue;
      this.forget(seat);
      this.open(seat, pauseMs);
    }
  }

  /**
   * A server that crashed, or was replaced, may have forgotten the last commits. Whoever has more to write finds out by
   * comparing offsets; one that waits for the next record would not, so it looks.
   */
  private recheckAfterLoss(): void {
    const { lostConnections } = this.options.database;
    if (lostConnections === this.seenLosses) return;
    this.seenLosses = lostConnections;
    const seats = [...this.seats.values()].filter(({ task }) => task !== null);
    this.options.logger.info({ role: this.role, partitions: seats.map(({ partition }) => partition) }, 'connection lost, reading the stored offsets again');
    for (const seat of seats) {
      this.forget(seat);
      this.open(seat, 0);
    }
  }

  private readFailed(error: unknown): void {
    const seat = error instanceof LogError && error.partition !== null ? this.seats.get(error.partition) : undefined;
    if (seat !== undefined) this.failed([seat], error);
    else if (sinkVerdict(error, 0) === 'fatal') this.end(error);
    else this.options.logger.warn({ role: this.role, error }, 'reading failed');
  }

  private pollMs(): number {
    const isWaiting = this.dirty().length > 0;
    if (this.committing !== null) return isWaiting ? BUSY_POLL_MS : LONGEST_POLL_MS;
    if (isWaiting) return Math.min(LONGEST_POLL_MS, Math.max(0, this.commitDueMs - performance.now()));
    for (const { task } of this.seats.values()) if (task === null) return BUSY_POLL_MS;
    return LONGEST_POLL_MS;
  }

  private regulateReading(): void {
    const share = BUFFERED_RECORDS / Math.max(1, this.seats.size * this.topics.length);
    const limit = Math.min(MAX_BUFFERED_RECORDS, Math.max(MIN_BUFFERED_RECORDS, share));
    for (const seat of this.seats.values()) {
      const { task } = seat;
      if (task === null) continue;
      this.places(seat).forEach((place, input) => {
        const isAhead = task.buffered(input) >= limit && !task.isAwaited(input);
        if (isAhead === this.paused.has(placeKey(place))) return;
        if (isAhead) {
          this.paused.set(placeKey(place), place);
          this.reader.pause([place]);
        } else {
          this.paused.delete(placeKey(place));
          this.reader.resume([place]);
        }
      });
    }
  }

  private end(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.options.logger.error({ role: this.role, error: this.failure }, 'role ends');
    this.stopping.abort();
  }

  private async shutDown(): Promise<void> {
    await this.committing;
    if (this.failure === null) await this.commit();
    this.seats.clear();
    await Promise.allSettled([...this.background]);
    if (this.failure === null && this.totals.commits > 0) {
      await makeDurable(this.options.database).catch((error: unknown) => this.options.logger.warn({ role: this.role, error }, 'the database did not say that all is on disk'));
    }
    await this.member?.leave().catch((error: unknown) => this.options.logger.warn({ role: this.role, error }, 'leaving the group failed'));
    await this.reader.close().catch(() => undefined);
    await this.deadLetters.close().catch(() => undefined);
    this.options.logger.info({ role: this.role, ...this.totals }, 'role stopped');
    this.settle(this.failure === null ? { kind: 'stopped' } : { kind: 'failed', error: this.failure });
  }

  private keepInBackground(work: Promise<void>): void {
    const kept = work
      .catch((error: unknown) => this.end(error))
      .finally(() => {
        this.background.delete(kept);
      });
    this.background.add(kept);
  }

  private async later(pauseMs: number, work: () => Promise<void>): Promise<void> {
    if (pauseMs > 0) await pause(pauseMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    if (!this.isStopping) await work();
  }

  private pauseMs(attempts: number): number {
    return (this.options.pauseMs ?? retryPauseMs)(attempts);
  }

  private recordsGone(input: number, partition: number, stored: number, earliest: number): Error {
    const { sink } = this.options;
    const topic = this.topics[input] as string;
    return new StateLostError(
      `table ${sink.inputs[input]?.sink} stands at offset ${stored} of ${topic}/${partition}, whose first record is ${earliest}: records in between are gone; rebuild the tables`,
      { topic, partition },
    );
  }
}

function placeKey({ topic, partition }: TopicPartition): string {
  return `${topic}|${partition}`;
}
