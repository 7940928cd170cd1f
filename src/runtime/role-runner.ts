import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { groupId, topicName, type Namespace } from '../config/namespace.js';
import { LogError } from '../kafka/errors.js';
import type { Assignment, FetchedPartition, GroupMember, Log, LogReader } from '../kafka/log.js';
import { BackPressure } from './back-pressure.js';
import { learnSchemas, type LearningCodec } from './learning.js';
import type { Topology } from './processor.js';
import { restartPauseMs, verdictOf } from './supervision.js';
import { ProcessorError } from './task-core.js';
import type { Settings } from './task-state.js';
import { Task } from './task.js';

/** One line a life-cycle step; pino's shape. */
export interface LifecycleLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RoleOptions {
  readonly topology: Topology;
  readonly log: Log;
  readonly codec: LearningCodec;
  readonly namespace: Namespace;
  readonly settings: Settings;
  readonly commitIntervalMs: number;
  readonly sessionTimeoutMs?: number;
  readonly logger: LifecycleLog;
  /** Records of one input partition held in memory before it is paused; by default a share of a total. */
  readonly maxBufferedRecords?: number;
  /** Pause before a task's next life, by the number of lives since its last commit. */
  readonly pauseMs?: (lives: number) => number;
}

/** How a role ended: told to, or for a reason that starting it again does not mend. */
export type RoleOutcome = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly error: Error };

/** What is left of a task between two lives. */
interface Seat {
  readonly partition: number;
  /** Records that broke the processor in this process; a new process finds them again by itself. */
  readonly poison: Map<string, Error>;
  task: Task | null;
  /** Lives since the last commit. */
  lives: number;
}

/** Turns go on for about so long before sockets speak again. */
const TURNS_MS = 20;
const LONGEST_POLL_MS = 50;
const STARTING_POLL_MS = 5;

/**
 * One instance of a role: a group member, one reader, and a task for each partition it owns. One loop does everything
 * that touches tasks and reader; membership only changes which seats there are.
 */
export class RoleRunner {
  /** Resolves when the role has ended, for whatever reason; never rejects. */
  readonly finished: Promise<RoleOutcome>;
  private readonly options: RoleOptions;
  private readonly role: string;
  private readonly inputs: readonly string[];
  private readonly reader: LogReader;
  private readonly backPressure: BackPressure;
  private readonly restartPauseMs: (lives: number) => number;
  private readonly seats = new Map<number, Seat>();
  /** Lives that finished their restore, waiting for the loop to begin reading for them. */
  private readonly started: { readonly seat: Seat; readonly task: Task; readonly offsets: Awaited<ReturnType<Task['start']>> }[] = [];
  private readonly background = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private member: GroupMember | null = null;
  private joins = 0;
  /** Polls that failed in a row. */
  private readFailures = 0;
  private failure: Error | null = null;
  private settle: (outcome: RoleOutcome) => void = () => undefined;

