import { bareTopicName, type Namespace } from '../config/namespace.js';
import type { TopicPartitionOffset } from '../kafka/log.js';
import type { LogRecord, OutgoingRecord, RecordHeader } from '../kafka/record.js';
import { ERROR_HEADERS } from '../runtime/dead-letter.js';

/** Headers of the note that a letter was replayed: it lies behind the letter, in the same partition. */
const NOTE_HEADERS = '__streams.replayed.';
/** On a record that was written again: the place of the record it repeats. */
export const REPLAY_OF_HEADER = '__streams.replay.of';

/** A record that somebody could not use, as its letter tells it. Topics by their bare names. */
export interface Letter {
  /** `topic/partition/offset` of the record itself; of a line that never was a record, of its letter. */
  readonly id: string;
  /** Null for what never was a record of a topic: lines and rows that the gateway could not read. */
  readonly origin: TopicPartitionOffset | null;
  /** Where the letter lies; the first of several of one record. */
  readonly place: TopicPartitionOffset;
  readonly timestampMs: number;
  readonly stage: string;
  readonly exception: string;
  readonly message: string;
  readonly key: Uint8Array | null;
  /** Bytes of the value; null for none. */
  readonly size: number | null;
  /** Headers as text, without those that say why. */
  readonly headers: readonly (readonly [name: string, text: string])[];
  /** The record that this one repeats, if it was replayed itself. */
  readonly replayOf: string | null;
}

/** A letter of a log, or the note that one was replayed (the id of its record), or neither. */
export type LetterRecord = { readonly letter: Letter } | { readonly replayedId: string };

export function letterId({ topic, partition, offset }: TopicPartitionOffset): string {
  return `${topic}/${partition}/${offset}`;
}

/** Reads a record of a dead-letter topic. Of headers that repeat the last counts: the ones before came with the record. */
export function readLetter(namespace: Namespace, record: LogRecord): LetterRecord {
  const errors = new Map<string, string>();
  const notes = new Map<string, string>();
  const others: [string, string][] = [];
  for (const [name, value] of record.headers) {
    const text = Buffer.from(value).toString('utf8');
    if (name.startsWith(ERROR_HEADERS)) errors.set(name.slice(ERROR_HEADERS.length), text);
    else if (name.startsWith(NOTE_HEADERS)) notes.set(name.slice(NOTE_HEADERS.length), text);
    else others.push([name, text]);
  }
  const noted = errors.size === 0 ? placeOf(namespace, notes) : null;
  if (noted !== null) return { replayedId: letterId(noted) };
  const origin = placeOf(namespace, errors);
  const place = { topic: bareTopicName(namespace, record.topic) ?? record.topic, partition: record.partition, offset: record.offset };
  return {
    letter: {
      id: letterId(origin ?? place),
      origin,
      place,
      timestampMs: record.timestampMs,
      stage: errors.get('stage') ?? 'unknown',
      exception: errors.get('exception') ?? 'unknown',
      message: errors.get('message') ?? '',
      key: record.key === null ? null : Buffer.from(record.key),
      size: record.value?.length ?? null,
      headers: others,
      replayOf: others.findLast(([name]) => name === REPLAY_OF_HEADER)?.[1] ?? null,
    },
  };
}

function placeOf(namespace: Namespace, headers: ReadonlyMap<string, string>): TopicPartitionOffset | null {
  const topic = headers.get('topic');
  const [partition, offset] = [Number(headers.get('partition') ?? 'none'), Number(headers.get('offset') ?? 'none')];
  if (topic === undefined || !Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return null;
  return { topic: bareTopicName(namespace, topic) ?? topic, partition, offset };
}

/** The record once more, as it was, but for a header that says which record it repeats. `value`: its bytes. */
export function repeatedRecord(letter: LogRecord, topic: string, origin: TopicPartitionOffset, value: Uint8Array | null): OutgoingRecord {
  const kept = letter.headers.filter(([name]) => !name.startsWith(ERROR_HEADERS) && name !== REPLAY_OF_HEADER);
  const headers: RecordHeader[] = [...kept, [REPLAY_OF_HEADER, Buffer.from(letterId(origin))]];
  return { topic, partition: origin.partition, timestampMs: letter.timestampMs, key: letter.key, value, headers };
}

/** What is written behind a letter, together with the record, so that the next replay knows. */
export function replayNote(letter: LogRecord, originTopic: string, origin: TopicPartitionOffset): OutgoingRecord {
  const header = (name: string, text: string): RecordHeader => [`${NOTE_HEADERS}${name}`, Buffer.from(text)];
  const headers = [header('topic', originTopic), header('partition', String(origin.partition)), header('offset', String(origin.offset))];
  return { topic: letter.topic, partition: letter.partition, timestampMs: letter.timestampMs, key: letter.key, value: null, headers };
}
