import { groupId, topicName } from '../config/namespace.js';
import type { MemoryLog } from '../runtime/memory-log.js';
import { TaskCore, type CommitUnit, type TaskCoreOptions } from '../runtime/task-core.js';

/** One task over the memory log, driven step by step and without a promise: what the shell does to a task, in the caller's hands. */
export class MemoryTask {
  private readonly log: MemoryLog;
  private readonly options: TaskCoreOptions;
  private readonly inputs: readonly string[];
  private core: TaskCore;
  private positions: number[];

  constructor(log: MemoryLog, options: TaskCoreOptions) {
    this.log = log;
    this.options = options;
    this.inputs = options.topology.inputs.map((topic) => topicName(options.namespace, topic));
    this.core = new TaskCore(options);
    this.positions = this.restore();
  }

  get role(): string {
    return this.options.topology.role;
  }

  get inputCount(): number {
    return this.inputs.length;
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

  /** Reads nothing below this offset of a topic any more, unless it is restarted. */
  positionIn(topic: string): number | null {
    return this.positions[this.inputs.indexOf(topic)] ?? null;
  }

  get partition(): number {
    return this.options.partition;
  }

  /** Records that were read and wait for a watermark. */
  get heldRecords(): number {
    return this.inputs.reduce((sum, _topic, input) => sum + this.core.bufferedRecords(input), 0);
  }

  step(limit: number): number {
    return this.core.step(limit);
  }

  commit(): CommitUnit | null {
    const unit = this.core.takeUnit();
    if (unit === null) return null;
    this.log.commitTransaction([...unit.outputs, ...unit.changelog], groupId(this.options.namespace, this.role), unit.offsets);
    return unit;
  }

  /** Throws everything in memory away and goes on from the last commit, as a killed process does. */
  restart(): void {
    this.core = new TaskCore(this.options);
    this.positions = this.restore();
  }

  private restore(): number[] {
    const { topology, partition, namespace } = this.options;
    const live = new Map<string, Uint8Array>();
    for (const { key, value } of this.log.records(topicName(namespace, topology.changelog), partition)) {
      const name = Buffer.from(key as Uint8Array).toString('utf8');
      if (value === null) live.delete(name);
      else live.set(name, value);
    }
    for (const [key, value] of live) this.core.restore(key, value);
    const stored = this.core.finishRestore();
    if (stored !== null) return [...stored];
    const start = this.inputs.map(() => 0);
    this.core.startAt(start);
    return start;
  }
}