  constructor(options: RoleOptions) {
    this.options = options;
    this.role = options.topology.role;
    this.inputs = options.topology.inputs.map((topic) => topicName(options.namespace, topic));
    this.restartPauseMs = options.pauseMs ?? restartPauseMs;
    this.reader = options.log.reader();
    this.backPressure = new BackPressure(this.reader, options.maxBufferedRecords ?? null);
    this.finished = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Joins the group and begins to work. */
  start(): void {
    void this.run();
  }

  /** Commits what was taken, leaves the group, and ends. Await `finished`. */
  stop(): void {
    this.stopping.abort();
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    this.keepInBackground(this.join());
    while (!this.isStopping) {
      try {
        this.seatStarted();
        await this.deliver(await this.reader.poll(this.pollMs()));
        this.readFailures = 0;
      } catch (error) {
        await this.readFailed(error);
      }
      await this.takeTurns();
      this.backPressure.regulate(this.tasks());
      // A poll that always has something answers without ever letting sockets speak.
      await setImmediate();
    }
    await this.shutDown();
  }

  private async join(): Promise<void> {
    const { log, namespace, sessionTimeoutMs } = this.options;
    try {
      this.member = await log.join({
        groupId: groupId(namespace, this.role),
        topics: this.inputs,
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
    const owned = new Set(tasks);
    const lost = [...this.seats.keys()].filter((partition) => !owned.has(partition));
    const gained = tasks.filter((partition) => !this.seats.has(partition));
    this.options.logger.info({ role: this.role, generation, owned: tasks, gained, lost }, 'assignment');
    for (const partition of lost) this.unseat(partition);
    for (const partition of gained) {
      const seat: Seat = { partition, poison: new Map(), task: null, lives: 0 };
      this.seats.set(partition, seat);
      this.startLife(seat, 0);
    }
  }

  private membershipFailed(error: unknown): void {
    for (const partition of [...this.seats.keys()]) this.unseat(partition);
    this.member = null;
    if (this.isStopping) return;
    if (verdictOf(error, this.joins) === 'fatal') {
      this.end(error);
      return;
    }
    const pauseMs = this.restartPauseMs(this.joins++);
    this.options.logger.warn({ role: this.role, error, pauseMs }, 'group membership lost, joining again');
    this.keepInBackground(this.later(pauseMs, () => this.join()));
  }

  private unseat(partition: number): void {
    const seat = this.seats.get(partition);
    if (seat === undefined) return;
    this.seats.delete(partition);
    this.endLife(seat);
  }

  private endLife(seat: Seat): void {
    const { task } = seat;
    seat.task = null;
    if (task === null) return;
    this.reader.revoke(task.partitions());
    this.backPressure.forget(task.partitions());
    this.keepInBackground(task.close());
  }

  private startLife(seat: Seat, pauseMs: number): void {
    this.keepInBackground(
      this.later(pauseMs, async () => {
        if (this.seats.get(seat.partition) !== seat) return;
        const { topology, log, codec, namespace, settings, commitIntervalMs } = this.options;
        seat.lives++;
        const task = new Task({ topology, log, codec, namespace, settings, commitIntervalMs, partition: seat.partition, poison: seat.poison });
        try {
          // A member that was asleep or cut off would otherwise fence the rightful new owner of its former task.
          if (seat.lives > 1 && (await this.member?.owns(seat.partition)) === false) {
            this.options.logger.info({ role: this.role, task: seat.partition }, 'task belongs to another member now');
            this.unseat(seat.partition);
            return;
          }
          const offsets = await task.start();
          this.started.push({ seat, task, offsets });
        } catch (error) {
          await task.close();
          this.lifeFailed(seat, error);
        }
      }),
    );
  }

  /** Only between two polls, so that no answer under way can belong to an earlier position. */
  private seatStarted(): void {
    for (const { seat, task, offsets } of this.started.splice(0)) {
      if (this.seats.get(seat.partition) !== seat) {
        this.keepInBackground(task.close());
        continue;
      }
      seat.task = task;
      this.reader.resume(task.partitions());
      this.reader.assign(offsets);
      if (task.offsetsSetRight.length > 0) {
        this.options.logger.warn({ role: this.role, task: seat.partition, shown: task.offsetsSetRight }, 'the group showed older offsets than the state was committed with; they are set right');
      }
      this.options.logger.info({ role: this.role, task: seat.partition, life: seat.lives, offsets: offsets.map(({ offset }) => offset) }, 'task running');
    }
  }

  private async deliver(fetched: readonly FetchedPartition[]): Promise<void> {
    for (const part of fetched) {
      await learnSchemas(this.options.codec, part.records, {
        onFailure: (error, attempt) => this.options.logger.warn({ role: this.role, topic: part.topic, error, attempt }, 'schema registry does not answer'),
        pause: (attempt) => this.later(this.restartPauseMs(attempt), async () => undefined),
        isStopping: () => this.isStopping,
      });
      this.seats.get(part.partition)?.task?.deliver(part);
    }
  }

  private tasks(): readonly Task[] {
    return [...this.seats.values()].flatMap(({ task }) => (task === null ? [] : [task]));
  }

  private async takeTurns(): Promise<void> {
    let startedMs = performance.now();
    for (const seat of [...this.seats.values()]) {
      if (performance.now() - startedMs > TURNS_MS) {
        await setImmediate();
        startedMs = performance.now();
      }
      seat.task?.turn();
      if ((seat.task?.commitCount ?? 0) > 0) seat.lives = 1;
      const error = seat.task?.error;
      if (error !== null && error !== undefined) {
        this.endLife(seat);
        this.lifeFailed(seat, error);
      }
    }
  }

  private pollMs(): number {
    let waitMs = LONGEST_POLL_MS;
    for (const { task } of this.seats.values()) waitMs = Math.min(waitMs, task === null ? STARTING_POLL_MS : task.waitMs);
    return waitMs;
  }

  private async readFailed(error: unknown): Promise<void> {
    const seat = error instanceof LogError && error.partition !== null ? this.seats.get(error.partition) : undefined;
    if (seat !== undefined && seat.task !== null) {
      this.endLife(seat);
      this.lifeFailed(seat, error);
    } else if (verdictOf(error, this.readFailures) === 'fatal') this.end(error);
    else {
      const pauseMs = this.restartPauseMs(this.readFailures++);
      this.options.logger.warn({ role: this.role, error, pauseMs }, 'reading failed, trying again');
      await this.later(pauseMs, async () => undefined);
    }
  }

  private lifeFailed(seat: Seat, error: unknown): void {
    if (this.isStopping || this.seats.get(seat.partition) !== seat) return;
    const verdict = verdictOf(error, seat.lives);
    const fields = { role: this.role, task: seat.partition, error, verdict };
    if (verdict === 'fatal') {
      this.end(error);
      return;
    }
    let pauseMs = this.restartPauseMs(seat.lives - 1);
    if (verdict === 'poison' && error instanceof ProcessorError) {
      seat.poison.set(error.recordId as string, error.cause instanceof Error ? error.cause : error);
      pauseMs = 0;
    }
    this.options.logger.warn({ ...fields, pauseMs }, 'task starts again');
    this.startLife(seat, pauseMs);
  }

  private end(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.options.logger.error({ role: this.role, error: this.failure }, 'role ends');
    this.stopping.abort();
  }

  private async shutDown(): Promise<void> {
    const tasks = [...this.tasks()];
    this.seats.clear();
    for (const { task } of this.started.splice(0)) tasks.push(task);
    const results = await Promise.allSettled(tasks.map((task) => (this.failure === null ? task.finish() : task.close())));
    for (const result of results) {
      // Nothing is lost: what could not be committed is done again by whoever has the task next.
      if (result.status === 'rejected') this.options.logger.warn({ role: this.role, error: result.reason as unknown }, 'last commit failed');
    }
    await Promise.allSettled([...this.background]);
    await this.member?.leave().catch((error: unknown) => this.options.logger.warn({ role: this.role, error }, 'leaving the group failed'));
    await this.reader.close().catch(() => undefined);
    this.options.logger.info({ role: this.role, tasks: tasks.length }, 'role stopped');
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
}
