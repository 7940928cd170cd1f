import { GuidedError } from '../config/guided-error.js';
import { migrate } from '../postgres/migrate.js';
import { Session } from '../postgres/session.js';
import { identifier } from '../postgres/table-sql.js';
import type { Table } from '../postgres/table.js';
import { copyStatement } from '../postgres/copy-text.js';
import type { BuiltTable } from './tables-build.js';
import { shadowName, type ShadowKind } from './shadow-name.js';
import { REBUILT_TABLES } from './live-tables.js';

/*
 * The shadow schema: the same tables as the live one, made by the same migrations, loaded partition by partition. A partition's
 * rows and the note that it is done are one transaction, so a rebuild that was killed goes on with those that are missing.
 * Indexes are made when everything is loaded; until then their definitions wait in a table.
 */

/** Class of advisory locks for rebuilds; the object is a hash of the schema's name. */
const LOCK_CLASS = 0x7262;
const LONG_MS = 24 * 3_600_000;

/** What is noted of a partition that is loaded. */
export interface LoadedPartition {
  readonly partition: number;
  /** JSON text of whoever loaded it. */
  readonly note: string;
}

export class ShadowSchema {
  readonly name: string;
  private readonly databaseUrl: string;
  private readonly session: Session;

  private constructor(name: string, databaseUrl: string, session: Session) {
    this.name = name;
    this.databaseUrl = databaseUrl;
    this.session = session;
  }

  /** Takes the schema for this process. Throws GuidedError when another rebuild has it. */
  static async lock(databaseUrl: string, live: string, kind: ShadowKind = ''): Promise<ShadowSchema> {
    const name = shadowName(live, kind);
    const session = openShadowSession(databaseUrl, name);
    try {
      const [row] = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1::integer, hashtext($2)) AS locked', [String(LOCK_CLASS), name]);
      if (row?.locked !== true) throw new GuidedError(`another rebuild works in schema ${name}`, 'wait until it has ended, or end it');
      return new ShadowSchema(name, databaseUrl, session);
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  /**
   * Makes it ready to be loaded. What an earlier rebuild of the same `identity` left is kept; answers the partitions loaded,
   * all of which must please `isCurrent`. Anything else is thrown away.
   */
  async prepare(identity: string, isCurrent: (loaded: LoadedPartition) => boolean): Promise<readonly LoadedPartition[]> {
    const loaded = await this.loadedOf(identity);
    if (loaded !== null && loaded.every(isCurrent)) return loaded;
    await this.drop();
    await migrate(this.databaseUrl, this.name);
    await this.session.transaction(async (queries) => {
      await queries.query('CREATE TABLE rebuild_partitions (partition integer PRIMARY KEY, note text NOT NULL)');
      await queries.query('CREATE TABLE rebuild_indexes (position integer PRIMARY KEY, statement text NOT NULL)');
      await queries.query('CREATE TABLE rebuild_run (identity text NOT NULL)');
      await this.setIndexesAside();
      await queries.query('INSERT INTO rebuild_run VALUES ($1)', [identity]);
    });
    return [];
  }

  /** Makes the indexes; those an earlier run made already are there. */
  async finish(): Promise<void> {
    const statements = await this.session.query<{ position: number; statement: string }>('SELECT position, statement FROM rebuild_indexes ORDER BY position');
    for (const { position, statement } of statements) {
      await this.session.transaction(async (queries) => {
        await queries.query(statement);
        await queries.query('DELETE FROM rebuild_indexes WHERE position = $1::integer', [String(position)]);
      });
    }
    if (statements.length > 0) for (const { name } of REBUILT_TABLES) await this.session.query(`ANALYZE ${identifier(name)}`);
  }

  get queries(): Session {
    return this.session;
  }

  async drop(): Promise<void> {
    await this.session.query(`DROP SCHEMA IF EXISTS ${identifier(this.name)} CASCADE`);
  }

  /** The lock goes with the connection. */
  async close(): Promise<void> {
    await this.session.end();
  }

  private async loadedOf(identity: string): Promise<readonly LoadedPartition[] | null> {
    const [found] = await this.session.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [`${identifier(this.name)}.rebuild_run`]);
    if (found?.exists !== true) return null;
    const [run] = await this.session.query<{ identity: string }>('SELECT identity FROM rebuild_run');
    if (run?.identity !== identity) return null;
    return this.session.query<{ partition: number; note: string }>('SELECT partition, note FROM rebuild_partitions ORDER BY partition');
  }

  private async setIndexesAside(): Promise<void> {
    const tables = REBUILT_TABLES.map(({ name }: Table<never>) => `'${identifier(this.name)}.${identifier(name)}'::regclass`).join(', ');
    const constraints = await this.session.query<{ relation: string; name: string; definition: string }>(
      `SELECT conrelid::regclass::text AS relation, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE conrelid IN (${tables}) AND contype IN ('p', 'u') ORDER BY 1, 2`,
    );
    for (const { relation, name } of constraints) await this.session.query(`ALTER TABLE ${relation} DROP CONSTRAINT ${name}`);
    const indexes = await this.session.query<{ name: string; definition: string }>(
      `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index WHERE indrelid IN (${tables}) ORDER BY 1`,
    );
    for (const { name } of indexes) await this.session.query(`DROP INDEX ${name}`);
    const statements = [...constraints.map(({ relation, name, definition }) => `ALTER TABLE ${relation} ADD CONSTRAINT ${name} ${definition}`), ...indexes.map(({ definition }) => definition)];
    for (const [position, statement] of statements.entries()) await this.session.query('INSERT INTO rebuild_indexes VALUES ($1::integer, $2)', [String(position), statement]);
  }
}

/** Loads the rows of one partition and the note about it, all or none; answers the number of rows. The session is one of the shadow schema. */
export async function loadPartition(session: Session, tables: readonly BuiltTable[], { partition, note }: LoadedPartition): Promise<number> {
  let loaded = 0;
  await session.transaction(async (queries) => {
    for (const { table, lines, rows } of tables) {
      if (rows === 0) continue;
      loaded += rows;
      await session.copy(copyStatement(table), lines);
    }
    await queries.query('INSERT INTO rebuild_partitions VALUES ($1::integer, $2)', [String(partition), note]);
  });
  return loaded;
}

/** A connection of its own; the caller ends it. */
export function openShadowSession(databaseUrl: string, schema: string): Session {
  return new Session({ databaseUrl, schema, applicationName: 'position-linker rebuild', queryTimeoutMs: LONG_MS });
}
