import { GuidedError } from '../config/guided-error.js';
import { requireServerVersion } from './database.js';
import type { Migration } from './migrations/migration.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { Session, type Queries } from './session.js';
import { identifier } from './table-sql.js';

export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
}

/** Class of advisory locks for migrations; the object is a hash of the schema's name. */
const LOCK_CLASS = 0x706c;
/** A step may rewrite a large table, or wait for another process that does. */
const STEP_TIMEOUT_MS = 24 * 3_600_000;

/**
 * Brings a schema up to this program's version and answers the steps it took; none if there was nothing to do. Creates
 * the schema if it is missing. Several callers at once wait for each other. Each step is one transaction.
 * Throws GuidedError when the schema is newer than this program, DatabaseError when the database refuses.
 */
export async function migrate(databaseUrl: string, schema: string, migrations: readonly Migration[] = MIGRATIONS): Promise<AppliedMigration[]> {
  const session = new Session({ databaseUrl, schema, applicationName: 'position-linker migrate', queryTimeoutMs: STEP_TIMEOUT_MS });
  try {
    await requireServerVersion(session);
    // Waiting for another one's migrations is no deadlock.
    await session.query('SET lock_timeout = 0');
    await session.query('SELECT pg_advisory_lock($1::integer, hashtext($2))', [String(LOCK_CLASS), schema]);
    await prepare(session, schema);
    const current = await schemaVersion(session);
    const newest = migrations.at(-1)?.version ?? 0;
    if (current > newest) throw newerSchema(schema, current, newest);
    const missing = migrations.filter(({ version }) => version > current);
    for (const migration of missing) await apply(session, migration);
    return missing.map(({ version, name }) => ({ version, name }));
  } finally {
    // The lock goes with the connection.
    await session.end();
  }
}

/** Throws GuidedError unless the schema is exactly at this program's version. For roles, which do not migrate by themselves. */
export async function requireMigrated(queries: Queries, schema: string): Promise<void> {
  const problem = await migrationProblem(queries, schema);
  if (problem !== null) throw problem;
}

/** Why this program cannot work on the schema; null if it can. */
export async function migrationProblem(queries: Queries, schema: string): Promise<GuidedError | null> {
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  const [found] = await queries.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [`${identifier(schema)}.schema_migrations`]);
  const current = found?.exists === true ? await schemaVersion(queries) : 0;
  if (current > newest) return newerSchema(schema, current, newest);
  if (current < newest) {
    return new GuidedError(
      current === 0 ? `the database has no tables in schema ${schema}` : `the tables in schema ${schema} are at version ${current}, this program needs ${newest}`,
      'run `position-linker db migrate` with the same database and namespace',
    );
  }
  return null;
}

async function prepare(session: Session, schema: string): Promise<void> {
  const [row] = await session.query<{ exists: boolean }>('SELECT to_regnamespace($1) IS NOT NULL AS exists', [identifier(schema)]);
  if (row?.exists !== true) await session.query(`CREATE SCHEMA ${identifier(schema)}`);
  await session.query(`
    CREATE TABLE IF NOT EXISTS ${identifier(schema)}.schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
}

async function schemaVersion(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM schema_migrations');
  return row?.version ?? 0;
}

async function apply(session: Session, { version, name, sql }: Migration): Promise<void> {
  await session.transaction(async (queries) => {
    await queries.query(sql);
    await queries.query('INSERT INTO schema_migrations (version, name) VALUES ($1::integer, $2)', [String(version), name]);
  });
}

function newerSchema(schema: string, current: number, newest: number): GuidedError {
  return new GuidedError(
    `the tables in schema ${schema} are at version ${current}, this program knows only ${newest}`,
    'run the newer version of position-linker, or choose another --namespace',
  );
}
