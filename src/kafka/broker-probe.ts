import { Kafka, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs';
import type { ClusterAccess } from './cluster-access.js';

function client({ brokers, ssl, sasl }: ClusterAccess, timeoutMs: number, retry: RetryOptions): Kafka {
  return new Kafka({
    clientId: 'position-linker-probe',
    brokers: [...brokers],
    ...(ssl !== undefined && { ssl }),
    ...(sasl !== undefined && { sasl: sasl as SASLOptions }),
    connectionTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    logLevel: logLevel.NOTHING,
    retry,
  });
}

/** Resolves when a broker answers a metadata request; rejects with what went wrong. For health checks. */
export async function probeBrokers(brokers: readonly string[], timeoutMs: number, access: Omit<ClusterAccess, 'brokers'> = {}): Promise<void> {
  const admin = client({ brokers, ...access }, timeoutMs, { retries: 0 }).admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    await admin.disconnect();
  }
}

/**
 * Makes a fresh broker create its topics of group offsets and of transactions, and waits until their coordinators are
 * loaded, which otherwise the first consumer and the first transaction of a run have to wait for.
 */
export async function warmCoordinators(brokers: readonly string[], timeoutMs: number): Promise<void> {
  const kafka = client({ brokers }, timeoutMs, { initialRetryTime: 50, maxRetryTime: 250, retries: 20 });
  const admin = kafka.admin();
  const producer = kafka.producer({ transactionalId: 'position-linker-probe', idempotent: true, maxInFlightRequests: 1 });
  const deadline = Date.now() + timeoutMs;
  try {
    await Promise.all([
      untilLoaded(deadline, async () => {
        await admin.connect();
        await admin.fetchOffsets({ groupId: 'position-linker-probe' });
      }),
      // Connecting a transactional producer asks the transaction coordinator for its producer id.
      untilLoaded(deadline, () => producer.connect()),
    ]);
  } finally {
    await Promise.allSettled([admin.disconnect(), producer.disconnect()]);
  }
}

/** kafkajs repeats some of its requests on "coordinator is loading", but not these; the error says that it may be repeated. */
async function untilLoaded(deadline: number, ask: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!mayRepeat(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** kafkajs wraps the last error when its own retries run out, and only the inner one then says that it may be repeated. */
function mayRepeat(error: unknown): boolean {
  const { retriable, cause } = error as { retriable?: boolean; cause?: { retriable?: boolean } };
  return retriable === true || cause?.retriable === true;
}
