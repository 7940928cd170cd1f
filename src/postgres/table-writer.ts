import { setImmediate } from 'node:timers/promises';
import { DatabaseError } from './database-error.js';
import type { Queries } from './session.js';
import type { FailedRecord, RowChange, TableChanges } from './sink.js';
import { deleteStatement, upsertStatement, type Statement } from './table-sql.js';
import { rowOf, type Table } from './table.js';

/** Rows of one statement: enough to make its fixed cost small, few enough that its text is no burden to the collector. */
const STATEMENT_ROWS = 1_000;

/** Writes all changes, or throws DatabaseError; then the transaction is void. While one statement runs, the next is made. */
export async function writeChanges<R>(queries: Queries, { table, changes }: TableChanges<R>): Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  for (const { text, parameters } of statements(table, changes)) {
    await running;
    running = queries.query(text, parameters);
    // Awaited in the next turn; until then its failure must not count as unhandled. The pause lets it be sent.
    running.catch(() => undefined);
    await setImmediate();
  }
  await running;
}

function* statements<R>(table: Table<R>, changes: readonly RowChange<R>[]): Iterable<Statement> {
  const upserts = changes.filter((change) => change.kind === 'upsert');
  const deletes = changes.filter((change) => change.kind === 'delete');
  for (const part of parts(deletes)) yield deleteStatement(table, part.map(({ key }) => key));
  for (const part of parts(upserts)) yield upsertStatement(table, part.map(({ record }) => rowOf(table, record)));
}

function* parts<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += STATEMENT_ROWS) yield items.slice(start, start + STATEMENT_ROWS);
}

/**
 * Writes what the database takes, and answers the records it does not. Halves are tried until single rows are left, each
 * under a savepoint. Where a row's last state is refused, the one before it counts, as if each record had come alone.
 */
export async function writeIsolated<R>(queries: Queries, { table, changes }: TableChanges<R>): Promise<FailedRecord[]> {
  if (changes.length === 0) return [];
  await queries.query('SAVEPOINT rows');
  try {
    await writeChanges(queries, { table, changes });
    await queries.query('RELEASE SAVEPOINT rows');
    return [];
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== 'row') throw error;
    await queries.query('ROLLBACK TO SAVEPOINT rows; RELEASE SAVEPOINT rows');
    if (changes.length === 1) return refuse(queries, table, changes[0] as RowChange<R>, error);
    const middle = changes.length >>> 1;
    const first = await writeIsolated(queries, { table, changes: changes.slice(0, middle) });
    return [...first, ...(await writeIsolated(queries, { table, changes: changes.slice(middle) }))];
  }
}

async function refuse<R>(queries: Queries, table: Table<R>, change: RowChange<R>, error: DatabaseError): Promise<FailedRecord[]> {
  const failed: FailedRecord = { record: change.origin, stage: 'sink', exception: `SQLSTATE ${error.sqlState ?? ''}`.trim(), message: error.message };
  const earlier = change.previous === null ? [] : await writeIsolated(queries, { table, changes: [change.previous] });
  return [...earlier, failed];
}
