import { setTimeout as sleep } from 'node:timers/promises';
import { endOfBatches } from './batch-decoder.js';
import { brokerError, disposition, NO_ERROR } from './broker-errors.js';
import type { Cluster } from './cluster.js';
import { committedRecords } from './committed-records.js';
import { classify, ConfigurationError, LogError, TransientError } from './errors.js';
import type { FetchedPartition, LogReader, TopicPartition, TopicPartitionOffset } from './log.js';
import { fetchRequest, type FetchAnswerPartition } from './protocol/record-requests.js';
import { Signal } from './signal.js';

export interface FetcherOptions {
  /** Prefix of the connections used; each reader needs its own, since fetches wait for data. */
  readonly lane: string;
  /** Fetching a partition stops while this much of it is buffered, raw. */
  readonly bufferBytes?: number;
  readonly maxPartitionBytes?: number;
  readonly maxAnswerBytes?: number;
  /** How long brokers may wait for data; has no influence on how soon data arrives. */
  readonly maxWaitMs?: number;
  readonly onWarning?: (message: string, cause: LogError) => void;
}

const KIBIBYTE = 1024;
/**
 * Fetches under way to one broker at a time. While one waits for data of the partitions it names, another can serve
 * those that were assigned, resumed or drained meanwhile.
 */
const SLOTS = 3;
const RETRY_MS = 100;
/** A partition that brokers do not know for this long is taken to be gone. */
const UNKNOWN_PARTITION_MS = 30_000;

/** An answer not polled yet, and the positions before and after it. */
interface Chunk {
  readonly answer: FetchAnswerPartition;
  readonly fromOffset: number;
  readonly nextOffset: number;
}

interface Source extends TopicPartition {
  /** Where the next fetch begins. */
  fetchOffset: number;
  readonly chunks: Chunk[];
  bufferedBytes: number;
  isPaused: boolean;
  isFetching: boolean;
  retryAtMs: number;
  troubleSinceMs: number | null;
}

/** Reads committed records of explicitly assigned partitions over the broker; see `LogReader`. */
export class PartitionFetcher implements LogReader {
  readonly #cluster: Cluster;
  readonly #lane: string;
  readonly #options: Required<Pick<FetcherOptions, 'bufferBytes' | 'maxPartitionBytes' | 'maxAnswerBytes' | 'maxWaitMs' | 'onWarning'>>;
  readonly #sources = new Map<string, Source>();
  readonly #busySlots = new Map<number, Set<number>>();
  readonly #failures: LogError[] = [];
  readonly #polling = new Signal();
  #turn = 0;
  #isClosed = false;

