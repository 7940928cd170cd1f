import { topicName, type Namespace } from '../config/namespace.js';
import type { TopicPartitionOffset } from '../kafka/log.js';
import type { LogRecord, OutgoingRecord } from '../kafka/record.js';
import { readArrival, type Arrival, type TaskCodec } from './arrival.js';
import { Inbox } from './inbox.js';
import { KeyBytes } from './key-bytes.js';
import { Merge, NO_TIME, type MergeHandler, type MergeInputState } from './merge.js';
import { Outbox } from './outbox.js';
import type { MergedRecord, Processor, Topology } from './processor.js';
import {
  assertSameSettings, FIRST_STATE_VERSION, MERGE_KEY, parseTaskPosition, readStateVersion, SETTINGS_KEY, STATE_KEY, stateVersionBytes, taskPositionBytes, type Settings,
  type TaskPosition,
} from './task-state.js';

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

/** Records of an input decoded at a time, when the merge waits for it. */
const DECODED_AT_A_TIME = 64;

/**
 * Task p of a role without any I/O: records in, whole commits out. Everything it makes depends on the input logs
 * alone; where commits fall changes nothing but their size.
 */
export class TaskCore implements MergeHandler<Arrival> {
  private readonly topology: Topology;
  private readonly partition: number;
  private readonly decode: TaskCodec['decode'];
  private readonly settings: Settings;
  private readonly poison: ReadonlyMap<string, Error>;
  private readonly processor: Processor;
  private readonly inputNames: readonly string[];
  private readonly changelogName: string;
  private readonly keys = new KeyBytes();
  private readonly outbox: Outbox;
  private readonly inboxes: readonly Inbox[];
  private readonly receivers: readonly ((record: LogRecord) => void)[];
  private merge: Merge<Arrival>;
  private storedPosition: TaskPosition | null = null;
  private hasStoredSettings = false;
  private forwardedMs = NO_TIME;
  private takenSinceUnit = 0;
  /** Version of what lies in the changelog; null while nothing said so. */
  private storedVersion: number | null = null;
  /** Keys of a state of an older version. */
  private readonly outdatedKeys = new Set<string>();
  /** The state is being made anew up to this position, which an older version had reached. */
  private remakingTo: TaskPosition | null = null;

  constructor({ topology, partition, namespace, codec, settings, poison }: TaskCoreOptions) {
    this.topology = topology;
    this.partition = partition;
    this.decode = (topology.reads === undefined ? undefined : codec.decoderOf?.(topology.reads)) ?? ((value) => codec.decode(value));
    this.settings = settings;
    this.poison = poison ?? new Map<string, Error>();
    this.processor = topology.createProcessor();
    this.inputNames = topology.inputs.map((topic) => topicName(namespace, topic));
    this.changelogName = topicName(namespace, topology.changelog);
    this.outbox = new Outbox(topology, partition, namespace, codec, this.keys);
    this.inboxes = topology.inputs.map(() => new Inbox());
    this.receivers = topology.inputs.map((topic, input) => (record) => this.receive(topic, input, record));
    this.merge = new Merge(topology.inputs.length);
  }

  private get stateVersion(): number {
    return this.topology.stateVersion ?? FIRST_STATE_VERSION;
  }

  /**
   * Once for every live entry of the changelog, the one that tells the version first, then finishRestore. Throws SettingsError
   * when the task was started with other settings, StateVersionError when a newer program wrote the state.
   */
  restore(key: string, value: Uint8Array): void {
    if (key === STATE_KEY) this.storedVersion = readStateVersion(this.topology.role, value, this.stateVersion);
    else if (key === MERGE_KEY) this.storedPosition = parseTaskPosition(value, this.topology.inputs);
    else if (key === SETTINGS_KEY) {
      assertSameSettings(this.topology.role, value, this.settings);
      this.hasStoredSettings = true;
    } else if ((this.storedVersion ?? FIRST_STATE_VERSION) < this.stateVersion) this.outdatedKeys.add(key);
    else this.processor.restore(key, value);
  }

  /**
   * Ends the restore. Answers the offset per input the stored state stands at, or null when there is no stored state:
   * the task is new, and startAt says where it begins.
   */
  finishRestore(): readonly number[] | null {
    this.processor.finishRestore();
    if (this.storedPosition === null) return null;
    if ((this.storedVersion ?? FIRST_STATE_VERSION) < this.stateVersion) {
      this.remakingTo = this.storedPosition;
      this.outbox.isMuted = true;
      return this.storedPosition.merge.inputs.map((input) => input.offset);
    }
    this.merge = new Merge(this.inputNames.length, this.storedPosition.merge);
    this.forwardedMs = this.storedPosition.forwardedMs;
    return this.storedPosition.merge.inputs.map((input) => input.offset);
  }

  /** Whether an older version wrote the state: then the task reads its inputs from their beginning, wherever it stood. */
  get isRemaking(): boolean {
    return this.remakingTo !== null;
  }

