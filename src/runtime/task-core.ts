import { deadLetterTopic, topicName, type Namespace } from '../config/namespace.js';
import type { RecordName, RecordTypes } from '../domain/records.js';
import type { TopicPartitionOffset } from '../kafka/log.js';
import type { LogRecord, OutgoingRecord, RecordHeader } from '../kafka/record.js';
import { deadLetterHeaders, type FailureStage } from './dead-letter.js';
import { Inbox } from './inbox.js';
import { Merge, NO_TIME, type MergeHandler } from './merge.js';
import type { Emitter, MergedRecord, Processor, Topology } from './processor.js';
import { assertSameSettings, MERGE_KEY, parseTaskPosition, SETTINGS_KEY, taskPositionBytes, type Settings, type TaskPosition } from './task-state.js';

/** What a task needs of Avro: both ways synchronous. */
export interface TaskCodec {
  /** Bytes of one record value. Throws with a telling name and message on anything it cannot read completely. */
  decode(value: Uint8Array): { readonly type: RecordName; readonly value: RecordTypes[RecordName] };
  /** The answer is not written to again. */
  encode<N extends RecordName>(type: N, value: RecordTypes[N]): Uint8Array;
}

export interface TaskCoreOptions {
  readonly topology: Topology;
  readonly partition: number;
  readonly namespace: Namespace;
  readonly codec: TaskCodec;
  readonly settings: Settings;
  /** Records that made the processor throw in an earlier life of this task, by recordId: they become dead letters. */
  readonly poison?: ReadonlyMap<string, Error>;
}

/** What one transaction holds besides the outputs sent already. */
export interface CommitUnit {
  readonly outputs: readonly OutgoingRecord[];
  readonly changelog: readonly OutgoingRecord[];
  /** Per input, the next offset not yet taken. */
  readonly offsets: readonly TopicPartitionOffset[];
}

/** The processor threw. `recordId` null: while a watermark was handled. The task's memory is void. */
export class ProcessorError extends Error {
  override name = 'ProcessorError';
  readonly recordId: string | null;

