import { createRequire } from 'node:module';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { brokerError, NO_ERROR } from './broker-errors.js';
import { classify, ConfigurationError, TransientError } from './errors.js';
import { apiVersionsRequest } from './protocol/cluster-requests.js';
import { APIS, type Api, type KafkaRequest } from './protocol/request.js';
import { WireReader, WireWriter } from './wire.js';

/*
 * One connection to one broker. kafkajs's connection gives socket, TLS and SASL; requests are framed here and put into
 * its queue directly, so that record bytes are written without copies and answers come back undecoded.
 */

export type SaslOptions =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
  | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ value: string }> };

export interface ConnectionSettings {
  readonly clientId: string;
  readonly ssl?: ConnectionOptions | boolean;
  readonly sasl?: SaslOptions;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

interface RawAnswer {
  readonly payload: Buffer;
}

/** The parts used of kafkajs's internal `Connection`; it declares no types for it. */
interface KafkaJsConnection {
  readonly socket: Socket;
  readonly requestQueue: {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
    push(request: {
      entry: object;
      expectResponse: boolean;
      requestTimeout: number;
      sendRequest: () => void;
    }): void;
    rejectAll(error: Error): void;
  };
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  nextCorrelationId(): number;
  setVersions(versions: object): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
}

const require = createRequire(import.meta.url);
const KafkaJsConnection = require('kafkajs/src/network/connection') as new (options: object) => KafkaJsConnection;

const silentLogger = { namespace: () => silentLogger, debug() {}, info() {}, warn() {}, error() {} };

const KEEP_ALIVE_MS = 60_000;

interface SocketTarget {
  readonly host: string;
  readonly port: number;
  readonly ssl?: ConnectionOptions;
  readonly onConnect: () => void;
}

/** Without TCP_NODELAY a small request waits up to 40 ms for the acknowledgement of the one before it. */
function openSocket({ host, port, ssl, onConnect }: SocketTarget): Socket {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
}

export class BrokerConnection {
  readonly #inner: KafkaJsConnection;
  readonly #settings: ConnectionSettings;
  readonly #address: string;

  private constructor(inner: KafkaJsConnection, settings: ConnectionSettings, address: string) {
    this.#inner = inner;
    this.#settings = settings;
    this.#address = address;
  }

  /** Connects, checks that the broker speaks what is needed, and authenticates. */
  static async open(host: string, port: number, settings: ConnectionSettings): Promise<BrokerConnection> {
    const inner = new KafkaJsConnection({
      host,
      port,
      clientId: settings.clientId,
      ssl: settings.ssl === true ? {} : settings.ssl || null,
      sasl: settings.sasl ?? null,
      connectionTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      enforceRequestTimeout: true,
      logger: silentLogger,
      socketFactory: openSocket,
    });
    stopIdleTimer(inner);
    const connection = new BrokerConnection(inner, settings, `${host}:${port}`);
    try {
      await inner.connect();
      await connection.#checkVersions();
      inner.setSupportAuthenticationProtocol(true);
      await inner.authenticate();
    } catch (error) {
      connection.close();
      throw refusedForGood(error, `${host}:${port}`) ?? classify(error, `cannot connect to ${host}:${port}`);
    }
    return connection;
  }

  /** False once the socket is gone or the credentials have run out: open a new one. */
  get isUsable(): boolean {
    return this.#inner.isConnected() && (this.#settings.sasl === undefined || this.#inner.isAuthenticated());
  }

  /**
   * Sends at once, behind what is already under way: a broker works off one connection's requests in order. Rejects
   * with `TransientError` when no answer came; what was asked may then have happened. `timeoutMs` can only lengthen the
   * usual request timeout.
   */
  async request<Answer>(request: KafkaRequest<Answer>, timeoutMs = 0): Promise<Answer> {
    let payload: Buffer;
    try {
      payload = await this.#exchange(request.api, request.body, timeoutMs);
    } catch (error) {
      // An answer that comes after its timeout would be matched to nothing; the connection is of no more use.
      this.close();
      throw classify(error, `${request.api.name} to ${this.#address} got no answer`);
    }
    return request.decode(new WireReader(payload));
  }

  /** Rejects everything under way. */
  close(): void {
    const { requestQueue, socket } = this.#inner as { requestQueue: KafkaJsConnection['requestQueue']; socket?: Socket };
    requestQueue.rejectAll(new TransientError(`the connection to ${this.#address} was closed`));
    socket?.destroy();
    void this.#inner.disconnect();
  }

  #exchange(api: Api, body: readonly Buffer[], timeoutMs: number): Promise<Buffer> {
    const inner = this.#inner;
    return new Promise<Buffer>((resolve, reject) => {
      if (!inner.isConnected()) {
        reject(new TransientError(`not connected to ${this.#address}`));
        return;
      }
      const correlationId = inner.nextCorrelationId();
      const header = requestHeader(api, correlationId, this.#settings.clientId, body);
      inner.requestQueue.push({
        entry: {
          apiKey: api.key,
          apiName: api.name,
          apiVersion: api.version,
          correlationId,
          resolve: (answer: RawAnswer) => resolve(answer.payload),
          reject,
        },
        expectResponse: true,
        requestTimeout: timeoutMs,
        sendRequest: () => {
          const { socket } = inner;
          socket.cork();
          socket.write(header);
          for (const piece of body) socket.write(piece);
          socket.uncork();
        },
      });
    });
  }

  async #checkVersions(): Promise<void> {
    const { errorCode, ranges } = await this.request(apiVersionsRequest(), this.#settings.connectTimeoutMs);
    if (errorCode !== NO_ERROR) throw brokerError(errorCode, `ApiVersions to ${this.#address}`);
    const versions: Record<number, { minVersion: number; maxVersion: number }> = {};
    for (const { key, min, max } of ranges) versions[key] = { minVersion: min, maxVersion: max };
    this.#inner.setVersions(versions);
    for (const api of Object.values(APIS)) {
      const range = versions[api.key];
      if (range === undefined || api.version < range.minVersion || api.version > range.maxVersion) {
        throw new ConfigurationError(
          `the broker at ${this.#address} does not speak ${api.name} version ${api.version} ` +
            `(it has ${range === undefined ? 'none' : `${range.minVersion} to ${range.maxVersion}`}); Kafka 3.0 to 4.x is needed`,
        );
      }
    }
  }
}

/** kafkajs re-arms a timer of a millisecond for ever on every connection; it is only of use while something is queued. */
function stopIdleTimer(inner: KafkaJsConnection): void {
  const queue = inner.requestQueue;
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}

function requestHeader(api: Api, correlationId: number, clientId: string, body: readonly Buffer[]): Buffer {
  const writer = new WireWriter(64).int32(0).int16(api.key).int16(api.version).int32(correlationId).string(clientId);
  const header = writer.take();
  let size = header.length - 4;
  for (const piece of body) size += piece.length;
  header.writeInt32BE(size, 0);
  return header;
}

/** How Node names what is wrong with a certificate. */
const CERTIFICATE_CODE = /CERT|UNABLE_TO_|HOSTNAME_MISMATCH/;

/** A refusal that a second try does not mend; null for all others. */
function refusedForGood(error: unknown, address: string): ConfigurationError | null {
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (name === 'KafkaJSSASLAuthenticationError') return new ConfigurationError(`${address} refused the credentials; check user, password and mechanism`, { cause: error });
  if (typeof code === 'string' && CERTIFICATE_CODE.test(code)) return new ConfigurationError(`the certificate of ${address} is not trusted (${code}); give the authority that signed it with KAFKA_TLS_CA, and the name it was made for`, { cause: error });
  return null;
}
