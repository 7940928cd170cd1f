import { predictionCyclesTable, predictionTradingResultsTable } from '../model-service/result-tables.js';
import { Session, type Queries } from '../postgres/session.js';
import { readSinkOffsets, type SinkOffset } from '../postgres/sink-offsets.js';
import type { Table } from '../postgres/table.js';
import { ROW_SOURCES } from '../table-sinks/row-sources.js';
import { cutKey, SINK_INPUTS, type Cuts } from './tables-build.js';

/** Every table the roles write, in the order in which they are shown. */
export const REBUILT_TABLES: readonly Table<never>[] = [
  ...ROW_SOURCES.map(({ table }) => table as unknown as Table<never>),
  predictionTradingResultsTable as unknown as Table<never>,
  predictionCyclesTable as unknown as Table<never>,
];

/** A digest over a large table takes as long as it takes. */
const STATEMENT_TIMEOUT_MS = 24 * 3_600_000;

/** Where the live tables stand: how many records of each topic and partition are in them. */
export interface LivePoint {
  readonly offsets: readonly SinkOffset[];
  /** By partition. */
  readonly cuts: ReadonlyMap<number, Cuts>;
}

/**
 * The live tables as they are at one moment, whatever the running sinks write meanwhile. Nothing is locked; the server keeps
 * the old rows until `close`.
 */
export class LiveTables implements Queries {
  readonly schema: string;
  private readonly session: Session;

  private constructor(schema: string, session: Session) {
    this.schema = schema;
    this.session = session;
  }

  static async open(databaseUrl: string, schema: string): Promise<LiveTables> {
    const session = new Session({ databaseUrl, schema, applicationName: 'position-linker rebuild', queryTimeoutMs: STATEMENT_TIMEOUT_MS });
    try {
      // The moment is held for as long as the rebuild takes, most of it without a statement.
      await session.query('SET idle_in_transaction_session_timeout = 0');
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return new LiveTables(schema, session);
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  query<Row extends object = Record<string, unknown>>(text: string, parameters: readonly (string | null)[] = []): Promise<Row[]> {
    return this.session.query<Row>(text, parameters);
  }

  /**
   * A sink that lagged behind the compaction of a topic never saw the records that went, so its count is too low. There each
   * record of a key has the next version, from 0: what the rows show tells how many there were.
   */
  private async recordsShown(partitionOf: (asset: string) => number): Promise<Map<string, number>> {
    const shown = new Map<string, number>();
    for (const { table, topic, tombstoneKey } of ROW_SOURCES) {
      if (tombstoneKey === undefined) continue;
      const rows = await this.query<{ asset: string; records: string }>(`SELECT asset, sum(version + 1)::text AS records FROM ${table.name} GROUP BY asset`);
      for (const { asset, records } of rows) {
        const key = `${cutKey(table.name, topic)}/${partitionOf(asset)}`;
        shown.set(key, (shown.get(key) ?? 0) + Number(records));
      }
    }
    return shown;
  }

  /** partitionOf: that of an asset in the source topics. */
  async point(partitionOf: (asset: string) => number): Promise<LivePoint> {
    const shown = await this.recordsShown(partitionOf);
    const inputs = [...new Map(SINK_INPUTS.map((input) => [cutKey(input.sink, input.topic), input])).values()];
    const offsets = await readSinkOffsets(this, inputs);
    const cuts = new Map<number, Map<string, number>>();
    for (const { sink, topic, partition, recordsApplied } of offsets) {
      const ofPartition = cuts.get(partition) ?? new Map<string, number>();
      const key = cutKey(sink, topic);
      ofPartition.set(key, Math.max(recordsApplied, shown.get(`${key}/${partition}`) ?? 0));
      cuts.set(partition, ofPartition);
    }
    return { offsets, cuts };
  }

  async close(): Promise<void> {
    await this.session.end();
  }
}
