import type { Namespace } from '../config/namespace.js';
import { MemoryLog } from '../runtime/memory-log.js';
import type { Topology } from '../runtime/processor.js';
import type { TaskCodec } from '../runtime/arrival.js';
import type { Settings } from '../runtime/task-state.js';
import { MemoryTask } from './memory-task.js';

const NAMESPACE: Namespace = null;
const CHUNK_RECORDS = 5_000;

/** Decides what happens next in a scheduled run; anything that answers a whole number from 0 below the bound. */
export type Pick = (bound: number) => number;

export interface Schedule {
  readonly pick: Pick;
  /** Largest number of records fetched, and of entries handled, at a time. */
  readonly maxRecords: number;
  /** One turn in so many ends with a commit. */
  readonly commitOneIn: number;
  /** One turn in so many ends with the death of the task; 0 for never. */
  readonly restartOneIn: number;
}

export interface PipelineOptions {
  /** In the order of the flow: a role after those whose topics it reads. */
  readonly topologies: readonly Topology[];
  readonly partitions: number;
  readonly codec: TaskCodec;
  readonly settings: Settings;
}

/** All tasks of all roles on one log in memory, driven by the caller; the same code as on a broker, but for the waiting. */
export class MemoryPipeline {
  readonly log: MemoryLog;
  private readonly partitions: number;
  private readonly tasks: MemoryTask[] = [];

  constructor(options: PipelineOptions) {
    this.partitions = options.partitions;
    this.log = new MemoryLog({ defaultPartitions: options.partitions });
    for (const topology of options.topologies) {
      for (let partition = 0; partition < options.partitions; partition++) {
        this.tasks.push(new MemoryTask(this.log, { topology, partition, namespace: NAMESPACE, codec: options.codec, settings: options.settings }));
      }
    }
  }

  /** Handles everything that can be handled, role after role. */
  run(): void {
    for (const task of this.tasks) {
      for (;;) {
        let fed = 0;
        for (let input = 0; input < task.inputCount; input++) fed += task.feed(input, CHUNK_RECORDS);
        const taken = task.step(Number.POSITIVE_INFINITY);
        task.commit();
        if (fed === 0 && taken === 0) break;
      }
    }
  }

  /** Records that wait for a watermark, in the role where most do: a topic read twice is not counted twice. */
  get heldRecords(): number {
    const byRole = new Map<string, number>();
    for (const task of this.tasks) byRole.set(task.role, (byRole.get(task.role) ?? 0) + task.heldRecords);
    return Math.max(0, ...byRole.values());
  }

  /**
   * Forgets what every task has committed, and the changelogs: memory then grows with what is open, not with the capture.
   * `positionOf` says how far others still have to read; null for topics they do not.
   */
  discardRead(positionOf: (topic: string, partition: number) => number | null): void {
    for (const topic of this.log.topicNames()) {
      for (let partition = 0; partition < this.partitions; partition++) {
        let offset = positionOf(topic, partition) ?? this.log.end(topic, partition);
        for (const task of this.tasks) if (task.partition === partition) offset = Math.min(offset, task.committedIn(topic) ?? offset);
        this.log.discardBelow(topic, partition, offset);
      }
    }
  }

  /** Lets tasks take turns as the schedule picks them, `turns` of them; `run` afterwards handles the rest. */
  runScheduled(schedule: Schedule, turns: number): void {
    const { pick, maxRecords, commitOneIn, restartOneIn } = schedule;
    for (let turn = 0; turn < turns; turn++) {
      const task = this.tasks[pick(this.tasks.length)] as MemoryTask;
      task.feed(pick(task.inputCount), pick(maxRecords + 1));
      task.step(pick(maxRecords + 1));
      if (pick(commitOneIn) === 0) task.commit();
      if (restartOneIn > 0 && pick(restartOneIn) === 0) task.restart();
    }
  }
}
