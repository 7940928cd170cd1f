import { WebsocketClient, type DefaultLogger } from 'bybit-api';
import { isRow } from '../exchange-fields.js';
import type { Credentials } from './credentials.js';
import type { ClockSample } from './exchange-clock.js';
import type { ExchangeTarget } from './exchange-target.js';
import { localMs } from './local-clock.js';

export interface StreamTiming {
  /** Own pings: their answers carry the exchange's time, and tell that the connection lives. */
  readonly pingEveryMs: number;
  /** Without any sign of life for so long the connection counts as dead, though nothing has closed it. */
  readonly deadAfterMs: number;
  /** From the attempt to connect until subscribed. */
  readonly readyWithinMs: number;
  readonly lookEveryMs: number;
}

const TIMING: StreamTiming = { pingEveryMs: 2_500, deadAfterMs: 7_500, readyWithinMs: 10_000, lookEveryMs: 500 };
/** The library's own pings and reconnects stay out of the way: a connection lives once. */
const LIBRARY_PING_MS = 60_000;
const NEVER_MS = 2_000_000_000;
const PING_ID = 'ping-';
/** Pings without an answer that are remembered. */
const MOST_PINGS = 16;
const TOPICS = ['order', 'execution', 'position'];

export interface StreamEnd {
  /** refused: the exchange does not accept the key; the others: try again. */
  readonly kind: 'refused' | 'closed' | 'silent' | 'torn' | 'stopped';
  readonly message: string;
}

export interface StreamEvents {
  /** Authenticated, and subscribed to all three streams. */
  onReady(): void;
  /** A frame of a stream: its text, and local time of its arrival. Of a torn one the end of the connection follows. */
  onFrame(text: string, receivedMs: number, isTorn: boolean): void;
  /** Any sign of life, frames included. */
  onAlive(receivedMs: number): void;
  onClock(sample: ClockSample): void;
  /** Once; nothing else comes after it. */
  onEnd(end: StreamEnd): void;
}

export interface StreamOptions {
  readonly credentials: Credentials;
  readonly target: ExchangeTarget;
  /** Exchange time less the machine's. */
  readonly clockOffsetMs: number;
  readonly events: StreamEvents;
  readonly timing?: StreamTiming;
}

/** As much of a WebSocket as is needed here. */
interface Socket {
  onclose: unknown;
  on(event: 'message' | 'close', listener: (data: unknown) => void): void;
  send(text: string): void;
}

const SILENT: typeof DefaultLogger = { trace: () => undefined, info: () => undefined, error: () => undefined };

/**
 * One life of one private WebSocket, through the client library: it connects, authenticates and subscribes; when it ends, for
 * whatever reason, somebody else decides when there is another. The library's own reconnecting is not used, because after several
 * connections dropped at once it can be left open without ever authenticating.
 */
export class StreamConnection {
  readonly #events: StreamEvents;
  readonly #timing: StreamTiming;
  readonly #client: WebsocketClient;
  #socket: Socket | null = null;
  #isReady = false;
  #hasEnded = false;
  #aliveMs = localMs();
  #pingSentMs = 0;
  #pingCount = 0;
  /** Local times of pings not answered yet, by their ids, oldest first. */
  readonly #pings = new Map<string, number>();
  readonly #startedMs = localMs();
  readonly #watch: NodeJS.Timeout;

  constructor({ credentials, target, clockOffsetMs, events, timing = TIMING }: StreamOptions) {
    this.#events = events;
    this.#timing = timing;
    this.#client = new WebsocketClient(
      {
        key: credentials.key, secret: credentials.secret, market: 'v5', testnet: target.network === 'testnet', demoTrading: target.network === 'demo',
        ...(target.wsUrl === null ? {} : { wsUrl: target.wsUrl }), pingInterval: LIBRARY_PING_MS, pongTimeout: LIBRARY_PING_MS, reconnectTimeout: NEVER_MS, recvWindow: 10_000,
      },
      SILENT,
    );
    this.#client.setTimeOffsetMs(Math.round(clockOffsetMs));
    this.#client.on('open', ({ ws }) => this.#opened(ws as unknown as Socket));
    this.#client.on('response', (response: unknown) => this.#answered(response));
    this.#client.on('exception', (exception: unknown) => this.#failed(exception));
    this.#client.on('reconnect', () => this.#end({ kind: 'closed', message: 'the connection could not be made' }));
    this.#client.on('close', () => this.#end({ kind: 'closed', message: 'the exchange closed the connection' }));
    this.#watch = setInterval(() => this.#look(), timing.lookEveryMs);
    for (const subscribed of this.#client.subscribeV5(TOPICS, 'linear', true)) void subscribed.catch(() => undefined);
  }

  close(): void {
    this.#end({ kind: 'stopped', message: 'closed from here' });
  }

