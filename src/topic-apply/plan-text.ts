import { isEmptyPlan, type TopicPlan } from './topic-plan.js';

/** The plan for a terminal, a line each; ends without a line break. */
export function planText(plan: PlanDocument): string {
  return [
    ...plan.create.map(({ topic, partitions, replication }) => `create ${topic} (${partitions} partitions, replication ${replication})`),
    ...plan.grow.map(({ topic, from, to }) => `grow ${topic}: ${from} → ${to} partitions`),
    ...plan.change.map(({ topic, name, from, to }) => `change ${topic}: ${name} ${from ?? '(default)'} → ${to}`),
    ...plan.refusals.map(({ rule, message, safeWay, place }) => `refuse [${rule}] ${message} (${place})\n  instead: ${safeWay}`),
    ...plan.kept.map((topic) => `keep ${topic}: nothing declares it, and topics are never deleted`),
  ].join('\n');
}

/** One line about the whole. */
export function planSummary(plan: PlanDocument, topics: number): string {
  if (plan.empty) return `plan: nothing to do, ${topics} topics as declared`;
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
export interface PlanDocument {
  readonly empty: boolean;
  readonly create: readonly { readonly topic: string; readonly partitions: number; readonly replication: number; readonly config: Readonly<Record<string, string>>; readonly place: string }[];
  readonly grow: TopicPlan['grow'];
  readonly change: TopicPlan['change'];
  readonly refusals: TopicPlan['refusals'];
  readonly kept: TopicPlan['kept'];
}

export function planDocument(plan: TopicPlan): PlanDocument {
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
