import { expect } from 'chai';
import fc from 'fast-check';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { canonicalJson, type CanonicalValue } from '../../src/domain/canonical-json.js';
import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import { scalarText } from '../../src/postgres/cell-text.js';
import type { Database } from '../../src/postgres/database.js';
import type { RowChange, TableChanges } from '../../src/postgres/sink.js';
import { keyOf, keyText, type Cell, type ColumnType, type Table } from '../../src/postgres/table.js';
import { writeChanges } from '../../src/postgres/table-writer.js';
import { predictionCyclesTable, predictionTradingResultsTable } from '../../src/model-service/result-tables.js';
import { ROW_SOURCES, type RowSource } from '../../src/table-sinks/row-sources.js';
import { RowTable } from '../../src/table-sinks/row-tables.js';
import { arbitraryRecord } from '../avro/arbitrary-record.js';
import { scratchSchema, type Scratch } from '../postgres/scratch-database.js';

const YEAR_2200_MS = 7_258_118_400_000;

/** A value that the column can hold, where the schema allows more. */
function arbitraryCell(type: ColumnType): fc.Arbitrary<unknown> | null {
  if (type === 'uuid') return fc.uuid();
  if (type === 'jsonb') return fc.jsonValue().map((value) => JSON.stringify(value)).filter((text) => !text.includes('\\u0000'));
  if (type === 'timestamptz') return fc.integer({ min: -YEAR_2200_MS, max: YEAR_2200_MS });
  return null;
}

