import type { RecordName, RecordTypes } from '../../domain/records.js';
import type { SourceWriter as LogAppender } from '../../kafka/log.js';
import { LogWriter } from '../log-writer.js';
import type { PartitionTail } from '../watermarks.js';
import { AccountBooks, type BookNote } from './account-books.js';
import { AccountSession, type SessionLog } from './account-session.js';
import { Backlog } from './backlog.js';
import type { ExchangeClock } from './exchange-clock.js';
import type { ExchangeTarget } from './exchange-target.js';
import type { HistoryCategory } from './history.js';
import { isHeld } from './hold.js';
import { knownUntil } from './known-times.js';
import { LiveGateway } from './live-gateway.js';
import { localMs } from './local-clock.js';
import type { OpenAccount } from './open-account.js';
import { PersistentAppender } from './persistent-appender.js';
import { SeenRows } from './seen-rows.js';
import { Spool, SpoolFullError } from './spool.js';

const TICK_MS = 50;
/** A tick that is so late may be ahead of frames that wait in the socket: they go first. */
const LATE_TICK_MS = 250;
/** A process that stood still for so long may have missed what the exchange sent. */
const ASLEEP_MS = 10_000;
/** Arrivals wait in memory so long, and so much of them, before they go to disk. */
const MEMORY_MS = 1_000;
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Flushes under way before ticks wait. */
const MOST_FLUSHES = 4;
const STOP_WITHIN_MS = 5_000;

export interface LiveRunOptions {
  readonly accounts: readonly OpenAccount[];
  readonly target: ExchangeTarget;
  readonly categories: readonly HistoryCategory[];
  readonly clock: ExchangeClock;
  readonly connections: number;
  readonly appender: LogAppender;
  readonly encode: <N extends RecordName>(type: N, value: RecordTypes[N]) => Uint8Array;
  readonly nameOf: (topic: string) => string;
  readonly partitions: number;
  readonly partitionOf: (asset: string) => number;
  /** What the source topics hold, by topic, then partition. */
  readonly tails: readonly (readonly PartitionTail[])[];
  /** What earlier gateways wrote of their accounts; null if none did. */
  readonly known: ReadonlyMap<string, number> | null;
  readonly skewAllowanceMs: number;
  readonly joinWindowMs: number;
  readonly lookbackMs: number;
  readonly overlapMs: number;
  readonly settleMs: number;
  readonly sweepEveryMs: number;
  readonly spoolFolder: string;
  readonly spoolLimitBytes: number;
  readonly log: SessionLog;
}

export type LiveOutcome = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly error: Error };

/** The running gateway: sessions push lines into the backlog, one loop takes them to the log, ticks let time go on. */
export class LiveRun {
  /** Never rejects. */
  readonly finished: Promise<LiveOutcome>;
  readonly gateway: LiveGateway;
  readonly sessions: readonly AccountSession[];
  readonly #options: LiveRunOptions;
  readonly #stopping = new AbortController();
  /** Ends what still waits for the log. */
  readonly #givingUp = new AbortController();
  readonly #backlog: Backlog;
  readonly #spool: Spool;
  readonly #writer: LogWriter;
  readonly #carried: ReadonlyMap<string, number>;
  #flushes = 0;
  #tickedMs = localMs();
  #roomWaits: (() => void)[] = [];
  #fail: (error: Error) => void = () => undefined;

