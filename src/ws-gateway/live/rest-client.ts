import { setTimeout as sleep } from 'node:timers/promises';
import { RestClientV5 } from 'bybit-api';
import { isRow } from '../exchange-fields.js';
import { backoffMs } from './backoff.js';
import type { Credentials } from './credentials.js';
import type { ExchangeClock } from './exchange-clock.js';
import type { ExchangeTarget } from './exchange-target.js';
import { localMs } from './local-clock.js';
import { verdictOf, type RefusalKind, type RestOutcome } from './rest-verdict.js';

const REQUEST_TIMEOUT_MS = 10_000;
/** How long a signed request is valid. */
const RECEIVE_WINDOW_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 10_000;
const TIME_QUESTIONS = 3;

/** The exchange refuses, and asking again does not help. */
export class RestRefusedError extends Error {
  override name = 'RestRefusedError';
  readonly refusal: RefusalKind;

  constructor(refusal: RefusalKind, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

export interface RestClientOptions {
  readonly credentials: Credentials;
  readonly target: ExchangeTarget;
  /** Learns from every answer of the exchange's time. */
  readonly clock: ExchangeClock;
  /** Ends waiting and asking again. */
  readonly signal: AbortSignal;
  /** Asked again, for the log: how often so far, and why. */
  readonly onRetry: (what: string, attempt: number, why: string) => void;
  /** Gives up after so many attempts; absent: never. */
  readonly mostAttempts?: number;
}

/** An answer with the exchange's time at which it was given. */
export interface RestAnswer {
  readonly result: Readonly<Record<string, unknown>>;
  readonly shownMs: number;
}

type Request = (client: RestClientV5) => Promise<unknown>;

/**
 * Asks the exchange until it answers or refuses. What the client library throws holds the key and the secret among its options,
 * so nothing of it leaves this file but codes and the exchange's own words.
 */
export class RestClient {
  readonly #client: RestClientV5;
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
    const { credentials, target } = options;
    this.#client = new RestClientV5(
      {
        key: credentials.key, secret: credentials.secret, testnet: target.network === 'testnet', demoTrading: target.network === 'demo',
        recv_window: RECEIVE_WINDOW_MS, parseAPIRateLimits: true, ...(target.restUrl === null ? {} : { baseUrl: target.restUrl }),
      },
      { timeout: REQUEST_TIMEOUT_MS },
    );
  }

  /** Asks for the exchange's time until it is told. */
  async synchronise(): Promise<void> {
    await this.#insist('time', (client) => client.getServerTime());
  }

  /** Asks for it a few times, because a jump is believed only when answers agree; does not insist. */
  async learnTime(): Promise<void> {
    for (let i = 0; i < TIME_QUESTIONS; i++) await this.#attempt((client) => client.getServerTime());
  }

  /** Throws RestRefusedError, or the reason of the signal. `what` names the question in logs. */
  ask(what: string, request: Request): Promise<RestAnswer> {
    return this.#insist(what, request);
  }

  async #insist(what: string, request: Request): Promise<RestAnswer> {
    const { signal, clock, onRetry, mostAttempts } = this.#options;
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const { outcome, answer } = await this.#attempt(request);
      const pauseMs = backoffMs(attempt, Math.random(), FIRST_PAUSE_MS, MOST_PAUSE_MS);
      const verdict = verdictOf(outcome, pauseMs, clock.offsetMs === null ? Date.now() : clock.at(localMs()));
      if (verdict.kind === 'ok' && answer !== null) return answer;
      if (verdict.kind === 'refused') throw new RestRefusedError(verdict.refusal, `${what}: ${verdict.message}`);
      const why = verdict.kind === 'again' ? verdict.why : 'an answer without a result';
      if (mostAttempts !== undefined && attempt + 1 >= mostAttempts) throw new RestRefusedError('silent', `${what}: asked ${mostAttempts} times: ${why}`);
      onRetry(what, attempt + 1, why);
      await sleep(verdict.kind === 'again' ? verdict.afterMs : pauseMs, undefined, { signal });
      if (verdict.kind === 'again' && verdict.isClockWrong) await this.learnTime();
    }
  }

  async #attempt(request: Request): Promise<{ readonly outcome: RestOutcome; readonly answer: RestAnswer | null }> {
    const { clock } = this.#options;
    // The library would ask for the time before each request, or trust the machine's clock; it keeps this number to itself.
    (this.#client as unknown as { timeOffset: number }).timeOffset = clock.offsetMs === null ? 0 : Math.round(clock.at(localMs()) - Date.now());
    const sentMs = localMs();
    try {
      const body = await request(this.#client);
      const receivedMs = localMs();
      if (!isRow(body) || typeof body['retCode'] !== 'number') return { outcome: { kind: 'no-answer', message: 'an answer that is none of the exchange' }, answer: null };
      const shownMs = Number(body['time']);
      clock.take({ sentMs, receivedMs, serverMs: shownMs });
      const limit = isRow(body['rateLimitApi']) ? body['rateLimitApi'] : {};
      const resetAtMs = typeof limit['resetAtTimestamp'] === 'number' ? limit['resetAtTimestamp'] : null;
      const outcome: RestOutcome = { kind: 'answer', code: body['retCode'], message: shortText(body['retMsg']), resetAtMs };
      const result = isRow(body['result']) ? body['result'] : {};
      return { outcome, answer: { result, shownMs } };
    } catch (error) {
      return { outcome: outcomeOfThrown(error), answer: null };
    }
  }
}

/** Only the status or the code of a broken connection is taken from what the library throws. */
function outcomeOfThrown(error: unknown): RestOutcome {
  if (isRow(error)) {
    const { code } = error;
    if (typeof code === 'number') return { kind: 'http', status: code };
    if (typeof code === 'string') return { kind: 'no-answer', message: `no answer (${code})` };
  }
  return { kind: 'no-answer', message: 'no answer' };
}

function shortText(value: unknown): string {
  return String(value ?? '').replaceAll(/\s+/g, ' ').slice(0, 200);
}
