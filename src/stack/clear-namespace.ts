import { databaseSchema, topicName } from '../config/namespace.js';
import { clearTopics } from '../kafka/clear-topics.js';
import type { ClusterAccess } from '../kafka/cluster-access.js';
import { shadowNames } from '../rebuild/shadow-name.js';
import { dropSchema } from '../postgres/drop-schema.js';
import { addressList, registryAccess } from './health.js';
import { StackError } from './stack-error.js';

export interface Cleared {
  readonly topics: number;
  readonly groups: number;
  readonly subjects: number;
  readonly schemaDropped: boolean;
}

/**
 * Removes all that one namespace left on the three servers: topics, consumer groups, registry subjects, database schema.
 * Its roles must have been stopped: a group with members is refused. Running it twice is harmless.
 */
export async function clearNamespace(
  namespace: string,
  addresses: ClusterAccess & { readonly registryUrl: string; readonly databaseUrl: string },
): Promise<Cleared> {
  const prefix = topicName(namespace, '');
  const { topics, groups } = await clearTopics(addresses, prefix).catch((error: unknown) => {
    throw new StackError(`the topics of ${namespace} could not be removed: ${String(error)}`, 'stop the roles of this namespace, then try again');
  });
  const subjects = await clearSubjects(addresses.registryUrl, prefix);
  const schemaDropped = await dropSchema(addresses.databaseUrl, databaseSchema(namespace));
  for (const shadow of shadowNames(databaseSchema(namespace))) await dropSchema(addresses.databaseUrl, shadow);
  return { topics: topics.length, groups: groups.length, subjects, schemaDropped };
}

/** A registry hides a deleted subject first and forgets it only when asked again with `permanent`. */
async function clearSubjects(registryUrl: string, prefix: string): Promise<number> {
  const { url: root, headers } = registryAccess(addressList(registryUrl)[0] ?? registryUrl);
  const listing = await fetch(`${root}/subjects`, { headers });
  if (!listing.ok) throw new StackError(`the registry answered ${listing.status} to GET ${root}/subjects`, 'check SCHEMA_REGISTRY_URL');
  const subjects = ((await listing.json()) as string[]).filter((subject) => subject.startsWith(prefix));
  for (const subject of subjects) {
    const address = `${root}/subjects/${encodeURIComponent(subject)}`;
    for (const url of [address, `${address}?permanent=true`]) {
      const response = await fetch(url, { method: 'DELETE', headers });
      // Apicurio forgets at once, and then does not know the subject any more.
      if (!response.ok && response.status !== 404) {
        throw new StackError(`the registry answered ${response.status} to DELETE ${url}`, 'check that its user may delete subjects');
      }
    }
  }
  return subjects.length;
}
