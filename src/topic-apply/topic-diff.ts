import type { ClusterState, WantedTopic } from './topic-state.js';

/** One difference between the file and the cluster; null: not there. */
export interface TopicDifference {
  readonly topic: string;
  /** topic, partitions, replication, or the name of a setting. */
  readonly what: string;
  readonly declared: string | null;
  readonly cluster: string | null;
}

/**
 * Every difference, of declared topics first in the order of the file. A setting that only the topic has counts too: it was
 * made by hand and would be lost with the topic.
 */
export function topicDifferences(wanted: readonly WantedTopic[], cluster: ClusterState): readonly TopicDifference[] {
  const found = new Map(cluster.topics.map((topic) => [topic.topic, topic]));
  const declared = wanted.flatMap((topic): TopicDifference[] => {
    const is = found.get(topic.topic);
    const name = topic.topic;
    if (is === undefined) return [{ topic: name, what: 'topic', declared: `${topic.partitions} partitions, replication ${topic.replicationFactor}`, cluster: null }];
    const settings = [...new Set([...Object.keys(topic.configs), ...Object.keys(is.configs)])];
    return [
      difference(name, 'partitions', String(topic.partitions), String(is.partitions)),
      difference(name, 'replication', String(topic.replicationFactor), String(is.replicationFactor)),
      ...settings.map((setting) => difference(name, setting, topic.configs[setting] ?? null, is.configs[setting] ?? null)),
    ].flat();
  });
  return [...declared, ...cluster.undeclared.map((topic) => ({ topic, what: 'topic', declared: null, cluster: 'undeclared' }))];
}

function difference(topic: string, what: string, declared: string | null, cluster: string | null): TopicDifference[] {
  return declared === cluster ? [] : [{ topic, what, declared, cluster }];
}

/** A line each; ends without a line break. */
export function differenceText(differences: readonly TopicDifference[]): string {
  return differences
    .map(({ topic, what, declared, cluster }) => {
      if (what !== 'topic') return `${topic}: ${what} is ${cluster ?? '(default)'}, declared is ${declared ?? 'nothing'}`;
      return declared === null ? `${topic}: in the cluster, not declared` : `${topic}: declared, not in the cluster`;
    })
    .join('\n');
}
