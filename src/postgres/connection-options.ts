import { Socket } from 'node:net';
import type postgres from 'postgres';
import { parseTextArray } from './cell-text.js';
import { identifier } from './table-sql.js';

export interface ConnectOptions {
  /** postgres://user:password@host:port/database */
  readonly databaseUrl: string;
  /** Database schema that unqualified names mean. */
  readonly schema: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** A statement without an answer after this time counts as a lost connection; default two minutes. */
  readonly queryTimeoutMs?: number;
  /** Commits do not wait for the server's disk: for sinks, whose rows and offsets are lost together or not at all. */
  readonly commitsEarly?: boolean;
}

const CONNECT_TIMEOUT_SECONDS = 10;
/**
 * A process that sleeps in the middle of a transaction holds its row locks, and with them the offsets of whoever took
 * over. The server ends such a transaction after this time.
 */
const IDLE_IN_TRANSACTION_MS = 10_000;
const LOCK_TIMEOUT_MS = 30_000;

/** Offsets, sequence numbers and counts stay below 2^53; anything larger is kept as text rather than made wrong. */
function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** The server's time text (UTC, ISO style) as ISO 8601 with milliseconds. */
function parseTime(text: string): string {
  const date = new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'));
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

/** One side of a type: values go to the server as text of the statement's own casts. */
function reader(oid: number, parse: (text: string) => unknown): postgres.PostgresType<unknown> {
  return { to: oid, from: [oid], serialize: (value: unknown) => value, parse };
}

/** postgres.js hands its parsed options to a socket factory, which its types do not know. */
interface SocketTarget {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
}

/** Sockets without Nagle's delay, which would hold back the end of every large statement; hosts in turn. */
function socketFactory(): (target: SocketTarget) => Socket {
  let attempts = 0;
  return ({ host, port, path }) => {
    const socket = new Socket();
    socket.setNoDelay(true);
    if (path !== false && path !== '') return socket.connect(path);
    const index = attempts++ % host.length;
    // TLS asks the socket for the host's name, as it does of the client's own sockets.
    Object.assign(socket, { host: host[index], port: port[index] });
    return socket.connect(port[index] as number, host[index] as string);
  };
}

export function connectionOptions({ schema, applicationName, commitsEarly }: ConnectOptions): postgres.Options<Record<string, postgres.PostgresType>> {
  const options = {
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    // Types are few and known: no query for them at every connect.
    fetch_types: false,
    onnotice: () => undefined,
    socket: socketFactory(),
    types: {
      int8: reader(20, parseInt8),
      timestamptz: reader(1184, parseTime),
      textArray: reader(1009, parseTextArray),
    },
    connection: {
      application_name: applicationName ?? 'position-linker',
      search_path: identifier(schema),
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      client_min_messages: 'warning',
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      ...(commitsEarly === true ? { synchronous_commit: 'off' } : {}),
    },
  };
  return options as unknown as postgres.Options<Record<string, postgres.PostgresType>>;
}
