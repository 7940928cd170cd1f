import { GuidedError } from '../config/guided-error.js';
import type { ConnectOptions } from './connection-options.js';
import { DatabaseError } from './database-error.js';
import { Session, type Queries } from './session.js';

/** The database as the rest of the program sees it; names without a schema mean the namespace's. */
export interface Database extends Queries {
  readonly schema: string;
  /** Runs the work on one connection, in a transaction; at most as many at a time as the caller starts. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /**
   * Connections lost so far. Behind each may be a crash or a failover, and a server that comes back from one may have
   * forgotten commits that it had acknowledged.
   */
  readonly lostConnections: number;
  close(): Promise<void>;
}

const MIN_VERSION = 15;

/** Connections are made when first needed and kept; a broken one is replaced at the next use. */
export function openDatabase(options: ConnectOptions): Database {
  const idle: Session[] = [];
  const all = new Set<Session>();
  let isClosed = false;
  let lost = 0;

  const discard = async (session: Session): Promise<void> => {
    all.delete(session);
    await session.end().catch(() => undefined);
  };
  const using = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    if (isClosed) throw new DatabaseError('the database was closed by this process', 'fatal', null);
    let session = idle.pop();
    while (session !== undefined && !session.isUsable) {
      await discard(session);
      session = idle.pop();
    }
    if (session === undefined) {
      session = new Session(options, () => {
        lost++;
      });
      all.add(session);
    }
    try {
      return await work(session);
    } finally {
      if (isClosed || !session.isUsable) await discard(session);
      else idle.push(session);
    }
  };
  return {
    schema: options.schema,
    query: (text, parameters) => using((session) => session.query(text, parameters)),
    transaction: (work) => using((session) => session.transaction(work)),
    get lostConnections() {
      return lost;
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...all].map((session) => discard(session)));
    },
  };
}

/** Throws GuidedError on a server that lacks what the tables need (unique keys in which null equals null). */
export async function requireServerVersion(queries: Queries): Promise<void> {
  const [row] = await queries.query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
  const major = Math.floor(Number(row?.version ?? 0) / 10_000);
  if (major < MIN_VERSION) throw new GuidedError(`the server is PostgreSQL ${major}, the tables need ${MIN_VERSION} or newer`, 'point DATABASE_URL at a newer server');
}
