import type { PositionCycle, PredictionDelta, RecordName, RecordTypes } from '../domain/records.js';
import { ResultTable } from '../model-service/result-table.js';
import { predictionCyclesTable, predictionTradingResultsTable } from '../model-service/result-tables.js';
import { copyLine } from '../postgres/copy-text.js';
import { keyOf, rowOf, type Table } from '../postgres/table.js';
import { ROW_SOURCES, type RowSource } from '../table-sinks/row-sources.js';
import { TableBuild } from './table-build.js';

/** How many records of its kind a table has taken in from one topic. */
export interface Applied {
  readonly sink: string;
  readonly topic: string;
  readonly records: number;
}

/** The place of one table in one topic; the table ends after so many records of its kind. */
export type Cuts = ReadonlyMap<string, number>;

export function cutKey(sink: string, topic: string): string {
  return `${sink}|${topic}`;
}

/** The linker writes to a record again when it issues the row anew. */
const REUSES_RECORDS = 'position-linker.';
const DELTAS = 'position-linker.prediction_deltas';
const CYCLES = 'position-linker.position_cycles';
const RESULTS = predictionTradingResultsTable.name;

/** Every sink's inputs, as they are stored with the tables. */
export const SINK_INPUTS: readonly { readonly sink: string; readonly topic: string }[] = [
  ...ROW_SOURCES.map(({ topic, table }) => ({ sink: table.name, topic })),
  { sink: RESULTS, topic: DELTAS },
  { sink: RESULTS, topic: CYCLES },
];

class Intake {
  readonly sink: string;
  readonly topic: string;
  readonly cut: number;
  records = 0;

  constructor(sink: string, topic: string, cuts: Cuts | null) {
    this.sink = sink;
    this.topic = topic;
    this.cut = cuts === null ? Number.POSITIVE_INFINITY : (cuts.get(cutKey(sink, topic)) ?? 0);
  }

  /** Counts a record; answers whether the table still takes it in. */
  take(): boolean {
    if (this.records >= this.cut) return false;
    this.records++;
    return true;
  }

  get isFull(): boolean {
    return this.records >= this.cut;
  }
}

interface RowIntake {
  readonly source: RowSource;
  readonly intake: Intake;
  readonly build: TableBuild<object>;
}

/** Loaded text of one table. */
export interface BuiltTable {
  readonly table: Table<never>;
  readonly rows: number;
  readonly lines: Iterable<Buffer>;
}

/**
 * All tables of one partition: what the sinks make of the same records. Each table stops after as many records as its cut
 * says, however many the roles write.
 */
export class TablesBuild {
  private readonly byTopic = new Map<string, RowIntake[]>();
  private readonly rows: RowIntake[];
  private readonly results = new ResultTable({ startsEmpty: true });
  private readonly deltas: Intake;
  private readonly cycles: Intake;

  constructor(cuts: Cuts | null) {
    this.rows = ROW_SOURCES.map((source) => ({ source, intake: new Intake(source.table.name, source.topic, cuts), build: new TableBuild(source.table as unknown as Table<object>, !source.topic.startsWith(REUSES_RECORDS)) }));
    for (const row of this.rows) {
      const known = this.byTopic.get(row.source.topic);
      if (known === undefined) this.byTopic.set(row.source.topic, [row]);
      else known.push(row);
    }
    this.deltas = new Intake(RESULTS, DELTAS, cuts);
    this.cycles = new Intake(RESULTS, CYCLES, cuts);
  }

  take(topic: string, type: RecordName, value: RecordTypes[RecordName]): void {
    for (const { source, intake, build } of this.byTopic.get(topic) ?? []) {
      if (source.record !== type || !intake.take()) continue;
      if (source.isRetracted(value)) build.remove(keyOf(source.table, value));
      else build.put(value);
    }
    if (type === 'PredictionDelta' && topic === DELTAS) {
      if (this.deltas.take()) this.results.apply(value as PredictionDelta);
    } else if (type === 'PositionCycle' && topic === CYCLES && this.cycles.take()) this.results.applyCycle(value as PositionCycle);
  }

  /** Whether no table takes in anything any more. */
  get isFull(): boolean {
    return this.deltas.isFull && this.cycles.isFull && this.rows.every(({ intake }) => intake.isFull);
  }

  applied(): readonly Applied[] {
    return [...this.rows.map(({ intake }) => intake), this.deltas, this.cycles].map(({ sink, topic, records }) => ({ sink, topic, records }));
  }

  /** Call once, at the end. */
  tables(): readonly BuiltTable[] {
    const results: Buffer[] = [];
    for (const change of this.results.takeChangedRows()) {
      if (change.kind === 'upsert') results.push(Buffer.from(copyLine(predictionTradingResultsTable, rowOf(predictionTradingResultsTable, { ...change.row, tally: change.tally }))));
    }
    const cycles: Buffer[] = [];
    for (const change of this.results.takeChangedCycles()) {
      if (change.kind === 'upsert') cycles.push(Buffer.from(copyLine(predictionCyclesTable, rowOf(predictionCyclesTable, change.cycle))));
    }
    return [
      ...this.rows.map(({ build }) => ({ table: build.table as unknown as Table<never>, rows: build.size, lines: build.lines() })),
      { table: predictionTradingResultsTable as unknown as Table<never>, rows: results.length, lines: results },
      { table: predictionCyclesTable as unknown as Table<never>, rows: cycles.length, lines: cycles },
    ];
  }
}
