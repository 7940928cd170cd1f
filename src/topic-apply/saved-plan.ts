import { canonicalJson } from '../domain/canonical-json.js';
import { GuidedError } from '../config/guided-error.js';
import type { ApplicablePlan } from './apply-topics.js';
import { planDocument, type PlanDocument } from './plan-text.js';
import type { TopicPlan } from './topic-plan.js';
import type { ClusterState, ExistingTopic } from './topic-state.js';

/*
 * A plan in a file, to be read by a second person and carried out later: exactly these steps, or none. It holds the cluster
 * as it was, so that a cluster that moved meanwhile is noticed.
 */

const FORM = 'position-linker topics plan, form 1';

/** What `topics plan --json` prints, and --out saves. */
export interface SavedPlan extends PlanDocument {
  readonly form: typeof FORM;
  /** The cluster that the plan was made for. */
  readonly basis: ClusterState;
}

/** Ends with a line break. */
export function savedPlanText(plan: TopicPlan, basis: ClusterState): string {
  const saved: SavedPlan = { form: FORM, ...planDocument(plan), basis };
  return `${JSON.stringify(saved, null, 2)}\n`;
}

/** The steps of a saved plan, to be carried out, and the cluster they were made for. Throws GuidedError for anything else than a saved plan. */
export function readSavedPlan(file: string, text: string): { readonly plan: ApplicablePlan; readonly basis: ClusterState; readonly document: PlanDocument } {
  let saved: Partial<SavedPlan> | null = null;
  try {
    saved = JSON.parse(text) as Partial<SavedPlan> | null;
  } catch {
    // Said below.
  }
  if (saved?.form !== FORM || !isPlan(saved)) throw new GuidedError(`${file} is no saved plan of this version`, 'make one with `position-linker topics plan --out FILE`');
  const { form: _form, basis, ...document } = saved;
  const create = document.create.map(({ topic, partitions, replication, config }) => ({ topic, partitions, replicationFactor: replication, configs: config }));
  return { plan: { ...document, create }, basis, document };
}

function isPlan(saved: Partial<SavedPlan>): saved is SavedPlan {
  const { create, grow, change, refusals, kept, basis } = saved;
  return [create, grow, change, refusals, kept].every(Array.isArray) && typeof basis === 'object' && basis !== null && Array.isArray(basis.topics);
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
