import type { RecordName, RecordTypes } from '../domain/records.js';
import { Merge, NO_TIME, type MergeHandler } from '../runtime/merge.js';
import type { Emitter, MergedRecord, Processor, Topology } from '../runtime/processor.js';

/** One record as a stage is fed with it. type null: its bytes could not be read, it only takes its place in the order. */
export interface StageRecord {
  readonly offset: number;
  /** The record's own event time; it is not trusted where the bytes could not be read. */
  readonly timestampMs: number;
  readonly type: RecordName | null;
  readonly value: RecordTypes[RecordName] | null;
}

/** What a stage writes, in the order in which it is written. */
export interface StageOutput {
  record(topic: string, type: RecordName, value: RecordTypes[RecordName], eventMs: number): void;
  /** A watermark into one of the stage's outputs. */
  watermark(topic: string, watermarkMs: number): void;
}

/** The processor threw. The stage's memory is void; a record that did it is a dead letter in the next life. */
export class StageError extends Error {
  override name = 'StageError';
  /** Names the record in this partition of this role; null while a watermark was handled. */
  readonly poisonId: string | null;

  constructor(where: string, poisonId: string | null, cause: unknown) {
    super(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.poisonId = poisonId;
  }
}

/**
 * One role of one partition behind its canonical merge, fed and read without bytes, transactions or changelog. The merge
 * decides the order, so it makes of the same inputs what the role's task makes of them.
 */
export class RoleStage implements MergeHandler<StageRecord>, Emitter {
  readonly topology: Topology;
  private readonly partition: number;
  private readonly processor: Processor;
  private readonly merge: Merge<StageRecord>;
  private readonly output: StageOutput;
  private readonly poison: ReadonlySet<string>;
  private forwardedMs = NO_TIME;
  private deadLetters = 0;

  constructor(topology: Topology, partition: number, output: StageOutput, poison: ReadonlySet<string>) {
    this.topology = topology;
    this.partition = partition;
    this.output = output;
    this.poison = poison;
    this.processor = topology.createProcessor(false);
    this.merge = new Merge(topology.inputs.length);
  }

  /** Records that became dead letters. */
  get deadLetterCount(): number {
    return this.deadLetters;
  }

  /** Where the input begins, if not at offset 0. */
  startAt(input: number, offset: number): void {
    this.merge.pushedTo(input, offset);
  }

  pushRecord(input: number, record: StageRecord): void {
    this.merge.pushRecord(input, record.offset, record.type === null ? null : record.timestampMs, record);
  }

  pushWatermark(input: number, offset: number, watermarkMs: number): void {
    this.merge.pushWatermark(input, offset, watermarkMs);
  }

  /** Records of an input that wait for their turn. */
  buffered(input: number): number {
    return this.merge.bufferedRecords(input);
  }

  /** Handles everything whose place is certain; answers how much. Throws StageError. */
  work(): number {
    const taken = this.merge.take(this);
    // Nobody stores the state, but a processor makes small what has ended when it is asked.
    this.processor.takeChanges();
    return taken;
  }

  record(item: StageRecord, input: number, effectiveMs: number): void {
    if (item.type === null || (this.poison.size > 0 && this.poison.has(this.poisonId(input, item)))) {
      this.deadLetters++;
      return;
    }
    const merged = {
      topic: this.topology.inputs[input] as string,
      partition: this.partition,
      offset: item.offset,
      eventMs: item.timestampMs,
      effectiveMs,
      type: item.type,
      value: item.value,
    } as MergedRecord;
    try {
      this.processor.process(merged, this);
    } catch (error) {
      throw new StageError(`${this.topology.role} at ${merged.topic}/${this.partition} offset ${item.offset}`, this.poisonId(input, item), error);
    }
  }

  private poisonId(input: number, item: StageRecord): string {
    return `${this.topology.role}/${input}/${item.offset}`;
  }

  watermark(mergedMs: number): void {
    let forwardMs: number;
    try {
      forwardMs = this.processor.advance(mergedMs, this);
    } catch (error) {
      throw new StageError(`${this.topology.role} at the watermark ${mergedMs} of partition ${this.partition}`, null, error);
    }
    if (!(forwardMs > this.forwardedMs)) return;
    this.forwardedMs = forwardMs;
    for (const topic of this.topology.outputs) this.output.watermark(topic, forwardMs);
  }

  emit<N extends RecordName>(topic: string, _key: string, type: N, value: RecordTypes[N] | null, eventMs: number): void {
    if (!Number.isSafeInteger(eventMs) || eventMs < 0) throw new Error(`${type} for ${topic} has the event time ${eventMs}`);
    if (value === null) throw new Error(`a tombstone in ${topic}: no role writes one`);
    this.output.record(topic, type, value, eventMs);
  }

  deadLetter(): void {
    this.deadLetters++;
  }
}
