import { readRecordSchemas } from '../avro/record-schema.js';
import { GuidedError } from '../config/guided-error.js';
import { topicName, type Namespace } from '../config/namespace.js';
import type { TopicAdmin } from '../kafka/admin.js';
import { recordSubjects } from '../schema-registry/record-subjects.js';
import { planRegistration } from '../schema-registry/register-schemas.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import type { TopicDeclaration } from '../topic-apply/topics-file.js';

/**
 * Whether the topics are there, all with one number of partitions, and the schemas of their records registered. Throws a
 * GuidedError that lists everything that is not; else answers the number of partitions.
 */
export async function preflight(admin: Pick<TopicAdmin, 'describe'>, registryUrl: string, namespace: Namespace, topics: readonly TopicDeclaration[]): Promise<number> {
  const names = topics.map(({ name }) => topicName(namespace, name));
  const subjects = recordSubjects(namespace, topics, readRecordSchemas());
  const [described, registrations] = await Promise.all([admin.describe(names), planRegistration(new RegistryClient(registryUrl), subjects)]);
  const found = new Map(described.map((topic) => [topic.topic, topic]));
  const problems = names.filter((name) => !found.has(name)).map((name) => `topic ${name} is missing`);
  const partitions = commonest(described.map((topic) => topic.partitions));
  for (const topic of described) {
    if (topic.partitions !== partitions) problems.push(`topic ${topic.topic} has ${topic.partitions} partitions, others have ${partitions}`);
  }
  for (const { subject, schema } of registrations) if (schema !== null) problems.push(`schema ${subject} is not registered as this version has it`);
  if (problems.length > 0) {
    throw new GuidedError(`not everything is set up:\n${problems.map((problem) => `  ${problem}`).join('\n')}`, 'run `position-linker setup` with the same namespace; topics that differ in partitions must be deleted first');
  }
  return partitions;
}

function commonest(counts: readonly number[]): number {
  const seen = new Map<number, number>();
  for (const count of counts) seen.set(count, (seen.get(count) ?? 0) + 1);
  return [...seen].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 0;
}
