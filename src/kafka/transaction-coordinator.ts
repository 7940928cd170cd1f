import { setTimeout as sleep } from 'node:timers/promises';
import { brokerError, CONCURRENT_TRANSACTIONS, disposition, errorName, isAuthorizationError, NO_ERROR, UNKNOWN_TOPIC_OR_PARTITION } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { ConfigurationError, TransientError } from './errors.js';
import type { CoordinatorKind } from './protocol/cluster-requests.js';
import type { KafkaRequest, PartitionError } from './protocol/request.js';

const MAX_BACKOFF_MS = 200;
/** The previous transaction's markers are written within milliseconds; asking again so soon costs little. */
const CONCURRENT_BACKOFFS_MS = [1, 1, 2, 2, 3, 5];

/**
 * Asks a coordinator, repeating for as long as it refuses without having done anything: it is still loading, has moved
 * to another broker, or is still writing the markers of the transaction before (CONCURRENT_TRANSACTIONS, the usual
 * answer to a transaction that follows another at once). A lost connection is not repeated, since what was asked may
 * have happened: it rejects with `TransientError`.
 */
export async function askCoordinator<Answer>(
  cluster: Cluster,
  kind: CoordinatorKind,
  key: string,
  lane: string,
  request: KafkaRequest<Answer>,
  errorCodeOf: (answer: Answer) => number,
  deadlineMs: number,
): Promise<Answer> {
  let backoffMs = 5;
  for (let attempt = 0; ; attempt++) {
    const nodeId = await cluster.coordinator(kind, key);
    let answer: Answer;
    try {
      answer = await cluster.request(nodeId, lane, request);
    } catch (error) {
      cluster.forgetCoordinator(kind, key);
      throw error;
    }
    const code = errorCodeOf(answer);
    if (code === NO_ERROR) return answer;
    const what = `${request.api.name} of "${key}"`;
    if (disposition(code) !== 'refused') throw brokerError(code, what);
    if (Date.now() >= deadlineMs) {
      const message = `${what} was still answered with ${errorName(code)} at the end of its time`;
      throw code === UNKNOWN_TOPIC_OR_PARTITION ? new ConfigurationError(message) : new TransientError(message);
    }
    if (code === CONCURRENT_TRANSACTIONS) {
      await sleep(CONCURRENT_BACKOFFS_MS[attempt] ?? 5);
    } else {
      cluster.forgetCoordinator(kind, key);
      await sleep(backoffMs);
      backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
    }
  }
}

/**
 * The code that decides: one that is final before one that says nothing, before one that asks for a repetition. A missing right
 * is thrown at once, since only here it is known whose topic it is about.
 */
export function worstError(errors: readonly PartitionError[]): number {
  const forbidden = errors.find(({ errorCode }) => isAuthorizationError(errorCode));
  if (forbidden !== undefined) throw brokerError(forbidden.errorCode, 'work', forbidden);
  let worst = NO_ERROR;
  for (const { errorCode } of errors) {
    if (rank(errorCode) > rank(worst)) worst = errorCode;
  }
  return worst;
}

function rank(code: number): number {
  if (code === NO_ERROR) return 0;
  const kind = disposition(code);
  return kind === 'refused' ? 1 : kind === 'unknown' ? 2 : 3;
}
