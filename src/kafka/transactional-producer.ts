import { setTimeout as sleep } from 'node:timers/promises';
import { NO_ERROR, TRANSACTIONAL_ID_NOT_FOUND } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import type { BrokerConnection } from './connection.js';
import { classify, TransientError, type LogError } from './errors.js';
import { findForgotten, type Forgotten } from './forgotten-transaction.js';
import type { TaskPlaces, TaskWriter, TopicPartition, TopicPartitionOffset } from './log.js';
import { dispatchProduce } from './produce-dispatch.js';
import { encodeBatches, groupByPartition, PartitionSequences, type PartitionOutput } from './produce.js';
import type { KafkaRequest } from './protocol/request.js';
import {
  addOffsetsToTxnRequest,
  addPartitionsToTxnRequest,
  describeTransactionRequest,
  endTxnRequest,
  initProducerIdRequest,
  txnOffsetCommitRequest,
  type ProducerIdentity,
} from './protocol/transaction-requests.js';
import type { OutgoingRecord } from './record.js';
import { askCoordinator, worstError } from './transaction-coordinator.js';

/*
 * The commit order of a transaction:
 *
 *   1. AddPartitionsToTxn   the coordinator notes which partitions will need a marker, before anything is in them
 *   2. Produce              outputs, changelog and dead letters, in any order, each partition's in sequence
 *   3. AddOffsetsToTxn      the coordinator notes the partition of the group's offsets
 *   4. TxnOffsetCommit      the input offsets, pending like the records
 *   5. EndTxn(commit)       only once all of 2 and 4 are acknowledged. When the coordinator has logged it, everything
 *                           above becomes visible together, whatever happens to this process afterwards
 *
 * 1 precedes 2 for each partition, 3 precedes 4; otherwise 1-2 and 3-4 overlap. A crash before 5 leaves a transaction
 * that the successor's InitProducerId aborts; a crash while 5 is under way leaves an outcome the committed offsets tell.
 */

export interface TransactionalProducerOptions {
  readonly transactionalId: string;
  /** The broker aborts a transaction older than this, and with it fences this producer. */
  readonly transactionTimeoutMs?: number;
  /** How long one step may be repeated while brokers refuse it without doing anything. */
  readonly stepTimeoutMs?: number;
  /** Connections are shared by producers of the same lane. */
  readonly lane: string;
  /** Something out of the ordinary was found and mended; told so that it can be logged. */
  readonly onWarning?: (message: string, cause: LogError) => void;
}

const DEFAULT_TRANSACTION_TIMEOUT_MS = 60_000;
const DEFAULT_STEP_TIMEOUT_MS = 30_000;

interface OpenTransaction {
  /** Of each partition, the answer to the request that added it. */
  readonly added: Map<string, Promise<void>>;
  readonly offsetsAdded: Map<string, Promise<void>>;
  readonly acknowledgements: Promise<void>[];
}

/** One task's writer. Any error but one of `init` leaves it unusable until `init` is called again. */
export class TransactionalProducer implements TaskWriter {
  readonly #cluster: Cluster;
  readonly #id: string;
  readonly #lane: string;
  readonly #transactionTimeoutMs: number;
  readonly #stepTimeoutMs: number;
  readonly #onWarning: TransactionalProducerOptions['onWarning'];
  #identity: ProducerIdentity | null = null;
  #sequences = new PartitionSequences();
  /**
   * Partitions that have taken a batch in this epoch. To others only one send at a time is under way: should a leader
   * that is just taking over refuse a first batch and accept a second, their sequence would be broken.
   */
  readonly #reached = new Set<string>();
  #transaction: OpenTransaction | null = null;
  /** To the coordinator, when the last transaction was ended. */
  #endedOn: BrokerConnection | null = null;
  #failure: LogError | null = null;
  /** Produce requests leave in the order of the `send` calls; this is the last one's leaving. */
  #dispatched: Promise<void> = Promise.resolve();
  #lastGroupId: string | null = null;

  constructor(cluster: Cluster, options: TransactionalProducerOptions) {
    this.#cluster = cluster;
    this.#id = options.transactionalId;
    this.#lane = options.lane;
    this.#transactionTimeoutMs = options.transactionTimeoutMs ?? DEFAULT_TRANSACTION_TIMEOUT_MS;
    this.#stepTimeoutMs = options.stepTimeoutMs ?? DEFAULT_STEP_TIMEOUT_MS;
    this.#onWarning = options.onWarning;
  }

