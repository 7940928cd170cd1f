import { setTimeout as sleep } from 'node:timers/promises';
import { decodeRecordBatches } from './batch-decoder.js';
import { brokerError, NO_ERROR } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { StateLostError } from './errors.js';
import type { TaskPlaces, TopicPartition } from './log.js';
import { earliestOffsets, endOffsets, fetchCommittedOffsets, hasUndecidedOffsets, lastStableOffsets } from './offsets.js';
import { fetchRequest } from './protocol/record-requests.js';

/*
 * A broker that dies between deciding a transaction and marking it decided in its partitions can, when it comes back, count it
 * as ended without having marked it anywhere, or not everywhere: seen with brokers of Kafka 4.3.1 that were killed. The coordinator
 * then knows of nothing open, while every reader waits for ever before what the transaction wrote. A writer that has just been initialised
 * has nothing open either, so whatever is undecided in partitions that nobody else writes to is such a one.
 */

/** What the broker forgot to mark, and how it is to be marked. */
export interface Forgotten {
  readonly partitions: readonly TopicPartition[];
  readonly hasOffsets: boolean;
  readonly isCommit: boolean;
  /** Something that only this task writes to is undecided. Among dead letters it may be another's: a marker of this task does it no harm. */
  readonly isCertain: boolean;
}

/** A marker that was just written is seen by every reader after no longer than this. */
const GRACE_MS = 1_000;
const LOOK_EVERY_MS = 100;
const LANE = 'control';
const MARKER_BYTES = 64 * 1024;

/**
 * To be asked by a writer that has just been initialised; null, as nearly always, if nothing is left undecided. `wasCommitted`: what
 * the coordinator said of the last transaction before that; null where it no longer knew.
 */
export async function findForgotten(cluster: Cluster, task: TaskPlaces, wasCommitted: boolean | null): Promise<Forgotten | null> {
  const places = [...task.outputs, task.changelog, ...task.deadLetters];
  for (const giveUpMs = Date.now() + GRACE_MS; ; await sleep(LOOK_EVERY_MS)) {
    const [stable, ends, hasOffsets] = await Promise.all([lastStableOffsets(cluster, places), endOffsets(cluster, places), hasUndecidedOffsets(cluster, task.groupId, task.inputs)]);
    const partitions = places.filter((_place, index) => stable[index]!.offset < ends[index]!.offset);
    if (partitions.length === 0 && !hasOffsets) return null;
    // Where the decision is known, a marker too many does no harm, and a writer that dies now takes the decision with it.
    if (wasCommitted === null && Date.now() < giveUpMs) continue;
    const isCommit = wasCommitted ?? (partitions.includes(task.changelog) ? await areOffsetsCommitted(cluster, task, hasOffsets) : await endsWithCommit(cluster, task.changelog));
    return { partitions, hasOffsets, isCommit, isCertain: hasOffsets || partitions.some((place) => !task.deadLetters.includes(place)) };
  }
}

/**
 * Every transaction of a task writes to its changelog. Where that is undecided the group's offsets tell: if they are past the state
 * that is decided, they were committed in this transaction. Where they are undecided too nobody has seen any of it, and the task begins
 * again before it.
 */
async function areOffsetsCommitted(cluster: Cluster, { groupId, inputs, stateOffsets }: TaskPlaces, areUndecided: boolean): Promise<boolean> {
  if (areUndecided) return false;
  const [committed, stored] = await Promise.all([fetchCommittedOffsets(cluster, groupId, inputs), stateOffsets()]);
  return committed.some(({ offset }, input) => offset !== null && offset > (stored?.[input] ?? -1));
}

/** Where the changelog is decided, the other partitions follow it. */
async function endsWithCommit(cluster: Cluster, changelog: TopicPartition): Promise<boolean> {
  const [[first], [end]] = await Promise.all([earliestOffsets(cluster, [changelog]), lastStableOffsets(cluster, [changelog])]);
  if (end!.offset === first!.offset) return false;
  const leader = await cluster.leader(changelog.topic, changelog.partition);
  const limits = { maxWaitMs: 0, maxBytes: MARKER_BYTES, maxPartitionBytes: MARKER_BYTES };
  const answer = await cluster.request(leader, LANE, fetchRequest([{ ...changelog, offset: end!.offset - 1 }], limits));
  const found = answer.partitions[0];
  const errorCode = answer.errorCode !== NO_ERROR ? answer.errorCode : (found?.errorCode ?? -1);
  if (errorCode !== NO_ERROR) throw brokerError(errorCode, 'Fetch of the last marker', changelog);
  for (const batch of decodeRecordBatches(found!.records, changelog.topic, changelog.partition)) {
    if (batch.isControl && batch.nextOffset === end!.offset) return !batch.isAbortMarker;
  }
  throw new StateLostError(
    `the broker forgot to end a transaction of the task that writes ${changelog.topic}-${changelog.partition}, and its changelog does not tell how it ended; look with kafka-transactions.sh find-hanging, and abort it there`,
    changelog,
  );
}
