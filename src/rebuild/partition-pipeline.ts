import type { RecordName, RecordTypes } from '../domain/records.js';
import type { Topology } from '../runtime/processor.js';
import { RoleStage, type StageOutput, type StageRecord } from './role-stage.js';

/** Takes in what the roles write, in the order of each topic; watermarks left out. Must not keep `value`: its maker may write to it again. */
export type OutputListener = (topic: string, type: RecordName, value: RecordTypes[RecordName]) => void;

/** Stands between what a topic holds and what its reader is shown; null keeps the record from it. For what-ifs. */
export type RecordFilter = (role: string, type: RecordName, value: RecordTypes[RecordName]) => RecordTypes[RecordName] | null;

export interface PipelineOptions {
  /** In the order of the flow: a role after those whose topics it reads. */
  readonly topologies: readonly Topology[];
  readonly partition: number;
  readonly onOutput: OutputListener;
  /** Records that made a processor throw in an earlier life, by StageError.poisonId. */
  readonly poison?: ReadonlySet<string>;
  readonly filter?: RecordFilter;
}

interface Reader {
  readonly stage: RoleStage;
  readonly input: number;
}

/**
 * All roles of one partition, joined by their topics: what one writes is put before the next at once, as an object. Offsets
 * of derived topics are counted here; nothing that is written depends on them.
 */
export class PartitionPipeline implements StageOutput {
  /** Topics that no role here writes. */
  readonly sources: readonly string[];
  private readonly stages: readonly RoleStage[];
  private readonly readers = new Map<string, Reader[]>();
  private readonly nextOffsets = new Map<string, number>();
  private readonly onOutput: OutputListener;
  private readonly filter: RecordFilter | null;

  constructor({ topologies, partition, onOutput, poison = new Set(), filter }: PipelineOptions) {
    this.onOutput = onOutput;
    this.filter = filter ?? null;
    this.stages = topologies.map((topology) => new RoleStage(topology, partition, this, poison));
    const written = new Set(topologies.flatMap(({ outputs, compactedOutputs }) => [...outputs, ...compactedOutputs]));
    for (const stage of this.stages) {
      stage.topology.inputs.forEach((topic, input) => {
        const known = this.readers.get(topic);
        if (known === undefined) this.readers.set(topic, [{ stage, input }]);
        else known.push({ stage, input });
      });
    }
    this.sources = [...this.readers.keys()].filter((topic) => !written.has(topic));
  }

  get deadLetters(): number {
    return this.stages.reduce((sum, { deadLetterCount }) => sum + deadLetterCount, 0);
  }

  startAt(topic: string, offset: number): void {
    for (const { stage, input } of this.readers.get(topic) ?? []) stage.startAt(input, offset);
  }

  push(topic: string, record: StageRecord): void {
    for (const { stage, input } of this.readers.get(topic) ?? []) this.hand(stage, input, record);
  }

  pushWatermark(topic: string, offset: number, watermarkMs: number): void {
    for (const { stage, input } of this.readers.get(topic) ?? []) stage.pushWatermark(input, offset, watermarkMs);
  }

  /** Records of a source that wait, in the role where most do. */
  buffered(topic: string): number {
    let most = 0;
    for (const { stage, input } of this.readers.get(topic) ?? []) most = Math.max(most, stage.buffered(input));
    return most;
  }

  /** Handles everything that can be handled; answers how much. */
  work(): number {
    let taken = 0;
    // What a stage writes is read by later ones only.
    for (const stage of this.stages) taken += stage.work();
    return taken;
  }

  record(topic: string, type: RecordName, value: RecordTypes[RecordName], eventMs: number): void {
    this.onOutput(topic, type, value);
    const readers = this.readers.get(topic);
    if (readers === undefined) return;
    const record: StageRecord = { offset: this.nextOffset(topic), timestampMs: eventMs, type, value };
    for (const { stage, input } of readers) this.hand(stage, input, record);
  }

  watermark(topic: string, watermarkMs: number): void {
    const readers = this.readers.get(topic);
    if (readers === undefined) return;
    const offset = this.nextOffset(topic);
    for (const { stage, input } of readers) stage.pushWatermark(input, offset, watermarkMs);
  }

  private hand(stage: RoleStage, input: number, record: StageRecord): void {
    if (this.filter === null || record.type === null) {
      stage.pushRecord(input, record);
      return;
    }
    const value = this.filter(stage.topology.role, record.type, record.value as RecordTypes[RecordName]);
    // Kept from the reader it still takes its place, so that no other record's moves.
    stage.pushRecord(input, value === record.value ? record : { ...record, type: value === null ? null : record.type, value });
  }

  private nextOffset(topic: string): number {
    const offset = this.nextOffsets.get(topic) ?? 0;
    this.nextOffsets.set(topic, offset + 1);
    return offset;
  }
}