  constructor(where: string, recordId: string | null, cause: unknown) {
    super(`processing ${where} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.recordId = recordId;
  }
}

export function recordId(input: number, offset: number): string {
  return `${input}:${offset}`;
}

/** One record on its way through the merge. merged null: it could not be read, for the reason in failure. */
interface Arrival {
  readonly merged: { -readonly [K in keyof MergedRecord]: MergedRecord[K] } | null;
  readonly raw: LogRecord;
  readonly failure: Error | null;
}

const MAX_CACHED_KEYS = 20_000;
/** Records of an input decoded at a time, when the merge waits for it. */
const DECODED_AT_A_TIME = 64;

/**
 * Task p of a role without any I/O: records in, whole commits out. Everything it makes depends on the input logs
 * alone; where commits fall changes nothing but their size.
 */
export class TaskCore implements Emitter, MergeHandler<Arrival> {
  private readonly topology: Topology;
  private readonly partition: number;
  private readonly namespace: Namespace;
  private readonly codec: TaskCodec;
  private readonly settings: Settings;
  private readonly poison: ReadonlyMap<string, Error>;
  private readonly processor: Processor;
  private readonly outputNames = new Map<string, { readonly name: string; readonly isCompacted: boolean }>();
  private readonly inputNames: readonly string[];
  private readonly inboxes: readonly Inbox[];
  private readonly receivers: readonly ((record: LogRecord) => void)[];
  private readonly keys = new Map<string, Buffer>();
  private merge: Merge<Arrival>;
  private storedPosition: TaskPosition | null = null;
  private hasStoredSettings = false;
  private forwardedMs = NO_TIME;
  private outputs: OutgoingRecord[] = [];
  private outputBytes = 0;
  private takenSinceUnit = 0;
  private current: LogRecord | null = null;
  private currentInput = -1;

  constructor(options: TaskCoreOptions) {
    this.topology = options.topology;
    this.partition = options.partition;
    this.namespace = options.namespace;
    this.codec = options.codec;
    this.settings = options.settings;
    this.poison = options.poison ?? new Map();
    this.processor = options.topology.createProcessor();
    this.inputNames = options.topology.inputs.map((topic) => topicName(options.namespace, topic));
    for (const topic of options.topology.outputs) this.outputNames.set(topic, { name: topicName(options.namespace, topic), isCompacted: false });
    for (const topic of options.topology.compactedOutputs) this.outputNames.set(topic, { name: topicName(options.namespace, topic), isCompacted: true });
    this.inboxes = this.inputNames.map(() => new Inbox());
    this.receivers = this.inputNames.map((_name, input) => (record) => this.pushRecord(input, record));
    this.merge = new Merge(this.inputNames.length);
  }

  /** Once for every live entry of the changelog, then finishRestore. Throws SettingsError when the task was started with other settings. */
  restore(key: string, value: Uint8Array): void {
    if (key === MERGE_KEY) this.storedPosition = parseTaskPosition(value, this.topology.inputs);
    else if (key === SETTINGS_KEY) {
      assertSameSettings(this.topology.role, value, this.settings);
      this.hasStoredSettings = true;
    } else this.processor.restore(key, value);
  }

  /**
   * Ends the restore. Answers the offset per input the stored state stands at, or null when there is no stored state:
   * the task is new, and startAt says where it begins.
   */
  finishRestore(): readonly number[] | null {
    this.processor.finishRestore();
    if (this.storedPosition === null) return null;
    this.merge = new Merge(this.inputNames.length, this.storedPosition.merge);
    this.forwardedMs = this.storedPosition.forwardedMs;
    return this.storedPosition.merge.inputs.map((input) => input.offset);
  }

  /** Where a new task begins, per input. */
  startAt(offsets: readonly number[]): void {
    offsets.forEach((offset, input) => this.merge.pushedTo(input, offset));
  }

  /** Adds what was fetched of one input: records in offset order, and the position after them. */
  push(input: number, records: readonly LogRecord[], nextOffset: number): void {
    (this.inboxes[input] as Inbox).add(records, nextOffset);
  }

  /** Handles at most `limit` records and watermarks, as far as their order is certain; answers how many. Throws ProcessorError. */
  step(limit: number): number {
    let taken = 0;
    do {
      taken += this.merge.take(this, limit - taken);
    } while (taken < limit && this.refill());
    this.takenSinceUnit += taken;
    return taken;
  }

  /** Whether this input is so far ahead of what can be taken that reading it on would only fill memory. */
  isAhead(input: number, maxBuffered: number): boolean {
    if (this.merge.bufferedRecords(input) + (this.inboxes[input] as Inbox).size >= maxBuffered) return true;
    return this.merge.bufferedWatermarks(input) >= maxBuffered && !this.merge.isAwaited(input);
  }

  /** Records of an input that were pushed and are not taken; decodes them to tell them from watermarks. */
  heldRecords(input: number): number {
    while (this.refillInput(input, Number.POSITIVE_INFINITY));
    return this.merge.bufferedRecords(input);
  }

  get bufferedOutputs(): number {
    return this.outputs.length;
  }

  /** Bytes of keys and values emitted since the last takeUnit or takeOutputs. */
  get bufferedOutputBytes(): number {
    return this.outputBytes;
  }

  /** Whether anything was taken since the last unit. */
  get isDirty(): boolean {
    return this.takenSinceUnit > 0;
  }

  /** Outputs so far, to be sent ahead of the commit they belong to. */
  takeOutputs(): readonly OutgoingRecord[] {
    const outputs = this.outputs;
    this.outputs = [];
    this.outputBytes = 0;
    return outputs;
  }

  /** Everything since the last unit, to be committed in one transaction; null if nothing was taken. */
  takeUnit(): CommitUnit | null {
    if (!this.isDirty) return null;
    this.takenSinceUnit = 0;
    const merge = this.merge.state();
    const changelog = this.processor.takeChanges().map((change) => {
      if (change.key.startsWith('#')) throw new Error(`state key ${change.key}: keys that begin with # belong to the runtime`);
      return this.changelogRecord(change.key, change.value);
    });
    changelog.push(this.changelogRecord(MERGE_KEY, taskPositionBytes({ merge, forwardedMs: this.forwardedMs }, this.topology.inputs)));
    if (!this.hasStoredSettings) {
      changelog.push(this.changelogRecord(SETTINGS_KEY, Buffer.from(JSON.stringify(this.settings))));
      this.hasStoredSettings = true;
    }
    const offsets = merge.inputs.map(({ offset }, input) => ({ topic: this.inputNames[input] as string, partition: this.partition, offset }));
    return { outputs: this.takeOutputs(), changelog, offsets };
  }

  record(arrival: Arrival, input: number, effectiveMs: number): void {
    this.current = arrival.raw;
    this.currentInput = input;
    const { merged, raw } = arrival;
    if (merged === null) {
      this.writeDeadLetter('decode', (arrival.failure as Error).name, (arrival.failure as Error).message);
    } else {
      const id = recordId(input, raw.offset);
      const poison = this.poison.size === 0 ? undefined : this.poison.get(id);
      if (poison !== undefined) this.writeDeadLetter('process', poison.name, poison.message);
      else {
        merged.effectiveMs = effectiveMs;
        try {
          this.processor.process(merged as MergedRecord, this);
        } catch (error) {
          throw new ProcessorError(`${raw.topic}/${raw.partition} offset ${raw.offset}`, id, error);
        }
      }
    }
    this.current = null;
  }

  watermark(mergedMs: number): void {
    let forwardMs: number;
    try {
      forwardMs = this.processor.advance(mergedMs, this);
    } catch (error) {
      throw new ProcessorError(`the watermark ${mergedMs} of partition ${this.partition}`, null, error);
    }
    if (!(forwardMs > this.forwardedMs)) return;
    if (forwardMs > mergedMs) throw new Error(`${this.topology.role} forwards watermark ${forwardMs} above the merged ${mergedMs}`);
    this.forwardedMs = forwardMs;
    for (const topic of this.topology.outputs) this.write(topic, null, 'Watermark', { watermark_at: forwardMs }, forwardMs);
  }

  emit<N extends RecordName>(topic: string, key: string, type: N, value: RecordTypes[N] | null, eventMs: number): void {
    this.write(topic, this.keyBytes(key), type, value, eventMs);
  }

  deadLetter(exception: string, message: string): void {
    if (this.current === null) throw new Error('a dead letter outside of a record');
    this.writeDeadLetter('process', exception, message);
  }

  /** Decodes some more of every input that the merge has no record of; answers whether there was any. */
  private refill(): boolean {
    let hasMore = false;
    for (let input = 0; input < this.inboxes.length; input++) {
      if (this.merge.bufferedRecords(input) === 0 && this.refillInput(input, DECODED_AT_A_TIME)) hasMore = true;
    }
    return hasMore;
  }

  private refillInput(input: number, limit: number): boolean {
    const inbox = this.inboxes[input] as Inbox;
    if (inbox.isEmpty) return false;
    const nextOffset = inbox.take(limit, this.receivers[input] as (record: LogRecord) => void);
    if (nextOffset !== null) this.merge.pushedTo(input, nextOffset);
    return true;
  }

  private pushRecord(input: number, raw: LogRecord): void {
    let failure: Error;
    try {
      if (raw.value === null) throw new UnreadableRecordError('a tombstone, in a topic that has none');
      const { type, value } = this.codec.decode(raw.value);
      if (type === 'Watermark') {
        this.merge.pushWatermark(input, raw.offset, (value as RecordTypes['Watermark']).watermark_at);
        return;
      }
      this.checkKey(raw, (value as { readonly asset?: string }).asset);
      const merged = {
        topic: this.topology.inputs[input] as string,
        partition: this.partition,
        offset: raw.offset,
        eventMs: raw.timestampMs,
        effectiveMs: 0,
        type,
        value,
      } as Arrival['merged'];
      this.merge.pushRecord(input, raw.offset, raw.timestampMs, { merged, raw, failure: null });
      return;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    this.merge.pushRecord(input, raw.offset, null, { merged: null, raw, failure });
  }

  private checkKey(raw: LogRecord, asset: string | undefined): void {
    if (raw.key === null) throw new UnreadableRecordError('a record without a key');
    if (asset !== undefined && !this.keyBytes(asset).equals(raw.key)) {
      throw new UnreadableRecordError(`the key ${JSON.stringify(Buffer.from(raw.key).toString('utf8').slice(0, 64))} is not the asset ${JSON.stringify(asset.slice(0, 64))} inside`);
    }
  }

  private keyBytes(key: string): Buffer {
    let bytes = this.keys.get(key);
    if (bytes === undefined) {
      if (this.keys.size >= MAX_CACHED_KEYS) this.keys.clear();
      bytes = Buffer.from(key);
      this.keys.set(key, bytes);
    }
    return bytes;
  }

  private write<N extends RecordName>(topic: string, key: Buffer | null, type: N, value: RecordTypes[N] | null, eventMs: number): void {
    const output = this.outputNames.get(topic);
    if (output === undefined) throw new Error(`${this.topology.role} does not declare the output ${topic}`);
    if (value === null && !output.isCompacted) throw new Error(`a tombstone in ${topic}, which is not compacted`);
    if (!Number.isSafeInteger(eventMs) || eventMs < 0) throw new Error(`${type} for ${topic} has the event time ${eventMs}`);
    const bytes = value === null ? null : this.codec.encode(type, value);
    const traceparent = this.current === null || this.current.headers.length === 0 ? null : traceparentOf(this.current.headers);
    const record = { topic: output.name, partition: this.partition, timestampMs: eventMs, key, value: bytes };
    this.outputs.push(traceparent === null ? record : { ...record, headers: [traceparent] });
    this.outputBytes += (key?.length ?? 0) + (bytes?.length ?? 0);
  }

  private writeDeadLetter(stage: FailureStage, exception: string, message: string): void {
    const raw = this.current as LogRecord;
    this.outputs.push({
      topic: deadLetterTopic(this.inputNames[this.currentInput] as string),
      partition: this.partition,
      timestampMs: Math.max(0, raw.timestampMs),
      key: raw.key,
      value: raw.value,
      headers: [...raw.headers, ...deadLetterHeaders(raw, stage, exception, message)],
    });
    this.outputBytes += (raw.key?.length ?? 0) + (raw.value?.length ?? 0);
  }

  private changelogRecord(key: string, value: Uint8Array | null): OutgoingRecord {
    return { topic: topicName(this.namespace, this.topology.changelog), partition: this.partition, timestampMs: Math.max(0, this.forwardedMs), key: Buffer.from(key), value };
  }
}

/** A record that is no record of its topic. */
export class UnreadableRecordError extends Error {
  override name = 'UnreadableRecordError';
}

function traceparentOf(headers: readonly RecordHeader[]): RecordHeader | null {
  for (const header of headers) if (header[0] === 'traceparent') return header;
  return null;
}
