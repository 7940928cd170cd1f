import type { Policy } from '../../src/config/options.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { PredictionDelta } from '../../src/domain/records.js';
import { ResultTable } from '../../src/model-service/result-table.js';
import { predictionTradingResultsTable } from '../../src/model-service/result-tables.js';
import { rowOf, type Cell, type Table } from '../../src/postgres/table.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import { RowTables } from '../../src/table-sinks/row-tables.js';
import { Findings } from '../../src/verify/breach.js';
import { DELTA_TOPIC, JUDGED, type StoredRow, type TableSnapshot } from '../../src/verify/table-snapshot.js';
import { READ_TOPICS } from '../../src/verify/topic-state.js';
import { judgePartition } from '../../src/verify/verify.js';

/** How far a table has followed a topic that ends at this offset. */
export type Followed = (end: number) => number;

/** Judges topics and tables of a replay that kept its log, without a database; tables may be behind, each as far as it is told. */
export async function judgeReplay({ log, codec }: ReplayResult, partitions: number, policy: Policy, followed: Followed = (end) => end): Promise<Findings> {
  const total = new Findings();
  for (let partition = 0; partition < partitions; partition++) {
    const offsets = JUDGED.map(({ table, topic }) => ({ sink: table.name, topic, partition, nextOffset: followed(log.end(topic, partition)), watermarkMs: null, recordsApplied: 0, mergeState: null }));
    const rows = new Map(JUDGED.map(({ table, topic }, index) => {
      const records = log.records(topic, partition).filter(({ offset }) => offset < offsets[index]!.nextOffset);
      return [table.name, topic === DELTA_TOPIC ? results(records, codec) : tableRows(table, topic, records, codec)];
    }));
    const snapshot: TableSnapshot = { rows, offsets };
    const { findings } = await judgePartition({ log, codec, namespace: null }, null, snapshot, READ_TOPICS.map((topic) => log.end(topic, partition)), { partition, policy, joinWindowMs: 5_000 });
    total.add(findings);
  }
  return total;
}

type Records = ReturnType<ReplayResult['log']['records']>;

function tableRows(table: Table<never>, topic: string, records: Records, codec: ReplayResult['codec']): StoredRow[] {
  const tables = new RowTables();
  for (const { key, value } of records) {
    if (value === null) tables.applyTombstone(topic, Buffer.from(key ?? []).toString());
    else {
      const { type, value: record } = codec.decode(value);
      tables.apply(type, record as never);
    }
  }
  const rows = tables.tables().find((one) => (one.table as Table<never>).name === table.name)?.rows() ?? [];
  return rows.map((cells) => ({ cells: cells.map((cell, index) => stored(cell, table.columns[index]?.type)), unreadable: [] }));
}

function results(records: Records, codec: ReplayResult['codec']): StoredRow[] {
  const table = new ResultTable({ startsEmpty: true });
  for (const { value } of records) {
    const decoded = codec.decode(value as Uint8Array);
    if (decoded.type === 'PredictionDelta') table.apply(decoded.value as PredictionDelta);
  }
  return table.rows().map((row) => ({ cells: rowOf(predictionTradingResultsTable, { ...row, tally: '{}' }), unreadable: [] }));
}

function stored(cell: Cell, type: string | undefined): Cell {
  return type === 'jsonb' && typeof cell === 'string' && cell !== '' ? canonicalJson(JSON.parse(cell) as object) : cell;
}
