import { readFileSync, writeFileSync } from 'node:fs';
import { bareTopicName } from '../config/namespace.js';
import { GuidedError } from '../config/guided-error.js';
import { BROKER_OPTIONS, type BrokerOptions, type Options } from '../config/options.js';
import type { TopicAdmin } from '../kafka/admin.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { applyTopicPlan, clusterState } from '../topic-apply/apply-topics.js';
import { declaredTopics, wantedTopics } from '../topic-apply/declared-topics.js';
import { planDocument, planSummary, planText, type PlanDocument } from '../topic-apply/plan-text.js';
import { movedSince, readSavedPlan, savedPlanText } from '../topic-apply/saved-plan.js';
import { differenceText, topicDifferences } from '../topic-apply/topic-diff.js';
import { topicsFileText } from '../topic-apply/topic-export.js';
import { isDrift, planTopics, type TopicPlan } from '../topic-apply/topic-plan.js';
import type { ClusterState, WantedTopic } from '../topic-apply/topic-state.js';
import { defineCommand, type Command } from './command.js';

const AS_DECLARED = 0;
const DRIFT = 3;

const DECLARING = ['file', 'environment', 'partitions', 'namespace', ...BROKER_OPTIONS] as const;
const RULES =
  'Rules: nothing is ever deleted, shrunk or repartitioned; topics of one role have one number of partitions; replication fits the brokers and ' +
  'min.insync.replicas stays below it; retention is cut only with --allow-retention-cut.';

/** `topics`: the declared topics and those of a cluster. */
export const topicCommands: readonly Command[] = [
  defineCommand({
    path: ['topics', 'plan'],
    summary: 'what has to be done so that the cluster has the topics of topics.yaml',
    details:
      `Changes nothing and remembers nothing: only the file and the cluster count. --out saves the plan, the same that --json prints, for \`topics apply --plan\`.\n${RULES}\n` +
      'Exit codes: 0 nothing to do, or only topics to create; 3 drift: topics that exist are not as declared, or a rule refuses.',
    options: [...DECLARING, 'allowRetentionCut', 'out', 'json'],
    async run({ options, stdout }) {
      const { plan, state, wanted } = await withAdmin(options, (admin) => planned(admin, options));
      const saved = savedPlanText(plan, state);
      if (options.out !== null) writeText(options.out, saved);
      if (options.json) stdout(saved);
      else stdout(`${[planText(planDocument(plan)), planSummary(planDocument(plan), wanted.length), ...(options.out === null ? [] : [`saved in ${options.out}`])].filter((line) => line !== '').join('\n')}\n`);
      return isDrift(plan) ? DRIFT : AS_DECLARED;
    },
  }),
  defineCommand({
    path: ['topics', 'apply'],
    summary: 'create and change topics until they are those of topics.yaml',
    details: `${RULES} If a rule refuses anything, nothing is done. With --plan exactly the steps of a saved plan are done, or none if the cluster moved since. Safe to repeat.`,
    options: [...DECLARING, 'allowRetentionCut', 'plan', 'dryRun', 'json'],
    async run({ options, stdout }) {
      stdout(await withAdmin(options, (admin) => (options.plan === null ? applyDeclared(admin, options) : applySaved(admin, options.plan, options))));
      return AS_DECLARED;
    },
  }),
  defineCommand({
    path: ['topics', 'diff'],
    summary: 'where topics.yaml and the cluster differ',
    details: 'Names every difference, also topics and settings of the cluster that nothing declares.\nExit codes: 0 no difference, 3 drift.',
    options: [...DECLARING, 'json'],
    async run({ options, stdout }) {
      const wanted = declared(options);
      const differences = topicDifferences(wanted, await withAdmin(options, (admin) => clusterState(admin, wanted)));
      if (options.json) stdout(`${JSON.stringify({ drift: differences.length > 0, differences }, null, 2)}\n`);
      else stdout(differences.length === 0 ? `no difference: ${wanted.length} topics as declared\n` : `${differenceText(differences)}\n`);
      return differences.length === 0 ? AS_DECLARED : DRIFT;
    },
  }),
  defineCommand({
    path: ['topics', 'export'],
    summary: 'a topics file that says what the cluster has',
    details: 'Takes all topics of the namespace; without one, all topics but those that Kafka keeps for itself. Writes to standard output, or to --out FILE.',
    options: ['file', 'namespace', ...BROKER_OPTIONS, 'out'],
    async run({ options, stdout }) {
      const text = await withAdmin(options, (admin) => exported(admin, options));
      if (options.out === null) stdout(text);
      else writeText(options.out, text);
      return 0;
    },
  }),
];

