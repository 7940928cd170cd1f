import type { Policy } from '../../src/config/options.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { Cell } from '../../src/postgres/table.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import { Findings } from '../../src/verify/breach.js';
import { JUDGED, type StoredRow, type TableSnapshot } from '../../src/verify/table-snapshot.js';
import { READ_TOPICS } from '../../src/verify/topic-state.js';
import { judgePartition } from '../../src/verify/verify.js';

/** Judges topics and tables of a replay that kept its log, without a database. */
export async function judgeReplay({ log, codec, tables }: ReplayResult, partitions: number, policy: Policy): Promise<Findings> {
  const rows = new Map(tables.map(({ table, rows: all }) => [table.name, all.map((cells): StoredRow => ({ cells: cells.map((cell, index) => stored(cell, table.columns[index]?.type)), unreadable: [] }))]));
  const total = new Findings();
  for (let partition = 0; partition < partitions; partition++) {
    const assetsOf = (all: readonly StoredRow[], assetAt: number): StoredRow[] => all.filter(({ cells }) => partitionHas(log, partition, cells[assetAt] as string));
    const snapshot: TableSnapshot = {
      rows: new Map(JUDGED.map(({ table }) => [table.name, assetsOf(rows.get(table.name) ?? [], table.columns.findIndex(({ name }) => name === 'asset'))])),
      offsets: JUDGED.map(({ table, topic }) => ({ sink: table.name, topic, partition, nextOffset: log.end(topic, partition), watermarkMs: null, recordsApplied: 0, mergeState: null })),
    };
    const { findings } = await judgePartition({ log, codec, namespace: null }, null, snapshot, READ_TOPICS.map((topic) => log.end(topic, partition)), { partition, policy, joinWindowMs: 5_000 });
    total.add(findings);
  }
  return total;
}

function stored(cell: Cell, type: string | undefined): Cell {
  return type === 'jsonb' && typeof cell === 'string' && cell !== '' ? canonicalJson(JSON.parse(cell) as object) : cell;
}

function partitionHas(log: ReplayResult['log'], partition: number, asset: string): boolean {
  const key = Buffer.from(asset);
  return ['ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position'].some((topic) => log.records(topic, partition).some((record) => record.key !== null && key.equals(record.key)));
}
