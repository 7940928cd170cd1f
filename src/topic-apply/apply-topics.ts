import { GuidedError } from '../config/guided-error.js';
import type { TopicAdmin, TopicSettings } from '../kafka/admin.js';
import { planTopics, type TopicPlan } from './topic-plan.js';
import type { ClusterState, PlanChoices, WantedTopic } from './topic-state.js';

type AskedAdmin = Pick<TopicAdmin, 'describe' | 'clusterFacts' | 'topicNames'>;
type ChangingAdmin = Pick<TopicAdmin, 'create' | 'mergeConfigs' | 'grow'>;

const NO_CHOICES: PlanChoices = { roles: [], allowRetentionCut: false };

/** What of the cluster a plan for these topics depends on. */
export async function clusterState(admin: AskedAdmin, wanted: readonly WantedTopic[]): Promise<ClusterState> {
  const names = wanted.map(({ topic }) => topic);
  const [facts, topics, all] = await Promise.all([admin.clusterFacts(), admin.describe(names), admin.topicNames()]);
  return { ...facts, topics, undeclared: undeclaredTopics(wanted, all) };
}

/** Topics of the same roles that are not among the declared ones. */
function undeclaredTopics(wanted: readonly WantedTopic[], all: readonly string[]): readonly string[] {
  const declared = new Set(wanted.map(({ topic }) => topic));
  const families = [...new Set(wanted.map(({ family }) => family))];
  return all.filter((topic) => !declared.has(topic) && families.some((family) => topic.startsWith(family)));
}

/** Reads the cluster and says what is to be done. */
export async function planAgainst(admin: AskedAdmin, wanted: readonly WantedTopic[], choices: PlanChoices = NO_CHOICES): Promise<TopicPlan> {
  return planTopics(wanted, await clusterState(admin, wanted), choices);
}

/** What of a plan its carrying out needs. */
export type ApplicablePlan = Pick<TopicPlan, 'grow' | 'change' | 'refusals'> & { readonly create: readonly TopicSettings[] };

/**
 * Carries a plan out; resolves when every new partition has a leader. Throws before touching anything if the plan holds a
 * refusal. Safe to repeat, and beside another one that does the same.
 */
export async function applyTopicPlan(admin: ChangingAdmin, plan: ApplicablePlan): Promise<void> {
  if (plan.refusals.length > 0) {
    const lines = plan.refusals.map(({ rule, message, safeWay }) => `  [${rule}] ${message}\n    instead: ${safeWay}`);
    throw new GuidedError(`topics are not as declared:\n${lines.join('\n')}`, 'nothing was changed; mend what the lines above say, then run it again');
  }
  await admin.create(plan.create);
  for (const { topic, to } of plan.grow) await admin.grow(topic, to);
  const byTopic = new Map<string, Record<string, string>>();
  for (const { topic, name, to } of plan.change) byTopic.set(topic, { ...byTopic.get(topic), [name]: to });
  for (const [topic, configs] of byTopic) await admin.mergeConfigs(topic, configs);
}
