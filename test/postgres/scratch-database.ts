import { randomBytes } from 'node:crypto';
import { openDatabase, type Database } from '../../src/postgres/database.js';
import { migrate } from '../../src/postgres/migrate.js';
import { Session } from '../../src/postgres/session.js';

/** Address of the PostgreSQL that integration tests run against. */
export function databaseUrl(): string {
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '') throw new Error('this test needs DATABASE_URL: eval "$(scripts/position-linker stack env)"');
  return url;
}

/** A schema nobody else uses. */
export interface Scratch {
  readonly schema: string;
  /** Connections under a name of their own, so that they can be told apart and ended; closed with the schema. */
  open(applicationName?: string): Database;
  /** Ends every connection of that name on the server; answers how many. */
  terminate(applicationName: string): Promise<number>;
  drop(): Promise<void>;
}

export async function scratchSchema(options: { readonly isMigrated: boolean } = { isMigrated: true }): Promise<Scratch> {
  const schema = `Test_${randomBytes(5).toString('hex')}`;
  const url = databaseUrl();
  if (options.isMigrated) await migrate(url, schema);
  const opened: Database[] = [];
  const admin = new Session({ databaseUrl: url, schema: 'public', applicationName: `admin of ${schema}` });
  return {
    schema,
    open(applicationName = schema) {
      const database = openDatabase({ databaseUrl: url, schema, applicationName, commitsEarly: true });
      opened.push(database);
      return database;
    },
    async terminate(applicationName) {
      const ended = await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [applicationName]);
      return ended.length;
    },
    async drop() {
      await Promise.all(opened.map((database) => database.close()));
      await admin.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      await admin.end();
    },
  };
}
