import { GuidedError } from '../config/guided-error.js';
import type { TopicAdmin } from '../kafka/admin.js';
import { planTopics, type TopicPlan, type WantedTopic } from './topic-plan.js';

/** Reads the cluster and says what is to be done. */
export async function planAgainst(admin: Pick<TopicAdmin, 'describe'>, wanted: readonly WantedTopic[]): Promise<TopicPlan> {
  return planTopics(wanted, await admin.describe(wanted.map((topic) => topic.topic)));
}

/**
 * Carries a plan out; resolves when every new partition has a leader. Throws before touching anything if the plan holds a
 * refusal. Safe to repeat, and beside another one that does the same.
 */
export async function applyTopicPlan(admin: Pick<TopicAdmin, 'create' | 'mergeConfigs'>, plan: TopicPlan): Promise<void> {
  if (plan.refusals.length > 0) throw new GuidedError(`topics are not as declared:\n${plan.refusals.join('\n')}`, 'nothing was changed; mend what the lines above say, then run it again');
  await admin.create(plan.create);
  const byTopic = new Map<string, Record<string, string>>();
  for (const { topic, name, to } of plan.change) byTopic.set(topic, { ...byTopic.get(topic), [name]: to });
  for (const [topic, configs] of byTopic) await admin.mergeConfigs(topic, configs);
}
