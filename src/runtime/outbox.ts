import { deadLetterTopic, topicName, type Namespace } from '../config/namespace.js';
import { withinDigits } from '../domain/decimal.js';
import type { RecordName, RecordTypes } from '../domain/records.js';
import type { LogRecord, OutgoingRecord, RecordHeader } from '../kafka/record.js';
import type { TaskCodec } from './arrival.js';
import { deadLetterHeaders, type FailureStage } from './dead-letter.js';
import type { KeyBytes } from './key-bytes.js';
import type { Emitter, Topology } from './processor.js';

/** Encoded outputs and dead letters of a task, in the order in which they were made, until they are sent. */
export class Outbox implements Emitter {
  /** Record being handled: what is written carries its trace. Null while a watermark is handled. */
  cause: LogRecord | null = null;
  /** What is written goes nowhere: it was written before. */
  isMuted = false;
  /** Bytes of keys and values since the last take. */
  bytes = 0;
  private readonly role: string;
  private readonly partition: number;
  private readonly codec: TaskCodec;
  private readonly keys: KeyBytes;
  private readonly topics = new Map<string, { readonly name: string; readonly isCompacted: boolean }>();
  private records: OutgoingRecord[] = [];

  constructor(topology: Topology, partition: number, namespace: Namespace, codec: TaskCodec, keys: KeyBytes) {
    this.role = topology.role;
    this.partition = partition;
    this.codec = codec;
    this.keys = keys;
    for (const topic of topology.outputs) this.topics.set(topic, { name: topicName(namespace, topic), isCompacted: false });
    for (const topic of topology.compactedOutputs) this.topics.set(topic, { name: topicName(namespace, topic), isCompacted: true });
  }

  get size(): number {
    return this.records.length;
  }

  take(): readonly OutgoingRecord[] {
    const { records } = this;
    this.records = [];
    this.bytes = 0;
    return records;
  }

  emit<N extends RecordName>(topic: string, key: string, type: N, value: RecordTypes[N] | null, eventMs: number): void {
    this.write(topic, this.keys.of(key), type, value, eventMs);
  }

  watermark(topic: string, watermarkMs: number): void {
    this.write(topic, null, 'Watermark', { watermark_at: watermarkMs }, watermarkMs);
  }

  deadLetter(exception: string, message: string): void {
    this.writeDeadLetter('process', exception, message);
  }

  /** The record being handled, bytes unchanged, into the dead letters of the topic it came from. */
  writeDeadLetter(stage: FailureStage, exception: string, message: string): void {
    if (this.isMuted) return;
    const raw = this.cause;
    if (raw === null) throw new Error('a dead letter outside of a record');
    this.add({
      topic: deadLetterTopic(raw.topic),
      partition: this.partition,
      timestampMs: Math.max(0, raw.timestampMs),
      key: raw.key,
      value: raw.value,
      headers: [...raw.headers, ...deadLetterHeaders(raw, stage, exception, message)],
    });
  }

  private write<N extends RecordName>(topic: string, key: Buffer | null, type: N, value: RecordTypes[N] | null, eventMs: number): void {
    if (this.isMuted) return;
    const output = this.topics.get(topic);
    if (output === undefined) throw new Error(`${this.role} does not declare the output ${topic}`);
    if (value === null && !output.isCompacted) throw new Error(`a tombstone in ${topic}, which is not compacted`);
    if (!Number.isSafeInteger(eventMs) || eventMs < 0) throw new Error(`${type} for ${topic} has the event time ${eventMs}`);
    const bytes = value === null ? null : this.encode(type, value);
    const trace = this.cause === null || this.cause.headers.length === 0 ? null : traceOf(this.cause.headers);
    const record = { topic: output.name, partition: this.partition, timestampMs: eventMs, key, value: bytes };
    this.add(trace === null ? record : { ...record, headers: [trace] });
  }

  /** Sums of what cannot be true may be larger than a record holds; the stream goes on with the largest number there is. */
  private encode<N extends RecordName>(type: N, value: RecordTypes[N]): Uint8Array {
    try {
      return this.codec.encode(type, value);
    } catch (error) {
      const bounded = withinDigits(value);
      if (bounded === value) throw error;
      return this.codec.encode(type, bounded);
    }
  }

  private add(record: OutgoingRecord): void {
    this.records.push(record);
    this.bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
  }
}

function traceOf(headers: readonly RecordHeader[]): RecordHeader | null {
  for (const header of headers) if (header[0] === 'traceparent') return header;
  return null;
}
