import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a proxy looks for in what clients say. */
export type Wanted = { readonly kafkaApi: number } | { readonly text: string };

/** Before: the server never hears the request. After: it does what was asked, and nobody hears its answer. */
export type CutWhen = 'before' | 'after';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  unread: Buffer;
  /** Nothing of either side is passed on any more. */
  isDeaf: boolean;
  toServerMs: number;
  toClientMs: number;
}

/**
 * A way to a server on which connections are cut, held up, slowed down and refused. Requests to a broker are passed on
 * whole, so that a cut can lie exactly before or behind one.
 */
export class ChaosProxy {
  /** Where the server is now; a restart may move it. */
  target: { host: string; port: number } = { host: '127.0.0.1', port: 0 };
  /** How much later everything arrives. */
  delayMs = 0;
  isRefusing = false;
  /** What was asked for and cut, once. */
  cuts = 0;
  readonly #isKafka: boolean;
  readonly #links = new Set<Link>();
  readonly #server: Server;
  #armed: { readonly wanted: Wanted; readonly when: CutWhen | Buffer } | null = null;
  #isHeld = false;

  constructor(isKafka: boolean) {
    this.#isKafka = isKafka;
    this.#server = createServer((client) => this.#accept(client));
  }

  listen(): Promise<number> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as { port: number }).port)));
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Cuts each connection for which `isChosen` says so; answers how many. */
  cut(isChosen: () => boolean): number {
    const chosen = [...this.#links].filter(isChosen);
    for (const link of chosen) this.#end(link);
    return chosen.length;
  }

  /** Cuts at the next request like this, once; or answers it with these bytes instead of the server, and cuts then. */
  arm(wanted: Wanted, when: CutWhen | Buffer): void {
    this.#armed = { wanted, when };
  }

  disarm(): void {
    this.#armed = null;
  }

  /** Nothing passes until `release`; connections stay open. */
  hold(): void {
    this.#isHeld = true;
    for (const { client, server } of this.#links) for (const socket of [client, server]) socket.pause();
  }

  release(): void {
    this.#isHeld = false;
    for (const { client, server } of this.#links) for (const socket of [client, server]) socket.resume();
  }

  heal(): void {
    this.delayMs = 0;
    this.isRefusing = false;
    this.disarm();
    this.release();
  }

  close(): void {
    this.#server.close();
    for (const link of [...this.#links]) this.#end(link);
  }

  #accept(client: Socket): void {
    if (this.isRefusing) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target.port, this.target.host);
    const link: Link = { client, server, unread: Buffer.alloc(0), isDeaf: false, toServerMs: 0, toClientMs: 0 };
    this.#links.add(link);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      if (this.#isHeld) socket.pause();
      socket.on('error', () => this.#end(link));
      socket.on('close', () => this.#end(link));
    }
    client.on('data', (bytes: Buffer) => this.#fromClient(link, bytes));
    server.on('data', (bytes: Buffer) => {
      if (link.isDeaf) return;
      link.toClientMs = this.#pass(server, client, bytes, link.toClientMs);
    });
  }

  #end(link: Link): void {
    this.#links.delete(link);
    link.client.destroy();
    link.server.destroy();
  }

  #fromClient(link: Link, bytes: Buffer): void {
    if (!this.#isKafka) {
      this.#request(link, bytes);
      return;
    }
    link.unread = link.unread.length === 0 ? bytes : Buffer.concat([link.unread, bytes]);
    while (link.unread.length >= 6) {
      const size = link.unread.readInt32BE(0) + 4;
      if (link.unread.length < size) return;
      const request = link.unread.subarray(0, size);
      link.unread = link.unread.subarray(size);
      this.#request(link, request);
    }
  }

  #request(link: Link, request: Buffer): void {
    if (link.isDeaf) return;
    if (this.#armed === null || !isWanted(this.#armed.wanted, request)) {
      link.toServerMs = this.#pass(link.client, link.server, request, link.toServerMs);
      return;
    }
    const { when } = this.#armed;
    this.#armed = null;
    this.cuts++;
    link.isDeaf = true;
    if (when === 'before') this.#end(link);
    else if (when === 'after') {
      link.server.write(request);
      link.server.once('data', () => this.#end(link));
    } else link.client.end(when, () => this.#end(link));
  }

  /** Passes bytes on, as late as it is set but in order; answers when they will be there. */
  #pass(from: Socket, to: Socket, bytes: Buffer, afterMs: number): number {
    const nowMs = performance.now();
    const dueMs = Math.max(afterMs, nowMs + this.delayMs);
    const write = (): void => {
      if (to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => {
        if (!this.#isHeld) from.resume();
      });
    };
    if (dueMs <= nowMs) write();
    else setTimeout(write, dueMs - nowMs);
    return dueMs <= nowMs ? 0 : dueMs;
  }
}

function isWanted(wanted: Wanted, request: Buffer): boolean {
  return 'kafkaApi' in wanted ? request.readInt16BE(4) === wanted.kafkaApi : request.includes(wanted.text);
}