  async init(task?: TaskPlaces): Promise<void> {
    // Asked before the fence, which makes the coordinator forget it.
    const wasCommitted = task === undefined ? null : await this.#lastDecision();
    await this.#newEpoch();
    if (task === undefined) return;
    const forgotten = await findForgotten(this.#cluster, task, wasCommitted);
    if (forgotten === null) return;
    const { partitions, hasOffsets, isCommit, isCertain } = forgotten;
    if (isCertain) this.#onWarning?.(
      `the broker has forgotten to end a transaction of "${this.#id}": it is ${isCommit ? 'committed' : 'aborted'} now`,
      new TransientError(`undecided were ${[...partitions.map(({ topic, partition }) => `${topic}-${partition}`), ...(hasOffsets ? [`offsets of ${task.groupId}`] : [])].join(', ')}`),
    );
    await this.#endForgotten(forgotten, task.groupId);
    // Waits until the markers are written.
    await this.#newEpoch();
  }

  /** Whether the coordinator has decided to commit the last transaction under this id; null where it does not know, or is not asked to yet. */
  async #lastDecision(): Promise<boolean | null> {
    const { state } = await this.#insist(describeTransactionRequest(this.#id), ({ errorCode }) => (errorCode === TRANSACTIONAL_ID_NOT_FOUND ? NO_ERROR : errorCode));
    if (state === 'CompleteCommit' || state === 'PrepareCommit') return true;
    return state === 'CompleteAbort' || state === 'PrepareAbort' ? false : null;
  }

  /** A transaction without records: its markers end whatever this producer id has left undecided in these places. */
  async #endForgotten({ partitions, hasOffsets, isCommit }: Forgotten, groupId: string): Promise<void> {
    const identity = this.#usable();
    if (partitions.length > 0) await this.#ask(addPartitionsToTxnRequest(this.#id, identity, partitions), worstError);
    if (hasOffsets) await this.#ask(addOffsetsToTxnRequest(this.#id, identity, groupId), (answer) => answer.errorCode);
    await this.#ask(endTxnRequest(this.#id, identity, isCommit), (answer) => answer.errorCode);
  }

  async #newEpoch(): Promise<void> {
    this.#identity = null;
    this.#transaction = null;
    this.#endedOn = null;
    this.#failure = null;
    const { producerId, producerEpoch } = await this.#insist(initProducerIdRequest(this.#id, this.#transactionTimeoutMs), (answer) => answer.errorCode);
    this.#identity = { producerId, producerEpoch };
    this.#sequences = new PartitionSequences();
    this.#reached.clear();
  }

  /** For what changes nothing, or nothing but the epoch: unlike every other step it is repeated after a lost answer too. */
  async #insist<Answer>(request: KafkaRequest<Answer>, errorCodeOf: (answer: Answer) => number): Promise<Answer> {
    const deadlineMs = Date.now() + this.#stepTimeoutMs + this.#transactionTimeoutMs;
    for (;;) {
      try {
        return await this.#ask(request, errorCodeOf, deadlineMs);
      } catch (error) {
        if (!(error instanceof TransientError) || Date.now() > deadlineMs) throw error;
        await sleep(100);
      }
    }
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const identity = this.#usable();
    if (records.length === 0) return;
    const transaction = this.#begin();
    const outputs = groupByPartition(records);
    const added = this.#addPartitions(transaction, identity, outputs);
    if (this.#lastGroupId !== null) this.#addOffsets(transaction, identity, this.#lastGroupId).catch(() => {});
    const dispatched = Promise.all([this.#dispatched, added]).then(() =>
      dispatchProduce(this.#cluster, this.#lane, this.#id, this.#stepTimeoutMs, outputs, (output) =>
        encodeBatches(output, identity, this.#sequences, true),
      ),
    );
    const acknowledged = this.#guard(
      dispatched.then(async (answers) => {
        await Promise.all(answers);
        for (const output of outputs) this.#reached.add(keyOf(output));
      }),
    );
    const isReached = outputs.every((output) => this.#reached.has(keyOf(output)));
    this.#dispatched = isReached ? dispatched.then(() => {}) : acknowledged;
    this.#dispatched.catch(() => {}); // a failure reaches the caller as `acknowledged`, and the next send if there is one
    transaction.acknowledgements.push(acknowledged);
    await acknowledged;
  }

  async commit(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const identity = this.#usable();
    if (this.#transaction === null && offsets.length === 0) return;
    const transaction = this.#begin();
    this.#lastGroupId = groupId;
    const steps: Promise<void>[] = [...transaction.acknowledgements];
    if (offsets.length > 0) {
      const request = txnOffsetCommitRequest(this.#id, groupId, identity, offsets);
      const committed = this.#addOffsets(transaction, identity, groupId).then(() => this.#askGroup(groupId, request));
      steps.push(this.#guard(committed));
    }
    await allSettledOrThrow(steps);
    const connection = await this.#guard(this.#coordinatorConnection());
    await this.#guard(this.#ask(endTxnRequest(this.#id, identity, true), (answer) => answer.errorCode));
    this.#transaction = null;
    this.#endedOn = connection;
  }

  /** A new epoch rather than EndTxn: a late produce request of the old one can then reach no later transaction. */
  async abort(): Promise<void> {
    if (this.#transaction === null && this.#failure === null) return;
    await Promise.allSettled(this.#transaction?.acknowledgements ?? []);
    await this.#newEpoch();
  }

  /** An open transaction is ended in the background, if it can be, so that readers need not wait for its timeout. */
  async close(): Promise<void> {
    const identity = this.#identity;
    const transaction = this.#transaction;
    this.#identity = null;
    this.#transaction = null;
    this.#failure = new TransientError(`the producer "${this.#id}" is closed`);
    if (identity === null || transaction === null) return;
    void Promise.allSettled(transaction.acknowledgements)
      .then(() => this.#ask(endTxnRequest(this.#id, identity, false), (answer) => answer.errorCode, Date.now()))
      .catch(() => {});
  }

  #usable(): ProducerIdentity {
    if (this.#failure !== null) throw this.#failure;
    if (this.#identity === null) throw new TransientError(`the producer "${this.#id}" is not initialised: call init() first`);
    return this.#identity;
  }

  #begin(): OpenTransaction {
    if (this.#transaction === null) {
      // The broker may have been killed since, and have forgotten to mark the last transaction: init() looks.
      if (this.#endedOn?.isUsable === false) throw (this.#failure = new TransientError(`the coordinator of "${this.#id}" was lost since the last transaction: whether it is marked everywhere has to be looked at`));
      this.#transaction = { added: new Map(), offsetsAdded: new Map(), acknowledgements: [] };
      this.#dispatched = Promise.resolve();
    }
    return this.#transaction;
  }

  /** Remembers the first failure: a transaction of which anything failed must never be committed. */
  async #guard<T>(step: Promise<T>): Promise<T> {
    const identity = this.#identity;
    try {
      return await step;
    } catch (error) {
      const failure = classify(error, `the transaction of "${this.#id}" failed`);
      if (identity === this.#identity) this.#failure ??= failure;
      throw failure;
    }
  }

  #addPartitions(transaction: OpenTransaction, identity: ProducerIdentity, outputs: readonly PartitionOutput[]): Promise<unknown> {
    const fresh: TopicPartition[] = [];
    const pending: Promise<void>[] = [];
    for (const { topic, partition } of outputs) {
      const known = transaction.added.get(keyOf({ topic, partition }));
      if (known === undefined) fresh.push({ topic, partition });
      else pending.push(known);
    }
    if (fresh.length > 0) {
      const request = addPartitionsToTxnRequest(this.#id, identity, fresh);
      const adding = this.#ask(request, worstError).then(() => {});
      for (const place of fresh) transaction.added.set(keyOf(place), adding);
      pending.push(adding);
    }
    return Promise.all(pending);
  }

  #addOffsets(transaction: OpenTransaction, identity: ProducerIdentity, groupId: string): Promise<void> {
    let adding = transaction.offsetsAdded.get(groupId);
    if (adding === undefined) {
      const request = addOffsetsToTxnRequest(this.#id, identity, groupId);
      adding = this.#ask(request, (answer) => answer.errorCode).then(() => {});
      transaction.offsetsAdded.set(groupId, adding);
    }
    return adding;
  }

  async #coordinatorConnection(): Promise<BrokerConnection> {
    return this.#cluster.connection(await this.#cluster.coordinator('transaction', this.#id), this.#lane);
  }

  #ask<Answer>(
    request: Parameters<typeof askCoordinator<Answer>>[4],
    errorCodeOf: (answer: Answer) => number,
    deadlineMs = Date.now() + this.#stepTimeoutMs,
  ): Promise<Answer> {
    return askCoordinator(this.#cluster, 'transaction', this.#id, this.#lane, request, errorCodeOf, deadlineMs);
  }

  async #askGroup(groupId: string, request: ReturnType<typeof txnOffsetCommitRequest>): Promise<void> {
    const deadlineMs = Date.now() + this.#stepTimeoutMs;
    await askCoordinator(this.#cluster, 'group', groupId, this.#lane, request, worstError, deadlineMs);
  }
}

/** Waits for every step, so that nothing is under way any more when the first failure is thrown. */
async function allSettledOrThrow(steps: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}
