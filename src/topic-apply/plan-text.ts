import { isEmptyPlan, type TopicPlan } from './topic-plan.js';

/** The plan for a terminal, a line each; ends without a line break. */
export function planText(plan: TopicPlan): string {
  return [
    ...plan.create.map(({ topic, partitions, replicationFactor }) => `create ${topic} (${partitions} partitions, replication ${replicationFactor})`),
    ...plan.grow.map(({ topic, from, to }) => `grow ${topic}: ${from} → ${to} partitions`),
    ...plan.change.map(({ topic, name, from, to }) => `change ${topic}: ${name} ${from ?? '(default)'} → ${to}`),
    ...plan.refusals.map(({ rule, message, safeWay, place }) => `refuse [${rule}] ${message} (${place})\n  instead: ${safeWay}`),
    ...plan.kept.map((topic) => `keep ${topic}: nothing declares it, and topics are never deleted`),
  ].join('\n');
}

/** One line about the whole. */
export function planSummary(plan: TopicPlan, topics: number): string {
  if (isEmptyPlan(plan)) return `plan: nothing to do, ${topics} topics as declared`;
  const { create, grow, change, refusals } = plan;
  const parts = [
    [create.length, 'to create'],
    [grow.length, 'to grow'],
    [change.length, change.length === 1 ? 'setting to change' : 'settings to change'],
    [refusals.length, refusals.length === 1 ? 'refusal: nothing will be done' : 'refusals: nothing will be done'],
  ] as const;
  return `plan: ${parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`).join(', ')}`;
}

/** The plan for a program. */
export function planJson(plan: TopicPlan): object {
  const { create, grow, change, refusals, kept } = plan;
  return {
    empty: isEmptyPlan(plan),
    create: create.map(({ topic, partitions, replicationFactor, configs, place }) => ({ topic, partitions, replication: replicationFactor, config: configs, place })),
    grow,
    change,
    refusals,
    kept,
  };
}