  #opened(socket: Socket): void {
    this.#socket = socket;
    if (this.#hasEnded) {
      this.#release();
      return;
    }
    // The library would reject promises that nobody holds, which ends a process.
    socket.onclose = null;
    socket.on('close', () => this.#end({ kind: 'closed', message: 'the exchange closed the connection' }));
    socket.on('message', (data) => this.#heard(String(data)));
    this.#alive();
  }

  #heard(text: string): void {
    if (this.#hasEnded) return;
    const receivedMs = this.#alive();
    if (text.includes('"op"') && this.#isReply(text, receivedMs)) return;
    if (!this.#isReady && text.includes('"topic"')) this.#ready();
    if (this.#isReady) this.#events.onFrame(text, receivedMs, false);
  }

  /** Answers to own requests; the library hears them, too, and tells of auth and subscribe. */
  #isReply(text: string, receivedMs: number): boolean {
    if (text.length > 4_096) return false;
    let reply: unknown;
    try {
      reply = JSON.parse(text);
    } catch {
      return false;
    }
    if (!isRow(reply) || typeof reply['op'] !== 'string' || 'topic' in reply) return false;
    if (reply['op'] === 'pong' && Array.isArray(reply['args'])) {
      const sentMs = this.#sentMsOf(String(reply['req_id'] ?? ''));
      if (sentMs !== null) this.#events.onClock({ sentMs, receivedMs, serverMs: Number(reply['args'][0]) });
    }
    return true;
  }

  /** When the ping was sent that this answers; of an answer that does not say to which, the oldest. Answers come in order. */
  #sentMsOf(id: string): number | null {
    const sentMs = this.#pings.get(id) ?? this.#pings.values().next().value ?? null;
    for (const key of this.#pings.keys()) {
      this.#pings.delete(key);
      if (key === id || !this.#pings.has(id)) break;
    }
    return sentMs;
  }

  #answered(response: unknown): void {
    if (!isRow(response) || response['op'] !== 'subscribe' || response['success'] !== true) return;
    this.#ready();
  }

  /** The answer to the subscription, or a frame that comes before it. */
  #ready(): void {
    if (this.#isReady || this.#hasEnded) return;
    this.#isReady = true;
    this.#events.onReady();
    this.#ping();
  }

  #failed(exception: unknown): void {
    const op = isRow(exception) ? exception['op'] : undefined;
    if (op === 'auth' || op === 'subscribe') {
      const said = isRow(exception) ? String(exception['ret_msg'] ?? '').slice(0, 200) : '';
      this.#end({ kind: 'refused', message: said === '' ? `${String(op)} refused` : said });
      return;
    }
    if (isRow(exception) && typeof exception['eventData'] === 'string' && this.#isReady) {
      this.#events.onFrame(exception['eventData'], localMs(), true);
      this.#end({ kind: 'torn', message: 'a frame came torn' });
      return;
    }
    if (this.#socket === null) this.#end({ kind: 'closed', message: `cannot connect (${codeOf(exception)})` });
  }

  #look(): void {
    const nowMs = localMs();
    const { pingEveryMs, deadAfterMs, readyWithinMs } = this.#timing;
    if (!this.#isReady && nowMs - this.#startedMs > readyWithinMs) {
      this.#end({ kind: 'silent', message: `not connected, authenticated and subscribed within ${readyWithinMs / 1_000} s` });
      return;
    }
    if (this.#isReady && nowMs - this.#aliveMs > deadAfterMs) {
      this.#end({ kind: 'silent', message: `no sign of life for ${deadAfterMs / 1_000} s` });
      return;
    }
    if (this.#isReady && nowMs - this.#pingSentMs > pingEveryMs) this.#ping();
  }

  #ping(): void {
    this.#pingSentMs = localMs();
    const id = `${PING_ID}${++this.#pingCount}`;
    this.#pings.set(id, this.#pingSentMs);
    if (this.#pings.size > MOST_PINGS) this.#pings.delete(this.#pings.keys().next().value ?? '');
    try {
      this.#socket?.send(JSON.stringify({ req_id: id, op: 'ping' }));
    } catch {
      // A socket that is closing says so by its close.
    }
  }

  #alive(): number {
    this.#aliveMs = localMs();
    if (this.#isReady) this.#events.onAlive(this.#aliveMs);
    return this.#aliveMs;
  }

  #end(end: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#watch);
    this.#release();
    this.#events.onEnd(end);
  }

  #release(): void {
    // Not at once: the library may be in the middle of an event.
    setImmediate(() => this.#client.closeAll(true));
  }
}

/** A code such as ECONNREFUSED, or the status that a server answered; never more of what the library passes on. */
function codeOf(exception: unknown): string {
  if (!isRow(exception)) return 'unknown error';
  // The library copies an event of the socket, whose error is under a symbol.
  const parts: unknown[] = [exception, exception['error'], ...Object.getOwnPropertySymbols(exception).map((symbol) => (exception as unknown as Record<symbol, unknown>)[symbol])];
  for (const part of parts) if (isRow(part) && typeof part['code'] === 'string') return part['code'];
  for (const part of parts) {
    const status = /server response: \d{3}/.exec(isRow(part) ? String(part['message'] ?? '') : String(part))?.[0];
    if (status !== undefined) return status;
  }
  return 'unknown error';
}
