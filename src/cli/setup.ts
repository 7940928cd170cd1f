import { databaseSchema } from '../config/namespace.js';
import { BROKER_OPTIONS, type Options } from '../config/options.js';
import { defineCommand, type Command } from './command.js';
import { setUpSchemas } from './schemas.js';
import { setUpTopics } from './topics.js';

/** What a run needs before it can begin: topics, schemas, tables. Each step finds out what is missing and does only that. */
export const setupCommands: readonly Command[] = [
  defineCommand({
    path: ['setup'],
    summary: 'topics, schemas and database, in one',
    details: 'Runs `topics apply`, `schemas register` and `db migrate`. Safe to repeat: a second run finds nothing to do.',
    options: ['namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl', 'environment', 'partitions', 'file'],
    async run({ options, stdout }) {
      stdout(await setUpTopics(options));
      stdout(await setUpSchemas(options));
      stdout(await setUpDatabase(options));
      return 0;
    },
  }),
  defineCommand({
    path: ['db', 'migrate'],
    summary: 'create the tables, or bring them up to this version',
    details: 'The database schema is named after the namespace; public without one. A database of a newer version is refused.',
    options: ['namespace', 'databaseUrl'],
    async run({ options, stdout }) {
      stdout(await setUpDatabase(options));
      return 0;
    },
  }),
];

async function setUpDatabase({ namespace, databaseUrl }: Pick<Options, 'namespace' | 'databaseUrl'>): Promise<string> {
  const { migrate } = await import('../postgres/migrate.js');
  const schema = databaseSchema(namespace);
  const applied = await migrate(databaseUrl, schema);
  return `database: schema ${schema} ${applied.length === 0 ? 'up to date' : `brought up to version ${applied.at(-1)?.version}`}\n`;
}
