import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../src/kafka/cluster.js';

/** Whether the connection is cut before a request reaches the broker, or after it did and before its answer returns. */
export type Cut = 'before-request' | 'before-answer';

/**
 * Stands between a client and its brokers and cuts connections at a chosen request: what a crash, or a network that
 * fails, looks like from the broker between two steps of a transaction.
 */
export class FaultProxy {
  readonly #servers = new Map<string, Promise<{ server: Server; port: number }>>();
  readonly #sockets = new Set<Socket>();
  readonly #ports = new Map<string, number>();
  #armed: { readonly apiKey: number; readonly cut: Cut } | null = null;
  #cuts = 0;
  #isPaused = false;

  /** How often a connection was cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts at the next request of this kind, once. */
  arm(apiKey: number, cut: Cut): void {
    this.#armed = { apiKey, cut };
  }

  /** Nothing passes in either direction until `resume`; connections stay open. */
  pause(): void {
    this.#isPaused = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Ends every connection there is. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Opens a way to the broker; to be called before a client uses `reach`. */
  async open(address: Address): Promise<void> {
    const key = `${address.host}:${address.port}`;
    if (!this.#servers.has(key)) this.#servers.set(key, this.#listen(address));
    this.#ports.set(key, (await this.#servers.get(key)!).port);
  }

  readonly reach = (address: Address): Address => {
    const port = this.#ports.get(`${address.host}:${address.port}`);
    if (port === undefined) throw new Error(`no way opened to ${address.host}:${address.port}`);
    return { host: '127.0.0.1', port };
  };

  async close(): Promise<void> {
    this.cutAll();
    for (const listening of this.#servers.values()) (await listening).server.close();
  }

  #listen(address: Address): Promise<{ server: Server; port: number }> {
    const server = createServer((client) => this.#join(client, connect(address.port, address.host)));
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve({ server, port: (server.address() as { port: number }).port }));
    });
  }

  #join(client: Socket, broker: Socket): void {
    let isDeaf = false;
    let unread = Buffer.alloc(0);
    const end = (): void => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      if (this.#isPaused) socket.pause();
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        // Bytes just written to the broker have to arrive even if the client's side is cut.
        if (socket === client && !isDeaf) broker.end();
        else if (socket === broker) client.destroy();
      });
    }
    client.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes as Buffer]);
      while (unread.length >= 6) {
        const size = unread.readInt32BE(0) + 4;
        if (unread.length < size) return;
        const request = unread.subarray(0, size);
        unread = unread.subarray(size);
        if (this.#armed?.apiKey === request.readInt16BE(4)) {
          const { cut } = this.#armed;
          this.#armed = null;
          this.#cuts++;
          isDeaf = true;
          if (cut === 'before-request') {
            end();
            return;
          }
          // The broker's answer shows that it has done what was asked; then nobody hears it.
          broker.write(request);
          broker.once('data', end);
          return;
        }
        if (!isDeaf) broker.write(request);
      }
    });
    broker.on('data', (bytes) => {
      if (!isDeaf) client.write(bytes as Buffer);
    });
  }
}
