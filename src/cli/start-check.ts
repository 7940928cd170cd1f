import { readRecordSchemas } from '../avro/record-schema.js';
import { GuidedError } from '../config/guided-error.js';
import { databaseSchema, groupId, topicName, transactionalId, type Namespace } from '../config/namespace.js';
import type { ClusterAccess } from '../kafka/cluster-access.js';
import type { StandingProbe, TopicStanding } from '../kafka/standing.js';
import { subjectProblems } from '../schema-registry/check-subjects.js';
import { recordSubjects } from '../schema-registry/record-subjects.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import { commonest } from '../topic-apply/topic-state.js';
import type { TopicDeclaration } from '../topic-apply/topics-file.js';
import type { RoleUse } from '../acl-apply/role-rules.js';

/** A role cannot begin: everything that is not in place, each with the command that mends it. */
export class SetUpError extends GuidedError {
  override name = 'SetUpError';
  /** A server did not answer: the same start may succeed later. */
  readonly isUnreachable: boolean;

  constructor(isUnreachable: boolean, message: string, nextStep: string) {
    super(message, nextStep);
    this.isUnreachable = isUnreachable;
  }
}

export interface StartCheck {
  readonly namespace: Namespace;
  readonly registryUrl: string;
  readonly uses: readonly RoleUse[];
  /** Declarations of the topics that the roles use. */
  readonly topics: readonly TopicDeclaration[];
  /** Where roles that end in tables find them; null: none of them does. */
  readonly databaseUrl: string | null;
}

/** Problems that one command mends. */
interface Remedy {
  readonly remedy: string;
  readonly problems: readonly string[];
}

/**
 * Whether the topics of these roles are there with one number of partitions, whether their schemas are registered and every
 * version readable, and whether this user may do what the roles do. Throws one SetUpError that lists everything that is not
 * so, tables included; else answers the number of partitions.
 */
export async function checkStart(access: ClusterAccess, check: StartCheck): Promise<number> {
  // The client of the broker takes longer to load than the rest.
  const { StandingProbe } = await import('../kafka/standing.js');
  const probe = new StandingProbe({ ...access, clientId: 'position-linker' });
  try {
    return await checkWith(probe, new RegistryClient(check.registryUrl), () => tablesProblem(check), check);
  } finally {
    probe.close();
  }
}

type Probe = Pick<StandingProbe, 'topics' | 'mayUseGroup' | 'mayWriteAs'>;
type Registry = Pick<RegistryClient, 'versions' | 'version'>;

async function tablesProblem({ databaseUrl, namespace }: StartCheck): Promise<string | null> {
  if (databaseUrl === null) return null;
  const [{ openDatabase }, { migrationProblem }] = await Promise.all([import('../postgres/database.js'), import('../postgres/migrate.js')]);
  const schema = databaseSchema(namespace);
  const database = openDatabase({ databaseUrl, schema });
  try {
    return (await migrationProblem(database, schema))?.message ?? null;
  } finally {
    await database.close();
  }
}

/** The same, with these to be asked; the last of them says what is wrong with the tables. */
export async function checkWith(probe: Probe, registry: Registry, tables: () => Promise<string | null>, { namespace, uses, topics }: StartCheck): Promise<number> {
  const names = topics.map(({ name }) => topicName(namespace, name));
  const subjects = recordSubjects(namespace, topics, readRecordSchemas());
  const [brokers, schemas, database] = await Promise.all([
    asked('the brokers', async () => ({ standings: await probe.topics(names), roles: await forbiddenRoles(probe, namespace, uses) })),
    asked('the schema registry', () => subjectProblems(registry, subjects)),
    asked('the database', tables),
  ]);
  const unreachable = [brokers, schemas, database].flatMap(({ failure }) => failure ?? []);
  const { standings, roles } = brokers.found ?? { standings: [], roles: [] };
  const where = namespace === null ? '' : ` --namespace ${namespace}`;
  const forbidden = [...forbiddenTopics(standings, namespace, uses), ...roles];
  const shapes = topicProblems(standings, namespace, uses);
  const found = schemas.found ?? [];
  const remedies: readonly Remedy[] = [
    { remedy: 'see that these servers are up, and that their addresses and credentials are right: `position-linker stack status`', problems: unreachable },
    { remedy: `position-linker topics apply${where}`, problems: shapes.missing },
    { remedy: `position-linker topics plan${where}, which says what can be done`, problems: shapes.uneven },
    { remedy: `position-linker acls apply${where}, as a user who may change rights`, problems: forbidden },
    { remedy: `position-linker schemas register${where}`, problems: found.filter(({ kind }) => kind === 'unregistered').map(({ message }) => message) },
    { remedy: `position-linker db migrate${where}`, problems: database.found === null ? [] : [database.found] },
    { remedy: 'a version of position-linker that reads these schemas, or another namespace', problems: found.filter(({ kind }) => kind === 'unreadable').map(({ message }) => message) },
  ];
  const open = remedies.filter(({ problems }) => problems.length > 0);
  if (open.length > 0) throw refusal(open, uses, where, unreachable.length > 0);
  return commonest(standings.map(({ partitions }) => partitions ?? 0)) ?? 0;
}

