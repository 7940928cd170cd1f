import type { Policy } from '../../src/config/options.js';
import { arrayLiteral } from '../../src/postgres/cell-text.js';
import type { Database } from '../../src/postgres/database.js';
import { upsertStatement } from '../../src/postgres/table-sql.js';
import type { Cell, Table } from '../../src/postgres/table.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import type { CaptureInput } from '../../src/replay/capture-source.js';
import { JUDGED } from '../../src/verify/table-snapshot.js';
import { verify, type VerifyReport } from '../../src/verify/verify.js';
import { replaySession } from '../replay/replay-session.js';

export const PARTITIONS = 3;

/** A session whose topics are in memory and whose tables are in a real database, as after a drained run. */
export interface StoredSession {
  readonly result: ReplayResult;
  verify(asset?: string): Promise<VerifyReport>;
}

/** Runs the session and stores its tables, and the sinks' offsets at the ends of their topics. */
export async function storeSession(database: Database, input: CaptureInput, policy: Policy = 'pro-rata'): Promise<StoredSession> {
  const result = await replaySession(input, { policy, partitions: PARTITIONS, isLogKept: true });
  for (const { table, rows } of result.tables) await storeRows(database, table, rows);
  const offsets = JUDGED.flatMap(({ table, topic }) => Array.from({ length: PARTITIONS }, (_, partition) => ({ sink: table.name, topic, partition, end: result.log.end(topic, partition) })));
  await database.query(
    'INSERT INTO sink_offsets (sink, topic, partition, next_offset, records_applied) SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::integer[]), unnest($4::bigint[]), 0',
    [
      arrayLiteral('text', offsets.map(({ sink }) => sink)), arrayLiteral('text', offsets.map(({ topic }) => topic)),
      arrayLiteral('integer', offsets.map(({ partition }) => partition)), arrayLiteral('bigint', offsets.map(({ end }) => end)),
    ],
  );
  await database.query("INSERT INTO pipeline_settings VALUES ('policy', $1), ('joinWindowMs', '5000')", [policy]);
  return {
    result,
    verify: (asset) => verify({ log: result.log, codec: result.codec, namespace: null, database, asset: asset ?? null, partitions: PARTITIONS }),
  };
}

async function storeRows(database: Database, table: Table<never>, rows: readonly (readonly Cell[])[]): Promise<void> {
  if (rows.length === 0) return;
  const stored = rows.map((row) => row.map((cell, index) => (table.columns[index]?.name === 'tally' ? '{}' : cell)));
  const { text, parameters } = upsertStatement(table, stored);
  await database.query(text, parameters);
}
