import type { RecordName, RecordTypes } from '../domain/records.js';
import { rowOf, type Cell, type Table } from '../postgres/table.js';
import type { MemoryLog } from '../runtime/memory-log.js';
import type { TaskCodec } from '../runtime/arrival.js';
import { ResultTable } from '../model-service/result-table.js';
import { predictionTradingResultsTable } from '../model-service/result-tables.js';
import { ROW_SOURCES } from '../table-sinks/row-sources.js';
import { RowTables } from '../table-sinks/row-tables.js';
import { Reconciliation } from './reconciliation.js';

const DELTA_TOPIC = 'position-linker.prediction_deltas';
const UPDATE_TOPIC = 'ws-gateway.position';

/** One table as it ended. */
export interface TableRows {
  readonly table: Table<never>;
  readonly rows: readonly (readonly Cell[])[];
}

/** The tables and the comparison with the exchange, fed from the topics of a log in memory. */
export class MemoryTables {
  readonly reconciliation = new Reconciliation();
  private readonly log: MemoryLog;
  private readonly codec: TaskCodec;
  private readonly partitions: number;
  private readonly rowTables = new RowTables();
  private readonly results = new ResultTable({ startsEmpty: true });
  private readonly topics = [...new Set([...ROW_SOURCES.map(({ topic }) => topic), DELTA_TOPIC, UPDATE_TOPIC])];
  private readonly positions = new Map<string, number>();

  constructor(log: MemoryLog, codec: TaskCodec, partitions: number) {
    this.log = log;
    this.codec = codec;
    this.partitions = partitions;
  }

  /** Takes in what the topics hold now. */
  takeIn(): void {
    for (const topic of this.topics) {
      for (let partition = 0; partition < this.partitions; partition++) this.takeInPartition(topic, partition);
    }
  }

  /** How far a topic was read; null where it is not. */
  positionOf(topic: string, partition: number): number | null {
    return this.topics.includes(topic) ? (this.positions.get(`${topic}/${partition}`) ?? 0) : null;
  }

  /** All tables with their rows in reading order. */
  tables(): readonly TableRows[] {
    const results = predictionTradingResultsTable;
    const resultRows = this.results.rows().map((row) => rowOf(results, { ...row, tally: '' }));
    return [...this.rowTables.tables().map((rows) => ({ table: rows.table, rows: rows.rows() })), { table: results as unknown as Table<never>, rows: resultRows }];
  }

  private takeInPartition(topic: string, partition: number): void {
    const key = `${topic}/${partition}`;
    const records = this.log.records(topic, partition);
    for (let index = this.log.indexOf(topic, partition, this.positions.get(key) ?? 0); index < records.length; index++) {
      const record = records[index] as (typeof records)[number];
      if (record.value === null) this.rowTables.applyTombstone(topic, Buffer.from(record.key ?? []).toString('utf8'));
      else this.apply(topic, record.value);
    }
    this.positions.set(key, this.log.end(topic, partition));
  }

  private apply(topic: string, bytes: Uint8Array): void {
    let decoded: { readonly type: RecordName; readonly value: RecordTypes[RecordName] };
    try {
      decoded = this.codec.decode(bytes);
    } catch (error) {
      // Only a source topic holds bytes that are not ours; its readers made dead letters of them.
      if (topic === UPDATE_TOPIC) return;
      throw error;
    }
    const { type, value } = decoded;
    if (type === 'PositionUpdate') this.reconciliation.update(value as RecordTypes['PositionUpdate']);
    else if (type === 'PredictionDelta') {
      this.results.apply(value as RecordTypes['PredictionDelta']);
      this.reconciliation.delta(value as RecordTypes['PredictionDelta']);
    } else {
      if (type === 'PositionCycle') this.results.applyCycle(value as RecordTypes['PositionCycle']);
      this.rowTables.apply(type, value as never);
    }
  }
}
