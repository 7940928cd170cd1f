import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { groupId, topicName, type Namespace } from '../config/namespace.js';
import { LogError } from '../kafka/errors.js';
import type { Assignment, FetchedPartition, GroupMember, Log, LogReader, SourceWriter } from '../kafka/log.js';
import { backlogPauseMs } from '../runtime/backlog.js';
import type { LifecycleLog, RoleOutcome } from '../runtime/role-runner.js';
import type { Settings } from '../runtime/task-state.js';
import { Background } from './background.js';
import type { Database } from './database.js';
import { deadLetterWriter } from './dead-letter-writer.js';
import { requireMigrated } from './migrate.js';
import { claimPipelineSettings } from './pipeline-settings.js';
import { commitUnits, makeDurable, type CommitSummary, type TaskUnit } from './sink-commit.js';
import { readSinkOffsets } from './sink-offsets.js';
import { SinkSeats, type Seat } from './sink-seats.js';
import { retryLevel, retryPauseMs, sinkVerdict } from './sink-supervision.js';
import type { SinkCodec, SinkRole } from './sink.js';

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
  /** After so long without a commit the stored offsets are looked at: a swap of tables may have moved them. Default 5 s. */
  readonly idleCheckMs?: number;
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

/** More than this waiting is committed before its time. */
const EARLY_COMMIT_RECORDS = 20_000;
/** When this much has come within one interval there is a backlog: the more a commit takes in, the fewer rows are written twice. */
const BACKLOG_RECORDS = 2_000;
const IDLE_CHECK_MS = 5_000;
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
  private readonly stopping = new AbortController();
  private readonly background = new Background(this.stopping.signal, (error) => this.end(error));
  private readonly seats: SinkSeats;
  private readonly totals = { commits: 0, rows: 0, deadLetters: 0 };
  private committing: Promise<void> | null = null;
  private commitDueMs = 0;
  private checking: Promise<void> | null = null;
  private checkDueMs = 0;
  /** Where this process left the stored offsets, by sink, topic and partition. */
  private readonly left = new Map<string, number>();
  /** Failures since the last commit. */
  private attempts = 0;
  private seenLosses: number;
  private joins = 0;
  private member: GroupMember | null = null;
  private failure: Error | null = null;
  private settle: (outcome: RoleOutcome) => void = () => undefined;

  constructor(options: SinkOptions) {
    const { sink, log, namespace, database } = options;
    this.options = options;
    this.role = sink.role;
    this.topics = sink.inputs.map(({ topic }) => topicName(namespace, topic));
    this.reader = log.reader();
    this.deadLetters = log.sourceWriter();
    this.seats = new SinkSeats({ ...options, topics: this.topics, reader: this.reader });
    this.seenLosses = database.lostConnections;
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
    return { partitions: this.seats.partitions(), ...this.totals, buffered: this.seats.buffered() };
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    this.background.run(() => this.join());
    while (!this.isStopping) {
      try {
        this.seats.seatOpened((task, offsets) => {
          this.options.logger.info({ role: this.role, task, offsets }, 'task running');
          this.options.sink.inputs.forEach(({ sink, topic }, input) => this.left.set(offsetKey(sink, topic, task), offsets[input] as number));
        });
        for (const fetched of await this.reader.poll(this.pollMs())) {
          if (await this.learn(fetched)) this.seats.push(fetched);
        }
      } catch (error) {
        this.readFailed(error);
      }
      this.recheckAfterLoss();
      if (this.committing === null && this.checking === null && this.isCommitDue()) this.beginCommit();
      if (this.committing === null && this.checking === null && performance.now() >= this.checkDueMs) this.beginIdleCheck();
      this.seats.regulateReading();
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
    const lost = this.seats.partitions().filter((partition) => !tasks.includes(partition));
    const gained = tasks.filter((partition) => this.seats.seatOf(partition) === undefined);
    this.options.logger.info({ role: this.role, generation, owned: tasks, gained, lost }, 'assignment');
    for (const partition of lost) this.seats.remove(partition);
    for (const partition of gained) this.open(this.seats.add(partition), 0);
  }

  private membershipFailed(error: unknown): void {
    this.seats.clear();
    this.member = null;
    if (this.isStopping) return;
    if (sinkVerdict(error, this.joins) === 'fatal') {
      this.end(error);
      return;
    }
    const pauseMs = this.pauseMs(this.joins);
    this.options.logger[retryLevel(this.joins++)]({ role: this.role, error, pauseMs }, 'no member of the group, joining again');
    this.background.run(() => this.join(), pauseMs);
  }

  private open(seat: Seat, delayMs: number): void {
    this.background.run(async () => {
      if (!this.seats.isTaken(seat)) return;
      try {
        // Two that both think the partition theirs would take turns for ever; the group knows whose it is.
        if (this.attempts > 0 && (await this.member?.owns(seat.partition)) === false) {
          this.options.logger.info({ role: this.role, task: seat.partition }, 'task belongs to another member now');
          this.seats.remove(seat.partition);
        } else await this.seats.open(seat);
      } catch (error) {
        this.failed([seat], error);
      }
    }, delayMs);
  }

  /** Asks for schemas seen for the first time; while the registry does not answer, the sink waits. False: it was stopped meanwhile. */
  private async learn({ topic, records }: FetchedPartition): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.options.codec.learn(records.map(({ value }) => value));
        return true;
      } catch (error) {
        const pauseMs = this.pauseMs(attempt);
        this.options.logger[retryLevel(attempt)]({ role: this.role, topic, error, pauseMs }, 'schema registry does not answer');
        await this.background.after(pauseMs);
        // Records whose schema could not be asked for must not be taken for unreadable.
        if (this.isStopping) return false;
      }
    }
  }

  private isCommitDue(): boolean {
    if (this.seats.dirty().length === 0) return false;
    const buffered = this.seats.buffered();
    if (buffered >= EARLY_COMMIT_RECORDS) return true;
    const pauseMs = buffered >= BACKLOG_RECORDS && !this.seats.isReadingPaused ? backlogPauseMs(this.options.commitIntervalMs) : 0;
    return performance.now() >= this.commitDueMs + pauseMs;
  }

  private beginCommit(): void {
    this.commitDueMs = performance.now() + this.options.commitIntervalMs;
    this.postponeIdleCheck();
    this.committing = this.commit().finally(() => {
      this.committing = null;
    });
  }

  private postponeIdleCheck(): void {
    this.checkDueMs = performance.now() + (this.options.idleCheckMs ?? IDLE_CHECK_MS);
  }

  /** Whoever has rows to write finds out by comparing offsets that they were moved; one that waits for a record would not. */
  private beginIdleCheck(): void {
    this.postponeIdleCheck();
    const seats = this.seats.working();
    if (seats.length === 0) return;
    const check = async (): Promise<void> => {
      const stored = await readSinkOffsets(this.options.database, this.options.sink.inputs);
      const moved = new Set(stored.filter(({ sink, topic, partition, nextOffset }) => this.left.get(offsetKey(sink, topic, partition)) !== nextOffset).map(({ partition }) => partition));
      const concerned = seats.filter(({ partition }) => moved.has(partition));
      if (concerned.length === 0) return;
      this.options.logger.info({ role: this.role, partitions: concerned.map(({ partition }) => partition) }, 'the stored offsets were moved, going on from there');
      this.reopen(concerned, 0);
    };
    // A database that does not answer is found by whoever writes next.
    this.checking = check().catch(() => undefined).finally(() => {
      this.checking = null;
    });
  }

  /** Never rejects. */
  private async commit(): Promise<void> {
    const tasks = this.seats.dirty();
    try {
      const units: TaskUnit[] = [];
      for (const { seat, task } of tasks) {
        const unit = await task.take(this.options.database);
        if (unit !== null) units.push({ partition: seat.partition, unit });
      }
      if (units.length === 0) return;
      const summary = await commitUnits(this.options.database, units, deadLetterWriter(this.deadLetters));
      for (const { task } of tasks) task.committed();
      for (const { partition, unit } of units) for (const { sink, topic, to } of unit.moves) this.left.set(offsetKey(sink, topic, partition), to);
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
    this.reopen(seats, pauseMs);
  }

  /**
   * A server that crashed, or was replaced, may have forgotten the last commits. Whoever has more to write finds out by
   * comparing offsets; one that waits for the next record would not, so it looks.
   */
  private recheckAfterLoss(): void {
    const { lostConnections } = this.options.database;
    if (lostConnections === this.seenLosses) return;
    this.seenLosses = lostConnections;
    const seats = this.seats.working();
    this.options.logger.info({ role: this.role, partitions: seats.map(({ partition }) => partition) }, 'connection lost, reading the stored offsets again');
    this.reopen(seats, 0);
  }

  private reopen(seats: readonly Seat[], delayMs: number): void {
    for (const seat of seats) {
      if (!this.seats.isTaken(seat)) continue;
      this.seats.forget(seat);
      this.open(seat, delayMs);
    }
  }

  private readFailed(error: unknown): void {
    const seat = error instanceof LogError && error.partition !== null ? this.seats.seatOf(error.partition) : undefined;
    if (seat !== undefined) this.failed([seat], error);
    else if (sinkVerdict(error, 0) === 'fatal') this.end(error);
    else this.options.logger.warn({ role: this.role, error }, 'reading failed');
  }

  private pollMs(): number {
    const isWaiting = this.seats.dirty().length > 0;
    if (this.committing !== null) return isWaiting ? BUSY_POLL_MS : LONGEST_POLL_MS;
    if (isWaiting) return Math.min(LONGEST_POLL_MS, Math.max(BUSY_POLL_MS, this.commitDueMs - performance.now()));
    return this.seats.isOpening ? BUSY_POLL_MS : LONGEST_POLL_MS;
  }

  private end(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.options.logger.error({ role: this.role, error: this.failure }, 'role ends');
    this.stopping.abort();
  }

  private async shutDown(): Promise<void> {
    const { database, logger } = this.options;
    const warn = (message: string) => (error: unknown) => logger.warn({ role: this.role, error }, message);
    await this.committing;
    await this.checking;
    if (this.failure === null) await this.commit();
    await this.background.ended();
    if (this.failure === null && this.totals.commits > 0) await makeDurable(database).catch(warn('the database did not say that all is on disk'));
    await this.member?.leave().catch(warn('leaving the group failed'));
    await this.reader.close().catch(() => undefined);
    await this.deadLetters.close().catch(() => undefined);
    logger.info({ role: this.role, ...this.totals }, 'role stopped');
    this.settle(this.failure === null ? { kind: 'stopped' } : { kind: 'failed', error: this.failure });
  }

  private pauseMs(attempts: number): number {
    return (this.options.pauseMs ?? retryPauseMs)(attempts);
  }
}

function offsetKey(sink: string, topic: string, partition: number): string {
  return `${sink}|${topic}|${partition}`;
}
