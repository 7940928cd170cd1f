import type { Database } from './database.js';
import { DatabaseError } from './database-error.js';
import { moveSinkOffsets } from './sink-offsets.js';
import type { AnyTableChanges, FailedRecord, RowChange, SinkUnit } from './sink.js';
import { writeChanges, writeIsolated } from './table-writer.js';

/*
 * The order of a commit. A crash between any two of these loses and doubles nothing:
 *
 *   1. dead letters of records that could not be read are written and acknowledged;
 *   2. BEGIN; every offset is moved from exactly where it is believed to be. From here on no other writer of these
 *      partitions gets past its own step 2, and one that was overtaken ends here, before its first row;
 *   3. the rows, table by table;
 *   4. if the database refuses a value: everything is undone, and 2 and 3 are done again row by row; dead letters of the
 *      refused rows are written and acknowledged;
 *   5. COMMIT. Its outcome is not known when the connection breaks: then the stored offsets are read again, and they tell.
 *
 * A dead letter whose COMMIT fails is written again; readers of dead letters count one per topic, partition and offset.
 */

export interface TaskUnit {
  readonly partition: number;
  readonly unit: SinkUnit;
}

/** Resolves when the log has acknowledged them. */
export type WriteDeadLetters = (failed: readonly FailedRecord[]) => Promise<void>;

export interface CommitSummary {
  readonly rows: number;
  /** Dead letters. */
  readonly failed: number;
}

/** Commits units of several tasks at once. Throws OffsetsMovedError, DatabaseError, or what writeDeadLetters threw. */
export async function commitUnits(database: Database, units: readonly TaskUnit[], writeDeadLetters: WriteDeadLetters): Promise<CommitSummary> {
  const moves = units.flatMap(({ partition, unit }) => unit.moves.map((move) => ({ ...move, partition })));
  const tables = byTable(units);
  const rows = tables.reduce((sum, { changes }) => sum + changes.length, 0);
  const unread = units.flatMap(({ unit }) => unit.failed);
  if (unread.length > 0) await writeDeadLetters(unread);
  try {
    await database.transaction(async (queries) => {
      await moveSinkOffsets(queries, moves);
      for (const table of tables) await writeChanges(queries, table);
    });
    return { rows, failed: unread.length };
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== 'row') throw error;
  }
  const refused = await database.transaction(async (queries) => {
    await moveSinkOffsets(queries, moves);
    const failed: FailedRecord[] = [];
    for (const table of tables) failed.push(...(await writeIsolated(queries, table)));
    if (failed.length > 0) await writeDeadLetters(failed);
    return failed.length;
  });
  return { rows: rows - refused, failed: unread.length + refused };
}

/** Rows of different partitions belong to different assets, so their keys are distinct. */
function byTable(units: readonly TaskUnit[]): AnyTableChanges[] {
  const merged = new Map<AnyTableChanges['table'], RowChange<never>[]>();
  for (const { unit } of units) {
    for (const { table, changes } of unit.tables) {
      const known = merged.get(table);
      if (known === undefined) merged.set(table, [...changes]);
      else for (const change of changes) known.push(change);
    }
  }
  return [...merged].map(([table, changes]) => ({ table, changes }));
}

/**
 * Waits until everything committed so far, by whomever, is on the server's disk. Sinks commit without that wait: what a
 * crash of the server takes back goes together with its offsets, and is written again. Before a process says that
 * something is in the tables, it calls this.
 */
export async function makeDurable(database: Database): Promise<void> {
  await database.transaction(async (queries) => {
    await queries.query('SET LOCAL synchronous_commit = on');
    // A transaction with an id ends with a record that is flushed, and all before it.
    await queries.query('SELECT pg_current_xact_id()');
  });
}
