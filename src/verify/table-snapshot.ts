import { predictionTradingResultsTable } from '../model-service/result-tables.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { parseDecimal } from '../domain/decimal.js';
import { arrayLiteral } from '../postgres/cell-text.js';
import type { Database } from '../postgres/database.js';
import type { Queries } from '../postgres/session.js';
import { readSinkOffsets, type SinkOffset } from '../postgres/sink-offsets.js';
import type { Cell, ColumnType, Table } from '../postgres/table.js';
import { identifier } from '../postgres/table-sql.js';
import { ROW_SOURCES } from '../table-sinks/row-sources.js';

export const DELTA_TOPIC = 'position-linker.prediction_deltas';
const RESULTS: Table<never> = predictionTradingResultsTable as unknown as Table<never>;

/** The tables that are judged, each with the topic it follows. */
export const JUDGED: readonly { readonly table: Table<never>; readonly topic: string }[] = [...ROW_SOURCES.map(({ table, topic }) => ({ table: table as unknown as Table<never>, topic })), { table: RESULTS, topic: DELTA_TOPIC }];

/** A row of the database. A cell that is no value of its column's kind of record is kept as text, named in `unreadable`. */
export interface StoredRow {
  readonly cells: readonly Cell[];
  readonly unreadable: readonly string[];
}

/** Rows of some assets by table, and how far each table follows its topics: as of one moment. */
export interface TableSnapshot {
  readonly rows: ReadonlyMap<string, readonly StoredRow[]>;
  readonly offsets: readonly SinkOffset[];
}

/** All assets that any of the tables has a row of. */
export async function storedAssets(queries: Queries): Promise<string[]> {
  const all = JUDGED.map(({ table }) => `SELECT DISTINCT asset FROM ${identifier(table.name)}`).join(' UNION ');
  return (await queries.query<{ asset: string }>(`SELECT asset FROM (${all}) a ORDER BY asset`)).map(({ asset }) => asset);
}

/** Reads all tables and the sinks' offsets in one snapshot of the database, and holds nothing open afterwards. */
export async function readTableSnapshot(database: Database, assets: readonly string[]): Promise<TableSnapshot> {
  return database.transaction(async (queries) => {
    await queries.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const offsets = await readSinkOffsets(queries, JUDGED.map(({ table, topic }) => ({ sink: table.name, topic })));
    const rows = new Map<string, readonly StoredRow[]>();
    for (const { table } of JUDGED) rows.set(table.name, await rowsOf(queries, table, assets));
    return { rows, offsets };
  });
}

async function rowsOf(queries: Queries, table: Table<never>, assets: readonly string[]): Promise<StoredRow[]> {
  const columns = table.columns.map(({ name, type }) => (type === 'jsonb' ? `${identifier(name)}::text AS ${identifier(name)}` : identifier(name)));
  const found = await queries.query(`SELECT ${columns.join(', ')} FROM ${identifier(table.name)} WHERE asset = ANY($1::text[])`, [arrayLiteral('text', assets)]);
  return found.map((row) => {
    const unreadable: string[] = [];
    const cells = table.columns.map(({ name, type }): Cell => {
      const cell = cellOf(type, row[name]);
      if (cell === undefined) unreadable.push(name);
      return cell ?? null;
    });
    return { cells, unreadable };
  });
}

/** A value as the client hands it out, in the form that records have; undefined if it is none of that form. */
export function cellOf(type: ColumnType, value: unknown): Cell | undefined {
  if (value === null || value === undefined) return null;
  try {
    switch (type) {
      case 'numeric':
        return parseDecimal(String(value));
      case 'timestamptz': {
        const ms = Date.parse(String(value));
        return Number.isNaN(ms) ? undefined : ms;
      }
      case 'jsonb':
        return canonicalJson(JSON.parse(String(value)) as object);
      default:
        return value as Cell;
    }
  } catch {
    return undefined;
  }
}
