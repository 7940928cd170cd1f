import { groupId, topicName } from '../config/namespace.js';
import type { MemoryLog } from '../runtime/memory-log.js';
import { STATE_KEY } from '../runtime/task-state.js';
import { ProcessorError, TaskCore, type CommitUnit, type TaskCoreOptions } from '../runtime/task-core.js';

/** One task over the memory log, driven step by step and without a promise: what the shell does to a task, in the caller's hands. */
export class MemoryTask {
  private readonly log: MemoryLog;
  private readonly options: TaskCoreOptions;
  private readonly inputs: readonly string[];
  /** Live entries of the changelog, as of the last commit. */
  private readonly state = new Map<string, Uint8Array>();
  private readonly poison = new Map<string, Error>();
  private core: TaskCore;
  private positions: number[];
  private committed: readonly number[];

  constructor(log: MemoryLog, options: TaskCoreOptions) {
    this.log = log;
    this.options = { ...options, poison: this.poison };
    this.inputs = options.topology.inputs.map((topic) => topicName(options.namespace, topic));
    for (const [id, error] of options.poison ?? []) this.poison.set(id, error);
    this.noteChanges(log.records(topicName(options.namespace, options.topology.changelog), options.partition));
    this.core = new TaskCore(this.options);
    this.committed = this.positions = this.restore();
  }

  get role(): string {
    return this.options.topology.role;
  }

  get partition(): number {
    return this.options.partition;
  }

  get inputCount(): number {
    return this.inputs.length;
  }

  /** Records that were read and wait for a watermark. */
  get heldRecords(): number {
    return this.inputs.reduce((sum, _topic, input) => sum + this.core.heldRecords(input), 0);
  }

  /** Reads nothing below this offset of a topic any more, not even after a restart; null for topics it does not read. */
  committedIn(topic: string): number | null {
    return this.committed[this.inputs.indexOf(topic)] ?? null;
  }

  /** Reads on in one input by at most maxRecords; answers how many records came. */
  feed(input: number, maxRecords: number): number {
    const topic = this.inputs[input] as string;
    const { partition } = this.options;
    const all = this.log.records(topic, partition);
    const first = this.log.indexOf(topic, partition, this.positions[input] as number);
    const records = all.slice(first, first + maxRecords);
    const next = all[first + records.length];
    const nextOffset = next === undefined ? this.log.end(topic, partition) : next.offset;
    this.positions[input] = nextOffset;
    this.core.push(input, records, nextOffset);
    return records.length;
  }

  /**
   * Handles at most `limit` entries; answers how many. A record that breaks the processor costs a restart, and is a dead
   * letter when it comes again: then the answer is 1, for there is more to do.
   */
  step(limit: number): number {
    try {
      return this.core.step(limit);
    } catch (error) {
      if (!(error instanceof ProcessorError) || error.recordId === null || this.poison.has(error.recordId)) throw error;
      this.poison.set(error.recordId, error.cause instanceof Error ? error.cause : error);
      this.restart();
      return 1;
    }
  }

  commit(): CommitUnit | null {
    const unit = this.core.takeUnit();
    if (unit === null) return null;
    this.noteChanges(unit.changelog);
    this.committed = unit.offsets.map(({ offset }) => offset);
    this.log.commitTransaction([...unit.outputs, ...unit.changelog], groupId(this.options.namespace, this.role), unit.offsets);
    return unit;
  }

  /** Throws everything in memory away and goes on from the last commit, as a killed process does. */
  restart(): void {
    this.core = new TaskCore(this.options);
    this.positions = this.restore();
  }

  private noteChanges(changes: Iterable<{ readonly key: Uint8Array | null; readonly value: Uint8Array | null }>): void {
    for (const { key, value } of changes) {
      const name = Buffer.from(key as Uint8Array).toString('utf8');
      if (value === null) this.state.delete(name);
      else this.state.set(name, value);
    }
  }

  private restore(): number[] {
    const version = this.state.get(STATE_KEY);
    if (version !== undefined) this.core.restore(STATE_KEY, version);
    for (const [key, value] of this.state) if (key !== STATE_KEY) this.core.restore(key, value);
    const stored = this.core.finishRestore();
    if (stored !== null && !this.core.isRemaking) return [...stored];
    const start = this.inputs.map(() => 0);
    this.core.startAt(start);
    return start;
  }
}
