/**
 * What the shell does about a failed statement.
 *
 * | kind            | cause                                                       | the shell                                        |
 * |-----------------|-------------------------------------------------------------|--------------------------------------------------|
 * | `transient`     | connection, restart, failover, deadlock, full disk, no slot | waits and begins again from the stored offsets   |
 * | `row`           | a value the column or a constraint refuses                  | finds the row; it becomes a dead letter           |
 * | `configuration` | no such database or table, no right, wrong password         | ends the process; a person mends it              |
 * | `fatal`         | anything else: a mistake of the program, corrupt storage    | ends the process                                 |
 */
export type DatabaseErrorKind = 'transient' | 'row' | 'configuration' | 'fatal';

export class DatabaseError extends Error {
  override name = 'DatabaseError';
  readonly kind: DatabaseErrorKind;
  /** Five characters as the server sent them; null where no server answered. */
  readonly sqlState: string | null;

  constructor(message: string, kind: DatabaseErrorKind, sqlState: string | null, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.kind = kind;
    this.sqlState = sqlState;
  }
}

/** By SQLSTATE class or whole code; the longer match counts. */
const KINDS: Readonly<Record<string, DatabaseErrorKind>> = {
  // Nothing wrong with the statement: the same one succeeds later, or elsewhere.
  '08': 'transient', // connection
  '40': 'transient', // serialization failure, deadlock, completion unknown
  '53': 'transient', // disk full, out of memory, too many connections
  '57': 'transient', // cancelled, administrator's shutdown, crash, still starting
  '58': 'transient', // I/O error of the server
  '25006': 'transient', // read only: a standby before its promotion
  '25P02': 'transient', // the transaction is aborted; its first error was another
  '25P03': 'transient', // idle in transaction for too long: this process slept
  '26000': 'transient', // prepared statement gone, behind a connection pooler
  '55006': 'transient', // object in use
  '55P03': 'transient', // lock timeout
  '0A000': 'transient', // cached plan outdated by a swap of tables; a new connection plans anew
  // The values.
  '22': 'row', // out of range, not a number, not a date, a character that cannot be stored
  '23': 'row', // constraints
  '54000': 'row', // such as an index entry that is too long
  // For a person.
  '28': 'configuration',
  '3D': 'configuration',
  '3F': 'configuration',
  '42': 'configuration',
};

/** Codes of the client and of the socket, where no server answered. */
const CLIENT_KINDS: Readonly<Record<string, DatabaseErrorKind>> = {
  CONNECTION_CLOSED: 'transient',
  CONNECTION_ENDED: 'transient',
  CONNECTION_DESTROYED: 'transient',
  CONNECT_TIMEOUT: 'transient',
  ECONNREFUSED: 'transient',
  ECONNRESET: 'transient',
  ECONNABORTED: 'transient',
  EPIPE: 'transient',
  ETIMEDOUT: 'transient',
  EHOSTUNREACH: 'transient',
  EHOSTDOWN: 'transient',
  ENETUNREACH: 'transient',
  ENETDOWN: 'transient',
  EAI_AGAIN: 'transient',
  ENOTFOUND: 'transient',
  EMFILE: 'transient',
  ENOENT: 'transient', // socket file of a server that is not up
};

/** The kind of a SQLSTATE; unknown ones are fatal. */
export function kindOfSqlState(sqlState: string): DatabaseErrorKind {
  return KINDS[sqlState] ?? KINDS[sqlState.slice(0, 2)] ?? 'fatal';
}

/** Wraps what the client threw. `doing` completes "while …" for a reader of the log. */
export function databaseError(cause: unknown, doing: string): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  const { code, message, detail, table_name: table, constraint_name: constraint } = cause as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly detail?: unknown;
    readonly table_name?: unknown;
    readonly constraint_name?: unknown;
  };
  const text = typeof message === 'string' && message !== '' ? message : String(cause);
  if (typeof code !== 'string') return new DatabaseError(`${doing}: ${text}`, 'fatal', null, { cause });
  const known = CLIENT_KINDS[code];
  if (known !== undefined) return new DatabaseError(`${doing}: ${code}: ${text}`, known, null, { cause });
  if (!/^[0-9A-Z]{5}$/.test(code)) return new DatabaseError(`${doing}: ${code}: ${text}`, 'fatal', null, { cause });
  const place = [table, constraint].filter((part) => typeof part === 'string').join(', ');
  const extra = `${typeof detail === 'string' ? ` (${detail})` : ''}${place === '' ? '' : ` [${place}]`}`;
  return new DatabaseError(`${doing}: SQLSTATE ${code}: ${text}${extra}`, kindOfSqlState(code), code, { cause });
}
