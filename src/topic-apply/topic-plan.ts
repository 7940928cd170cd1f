/*
 * What has to be done so that a cluster has the declared topics. Pure. Nothing is ever deleted, shrunk or repartitioned:
 * more partitions would send the later records of an asset to another partition than the earlier ones.
 */

export interface WantedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** A topic of the cluster; configs are those set on the topic itself. */
export type ExistingTopic = WantedTopic;

export interface ConfigChange {
  readonly topic: string;
  readonly name: string;
  /** null: the broker's default applies. */
  readonly from: string | null;
  readonly to: string;
}

export interface TopicPlan {
  readonly create: readonly WantedTopic[];
  readonly change: readonly ConfigChange[];
  /** What cannot or must not be done; with any of these nothing is done at all. */
  readonly refusals: readonly string[];
}

/** Settings by which records go away: a lower value, or one at all where there was none (-1), destroys history. */
const RETENTION = new Set(['retention.ms', 'retention.bytes']);
/** Its change rewrites what a topic means. */
const CLEANUP = 'cleanup.policy';

export function planTopics(wanted: readonly WantedTopic[], existing: readonly ExistingTopic[]): TopicPlan {
  const found = new Map(existing.map((topic) => [topic.topic, topic]));
  const create: WantedTopic[] = [];
  const change: ConfigChange[] = [];
  const refusals: string[] = [];
  const misshapen: { readonly wanted: WantedTopic; readonly is: ExistingTopic }[] = [];
  for (const topic of wanted) {
    const is = found.get(topic.topic);
    if (is === undefined) {
      create.push(topic);
      continue;
    }
    if (is.partitions !== topic.partitions) misshapen.push({ wanted: topic, is });
    if (is.replicationFactor !== topic.replicationFactor) {
      refusals.push(`${topic.topic} has replication ${is.replicationFactor}, ${topic.replicationFactor} is declared; move its replicas with Kafka's own kafka-reassign-partitions`);
    }
    for (const one of configChanges(topic, is)) {
      const refusal = configRefusal(one);
      if (refusal === null) change.push(one);
      else refusals.push(refusal);
    }
  }
  return { create, change, refusals: [...partitionRefusals(misshapen), ...refusals] };
}

function configChanges(wanted: WantedTopic, is: ExistingTopic): ConfigChange[] {
  return Object.entries(wanted.configs)
    .filter(([name, to]) => is.configs[name] !== to)
    .map(([name, to]) => ({ topic: wanted.topic, name, from: is.configs[name] ?? null, to }));
}

/** One line for all topics of one number: usually it is all of them. */
function partitionRefusals(misshapen: readonly { readonly wanted: WantedTopic; readonly is: ExistingTopic }[]): string[] {
  const counts = [...new Set(misshapen.map(({ is }) => is.partitions))];
  return counts.map((count) => {
    const topics = misshapen.filter(({ is }) => is.partitions === count);
    const [first] = topics as [(typeof topics)[number]];
    const who = topics.length === 1 ? `${first.is.topic} has` : `${topics.length} topics (${first.is.topic}, …) have`;
    return (
      `${who} ${count} partitions, ${first.wanted.partitions} are declared; changing that would split an asset's history. ` +
      `Go on with --partitions ${count}, or begin anew under another --namespace and play the sources into it`
    );
  });
}

function configRefusal({ topic, name, from, to }: ConfigChange): string | null {
  if (RETENTION.has(name) && cuts(from, to)) return `${topic}: ${name} ${from ?? '(default)'} → ${to} would delete records; set it with Kafka's own kafka-configs if that is meant`;
  if (name === CLEANUP && from !== null) return `${topic}: ${name} ${from} → ${to} would change what stays in it; set it with Kafka's own kafka-configs if that is meant`;
  return null;
}

function cuts(from: string | null, to: string): boolean {
  if (to === '-1') return false;
  return from === null || from === '-1' || Number(to) < Number(from);
}

export function isEmptyPlan(plan: TopicPlan): boolean {
  return plan.create.length === 0 && plan.change.length === 0 && plan.refusals.length === 0;
}

/** The plan for a terminal, a line each; ends without a line break. */
export function planText(plan: TopicPlan): string {
  return [
    ...plan.create.map(({ topic, partitions, replicationFactor }) => `create ${topic} (${partitions} partitions, replication ${replicationFactor})`),
    ...plan.change.map(({ topic, name, from, to }) => `change ${topic}: ${name} ${from ?? '(default)'} → ${to}`),
    ...plan.refusals.map((refusal) => `refuse ${refusal}`),
  ].join('\n');
}