interface Answer<T> {
  readonly found: T | null;
  readonly failure: string | null;
}

/** A server that does not answer is one of the problems, not the end of the list. */
async function asked<T>(whom: string, ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { found: await ask(), failure: null };
  } catch (error) {
    const causes: string[] = [];
    for (let cause: unknown = error; cause instanceof Error && causes.length < 4; cause = cause.cause) if (!causes.some((text) => text.includes((cause as Error).message))) causes.push(cause.message);
    return { found: null, failure: `${whom} could not be asked: ${causes.join(': ')}` };
  }
}

function topicProblems(standings: readonly TopicStanding[], namespace: Namespace, uses: readonly RoleUse[]): { readonly missing: string[]; readonly uneven: string[] } {
  const partitions = new Map(standings.map((standing) => [standing.topic, standing.partitions]));
  const missing = standings.filter((standing) => standing.partitions === null && standing.may('describe')).map(({ topic }) => `topic ${topic} is missing`);
  const uneven = uses.flatMap(({ role, reads, writes }) => {
    const own = [...new Set([...reads, ...writes])].map((topic) => topicName(namespace, topic)).filter((topic) => (partitions.get(topic) ?? null) !== null);
    const usual = commonest(own.map((topic) => partitions.get(topic) as number));
    return own.filter((topic) => partitions.get(topic) !== usual).map((topic) => `topic ${topic} has ${partitions.get(topic)} partitions, the others of ${role} have ${usual}`);
  });
  return { missing, uneven: [...new Set(uneven)] };
}

function forbiddenTopics(standings: readonly TopicStanding[], namespace: Namespace, uses: readonly RoleUse[]): string[] {
  const byTopic = new Map(standings.map((standing) => [standing.topic, standing]));
  const lines = uses.flatMap(({ role, reads, writes }) =>
    (['read', 'write'] as const).flatMap((right) => (right === 'read' ? reads : writes).flatMap((topic) => {
      const standing = byTopic.get(topicName(namespace, topic));
      if (standing === undefined || standing.may(right)) return [];
      return [`${role} may not ${right} topic ${standing.topic}`];
    })),
  );
  return [...new Set(lines)];
}

async function forbiddenRoles(probe: Probe, namespace: Namespace, uses: readonly RoleUse[]): Promise<string[]> {
  const lines = await Promise.all(uses.map(async ({ role, hasGroup, isTransactional }) => {
    const group = groupId(namespace, role);
    const id = transactionalId(namespace, role, 0);
    const [mayJoin, mayWrite] = await Promise.all([!hasGroup || probe.mayUseGroup(group), !isTransactional || probe.mayWriteAs(id)]);
    return [...(mayJoin ? [] : [`${role} may not be a member of group ${group}`]), ...(mayWrite ? [] : [`${role} may not write under transactional ids such as ${id}`])];
  }));
  return lines.flat();
}

function refusal(remedies: readonly Remedy[], uses: readonly RoleUse[], where: string, isUnreachable: boolean): SetUpError {
  const lines = remedies.flatMap(({ remedy, problems }) => [...problems.map((problem) => `  ${problem}`), `    mend with: ${remedy}`]);
  return new SetUpError(isUnreachable, `${uses.map(({ role }) => role).join(', ')} cannot start, not everything is set up:\n${lines.join('\n')}`, `do what the lines above say; \`position-linker setup${where}\` makes topics, schemas and tables in one`);
}
