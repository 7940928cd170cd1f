import {
  ConfigurationError,
  FencedError,
  LogError,
  RecordRefusedError,
  StateLostError,
  TransientError,
} from './errors.js';

/**
 * What a broker's error code asks of the client.
 *
 * | disposition      | meaning                                                                                |
 * |------------------|----------------------------------------------------------------------------------------|
 * | `refused`        | nothing was done; look up leader or coordinator again and repeat the same request       |
 * | `unknown`        | may or may not have been done                                                           |
 * | `fenced`         | a newer epoch of this transactional id exists                                           |
 * | `producer-stale` | the broker does not go on with this producer's state: a new epoch is needed             |
 * | `record`, `state-lost`, `configuration` | repeating cannot help                                            |
 */
export type Disposition = 'refused' | 'unknown' | 'fenced' | 'producer-stale' | 'record' | 'state-lost' | 'configuration';

const CODES: Readonly<Record<number, readonly [name: string, disposition: Disposition]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'unknown'],
  1: ['OFFSET_OUT_OF_RANGE', 'state-lost'],
  2: ['CORRUPT_MESSAGE', 'unknown'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'refused'],
  5: ['LEADER_NOT_AVAILABLE', 'refused'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'refused'],
  7: ['REQUEST_TIMED_OUT', 'unknown'],
  8: ['BROKER_NOT_AVAILABLE', 'refused'],
  9: ['REPLICA_NOT_AVAILABLE', 'refused'],
  10: ['MESSAGE_TOO_LARGE', 'record'],
  13: ['NETWORK_EXCEPTION', 'unknown'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'refused'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'refused'],
  16: ['NOT_COORDINATOR', 'refused'],
  17: ['INVALID_TOPIC_EXCEPTION', 'configuration'],
  18: ['RECORD_LIST_TOO_LARGE', 'record'],
  19: ['NOT_ENOUGH_REPLICAS', 'refused'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'unknown'],
  22: ['ILLEGAL_GENERATION', 'fenced'],
  23: ['INCONSISTENT_GROUP_PROTOCOL', 'configuration'],
  24: ['INVALID_GROUP_ID', 'configuration'],
  25: ['UNKNOWN_MEMBER_ID', 'fenced'],
  26: ['INVALID_SESSION_TIMEOUT', 'configuration'],
  27: ['REBALANCE_IN_PROGRESS', 'unknown'],
  28: ['INVALID_COMMIT_OFFSET_SIZE', 'configuration'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'configuration'],
  30: ['GROUP_AUTHORIZATION_FAILED', 'configuration'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'configuration'],
  32: ['INVALID_TIMESTAMP', 'record'],
  35: ['UNSUPPORTED_VERSION', 'configuration'],
  42: ['INVALID_REQUEST', 'configuration'],
  43: ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 'configuration'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'producer-stale'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'producer-stale'],
  47: ['INVALID_PRODUCER_EPOCH', 'fenced'],
  48: ['INVALID_TXN_STATE', 'producer-stale'],
  49: ['INVALID_PRODUCER_ID_MAPPING', 'producer-stale'],
  50: ['INVALID_TRANSACTION_TIMEOUT', 'configuration'],
  51: ['CONCURRENT_TRANSACTIONS', 'refused'],
  52: ['TRANSACTION_COORDINATOR_FENCED', 'unknown'],
  53: ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'configuration'],
  54: ['SECURITY_DISABLED', 'configuration'],
  55: ['OPERATION_NOT_ATTEMPTED', 'unknown'],
  56: ['KAFKA_STORAGE_ERROR', 'refused'],
  58: ['SASL_AUTHENTICATION_FAILED', 'configuration'],
  59: ['UNKNOWN_PRODUCER_ID', 'producer-stale'],
  72: ['LISTENER_NOT_FOUND', 'refused'],
  74: ['FENCED_LEADER_EPOCH', 'refused'],
  75: ['UNKNOWN_LEADER_EPOCH', 'refused'],
  78: ['OFFSET_NOT_AVAILABLE', 'refused'],
  79: ['MEMBER_ID_REQUIRED', 'unknown'],
  81: ['GROUP_MAX_SIZE_REACHED', 'configuration'],
  82: ['FENCED_INSTANCE_ID', 'fenced'],
  87: ['INVALID_RECORD', 'record'],
  88: ['UNSTABLE_OFFSET_COMMIT', 'refused'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'refused'],
  90: ['PRODUCER_FENCED', 'fenced'],
  105: ['TRANSACTIONAL_ID_NOT_FOUND', 'configuration'],
};

export const NO_ERROR = 0;
export const MEMBER_ID_REQUIRED = 79;
export const UNKNOWN_MEMBER_ID = 25;
export const ILLEGAL_GENERATION = 22;
export const REBALANCE_IN_PROGRESS = 27;
export const CONCURRENT_TRANSACTIONS = 51;
export const UNSTABLE_OFFSET_COMMIT = 88;
export const DUPLICATE_SEQUENCE_NUMBER = 46;
export const TRANSACTIONAL_ID_NOT_FOUND = 105;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const TOPIC_AUTHORIZATION_FAILED = 29;
const GROUP_AUTHORIZATION_FAILED = 30;
const CLUSTER_AUTHORIZATION_FAILED = 31;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53;
const AUTHORIZATION: ReadonlySet<number> = new Set([TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED]);

/** The principal lacks a right: a person has to give it. */
export function isAuthorizationError(code: number): boolean {
  return AUTHORIZATION.has(code);
}

export function errorName(code: number): string {
  return CODES[code]?.[0] ?? `error code ${code}`;
}

export function disposition(code: number): Disposition {
  return CODES[code]?.[1] ?? 'unknown';
}

/** The error to throw when an answer's code is final. `what` says what was tried, e.g. `EndTxn of "app.linker.3"`. */
export function brokerError(code: number, what: string, place: { topic?: string; partition?: number } = {}): LogError {
  const where = place.topic === undefined ? '' : ` on ${place.topic}-${place.partition ?? '?'}`;
  const message = `${what}${where} was answered with ${errorName(code)}`;
  switch (disposition(code)) {
    case 'fenced':
      return new FencedError(`${message}: a newer owner exists`, place);
    case 'record':
      return new RecordRefusedError(`${message}: compare the record with the topic's limits`, place);
    case 'state-lost':
      return new StateLostError(`${message}: the position wanted is not in the log (any more); check retention`, place);
    case 'configuration':
      return new ConfigurationError(isAuthorizationError(code) ? `${message}: this user lacks a right; \`position-linker acls plan\` shows what each role needs` : message, { ...place, isUnauthorized: isAuthorizationError(code) });
    case 'refused':
    case 'unknown':
    case 'producer-stale':
      return new TransientError(message, place);
  }
}
