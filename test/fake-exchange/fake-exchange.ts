import type { AddressInfo } from 'node:net';
import { Random } from '../simulator/random.js';
import { READING, type ExchangeAccount } from './exchange-account.js';
import { noFaults, type Faults } from './faults.js';
import { RestServer } from './rest-server.js';
import type { ExchangeSession } from './session.js';
import { StreamServer } from './stream-server.js';

const TICK_MS = 5;

export interface FakeExchangeOptions {
  readonly session: ExchangeSession;
  readonly seed?: number;
  readonly requestsPerSecond?: number;
  /** Rights of the keys; by default they read. */
  readonly readOnly?: boolean;
  readonly permissions?: Readonly<Record<string, readonly string[]>>;
}

/**
 * An exchange that plays a session in real time: frames leave at their times, REST shows what happened so far. Times of the
 * session are of the machine's clock; `faults.clockAheadMs` is how wrong the exchange's own clock is.
 */
export class FakeExchange {
  readonly faults: Faults = noFaults();
  readonly stream: StreamServer;
  readonly rest: RestServer;
  readonly accounts: readonly ExchangeAccount[];
  /** Places in the session of frames that nobody heard. */
  readonly unheard: number[] = [];
  readonly #session: ExchangeSession;
  #next = 0;
  #timer: NodeJS.Timeout | null = null;
  #port = 0;

  constructor({ session, seed = 1, requestsPerSecond = 50, readOnly = true, permissions = READING }: FakeExchangeOptions) {
    this.#session = session;
    const random = new Random(seed, 77);
    this.accounts = session.accounts.map((history, index) => ({
      userId: 700_001 + index, key: `key-of-account-${index + 1}`, secret: `secret-of-account-${index + 1}`, readOnly, permissions, history,
    }));
    const nowMs = (): number => Date.now() + this.faults.clockAheadMs;
    this.rest = new RestServer({ accounts: this.accounts, faults: this.faults, nowMs, sessionMs: () => Date.now(), requestsPerSecond });
    this.stream = new StreamServer(this.rest.http, { accounts: this.accounts, faults: this.faults, nowMs, random: () => random.word() / 4_294_967_296 });
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#port}/v5/private`;
  }

  get restUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Frames that left so far, of how many. */
  get progress(): { readonly sent: number; readonly of: number } {
    return { sent: this.#next, of: this.#session.frames.length };
  }

  /** `port`: the one it had before, for an exchange that comes back. */
  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.rest.http.listen(port, '127.0.0.1', resolve));
    this.#port = (this.rest.http.address() as AddressInfo).port;
    this.#timer = setInterval(() => this.#play(), TICK_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.stream.stop();
    this.rest.http.closeAllConnections();
    await new Promise<void>((resolve) => this.rest.http.close(() => resolve()));
  }

  /** A frame torn in two, then the end of every connection. */
  tear(): void {
    const frame = this.#session.frames[Math.min(this.#next, this.#session.frames.length - 1)];
    this.stream.tear(frame?.text ?? '{"topic":"order"}');
  }

  #play(): void {
    const nowMs = Date.now();
    const { frames } = this.#session;
    for (let frame = frames[this.#next]; frame !== undefined && frame.atMs <= nowMs; frame = frames[++this.#next]) {
      const isLost = this.faults.lostFrames.has(this.#next);
      if (isLost || !this.stream.publish(frame.account, frame.text)) this.unheard.push(this.#next);
    }
    this.stream.release();
  }
}