/** Records with few distinct keys, so that they replace each other. */
function arbitraryRecords(source: RowSource): fc.Arbitrary<RecordTypes[RecordName][]> {
  const schema = readRecordSchemas().find(({ name }) => name === source.record)?.schema;
  if (schema === undefined) throw new Error(`no schema of ${source.record}`);
  const storable = source.table.columns.map(({ name, type }) => [name, arbitraryCell(type)] as const).filter(([, cell]) => cell !== null) as [string, fc.Arbitrary<unknown>][];
  const nullable = new Set((schema.fields ?? []).flatMap(({ name, type }) => (Array.isArray(type) ? [name] : [])));
  const changes = fc.record(Object.fromEntries(storable.map(([name, cell]) => [name, nullable.has(name) ? fc.option(cell) : cell])));
  const record = fc.tuple(arbitraryRecord(schema), changes).map(([base, changed]) => {
    const text = JSON.stringify({ ...base, ...changed }, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    // No column takes the character 0.
    return text.includes('\\u0000') ? null : ({ ...base, ...changed } as RecordTypes[RecordName]);
  });
  const records = fc.array(record.filter((one) => one !== null), { minLength: 1, maxLength: 12 });
  return fc.tuple(records, fc.array(fc.nat(), { minLength: 12, maxLength: 12 })).map(([made, picks]) =>
    made.map((one, index) => {
      const model = made[(picks[index] as number) % made.length] as RecordTypes[RecordName];
      const key = Object.fromEntries(source.table.key.map((at) => source.table.columns[at]?.name as keyof typeof model).map((name) => [name, model[name]]));
      return { ...one, ...key };
    }),
  );
}

/** jsonb keeps the members of an object in an order of its own. */
function canonical(json: string): string {
  return canonicalJson(JSON.parse(json) as CanonicalValue);
}

describe('tables in the database', () => {
  let scratch: Scratch;
  let database: Database;

  before(async () => {
    scratch = await scratchSchema();
    database = scratch.open();
  });

  after(() => scratch.drop());

  const tables: readonly Table<never>[] = [...ROW_SOURCES.map(({ table }) => table as unknown as Table<never>), predictionTradingResultsTable as Table<never>, predictionCyclesTable as Table<never>];
  const TYPE_NAMES: Readonly<Record<string, string>> = { 'timestamp with time zone': 'timestamptz', ARRAY: 'text[]' };

  for (const table of tables) {
    it(`${table.name} has the columns of its definition, in their order, and its key`, async () => {
      const columns = await database.query<{ name: string; type: string }>(
        `SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
        [scratch.schema, table.name],
      );
      expect(columns.map(({ name, type }) => [name, TYPE_NAMES[type] ?? type])).to.deep.equal(table.columns.map(({ name, type }) => [name, type]));
      const [key] = await database.query<{ columns: string[] }>(
        `SELECT array_agg(a.attname::text ORDER BY k.n) AS columns FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, n), pg_attribute a
         WHERE i.indrelid = $1::regclass AND i.indisunique AND a.attrelid = i.indrelid AND a.attnum = k.attnum`,
        [`"${scratch.schema}".${table.name}`],
      );
      expect(key?.columns).to.deep.equal(table.key.map((position) => table.columns[position]?.name));
    });
  }

  /** What the database holds, in the form of cells; amounts and times as the text of files. */
  async function stored(table: Table<never>): Promise<unknown[][]> {
    const list = table.columns.map(({ name, type }) => (type === 'jsonb' ? `"${name}"::text AS "${name}"` : `"${name}"`));
    const rows = await database.query<Record<string, unknown>>(`SELECT ${list.join(', ')} FROM ${table.name}`);
    return rows.map((row) => table.columns.map(({ name, type }) => (type === 'jsonb' && typeof row[name] === 'string' ? canonical(row[name]) : row[name])));
  }

  function comparable(table: Table<never>, row: readonly Cell[]): unknown[] {
    return table.columns.map(({ type }, index) => {
      const cell = row[index] as Cell;
      if (cell === null || typeof cell === 'object') return cell;
      if (type === 'jsonb') return canonical(cell as string);
      return type === 'numeric' || type === 'timestamptz' ? scalarText(type, cell) : cell;
    });
  }

  // int8 beyond 2^53 is read as text; compared as text, both sides are.
  const asText = (rows: readonly unknown[][]): string[] => rows.map((row) => JSON.stringify(row.map((cell) => (typeof cell === 'number' ? String(cell) : cell)))).sort();

  for (const source of ROW_SOURCES) {
    it(`${source.table.name} holds the same rows as the table in memory, whatever the records`, async () => {
      const table = source.table as unknown as Table<never>;
      await fc.assert(
        fc.asyncProperty(arbitraryRecords(source), fc.integer({ min: 1, max: 5 }), async (records, batch) => {
          await database.query(`TRUNCATE ${table.name}`);
          const memory = new RowTable(source.table);
          for (let from = 0; from < records.length; from += batch) {
            const changes = new Map<string, RowChange<unknown>>();
            for (const record of records.slice(from, from + batch)) {
              const key = keyOf(source.table, record);
              const isGone = source.isRetracted(record);
              changes.set(keyText(key), isGone ? { kind: 'delete', key, origin: null as never, previous: null } : { kind: 'upsert', record, origin: null as never, previous: null });
              if (isGone) memory.remove(key);
              else memory.put(record);
            }
            await writeChanges(database, { table: source.table, changes: [...changes.values()] } as unknown as TableChanges<unknown>);
          }
          expect(asText(await stored(table))).to.deep.equal(asText(memory.rows().map((row) => comparable(table, row))));
        }),
        { numRuns: 40 },
      );
    });
  }

  it('results of a null signal are replaced and deleted like any other', async () => {
    const base = Object.fromEntries(predictionTradingResultsTable.columns.map(({ name, type }) => [name, type === 'numeric' ? 0n : type === 'text[]' ? [] : type === 'boolean' ? false : null]));
    const position_id = '00000000-0000-5000-8000-000000000000';
    const row = (signal_id: string | null, asset: string): RowChange<never> =>
      ({ kind: 'upsert', record: { ...base, signal_id, position_id, asset, account: 'a', category: 'linear', position_idx: 0, tally: '{}' }, origin: null, previous: null }) as never;
    const write = (...changes: RowChange<never>[]): Promise<void> => writeChanges(database, { table: predictionTradingResultsTable as Table<never>, changes });
    await write(row(null, 'FIRST'), row('s', 'FIRST'));
    await write(row(null, 'SECOND'));
    const read = () => database.query(`SELECT signal_id, asset FROM prediction_trading_results ORDER BY signal_id NULLS FIRST`);
    expect(await read()).to.deep.equal([{ signal_id: null, asset: 'SECOND' }, { signal_id: 's', asset: 'FIRST' }]);
    await write({ kind: 'delete', key: [position_id, null], origin: null as never, previous: null });
    expect(await read()).to.deep.equal([{ signal_id: 's', asset: 'FIRST' }]);
    await write({ kind: 'delete', key: [position_id, 's'], origin: null as never, previous: null });
    expect(await read()).to.deep.equal([]);
  });
});
