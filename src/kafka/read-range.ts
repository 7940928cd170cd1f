import { setTimeout as sleep } from 'node:timers/promises';
import { endOfBatches } from './batch-decoder.js';
import { brokerError, NO_ERROR } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { committedRecords } from './committed-records.js';
import { classify, StateLostError, TransientError, type LogError } from './errors.js';
import type { RangeChunk, ReadRange, TopicPartitionOffset } from './log.js';
import { earliestOffsets, lastStableOffsets } from './offsets.js';
import { fetchRequest, type FetchAnswerPartition, type FetchLimits } from './protocol/record-requests.js';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** All below the end wanted is there already; this only bounds the wait on a broker that has just become leader. */
const MAX_WAIT_MS = 100;
const RETRY_MS = 100;
const MAX_TROUBLE_MS = 60_000;

/**
 * Reads a stretch of one partition, committed records only, and ends by position: at the first batch that reaches the
 * end wanted, whether any record is left there or not. While the caller works on one chunk the next is being fetched.
 * Records at or beyond a numeric `until` are left out, also where a batch runs over it.
 */
export async function* readRange(cluster: Cluster, lane: string, range: ReadRange): AsyncGenerator<RangeChunk> {
  const { topic, partition } = range;
  const place = [{ topic, partition }];
  const [start] = await earliestOffsets(cluster, place);
  const from = range.from === 'earliest' ? start!.offset : range.from;
  if (from < start!.offset) {
    throw new StateLostError(
      `${topic}-${partition} begins at offset ${start!.offset}, ${from} was wanted: retention or deletion removed what is needed`,
      { topic, partition },
    );
  }
  const until = range.until === 'lastStable' ? (await lastStableOffsets(cluster, place))[0]!.offset : range.until;
  if (from >= until) return;
  let next = fetchAt(cluster, lane, range, from, until);
  for (let position = from; position < until; ) {
    const { answer, nextOffset } = await next;
    if (nextOffset < until) next = quietly(fetchAt(cluster, lane, range, nextOffset, until));
    const decoded = committedRecords({ topic, partition, fromOffset: position, bytes: answer.records, aborted: answer.aborted });
    position = Math.max(nextOffset, decoded.nextOffset);
    const { records } = decoded;
    while (records.length > 0 && records.at(-1)!.offset >= until) records.pop();
    yield { records, nextOffset: Math.min(position, until) };
  }
}

interface RawChunk {
  readonly answer: FetchAnswerPartition;
  readonly nextOffset: number;
}

/** An answer that moves the position on. */
async function fetchAt(cluster: Cluster, lane: string, { topic, partition }: ReadRange, offset: number, until: number): Promise<RawChunk> {
  const limits = { maxWaitMs: MAX_WAIT_MS, maxBytes: MAX_ANSWER_BYTES, maxPartitionBytes: MAX_ANSWER_BYTES };
  const deadlineMs = Date.now() + MAX_TROUBLE_MS;
  for (;;) {
    const result = await attempt(cluster, lane, { topic, partition, offset }, limits);
    if ('records' in result) {
      const nextOffset = endOfBatches(result.records, offset);
      if (nextOffset > offset) return { answer: result, nextOffset };
      // One partition alone is never kept back by a size limit: nothing is there up to the last stable offset.
      if (result.lastStableOffset >= until) return { answer: result, nextOffset: until };
    } else if (!(result instanceof TransientError)) {
      throw result;
    }
    if (Date.now() > deadlineMs) {
      throw new TransientError(`reading ${topic}-${partition} at offset ${offset} made no progress for ${MAX_TROUBLE_MS} ms`, {
        topic,
        partition,
        ...('records' in result ? {} : { cause: result }),
      });
    }
    await sleep(RETRY_MS);
    await cluster.refresh([topic]).catch(() => {});
  }
}

async function attempt(
  cluster: Cluster,
  lane: string,
  position: TopicPartitionOffset,
  limits: FetchLimits,
): Promise<FetchAnswerPartition | LogError> {
  const { topic, partition, offset } = position;
  try {
    const leader = await cluster.leader(topic, partition);
    const answer = await cluster.request(leader, lane, fetchRequest([position], limits));
    const found = answer.partitions[0];
    const errorCode = answer.errorCode !== NO_ERROR ? answer.errorCode : (found?.errorCode ?? -1);
    return errorCode === NO_ERROR ? found! : brokerError(errorCode, `Fetch at offset ${offset}`, { topic, partition });
  } catch (error) {
    return classify(error);
  }
}

/** A prefetch that fails before it is awaited must not count as unhandled. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
