import type { RecordCodec } from '../avro/record-codec.js';
import { topicName, type Namespace } from '../config/namespace.js';
import type { RecordName, RecordTypes } from '../domain/records.js';
import type { Log } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import { MAX_AHEAD_MS } from '../runtime/merge.js';

/** A record of a topic that could be read; value null is a tombstone. */
export interface TopicRecord {
  readonly type: RecordName | null;
  readonly value: RecordTypes[RecordName] | null;
  readonly raw: LogRecord;
}

/** Where topics are read from. */
export interface TopicSource {
  readonly log: Log;
  readonly codec: Pick<RecordCodec, 'learn' | 'decode'>;
  readonly namespace: Namespace;
}

/**
 * Committed records of one partition, from its beginning to `until`, in order. What cannot be read is left out: its readers made
 * dead letters of it. With `onlyAsset` only records whose key is that asset are decoded at all.
 */
export async function readTopic(
  { log, codec, namespace }: TopicSource, topic: string, partition: number, until: number, take: (record: TopicRecord) => void, onlyAsset?: string,
): Promise<void> {
  const onlyKey = onlyAsset === undefined ? null : Buffer.from(onlyAsset);
  for await (const { records } of log.readRange({ topic: topicName(namespace, topic), partition, from: 'earliest', until })) {
    await codec.learn(records.map(({ value }) => value));
    for (const raw of records) {
      if (onlyKey !== null && (raw.key === null || !onlyKey.equals(raw.key))) continue;
      const read = recordOf(raw, codec);
      if (read !== null) take(read);
    }
  }
}

function recordOf(raw: LogRecord, codec: Pick<RecordCodec, 'decode'>): TopicRecord | null {
  if (raw.value === null) return { type: null, value: null, raw };
  try {
    const { type, value } = codec.decode(raw.value);
    const { asset } = value as { readonly asset?: string };
    const key = raw.key === null ? null : Buffer.from(raw.key).toString('utf8');
    // The key of a compacted topic only begins with the asset.
    if (asset !== undefined && key !== asset && key?.startsWith(`${asset}|`) !== true) return null;
    return { type, value, raw };
  } catch {
    return null;
  }
}

/** Effective times of the records of one partition: when a reader's windows begin to count. */
export class EffectiveTimes {
  /** Highest watermark so far; -1 before the first. */
  watermarkMs = -1;
  /** Effective time of the last record; -1 before the first. */
  lastMs = -1;

  watermark(valueMs: number): void {
    this.watermarkMs = Math.max(this.watermarkMs, valueMs);
  }

  record(eventMs: number): number {
    const latestMs = this.watermarkMs < 0 ? eventMs : Math.min(eventMs, this.watermarkMs + MAX_AHEAD_MS);
    this.lastMs = Math.max(latestMs, this.watermarkMs + 1, this.lastMs);
    return this.lastMs;
  }
}
