import { setTimeout as sleep } from 'node:timers/promises';
import { isAuthorizationError, NO_ERROR, UNKNOWN_TOPIC_OR_PARTITION } from './broker-errors.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { ConfigurationError, TransientError } from './errors.js';
import { groupRightsRequest, topicRightsRequest, type RightBits } from './protocol/rights-requests.js';
import { endTxnRequest } from './protocol/transaction-requests.js';
import { askCoordinator } from './transaction-coordinator.js';

/*
 * How this process stands with the brokers: what is there, and what its principal may do with it. Asking changes nothing, and
 * needs no right of its own.
 */

export type Right = 'read' | 'write' | 'describe';

/** Bits by which brokers number the operations. */
const BITS: Readonly<Record<Right, number>> = { read: 1 << 3, write: 1 << 4, describe: 1 << 8 };

export interface TopicStanding {
  readonly topic: string;
  /** Null: it is not there, or not to be seen, see `may`. */
  readonly partitions: number | null;
  may(right: Right): boolean;
}

const LANE = 'control';
const PATIENCE_MS = 15_000;
const FRESH_TRIES = 4;
const PAUSE_MS = 300;
/** No producer has this id, so nothing can be done by it; rights are checked first. */
const NOBODY = { producerId: -1, producerEpoch: 0 };
const INVALID_PRODUCER_ID_MAPPING = 49;

export class StandingProbe {
  readonly #cluster: Cluster;

  constructor(options: Pick<ClusterOptions, 'brokers' | 'clientId' | 'ssl' | 'sasl'>) {
    this.#cluster = new Cluster({ ...options, lookupTimeoutMs: PATIENCE_MS });
  }

  /** In the order of the names. A topic that was just made may not be known to every broker yet: what is missing is asked for again. */
  async topics(names: readonly string[]): Promise<readonly TopicStanding[]> {
    for (let attempt = 1; ; attempt++) {
      const answers = await this.#patiently(() => this.#cluster.requestAny(topicRightsRequest(names)));
      const found = new Map(answers.map((answer) => [answer.topic, answer]));
      const isAnyMissing = answers.some(({ errorCode }) => errorCode === UNKNOWN_TOPIC_OR_PARTITION);
      if (isAnyMissing && attempt < FRESH_TRIES) {
        await sleep(PAUSE_MS);
        continue;
      }
      return names.map((topic) => {
        const { errorCode, partitions, rights } = found.get(topic) ?? { errorCode: UNKNOWN_TOPIC_OR_PARTITION, partitions: 0, rights: null };
        const isHidden = isAuthorizationError(errorCode);
        const isThere = !isHidden && errorCode !== UNKNOWN_TOPIC_OR_PARTITION;
        return { topic, partitions: isThere ? partitions : null, may: (right) => !isHidden && allows(rights, right) };
      });
    }
  }

  async mayUseGroup(groupId: string): Promise<boolean> {
    return this.#unlessUnauthorized(async () => {
      const deadlineMs = Date.now() + PATIENCE_MS;
      const { rights } = await askCoordinator(this.#cluster, 'group', groupId, LANE, groupRightsRequest(groupId), ({ errorCode }) => errorCode, deadlineMs);
      return allows(rights, 'read');
    });
  }

  /** Asks to end a transaction of nobody: whoever may not write under this id is told so, all others that there is none. */
  async mayWriteAs(transactionalId: string): Promise<boolean> {
    return this.#unlessUnauthorized(async () => {
      const codeOf = ({ errorCode }: { readonly errorCode: number }): number => (errorCode === INVALID_PRODUCER_ID_MAPPING ? NO_ERROR : errorCode);
      await askCoordinator(this.#cluster, 'transaction', transactionalId, LANE, endTxnRequest(transactionalId, NOBODY, false), codeOf, Date.now() + PATIENCE_MS);
      return true;
    });
  }

  close(): void {
    this.#cluster.close();
  }

  async #unlessUnauthorized(ask: () => Promise<boolean>): Promise<boolean> {
    try {
      return await this.#patiently(ask);
    } catch (error) {
      if (error instanceof ConfigurationError && error.isUnauthorized) return false;
      throw error;
    }
  }

  /** Brokers may be starting at the same time as this process. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (const deadlineMs = Date.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof TransientError) || Date.now() > deadlineMs) throw error;
      }
    }
  }
}

/** A broker that says nothing about rights lets everybody do everything, or is asked too early: then the work itself will tell. */
function allows(rights: RightBits, right: Right): boolean {
  return rights === null || (rights & BITS[right]) !== 0;
}
