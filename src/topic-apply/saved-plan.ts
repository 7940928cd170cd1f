import { readFileSync, writeFileSync } from 'node:fs';
import { canonicalJson } from '../domain/canonical-json.js';
import { GuidedError } from '../config/guided-error.js';
import type { TopicPlan } from './topic-plan.js';
import type { ClusterState, ExistingTopic } from './topic-state.js';

/*
 * A plan in a file, to be read by a second person and carried out later: exactly these steps, or none. It holds the cluster
 * as it was, so that a cluster that moved meanwhile is noticed.
 */

const FORM = 'position-linker topics plan, form 1';

export interface SavedPlan {
  readonly form: typeof FORM;
  readonly plan: TopicPlan;
  /** The cluster that the plan was made for. */
  readonly basis: ClusterState;
}

/** Throws GuidedError if the file cannot be written. */
export function savePlan(file: string, plan: TopicPlan, basis: ClusterState): void {
  const saved: SavedPlan = { form: FORM, plan, basis };
  try {
    writeFileSync(file, `${JSON.stringify(saved, null, 2)}\n`);
  } catch (error) {
    throw new GuidedError(`the plan cannot be saved in ${file}`, 'give --out a file in a folder that this user may write', { cause: error });
  }
}

/** Throws GuidedError for a file that is not there or is no saved plan. */
export function readSavedPlan(file: string): SavedPlan {
  let saved: Partial<SavedPlan> | null;
  try {
    saved = JSON.parse(readFileSync(file, 'utf8')) as Partial<SavedPlan> | null;
  } catch (error) {
    throw new GuidedError(`the saved plan ${file} cannot be read`, 'make one with `position-linker topics plan --out FILE`', { cause: error });
  }
  if (saved?.form !== FORM || saved.plan === undefined || saved.basis === undefined) {
    throw new GuidedError(`${file} is no saved plan of this version`, 'make one with `position-linker topics plan --out FILE`');
  }
  return saved as SavedPlan;
}

/** What is not any more as it was when the plan was made, a line each; empty if nothing moved. */
export function movedSince(basis: ClusterState, now: ClusterState): readonly string[] {
  if (basis.clusterId !== now.clusterId) return [`this is cluster ${now.clusterId}, the plan is for ${basis.clusterId}`];
  const before = new Map(basis.topics.map((topic) => [topic.topic, topic]));
  const after = new Map(now.topics.map((topic) => [topic.topic, topic]));
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return [
    ...(basis.brokers === now.brokers ? [] : [`${now.brokers} brokers, there were ${basis.brokers}`]),
    ...(canonicalJson(basis.defaults) === canonicalJson(now.defaults) ? [] : ["the brokers' defaults changed"]),
    ...names.flatMap((name) => moved(name, before.get(name), after.get(name))),
  ];
}

function moved(name: string, before: ExistingTopic | undefined, after: ExistingTopic | undefined): string[] {
  if (before === undefined) return [`${name} is there now`];
  if (after === undefined) return [`${name} is gone`];
  const lines: string[] = [];
  if (before.partitions !== after.partitions) lines.push(`${name} has ${after.partitions} partitions, it had ${before.partitions}`);
  if (before.replicationFactor !== after.replicationFactor) lines.push(`${name} has replication ${after.replicationFactor}, it had ${before.replicationFactor}`);
  for (const setting of [...new Set([...Object.keys(before.configs), ...Object.keys(after.configs)])].sort()) {
    const [from, to] = [before.configs[setting], after.configs[setting]];
    if (from !== to) lines.push(`${name}: ${setting} is ${to ?? '(default)'}, it was ${from ?? '(default)'}`);
  }
  return lines;
}
