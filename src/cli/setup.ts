import { readRecordSchemas } from '../avro/record-schema.js';
import { databaseSchema } from '../config/namespace.js';
import { BROKER_OPTIONS, type BrokerOptions, type Options } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { applyRegistration, planRegistration, registrationText } from '../schema-registry/register-schemas.js';
import { recordSubjects } from '../schema-registry/record-subjects.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import { applyTopicPlan, planAgainst } from '../topic-apply/apply-topics.js';
import { declaredTopics, wantedTopics } from '../topic-apply/declared-topics.js';
import { isEmptyPlan, planText } from '../topic-apply/topic-plan.js';
import { defineCommand, type Command } from './command.js';

/** What a run needs before it can begin: topics, schemas, tables. Each step finds out what is missing and does only that. */
export const setupCommands: readonly Command[] = [
  defineCommand({
    path: ['setup'],
    summary: 'topics, schemas and database, in one',
    details: 'Runs `topics apply`, `schemas register` and `db migrate`. Safe to repeat: a second run finds nothing to do.',
    options: ['namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl', 'environment', 'partitions'],
    async run({ options, stdout }) {
      stdout(await setUpTopics(options));
      stdout(await setUpSchemas(options));
      stdout(await setUpDatabase(options));
      return 0;
    },
  }),
  defineCommand({
    path: ['topics', 'apply'],
    summary: 'create the topics of topics.yaml that are missing',
    details: 'Never deletes, shrinks or repartitions. If a topic is not as declared and must not be changed, nothing is done and each such topic is named.',
    options: ['namespace', ...BROKER_OPTIONS, 'environment', 'partitions', 'dryRun'],
    async run({ options, stdout }) {
      stdout(await setUpTopics(options, options.dryRun));
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

type TopicOptions = BrokerOptions & Pick<Options, 'namespace' | 'environment' | 'partitions'>;
type SchemaOptions = Pick<Options, 'namespace' | 'registryUrl'>;

/** Answers what was done, or would be done, as lines. */
async function setUpTopics(options: TopicOptions, isDryRun = false): Promise<string> {
  const wanted = wantedTopics(options.namespace, declaredTopics(options));
  // Loaded here because the client of the broker takes longer to load than everything else, and not every command needs it.
  const { TopicAdmin } = await import('../kafka/admin.js');
  const admin = new TopicAdmin({ ...clusterAccess(options), clientId: 'position-linker' });
  try {
    const plan = await planAgainst(admin, wanted);
    if (isDryRun) return isEmptyPlan(plan) ? 'topics: nothing to do\n' : `${planText(plan)}\n`;
    await applyTopicPlan(admin, plan);
    const partitions = wanted[0]?.partitions ?? 0;
    return isEmptyPlan(plan)
      ? `topics: ${wanted.length} as declared, ${partitions} partitions each\n`
      : `topics: ${plan.create.length} created, ${plan.change.length} settings changed, ${wanted.length} in all, ${partitions} partitions each\n`;
  } finally {
    await admin.close();
  }
}

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