  /** Where a new task begins, or one that makes its state anew, per input. */
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
    while (this.remakingTo !== null && taken < limit) {
      // One at a time: the stored position lies between two of them.
      if (this.merge.take(this, 1) === 1) {
        taken++;
        this.endRemaking(this.remakingTo);
      } else if (!this.refill()) return taken;
    }
    do {
      taken += this.merge.take(this, limit - taken);
    } while (taken < limit && this.refill());
    if (this.remakingTo === null) this.takenSinceUnit += taken;
    return taken;
  }

  /** The order of takes depends on the logs alone, so the position the older state stood at is passed again, exactly. */
  private endRemaking(to: TaskPosition): void {
    const { inputs } = this.merge.state();
    const wanted = to.merge.inputs;
    for (let input = 0; input < inputs.length; input++) {
      const [is, was] = [inputs[input] as MergeInputState, wanted[input] as MergeInputState];
      if (is.takenMs > was.takenMs) throw new Error(`${this.topology.role} passed the position its older state stood at: the inputs are not those the state was made from`);
      if (is.offset < was.offset || is.takenMs !== was.takenMs || is.effectiveMs !== was.effectiveMs || is.pendingMs.length !== was.pendingMs.length) return;
    }
    this.remakingTo = null;
    this.forwardedMs = Math.max(this.forwardedMs, to.forwardedMs);
    this.outbox.isMuted = false;
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
    return this.outbox.size;
  }

  /** Bytes of keys and values emitted since the last takeUnit or takeOutputs. */
  get bufferedOutputBytes(): number {
    return this.outbox.bytes;
  }

  /** Whether anything was taken since the last unit. */
  get isDirty(): boolean {
    return this.takenSinceUnit > 0;
  }

  /** Outputs so far, to be sent ahead of the commit they belong to. */
  takeOutputs(): readonly OutgoingRecord[] {
    return this.outbox.take();
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
    if (this.outdatedKeys.size > 0) {
      for (const { key } of changelog) this.outdatedKeys.delete(Buffer.from(key as Uint8Array).toString('utf8'));
      for (const key of this.outdatedKeys) changelog.push(this.changelogRecord(key, null));
      this.outdatedKeys.clear();
    }
    if (this.storedVersion !== this.stateVersion) {
      changelog.push(this.changelogRecord(STATE_KEY, stateVersionBytes(this.stateVersion)));
      this.storedVersion = this.stateVersion;
    }
    changelog.push(this.changelogRecord(MERGE_KEY, taskPositionBytes({ merge, forwardedMs: this.forwardedMs }, this.topology.inputs)));
    if (!this.hasStoredSettings) {
      changelog.push(this.changelogRecord(SETTINGS_KEY, Buffer.from(JSON.stringify(this.settings))));
      this.hasStoredSettings = true;
    }
    const offsets = merge.inputs.map(({ offset }, input) => ({ topic: this.inputNames[input] as string, partition: this.partition, offset }));
    return { outputs: this.outbox.take(), changelog, offsets };
  }

  record({ merged, raw, failure }: Arrival, input: number, effectiveMs: number): void {
    this.outbox.cause = raw;
    const broken = failure ?? this.poisonOf(input, raw);
    if (broken !== null) this.outbox.writeDeadLetter(failure === null ? 'process' : 'decode', broken.name, broken.message);
    else this.process(merged as NonNullable<Arrival['merged']>, raw, input, effectiveMs);
    this.outbox.cause = null;
  }

  watermark(mergedMs: number): void {
    let forwardMs: number;
    try {
      forwardMs = this.processor.advance(mergedMs, this.outbox);
    } catch (error) {
      throw new ProcessorError(`the watermark ${mergedMs} of partition ${this.partition}`, null, error);
    }
    if (!(forwardMs > this.forwardedMs)) return;
    if (forwardMs > mergedMs) throw new Error(`${this.topology.role} forwards watermark ${forwardMs} above the merged ${mergedMs}`);
    this.forwardedMs = forwardMs;
    for (const topic of this.topology.outputs) this.outbox.watermark(topic, forwardMs);
  }

  private process(merged: NonNullable<Arrival['merged']>, raw: LogRecord, input: number, effectiveMs: number): void {
    merged.effectiveMs = effectiveMs;
    try {
      this.processor.process(merged as MergedRecord, this.outbox);
    } catch (error) {
      throw new ProcessorError(`${raw.topic}/${raw.partition} offset ${raw.offset}`, recordId(input, raw.offset), error);
    }
  }

  private poisonOf(input: number, { offset }: LogRecord): Error | null {
    return this.poison.size === 0 ? null : (this.poison.get(recordId(input, offset)) ?? null);
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

  private receive(topic: string, input: number, raw: LogRecord): void {
    const arrival = readArrival(topic, raw, this.decode, this.keys);
    if (typeof arrival === 'number') this.merge.pushWatermark(input, raw.offset, arrival);
    // What cannot be read has no time that could be trusted.
    else this.merge.pushRecord(input, raw.offset, arrival.failure === null ? raw.timestampMs : null, arrival);
  }

  private changelogRecord(key: string, value: Uint8Array | null): OutgoingRecord {
    return { topic: this.changelogName, partition: this.partition, timestampMs: Math.max(0, this.forwardedMs), key: Buffer.from(key), value };
  }
}