  constructor(options: LiveRunOptions) {
    this.#options = options;
    const { clock, log, appender, tails, partitions } = options;
    this.#carried = options.known ?? new Map();
    this.#spool = new Spool({ folder: options.spoolFolder, limitBytes: options.spoolLimitBytes, onFailure: (error) => this.#spoolFailed(error) });
    if (this.#spool.inheritedLines > 0) log.info({ lines: this.#spool.inheritedLines }, 'the spool of an earlier run is sent first');
    this.#backlog = new Backlog({
      spool: this.#spool, memoryMs: MEMORY_MS, memoryBytes: MEMORY_BYTES,
      onSpooling: (isSpooling) => {
        if (isSpooling) log.warn({}, 'the log takes nothing: arrivals go to disk');
        else log.info({}, 'the spool is sent');
        if (!isSpooling) this.#tellRoom();
      },
    });
    // What comes while one batch is under way goes together in the next: it waits for one answer of the broker, never for several.
    this.#writer = new LogWriter({
      appender: new PersistentAppender(appender, this.#givingUp.signal, (attempt, why) => {
        if ((attempt & (attempt - 1)) === 0) log.warn({ attempt, why }, 'the log takes nothing; sent again whole');
      }),
      encode: options.encode, nameOf: options.nameOf, mostUnderWay: 1,
    });
    const nowMs = clock.at(localMs());
    const highestMs = tails.flat().reduce<number | null>((highest, { highestWatermarkMs }) => (highestWatermarkMs === null ? highest : Math.max(highest ?? highestWatermarkMs, highestWatermarkMs)), null);
    const books = new Map(options.accounts.map(({ account }) => [account, { seen: new SeenRows(), books: new AccountBooks() }]));
    this.sessions = options.accounts.map(({ account, credentials, history, rest, categories, hasSettlements }) => {
      const known = books.get(account)!;
      return new AccountSession({
        ...options, ...known, account, credentials, history, categories, hasSettlements, learnTime: () => rest.learnTime(),
        knownUntilMs: knownUntil(account, options.known, highestMs, nowMs - options.lookbackMs),
        push: (line) => this.#backlog.push(line), caughtUp: () => unlessAborted(this.#backlog.caughtUp(), this.#stopping.signal), hasRoom: () => this.#hasRoom(), signal: this.#stopping.signal,
      });
    });
    const reachedMs = Array.from({ length: partitions }, (_, partition) => {
      const values = tails.map((topic) => topic[partition]?.highestWatermarkMs ?? null);
      return values.some((value) => value === null) ? null : Math.max(...(values as number[]));
    });
    this.gateway = new LiveGateway(
      {
        ...options, reachedMs, knownTimes: () => this.#knownTimes(),
        onRecord: (record) => {
          const known = books.get(record.value.account);
          if (known === undefined) return;
          known.seen.add(record);
          for (const note of known.books.take(record)) this.#tell(record.value.account, note);
        },
      },
      this.#writer,
    );
    this.finished = new Promise((resolve) => {
      this.#fail = (error) => {
        resolve({ kind: 'failed', error });
        this.stop();
      };
      void this.#run().then(() => resolve({ kind: 'stopped' }), (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    });
  }

  /** Closes connections, brings what was received to the log, or at least to disk. Await `finished`. */
  stop(): void {
    this.#stopping.abort();
    this.#tellRoom();
  }

  async #run(): Promise<void> {
    const earliestMs = Math.min(...this.sessions.map(({ state }) => state.gap?.fromMs ?? Infinity)) - this.#options.overlapMs;
    this.gateway.begin(earliestMs);
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    const sessions = this.sessions.map((session) => session.run());
    for (const session of sessions) session.catch((error: unknown) => this.#fail(error as Error));
    const pump = this.#pump();
    pump.catch((error: unknown) => this.#fail(error as Error));
    try {
      await Promise.all([...sessions, pump]);
    } finally {
      clearInterval(ticking);
      await this.#settle();
      this.#givingUp.abort();
      this.#backlog.close();
    }
  }

  async #pump(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const lines = await this.#backlog.take(signal);
      if (signal.aborted && lines.length === 0) return;
      const held = this.#isHeld();
      for (const line of lines) this.gateway.accept(line, held);
      this.#backlog.handled(lines.length);
      const flushed = this.#flush();
      // A log that takes nothing must not keep the process from stopping.
      await unlessAborted(this.#backlog.isSpooling ? flushed : this.#writer.drain(), signal);
      if (signal.aborted) return;
      if (!this.#backlog.isSpooling) continue;
      this.#spool.release();
      this.#tellRoom();
    }
  }

  #flush(): Promise<void> {
    const through = this.#backlog.handledCount;
    this.#flushes++;
    const flushed = this.#writer.flush().then(() => {
      this.#flushes--;
      this.#backlog.acknowledged(through);
      // Where all of the spool was under way already, nobody reads it again.
      if (!this.#backlog.isSpooling) this.#spool.release();
    });
    flushed.catch((error: unknown) => {
      if (!this.#givingUp.signal.aborted) this.#fail(error as Error);
    });
    return flushed;
  }

  #tick(): void {
    const nowMs = localMs();
    const sinceMs = nowMs - this.#tickedMs;
    const beforeMs = this.#tickedMs;
    this.#tickedMs = nowMs;
    if (sinceMs > ASLEEP_MS) for (const session of this.sessions) session.break(beforeMs, `this process stood still for ${Math.round(sinceMs / 1_000)} s`);
    if (sinceMs > LATE_TICK_MS || this.#stopping.signal.aborted || !this.#backlog.isEmpty || this.#flushes >= MOST_FLUSHES || this.#isHeld()) return;
    const before = this.gateway.counts.watermarks;
    this.gateway.tick(this.#options.clock.at(nowMs));
    if (this.gateway.counts.watermarks > before) void this.#flush();
  }

  #isHeld(): boolean {
    return isHeld(this.sessions.map(({ state }) => ({ gap: state.gap, isConnected: state.isConnected })), this.#options.clock.at(localMs()));
  }

  #knownTimes(): ReadonlyMap<string, number> {
    const times = new Map(this.#carried);
    for (const { account, state } of this.sessions) times.set(account, state.knownUntilMs());
    return times;
  }

  /** Room is there while the disk has taken less than the limit's half, or nothing. */
  async #hasRoom(): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#backlog.isSpooling && this.#spool.bytes > this.#options.spoolLimitBytes / 2) {
      await new Promise<void>((resolve) => this.#roomWaits.push(resolve));
    }
  }

  #tellRoom(): void {
    for (const resolve of this.#roomWaits.splice(0)) resolve();
  }

  #spoolFailed(error: Error): void {
    if (!(error instanceof SpoolFullError)) {
      this.#fail(error);
      return;
    }
    for (const session of this.sessions) session.closeFor(error.message);
  }

  /** What is under way gets a little time; the rest is on disk. */
  async #settle(): Promise<void> {
    this.#tellRoom();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_WITHIN_MS);
    });
    await Promise.race([this.#flush().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  #tell(account: string, note: BookNote): void {
    const { log, categories } = this.#options;
    if (note.kind === 'new-asset') log.info({ account, category: note.category, asset: note.asset }, 'an asset not seen before');
    else if (note.kind === 'mode-change') log.warn({ account, category: note.category, asset: note.asset, mode: note.mode }, `position mode changed to ${note.mode}; nobody announced it`);
    else {
      const isFetched = categories.some((category) => category === note.category);
      log.warn({ account, category: note.category }, `category ${note.category} is not linked: its orders and positions reach their tables, and no links come of them${isFetched ? '' : '; gaps of it are not fetched (--categories)'}`);
    }
  }
}

/** Resolves with the work or with the signal; leaves nothing behind at a signal that lives long. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => resolve();
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    if (signal.aborted) resolve();
  });
}
