import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { RegistryClient } from '../../src/schema-registry/registry-client.js';

/** Addresses of the stack that integration tests run against. */
export interface StackEnvironment {
  readonly KAFKA_BROKERS: string;
  readonly SCHEMA_REGISTRY_URL: string;
  readonly DATABASE_URL: string;
}

export function stackEnvironment(): StackEnvironment {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, DATABASE_URL } = process.env;
  if (!KAFKA_BROKERS || !SCHEMA_REGISTRY_URL || !DATABASE_URL) throw new Error('integration tests need KAFKA_BROKERS, SCHEMA_REGISTRY_URL and DATABASE_URL: eval "$(scripts/position-linker stack env)"');
  return { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, DATABASE_URL };
}

export function topicAdmin(stack: StackEnvironment): TopicAdmin {
  return new TopicAdmin({ brokers: stack.KAFKA_BROKERS.split(','), clientId: 'position-linker-test' });
}

/** A name nobody else uses. */
export function temporaryNamespace(prefix: string): string {
  return `${prefix}_${randomBytes(5).toString('hex')}`;
}

/** Removes everything that `setup` made under the namespace: topics, subjects, the database schema. */
export async function removeNamespace(stack: StackEnvironment, namespace: string): Promise<void> {
  const admin = topicAdmin(stack);
  const registry = new RegistryClient(stack.SCHEMA_REGISTRY_URL);
  const sql = postgres(stack.DATABASE_URL, { max: 1, onnotice: () => undefined });
  try {
    const topics = (await admin.topicNames()).filter((topic) => topic.startsWith(`${namespace}.`));
    await admin.delete(topics);
    for (const subject of await registry.subjects(`${namespace}.`)) await registry.deleteSubject(subject);
    await sql`DROP SCHEMA IF EXISTS ${sql(namespace)} CASCADE`;
  } finally {
    await admin.close();
    await sql.end();
  }
}
