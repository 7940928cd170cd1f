/*
 * Names as the stack sees them. Inside the project topics, roles and subjects have their bare names; the namespace is
 * put before them at the edge, so that many pipelines share one broker, registry and database.
 */

/** Letters, digits and _; null for none. */
export type Namespace = string | null;

function prefixed(namespace: Namespace, name: string): string {
  return namespace === null ? name : `${namespace}.${name}`;
}

export function topicName(namespace: Namespace, topic: string): string {
  return prefixed(namespace, topic);
}

/** The topic's name inside the project, or null if it is not of this namespace. */
export function bareTopicName(namespace: Namespace, topic: string): string | null {
  if (namespace === null) return topic;
  return topic.startsWith(`${namespace}.`) ? topic.slice(namespace.length + 1) : null;
}

export function deadLetterTopic(topic: string): string {
  return `${topic}.dead_letters`;
}

export function groupId(namespace: Namespace, role: string): string {
  return prefixed(namespace, role);
}

/** One transactional id a task: whoever takes the task over fences the writer before it. */
export function transactionalId(namespace: Namespace, role: string, partition: number): string {
  return prefixed(namespace, `${role}.${partition}`);
}

/** Subject of a record in a topic: a topic carries several records. */
export function subjectName(namespace: Namespace, topic: string, recordFullName: string): string {
  return `${prefixed(namespace, topic)}-${recordFullName}`;
}

/** Name of the database schema. */
export function databaseSchema(namespace: Namespace): string {
  return namespace ?? 'public';
}
