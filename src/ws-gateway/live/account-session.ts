import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordSource } from '../../domain/records.js';
import type { AccountBooks } from './account-books.js';
import { Backfill, type BackfillCounts } from './backfill.js';
import { backoffMs } from './backoff.js';
import type { Credentials } from './credentials.js';
import { captureLine } from './capture-text.js';
import type { ExchangeClock } from './exchange-clock.js';
import type { ExchangeTarget } from './exchange-target.js';
import { GapState } from './gap-state.js';
import type { History, HistoryCategory } from './history.js';
import { localMs } from './local-clock.js';
import { RestRefusedError } from './rest-client.js';
import type { SeenRows } from './seen-rows.js';
import { StreamConnection, type StreamEnd } from './stream-connection.js';

/** A connection that held for so long is no failed attempt. */
const HELD_MS = 10_000;
const FIRST_PAUSE_MS = 200;
const MOST_PAUSE_MS = 15_000;
const REFUSED_PAUSE_MS = 1_000;
/** After a gap what REST showed late is looked for again. */
const LATE_LOOKS_MS = [10_000, 60_000, 300_000] as const;
/** Identical frames of two connections. */
const REMEMBERED_FRAMES = 4_096;

export interface SessionLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AccountSessionOptions {
  readonly account: string;
  readonly credentials: Credentials;
  readonly target: ExchangeTarget;
  readonly clock: ExchangeClock;
  readonly history: History;
  /** Asks the exchange for its time. */
  readonly learnTime: () => Promise<void>;
  readonly categories: readonly HistoryCategory[];
  readonly hasSettlements: boolean;
  readonly seen: SeenRows;
  readonly books: AccountBooks;
  /** Connections at the same time: 1, or 2. */
  readonly connections: number;
  /** Up to when everything is in the topics. */
  readonly knownUntilMs: number;
  readonly overlapMs: number;
  /** So much later than the stream REST may show things; what it shows later still is found by later looks. */
  readonly settleMs: number;
  /** How often REST is compared with the stream while nothing seems lost. */
  readonly sweepEveryMs: number;
  /** Takes a line of a capture; throws if nothing can be taken any more. */
  readonly push: (line: string) => void;
  /** Resolves once everything pushed so far is handed to the log, or with the signal. */
  readonly caughtUp: () => Promise<void>;
  /** Resolves once lines can be taken again. */
  readonly hasRoom: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: SessionLog;
}

/** One account: keeps its connections, knows its gap, and closes it. */
export class AccountSession {
  readonly account: string;
  readonly state: GapState;
  /** Local time of the last frame; null before the first. */
  lastFrameMs: number | null = null;
  /** Connections that ended. */
  losses = 0;
  readonly #options: AccountSessionOptions;
  readonly #backfill: Backfill;
  readonly #connections = new Map<number, StreamConnection>();
  readonly #recent = new Set<string>();
  #wakeFill: (() => void) | null = null;
  /** Local times to look again, with the beginning of what to look at. */
  #looks: { readonly atLocalMs: number; readonly sinceMs: number }[] = [];
  #isFull = false;

