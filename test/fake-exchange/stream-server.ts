import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { signatureOf, type ExchangeAccount } from './exchange-account.js';
import type { Faults } from './faults.js';

interface Connection {
  readonly id: string;
  readonly socket: WebSocket;
  account: number | null;
  isSubscribed: boolean;
  /** Neither hears nor speaks any more, but stays open. */
  isDead: boolean;
  readonly waiting: string[];
}

export interface StreamServerOptions {
  readonly accounts: readonly ExchangeAccount[];
  readonly faults: Faults;
  readonly nowMs: () => number;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/** The private WebSocket: auth, subscribe, ping, frames, and everything that can happen to them. */
export class StreamServer {
  /** Connections that were accepted, ever. */
  accepted = 0;
  readonly #options: StreamServerOptions;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<Connection>();

  constructor(http: Server, options: StreamServerOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ server: http, path: '/v5/private' });
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  /** Connections that would get a frame of the account now. */
  listeners(account: number): number {
    return [...this.#connections].filter((each) => each.account === account && each.isSubscribed && !each.isDead).length;
  }

  /** Sends a frame to whoever listens; answers whether anybody got it now or will. */
  publish(account: number, text: string): boolean {
    let isHeard = false;
    for (const connection of this.#connections) {
      if (connection.account !== account || !connection.isSubscribed || connection.isDead) continue;
      isHeard = true;
      this.#deliver(connection, text);
    }
    return isHeard;
  }

  /** Cuts connections without a word. */
  drop(): void {
    for (const { socket } of this.#connections) socket.terminate();
  }

  /** Closes connections in order, as for maintenance. */
  close(): void {
    for (const { socket } of this.#connections) socket.close(1001, 'going away');
  }

  /** Open connections go dead: no byte in either direction, no close. */
  silence(): void {
    for (const connection of this.#connections) connection.isDead = true;
  }

  /** Sends the first part of a frame as if it were all, then cuts. */
  tear(text: string): void {
    for (const { socket, isSubscribed } of this.#connections) {
      if (isSubscribed) socket.send(text.slice(0, Math.floor(text.length / 2)), () => socket.terminate());
      else socket.terminate();
    }
  }

  /** Sends what a delay or another order had held back. */
  release(): void {
    const { faults } = this.#options;
    if (Date.now() < faults.delayedUntilMs || Date.now() < faults.reorderUntilMs) return;
    for (const connection of this.#connections) this.#flush(connection);
  }

  stop(): void {
    this.drop();
    this.#server.close();
  }

  #deliver(connection: Connection, text: string): void {
    const { faults, random } = this.#options;
    const nowMs = Date.now();
    if (nowMs < faults.reorderUntilMs) {
      connection.waiting.splice(Math.floor(random() * (connection.waiting.length + 1)), 0, text);
      if (connection.waiting.length >= 8) this.#flush(connection);
      return;
    }
    connection.waiting.push(text);
    if (nowMs >= faults.delayedUntilMs) this.#flush(connection);
  }

  #flush(connection: Connection): void {
    if (connection.isDead) return;
    const isTwice = Date.now() < this.#options.faults.duplicateUntilMs;
    for (const text of connection.waiting.splice(0)) for (let i = 0; i < (isTwice ? 2 : 1); i++) connection.socket.send(text);
  }

  #accept(socket: WebSocket): void {
    this.accepted++;
    if (Date.now() < this.#options.faults.refuseUntilMs) {
      socket.terminate();
      return;
    }
    const connection: Connection = { id: randomUUID(), socket, account: null, isSubscribed: false, isDead: false, waiting: [] };
    this.#connections.add(connection);
    socket.on('message', (bytes) => this.#hear(connection, bytes));
    socket.on('close', () => void this.#connections.delete(connection));
    socket.on('error', () => undefined);
  }

  #hear(connection: Connection, bytes: RawData): void {
    if (connection.isDead) return;
    const request = JSON.parse(String(bytes)) as { op: string; args?: unknown[]; req_id?: string };
    const reply = (fields: object): void => connection.socket.send(JSON.stringify({ ...fields, ...(request.req_id === undefined ? {} : { req_id: request.req_id }), op: request.op === 'ping' ? 'pong' : request.op, conn_id: connection.id }));
    if (request.op === 'ping') reply({ args: [String(this.#options.nowMs())] });
    else if (request.op === 'auth') this.#authenticate(connection, request.args ?? [], reply);
    else if (request.op === 'subscribe') {
      connection.isSubscribed = connection.account !== null;
      reply({ success: connection.isSubscribed, ret_msg: connection.isSubscribed ? '' : 'Request not authorized' });
    } else reply({ success: false, ret_msg: `unknown op ${request.op}` });
  }

  #authenticate(connection: Connection, [key, expires, signature]: unknown[], reply: (fields: object) => void): void {
    const account = this.#options.accounts.findIndex((each) => each.key === key);
    const found = this.#options.accounts[account];
    let refusal = '';
    if (found === undefined) refusal = 'API key is invalid.';
    else if (signature !== signatureOf(found.secret, `GET/realtime${String(expires)}`)) refusal = 'Invalid sign';
    else if (Number(expires) < this.#options.nowMs()) refusal = 'Params Error: expires has passed';
    else if (Date.now() < this.#options.faults.expiredUntilMs) refusal = 'Your api key has expired.';
    if (refusal === '') connection.account = account;
    reply({ success: refusal === '', ret_msg: refusal });
    if (refusal !== '') connection.socket.close(1008, 'not authorized');
  }
}
