import { Kafka, logLevel } from 'kafkajs';

function client(brokers: readonly string[], timeoutMs: number): Kafka {
  return new Kafka({
    clientId: 'position-linker-probe',
    brokers: [...brokers],
    connectionTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
}

/** Resolves when a broker answers a metadata request; rejects with what went wrong. For health checks. */
export async function probeBrokers(brokers: readonly string[], timeoutMs: number): Promise<void> {
  const admin = client(brokers, timeoutMs).admin({ retry: { retries: 0 } });
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
  const kafka = client(brokers, timeoutMs);
  const retry = { initialRetryTime: 50, maxRetryTime: 250, retries: Math.ceil(timeoutMs / 250) };
  const admin = kafka.admin({ retry });
  const producer = kafka.producer({
    transactionalId: 'position-linker-probe',
    idempotent: true,
    maxInFlightRequests: 1,
    retry,
  });
  try {
    await Promise.all([
      admin.connect().then(() => admin.fetchOffsets({ groupId: 'position-linker-probe' })),
      // Connecting a transactional producer asks the transaction coordinator for its producer id.
      producer.connect(),
    ]);
  } finally {
    await Promise.allSettled([admin.disconnect(), producer.disconnect()]);
  }
}
