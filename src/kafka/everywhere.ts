import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import { TransientError } from './errors.js';
import type { KafkaRequest } from './protocol/request.js';

const LANE = 'control';
const POLL_MS = 25;
const PATIENCE_MS = 10_000;

/**
 * Waits until every broker that answers knows of a change: each learns of it by itself, and the next one who asks may ask any.
 * Gives up quietly after ten seconds, since the change itself is made; a broker that is away learns of it when it comes back.
 */
export async function knownEverywhere<Answer>(cluster: Pick<Cluster, 'brokerIds' | 'request'>, request: KafkaRequest<Answer>, isKnown: (answer: Answer) => boolean): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  const known = async (nodeId: number): Promise<boolean> => {
    try {
      return isKnown(await cluster.request(nodeId, LANE, request));
    } catch (error) {
      if (error instanceof TransientError) return true;
      throw error;
    }
  };
  await Promise.all((await cluster.brokerIds()).map(async (nodeId) => {
    while (!(await known(nodeId)) && Date.now() < deadlineMs) await sleep(POLL_MS);
  }));
}
