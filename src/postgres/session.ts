import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { connectionOptions, type ConnectOptions } from './connection-options.js';
import { databaseError, DatabaseError } from './database-error.js';

export interface Queries {
  /** Rows by column name: numeric and uuid as text, timestamptz as ISO text in UTC, bigint as number. Throws DatabaseError. */
  query<Row extends object = Record<string, unknown>>(text: string, parameters?: readonly (string | null)[]): Promise<Row[]>;
}

const DEFAULT_QUERY_TIMEOUT_MS = 120_000;
const END_TIMEOUT_SECONDS = 2;

/**
 * One connection that is never replaced behind the caller's back. postgres.js connects again by itself, also in the
 * middle of a transaction, whose rest would then be committed statement by statement; and its reserved connections
 * write to a socket that is gone. So: one client per session, one statement at a time, and nothing after a close.
 */
export class Session implements Queries {
  private readonly sql: postgres.Sql;
  private readonly queryTimeoutMs: number;
  private failure: DatabaseError | null = null;
  private isEnded = false;

  /** `onLost` is called when the connection is gone and nobody here ended it. */
  constructor(options: ConnectOptions, onLost: () => void = () => undefined) {
    const { databaseUrl } = options;
    this.queryTimeoutMs = options.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS;
    this.sql = postgres(databaseUrl, {
      ...connectionOptions(options),
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      onclose: () => {
        if (!this.isEnded) onLost();
        this.failure ??= new DatabaseError('the connection was closed', 'transient', null);
      },
    });
  }

  get isUsable(): boolean {
    return this.failure === null;
  }

  async query<Row extends object = Record<string, unknown>>(text: string, parameters: readonly (string | null)[] = []): Promise<Row[]> {
    if (this.failure !== null) throw this.failure;
    const timer = setTimeout(() => this.abandon(text), this.queryTimeoutMs);
    try {
      // Without parameters a script of several statements; with them a statement prepared once a connection.
      const rows = await this.sql.unsafe(text, [...parameters], { prepare: parameters.length > 0 });
      return rows as unknown as Row[];
    } catch (error) {
      const failed = databaseError(error, shortened(text));
      // No server answered. Between a socket's error and its close the client would take another statement, and never answer it.
      if (failed.sqlState === null) this.fail(failed);
      throw failed;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs the work in a transaction; rolls back when it throws. A failed COMMIT leaves open whether it took place. */
  async transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    await this.query('BEGIN');
    let result: T;
    try {
      result = await work(this);
    } catch (error) {
      if (this.isUsable) await this.query('ROLLBACK').catch((failed: unknown) => this.fail(failed));
      throw error;
    }
    await this.query('COMMIT');
    return result;
  }

  /** Sends rows by a COPY statement, as fast as the server takes them; they belong to the transaction that is open. Throws DatabaseError. */
  async copy(statement: string, lines: Iterable<Uint8Array>): Promise<void> {
    if (this.failure !== null) throw this.failure;
    try {
      const query = this.sql.unsafe(statement);
      const refused = refusalOf(query);
      const sink = await query.writable();
      await Promise.race([pipeline(Readable.from(chunksOf(lines)), sink), refused]);
    } catch (error) {
      const failed = databaseError(error, shortened(statement));
      if (failed.sqlState === null) this.fail(failed);
      throw failed;
    }
  }

  async end(): Promise<void> {
    const timeout = this.isUsable ? END_TIMEOUT_SECONDS : 0;
    this.isEnded = true;
    this.fail(new DatabaseError('the session has ended', 'transient', null));
    await this.sql.end({ timeout });
  }

  private abandon(text: string): void {
    this.fail(new DatabaseError(`${shortened(text)}: no answer within ${this.queryTimeoutMs / 1000} s`, 'transient', null));
    void this.sql.end({ timeout: 0 });
  }

  private fail(error: unknown): void {
    this.failure ??= databaseError(error, 'session');
  }
}

function shortened(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length <= 80 ? line : `${line.slice(0, 77)}...`;
}

/**
 * Rejects when the server refuses the statement at its very end, such as for a key that is there twice. By then the client
 * has answered the query with the stream, and tells neither.
 */
function refusalOf(query: object): Promise<never> {
  const pending = query as { reject: (error: unknown) => void };
  const { reject } = pending;
  const refusal = new Promise<never>((_resolve, refuse) => {
    pending.reject = (error) => {
      refuse(error);
      reject(error);
    };
  });
  refusal.catch(() => undefined);
  return refusal;
}

/** Many lines in one write: the server's message header and the stream's own work cost as much as a short line. */
const COPY_CHUNK_BYTES = 64 * 1024;

function* chunksOf(lines: Iterable<Uint8Array>): Iterable<Uint8Array> {
  let pending: Uint8Array[] = [];
  let bytes = 0;
  for (const line of lines) {
    pending.push(line);
    bytes += line.length;
    if (bytes < COPY_CHUNK_BYTES) continue;
    yield Buffer.concat(pending, bytes);
    pending = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(pending, bytes);
}