  constructor(options: AccountSessionOptions) {
    this.#options = options;
    this.account = options.account;
    this.state = new GapState(options.knownUntilMs, this.#nowMs());
    options.clock.onJump.push((byMs) => {
      if (byMs < 0) this.state.rewind(-byMs);
      options.log.warn({ account: this.account, byMs: Math.round(byMs) }, 'the clock of the exchange has jumped; watermarks do not go back');
    });
    this.#backfill = new Backfill({ ...options, nowMs: () => this.#nowMs(), push: (frame, source) => this.#push(frame, source, this.#nowMs()) });
  }

  /** Until the signal; rejects only for what nobody foresaw. */
  async run(): Promise<void> {
    const { signal, connections } = this.#options;
    const close = (): void => {
      for (const connection of this.#connections.values()) connection.close();
      this.#wakeFill?.();
    };
    signal.addEventListener('abort', close, { once: true });
    await Promise.all([...Array.from({ length: connections }, (_, slot) => this.#keepConnected(slot)), this.#keepFilled(), this.#keepLooking()].map(endingWith(signal)));
  }

  /** Something got lost although connections live: what was received can no longer be kept, or the process was asleep. */
  break(fromLocalMs: number, why: string): void {
    const fromMs = this.#options.clock.at(fromLocalMs);
    if (this.state.open(fromMs, this.#nowMs())) this.#options.log.warn({ account: this.account, since: iso(fromMs), why }, 'gap: watermarks stand until it is fetched');
    this.#wakeFill?.();
  }

  /** Nothing more can be kept: better no connection than frames that go nowhere. */
  closeFor(why: string): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#options.log.error({ account: this.account, why }, 'nothing more can be kept: connections are closed until there is room, then the gap is fetched');
    this.break(localMs(), 'no room');
    for (const connection of [...this.#connections.values()]) connection.close();
  }

  #nowMs(): number {
    return this.#options.clock.at(localMs());
  }

  async #keepConnected(slot: number): Promise<void> {
    const { signal, log, hasRoom } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      await hasRoom();
      this.#isFull = false;
      if (signal.aborted) return;
      const startedMs = localMs();
      const end = await this.#oneLife(slot);
      if (signal.aborted) return;
      this.losses++;
      if (localMs() - startedMs > HELD_MS) attempt = 0;
      const pauseMs = backoffMs(attempt, Math.random(), end.kind === 'refused' ? REFUSED_PAUSE_MS : FIRST_PAUSE_MS, MOST_PAUSE_MS);
      const fields = { account: this.account, connection: slot, why: end.message, againInMs: Math.round(pauseMs) };
      if (end.kind === 'refused') log.error(fields, 'the exchange refuses the key on the stream; make a new key if it has expired or was deleted');
      else log.warn(fields, 'connection lost');
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      // A refusal, or a connection that is never made, may be the exchange's clock, which has jumped unseen.
      if (attempt > 0 || end.kind === 'refused') await this.#options.learnTime().catch(() => undefined);
    }
  }

  #oneLife(slot: number): Promise<StreamEnd> {
    const { credentials, target, clock, log } = this.#options;
    return new Promise((resolve) => {
      const connection = new StreamConnection({
        credentials, target, clockOffsetMs: clock.at(localMs()) - Date.now(),
        events: {
          onReady: () => {
            this.state.subscribed(slot, this.#nowMs());
            log.info({ account: this.account, connection: slot }, 'connected');
            this.#wakeFill?.();
          },
          onFrame: (text, receivedMs, isTorn) => this.#frame(text, receivedMs, isTorn),
          onAlive: (receivedMs) => this.state.alive(slot, clock.at(receivedMs)),
          onClock: (sample) => void clock.take(sample),
          onEnd: (end) => {
            this.#connections.delete(slot);
            const isNew = this.state.lost(slot, this.#nowMs());
            const gap = this.state.gap;
            if (isNew && gap !== null && !this.#options.signal.aborted) log.warn({ account: this.account, since: iso(gap.fromMs), why: end.message }, 'gap: watermarks stand until it is fetched');
            resolve(end);
          },
        },
      });
      this.#connections.set(slot, connection);
      if (this.#options.signal.aborted) connection.close();
    });
  }

  #frame(text: string, receivedMs: number, isTorn: boolean): void {
    this.lastFrameMs = receivedMs;
    // A line that is no line of a capture ends as a dead letter, bytes as they came.
    if (isTorn) this.#pushLine(text.replaceAll('\n', ' '));
    else if (this.#options.connections === 1 || !this.#isRepeated(text)) this.#push(text, 'stream', this.#options.clock.at(receivedMs));
  }

  /** The other connection brought it already. */
  #isRepeated(text: string): boolean {
    if (this.#recent.delete(text)) return true;
    this.#recent.add(text);
    if (this.#recent.size > REMEMBERED_FRAMES) {
      for (const oldest of this.#recent) {
        this.#recent.delete(oldest);
        break;
      }
    }
    return false;
  }

  #push(frame: string, source: RecordSource, receivedMs: number): void {
    this.#pushLine(captureLine(frame, this.account, source, receivedMs));
  }

  #pushLine(line: string): void {
    if (this.#isFull) return;
    try {
      this.#options.push(line);
    } catch (error) {
      this.closeFor((error as Error).message);
    }
  }

  /** Closes gaps, one after the other. */
  async #keepFilled(): Promise<void> {
    const { signal, log } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      if (this.state.gap === null || !this.state.isConnected) {
        await new Promise<void>((resolve) => {
          this.#wakeFill = resolve;
          if (signal.aborted) resolve();
        });
        this.#wakeFill = null;
        continue;
      }
      try {
        await this.#fill();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        log.error({ account: this.account, why: (error as Error).message }, error instanceof RestRefusedError ? 'REST refuses: the gap stays open' : 'fetching failed: the gap stays open');
        await sleep(backoffMs(failures++, Math.random(), 1_000, 30_000), undefined, { signal });
      }
    }
  }

  async #fill(): Promise<void> {
    const { overlapMs, settleMs, caughtUp, log, signal, books } = this.#options;
    const gap = this.state.gap;
    if (gap === null) return;
    const beganMs = this.#nowMs();
    const first = await this.#backfill.pass(gap.fromMs, overlapMs);
    this.#tellLost(first);
    await caughtUp();
    signal.throwIfAborted();
    await sleep(settleMs, undefined, { signal });
    // What happened shortly before fetching began may not have been shown at first.
    const second = await this.#backfill.pass(Math.max(gap.fromMs, beganMs - Math.max(overlapMs, 2 * settleMs)), overlapMs);
    await caughtUp();
    signal.throwIfAborted();
    if (!this.state.fetched(beganMs, gap.fromMs)) return;
    books.endLearning();
    const nowMs = this.#nowMs();
    for (const afterMs of LATE_LOOKS_MS) this.#looks.push({ atLocalMs: localMs() + afterMs, sinceMs: gap.fromMs });
    const sum = (of: (counts: BackfillCounts) => number): number => of(first) + of(second);
    log.info(
      {
        account: this.account, since: iso(gap.fromMs), openForMs: Math.round(nowMs - gap.noticedMs), orders: sum((each) => each.orders), executions: sum((each) => each.executions),
        settlements: sum((each) => each.settlements), positions: sum((each) => each.positions),
      },
      'gap closed',
    );
  }

  #tellLost({ plan }: BackfillCounts): void {
    const { log } = this.#options;
    if (plan.beyond !== null) log.error({ account: this.account, from: iso(plan.beyond.fromMs), to: iso(plan.beyond.toMs) }, 'the exchange keeps nothing of this time: every asset gets a discrepancy for it');
    if (plan.unfilledBeyond !== null) log.warn({ account: this.account, before: iso(plan.unfilledBeyond.toMs) }, 'orders cancelled without a fill before this time are no longer kept by the exchange');
  }

  /** Looks at REST now and then: late rows of closed gaps, and what the stream lost without a word. */
  async #keepLooking(): Promise<void> {
    const { signal, sweepEveryMs, overlapMs, log } = this.#options;
    let sweptMs = this.#nowMs();
    // By the clock that never jumps: the exchange's may stand still for this.
    let sweptLocalMs = localMs();
    for (;;) {
      await sleep(Math.min(1_000, sweepEveryMs), undefined, { signal });
      if (this.state.gap !== null || !this.state.isConnected) continue;
      const nowMs = this.#nowMs();
      const nowLocalMs = localMs();
      const due = this.#looks.filter(({ atLocalMs }) => atLocalMs <= nowLocalMs);
      if (due.length === 0 && nowLocalMs - sweptLocalMs < sweepEveryMs) continue;
      this.#looks = this.#looks.filter(({ atLocalMs }) => atLocalMs > nowLocalMs);
      const sinceMs = Math.min(sweptMs, ...due.map((look) => look.sinceMs));
      try {
        const counts = await this.#backfill.pass(sinceMs, overlapMs);
        sweptMs = nowMs;
        sweptLocalMs = nowLocalMs;
        const missed = counts.orders + counts.executions;
        if (missed > 0) log.warn({ account: this.account, orders: counts.orders, executions: counts.executions }, 'REST shows what the stream did not: written late');
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ account: this.account, why: (error as Error).message }, 'comparing REST with the stream failed; it is done again');
        await sleep(5_000, undefined, { signal });
      }
    }
  }
}

/** Waiting that the signal ended is no failure. */
function endingWith(signal: AbortSignal): (work: Promise<void>) => Promise<void> {
  return (work) => work.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function iso(timeMs: number): string {
  return Number.isFinite(timeMs) ? new Date(Math.max(0, timeMs)).toISOString() : 'the beginning';
}
