/*
 * What has to be done so that a cluster has the declared topics. Pure, and without a memory of its own: only the file and the
 * cluster count. What must not be done is refused by rule, see topic-rules.ts.
 */

import { refusalsOf, type Refusal } from './topic-rules.js';
import { configChanges, type ClusterState, type ConfigChange, type PlanChoices, type WantedTopic } from './topic-state.js';

export interface Growth {
  readonly topic: string;
  readonly from: number;
  readonly to: number;
}

export interface TopicPlan {
  readonly create: readonly WantedTopic[];
  /** More partitions, of topics without keys only. */
  readonly grow: readonly Growth[];
  readonly change: readonly ConfigChange[];
  /** What cannot or must not be done; with any of these nothing is done at all. */
  readonly refusals: readonly Refusal[];
  /** Topics that stay though nothing declares them: a plan never deletes. */
  readonly kept: readonly string[];
}

export function planTopics(wanted: readonly WantedTopic[], cluster: ClusterState, choices: PlanChoices): TopicPlan {
  const found = new Map(cluster.topics.map((topic) => [topic.topic, topic]));
  const pairs = wanted.map((topic) => ({ wanted: topic, is: found.get(topic.topic) ?? null }));
  const refusals = refusalsOf(pairs, cluster, choices);
  const isRefused = ({ topic, name }: ConfigChange): boolean => refusals.some((refusal) => refusal.setting === name && refusal.topics.includes(topic));
  return {
    create: pairs.filter(({ is }) => is === null).map((pair) => pair.wanted),
    grow: pairs.flatMap((pair) => (pair.is !== null && !pair.wanted.isKeyed && pair.wanted.partitions > pair.is.partitions ? [{ topic: pair.wanted.topic, from: pair.is.partitions, to: pair.wanted.partitions }] : [])),
    change: pairs.flatMap((pair) => (pair.is === null ? [] : configChanges(pair.wanted, pair.is))).filter((change) => !isRefused(change)),
    refusals,
    kept: cluster.undeclared,
  };
}

/** Nothing to do and nothing to refuse. */
export function isEmptyPlan({ create, grow, change, refusals }: TopicPlan): boolean {
  return create.length + grow.length + change.length + refusals.length === 0;
}

/** Whether topics that exist are not as declared; topics that are only missing are no drift. */
export function isDrift({ grow, change, refusals }: TopicPlan): boolean {
  return grow.length + change.length + refusals.length > 0;
}