type DeclaringOptions = BrokerOptions & Pick<Options, 'file' | 'environment' | 'partitions' | 'namespace'>;

async function withAdmin<T>(options: BrokerOptions, work: (admin: TopicAdmin) => Promise<T>): Promise<T> {
  // Loaded here because the client of the broker takes longer to load than everything else, and not every command needs it.
  const { TopicAdmin } = await import('../kafka/admin.js');
  const admin = new TopicAdmin({ ...clusterAccess(options), clientId: 'position-linker' });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

function declared(options: Pick<DeclaringOptions, 'file' | 'environment' | 'partitions' | 'namespace'>): readonly WantedTopic[] {
  return wantedTopics(options.namespace, declaredTopics(options, options.file));
}

async function planned(admin: TopicAdmin, options: DeclaringOptions & Pick<Options, 'allowRetentionCut'>): Promise<{ readonly plan: TopicPlan; readonly state: ClusterState; readonly wanted: readonly WantedTopic[] }> {
  const wanted = declared(options);
  const [state, { allRoleUses, roleTopics }] = await Promise.all([clusterState(admin, wanted), import('./role-topics.js')]);
  const plan = planTopics(wanted, state, { roles: roleTopics(options.namespace, allRoleUses()), allowRetentionCut: options.allowRetentionCut });
  return { plan, state, wanted };
}

type ApplyOptions = DeclaringOptions & Pick<Options, 'allowRetentionCut' | 'dryRun' | 'json'>;

async function applyDeclared(admin: TopicAdmin, options: ApplyOptions): Promise<string> {
  const { plan, wanted } = await planned(admin, options);
  if (!options.dryRun) await applyTopicPlan(admin, plan);
  return report(planDocument(plan), options, wanted.length);
}

async function applySaved(admin: TopicAdmin, file: string, options: ApplyOptions): Promise<string> {
  const { plan, basis, document } = readSavedPlan(file, readText(file));
  const topics = [...new Set([...basis.topics, ...plan.create].map(({ topic }) => topic))];
  const moved = movedSince(basis, { ...(await admin.clusterFacts()), topics: await admin.describe(topics), undeclared: [] });
  if (moved.length > 0) {
    throw new GuidedError(`the cluster moved since ${file} was made:\n${moved.map((line) => `  ${line}`).join('\n')}`, 'nothing was changed; make and read a new plan with `position-linker topics plan --out FILE`');
  }
  if (!options.dryRun) await applyTopicPlan(admin, plan);
  return report(document, options, topics.length);
}

function report(plan: PlanDocument, { dryRun, json }: Pick<Options, 'dryRun' | 'json'>, topics: number): string {
  if (json) return `${JSON.stringify({ applied: !dryRun, ...plan }, null, 2)}\n`;
  if (dryRun) return plan.empty ? 'topics: nothing to do\n' : `${planText(plan)}\n`;
  if (plan.empty) return `topics: ${topics} as declared\n`;
  const grown = plan.grow.length === 0 ? '' : `${plan.grow.length} grown, `;
  return `topics: ${plan.create.length} created, ${grown}${plan.change.length} settings changed, ${topics} in all\n`;
}

async function exported(admin: TopicAdmin, { namespace, file }: Pick<Options, 'namespace' | 'file'>): Promise<string> {
  const names = (await admin.topicNames()).filter((topic) => bareTopicName(namespace, topic) !== null && !topic.startsWith('__'));
  if (names.length === 0) throw new GuidedError(`the cluster has no topic${namespace === null ? '' : ` of namespace ${namespace}`}`, 'see --namespace and --brokers');
  const topics = (await admin.describe(names)).map((topic) => ({ ...topic, name: bareTopicName(namespace, topic.topic) ?? topic.topic }));
  return topicsFileText(topics, declaredTopics({ environment: null, partitions: null }, file));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GuidedError(`the saved plan ${file} cannot be read`, 'make one with `position-linker topics plan --out FILE`', { cause: error });
  }
}

function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new GuidedError(`${file} cannot be written`, 'give --out a file in a folder that this user may write', { cause: error });
  }
}

/** What `setup` does of it: answers what was done, as a line. */
export async function setUpTopics(options: DeclaringOptions): Promise<string> {
  return withAdmin(options, (admin) => applyDeclared(admin, { ...options, allowRetentionCut: false, dryRun: false, json: false }));
}