  constructor(cluster: Cluster, options: FetcherOptions) {
    this.#cluster = cluster;
    this.#lane = options.lane;
    this.#options = {
      bufferBytes: options.bufferBytes ?? 512 * KIBIBYTE,
      maxPartitionBytes: options.maxPartitionBytes ?? 1024 * KIBIBYTE,
      maxAnswerBytes: options.maxAnswerBytes ?? 8 * 1024 * KIBIBYTE,
      maxWaitMs: options.maxWaitMs ?? 250,
      onWarning: options.onWarning ?? (() => {}),
    };
  }

  assign(offsets: readonly TopicPartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const isPaused = this.#sources.get(keyOf({ topic, partition }))?.isPaused ?? false;
      this.#sources.set(keyOf({ topic, partition }), {
        topic,
        partition,
        fetchOffset: offset,
        chunks: [],
        bufferedBytes: 0,
        isPaused,
        isFetching: false,
        retryAtMs: 0,
        troubleSinceMs: null,
      });
    }
    this.#route();
  }

  revoke(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#sources.delete(keyOf(partition));
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const source = this.#sources.get(keyOf(partition));
      if (source !== undefined) source.isPaused = true;
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const source = this.#sources.get(keyOf(partition));
      if (source !== undefined) source.isPaused = false;
    }
    this.#route();
    this.#polling.wake();
  }

  async poll(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    const deadlineMs = Date.now() + maxWaitMs;
    for (;;) {
      const failure = this.#failures.shift();
      if (failure !== undefined) throw failure;
      const fetched = this.#drain();
      const leftMs = deadlineMs - Date.now();
      if (fetched.length > 0 || leftMs <= 0 || this.#isClosed) return fetched;
      await this.#polling.wait(leftMs);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sources.clear();
    for (const slot of Array(SLOTS).keys()) this.#cluster.closeLane(`${this.#lane}-${slot}`);
    this.#polling.wake();
  }

  /** Takes one buffered answer of every partition that has one, and decodes it. */
  #drain(): FetchedPartition[] {
    const fetched: FetchedPartition[] = [];
    for (const [key, source] of this.#sources) {
      if (source.isPaused || source.chunks.length === 0) continue;
      const { topic, partition } = source;
      const { answer, fromOffset, nextOffset } = source.chunks.shift()!;
      source.bufferedBytes -= answer.records.length;
      const { lastStableOffset, highWatermark } = answer;
      try {
        const { records } = committedRecords({ topic, partition, fromOffset, bytes: answer.records, aborted: answer.aborted });
        fetched.push({ topic, partition, records, nextOffset, lastStableOffset, highWatermark });
      } catch (error) {
        this.#fail(key, source, classify(error));
        if (fetched.length === 0) throw this.#failures.shift();
      }
    }
    if (fetched.length > 0) this.#route();
    return fetched;
  }

  /** Starts a fetch on every broker that leads partitions in need of one and has a slot free. */
  #route(): void {
    if (this.#isClosed) return;
    const nowMs = Date.now();
    const byLeader = new Map<number, Source[]>();
    for (const source of this.#sources.values()) {
      if (!this.#isHungry(source, nowMs)) continue;
      const leader = this.#cluster.knownLeader(source.topic, source.partition);
      const sameLeader = leader === null ? undefined : byLeader.get(leader);
      if (leader === null) void this.#findLeader(source);
      else if (sameLeader === undefined) byLeader.set(leader, [source]);
      else sameLeader.push(source);
    }
    for (const [leader, sources] of byLeader) {
      const slot = this.#freeSlot(leader);
      if (slot !== null) void this.#fetch(leader, slot, this.#rotated(sources));
    }
  }

  async #findLeader(source: Source): Promise<void> {
    source.isFetching = true;
    try {
      await this.#cluster.leader(source.topic, source.partition);
    } catch (error) {
      const failure = classify(error);
      if (failure instanceof TransientError) this.#retryLater([source]);
      else this.#fail(keyOf(source), source, failure);
    } finally {
      source.isFetching = false;
      this.#route();
    }
  }

  #isHungry(source: Source, nowMs: number): boolean {
    return !source.isPaused && !source.isFetching && source.retryAtMs <= nowMs && source.bufferedBytes < this.#options.bufferBytes;
  }

  #freeSlot(leader: number): number | null {
    let busy = this.#busySlots.get(leader);
    if (busy === undefined) this.#busySlots.set(leader, (busy = new Set()));
    for (let slot = 0; slot < SLOTS; slot++) {
      if (busy.has(slot)) continue;
      busy.add(slot);
      return slot;
    }
    return null;
  }

  /** Brokers fill an answer in the order asked for, so every partition has to come first at times. */
  #rotated(sources: readonly Source[]): Source[] {
    const first = this.#turn++ % sources.length;
    return [...sources.slice(first), ...sources.slice(0, first)];
  }

  async #fetch(leader: number, slot: number, sources: readonly Source[]): Promise<void> {
    const { maxWaitMs, maxAnswerBytes: maxBytes, maxPartitionBytes } = this.#options;
    for (const source of sources) source.isFetching = true;
    try {
      const positions = sources.map(({ topic, partition, fetchOffset }) => ({ topic, partition, offset: fetchOffset }));
      const request = fetchRequest(positions, { maxWaitMs, maxBytes, maxPartitionBytes });
      const answer = await this.#cluster.request(leader, `${this.#lane}-${slot}`, request);
      if (answer.errorCode !== NO_ERROR) throw brokerError(answer.errorCode, 'Fetch');
      const isEmpty = answer.partitions.every(({ records }) => records.length === 0);
      for (const partition of answer.partitions) await this.#receive(partition, sources, isEmpty);
    } catch (error) {
      const failure = classify(error);
      if (!this.#isClosed) this.#options.onWarning(`fetching from broker ${leader} failed; trying again`, failure);
      this.#retryLater(sources);
      await this.#cluster.refresh(sources.map(({ topic }) => topic)).catch(() => {});
    } finally {
      for (const source of sources) source.isFetching = false;
      this.#busySlots.get(leader)?.delete(slot);
      this.#route();
    }
  }

  async #receive(answer: FetchAnswerPartition, sources: readonly Source[], isEmpty: boolean): Promise<void> {
    const key = keyOf(answer);
    const source = this.#sources.get(key);
    if (source === undefined || !sources.includes(source)) return; // revoked or moved meanwhile
    if (answer.errorCode !== NO_ERROR) {
      await this.#receiveError(key, source, answer);
      return;
    }
    source.troubleSinceMs = null;
    const fromOffset = source.fetchOffset;
    if (answer.records.length > 0) {
      source.fetchOffset = endOfBatches(answer.records, fromOffset);
    } else if (isEmpty && answer.lastStableOffset > fromOffset) {
      // No limit kept the broker from answering and there is nothing: compaction removed all up to here.
      source.fetchOffset = answer.lastStableOffset;
    }
    if (source.fetchOffset === fromOffset) return;
    source.chunks.push({ answer, fromOffset, nextOffset: source.fetchOffset });
    source.bufferedBytes += answer.records.length;
    this.#polling.wake();
  }

  async #receiveError(key: string, source: Source, { errorCode, topic, partition }: FetchAnswerPartition): Promise<void> {
    const failure = brokerError(errorCode, `Fetch at offset ${source.fetchOffset}`, { topic, partition });
    if (disposition(errorCode) !== 'refused' && !(failure instanceof TransientError)) {
      this.#fail(key, source, failure);
      return;
    }
    const nowMs = Date.now();
    source.troubleSinceMs ??= nowMs;
    if (nowMs - source.troubleSinceMs > UNKNOWN_PARTITION_MS && disposition(errorCode) === 'refused') {
      this.#fail(key, source, new ConfigurationError(`${failure.message} for ${UNKNOWN_PARTITION_MS} ms`, { topic, partition }));
      return;
    }
    this.#options.onWarning('fetching a partition failed; trying again', failure);
    this.#retryLater([source]);
    await this.#cluster.refresh([topic]).catch(() => {});
  }

  #retryLater(sources: readonly Source[]): void {
    for (const source of sources) source.retryAtMs = Date.now() + RETRY_MS;
    void sleep(RETRY_MS + 1, undefined, { ref: false }).then(() => this.#route());
  }

  #fail(key: string, source: Source, failure: LogError): void {
    if (this.#sources.get(key) === source) this.#sources.delete(key);
    this.#failures.push(failure);
    this.#polling.wake();
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}
