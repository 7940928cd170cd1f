import type { RecordCodec } from '../../avro/record-codec.js';
import { topicName, type Namespace } from '../../config/namespace.js';
import type { RecordTypes } from '../../domain/records.js';
import type { Log, RangeChunk } from '../../kafka/log.js';
import type { LogRecord } from '../../kafka/record.js';
import { DEAD_LETTER_TOPIC, SOURCE_TOPICS } from '../gateway.js';
import type { SourceName, SourceValue } from './restored-frame.js';
import type { Queue, QueueItem } from './restored-session.js';

export interface QueueSource {
  readonly log: Log;
  readonly codec: Pick<RecordCodec, 'learn' | 'decode'>;
  readonly namespace: Namespace;
}

/** Partitions of the source topics, and the gateway's dead letters, from their first records to what is committed now. */
export async function topicQueues(source: QueueSource, partitions: number): Promise<{ readonly queues: readonly Queue[]; readonly isCut: boolean }> {
  const { log, namespace } = source;
  const sources = SOURCE_TOPICS.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
  const deadPartitions = await log.partitionCount(topicName(namespace, DEAD_LETTER_TOPIC));
  const dead = Array.from({ length: deadPartitions }, (_, partition) => ({ topic: DEAD_LETTER_TOPIC, partition }));
  const places = [...sources, ...dead].map(({ topic, partition }) => ({ topic: topicName(namespace, topic), partition }));
  const [starts, ends] = await Promise.all([log.earliestOffsets(places), log.lastStableOffsets(places)]);
  const queues = [...sources, ...dead].map(({ topic, partition }, index) => {
    const chunks = log.readRange({ topic: topicName(namespace, topic), partition, from: 'earliest', until: ends[index]?.offset ?? 0 });
    return new TopicQueue(chunks, topic, source.codec);
  });
  return { queues, isCut: starts.some(({ offset }) => offset > 0) };
}

class TopicQueue implements Queue {
  readonly hasWatermarks: boolean;
  readonly #chunks: AsyncIterator<RangeChunk>;
  readonly #topic: string;
  readonly #codec: QueueSource['codec'];
  #records: readonly LogRecord[] = [];
  #next = 0;

  constructor(chunks: AsyncIterable<RangeChunk>, topic: string, codec: QueueSource['codec']) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#topic = topic;
    this.#codec = codec;
    this.hasWatermarks = topic !== DEAD_LETTER_TOPIC;
  }

  async next(): Promise<QueueItem | null> {
    while (this.#next >= this.#records.length) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return null;
      this.#records = (value as RangeChunk).records;
      this.#next = 0;
      if (this.hasWatermarks) await this.#codec.learn(this.#records.map((record) => record.value));
    }
    const record = this.#records[this.#next++] as LogRecord;
    return this.hasWatermarks ? this.#sourceItem(record) : deadItem(record);
  }

  #sourceItem({ value }: LogRecord): QueueItem {
    if (value === null) throw new Error(`${this.#topic} holds a record without a value: it was not written by the gateway`);
    const decoded = this.#codec.decode(value);
    if (decoded.type === 'Watermark') return { kind: 'watermark', watermarkMs: (decoded.value as RecordTypes['Watermark']).watermark_at };
    const record = decoded.value as SourceValue;
    return { kind: 'entry', entry: { kind: 'record', topic: this.#topic, type: decoded.type as SourceName, value: record }, receivedMs: record.received_at };
  }
}

function deadItem({ value, timestampMs, headers }: LogRecord): QueueItem {
  const header = (name: string): string | null => {
    const found = headers.find(([key]) => key === name);
    return found === undefined ? null : Buffer.from(found[1]).toString('utf8');
  };
  const line = header('ws-gateway.line');
  // A copy: the record may be a view into the answer of a whole fetch.
  return { kind: 'entry', receivedMs: timestampMs, entry: { kind: 'dead', raw: Buffer.from(value ?? []), lineNumber: line === null ? null : Number(line), account: header('ws-gateway.account') } };
}
