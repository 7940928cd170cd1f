import { kafkaClient } from './admin.js';
import type { ClusterAccess } from './cluster-access.js';

export interface ClearedTopics {
  readonly topics: readonly string[];
  readonly groups: readonly string[];
}

/**
 * Deletes every topic and every consumer group whose name begins with `prefix`. A group that still has members is not
 * deleted and makes this reject, before any topic is touched.
 */
export async function clearTopics(access: ClusterAccess, prefix: string): Promise<ClearedTopics> {
  const admin = kafkaClient({ ...access, clientId: 'position-linker-clear' }).admin();
  await admin.connect();
  try {
    const groups = (await admin.listGroups()).groups.map((group) => group.groupId).filter((name) => name.startsWith(prefix));
    if (groups.length > 0) await admin.deleteGroups(groups);
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics, timeout: 30_000 });
    return { topics, groups };
  } finally {
    await admin.disconnect();
  }
}
