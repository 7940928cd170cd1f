import { readRecordSchemas } from '../avro/record-schema.js';
import { databaseSchema } from '../config/namespace.js';
import { BROKER_OPTIONS, type Options } from '../config/options.js';
import { applyRegistration, planRegistration, registrationText } from '../schema-registry/register-schemas.js';
import { recordSubjects } from '../schema-registry/record-subjects.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { defineCommand, type Command } from './command.js';
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
    path: ['schemas', 'register'],
    summary: 'register the record schemas under every topic that carries them',
    details: 'Sets the compatibility level of each subject, FULL_TRANSITIVE, before its first version, and registers only what is not there yet.',
    options: ['namespace', 'registryUrl', 'dryRun'],
    async run({ options, stdout }) {
      stdout(await setUpSchemas(options, options.dryRun));
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

type SchemaOptions = Pick<Options, 'namespace' | 'registryUrl'>;

/** Answers what was done, or would be done, as lines. */
async function setUpSchemas(options: SchemaOptions, isDryRun = false): Promise<string> {
  const subjects = recordSubjects(options.namespace, declaredTopics(), readRecordSchemas());
  const client = new RegistryClient(options.registryUrl);
  const plans = await planRegistration(client, subjects);
  if (isDryRun) return plans.length === 0 ? 'schemas: nothing to do\n' : `${registrationText(plans)}\n`;
  await applyRegistration(client, plans);
  const registered = plans.filter((plan) => plan.schema !== null).length;
  return `schemas: ${registered === 0 ? '' : `${registered} registered, `}${subjects.length} subjects as declared\n`;
}

async function setUpDatabase({ namespace, databaseUrl }: Pick<Options, 'namespace' | 'databaseUrl'>): Promise<string> {
  const { migrate } = await import('../postgres/migrate.js');
  const schema = databaseSchema(namespace);
  const applied = await migrate(databaseUrl, schema);
  return `database: schema ${schema} ${applied.length === 0 ? 'up to date' : `brought up to version ${applied.at(-1)?.version}`}\n`;
}
