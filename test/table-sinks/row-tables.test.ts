import { expect } from 'chai';
import { parseDecimal } from '../../src/domain/decimal.js';
import { RowTables } from '../../src/table-sinks/row-tables.js';
import { csvText, ndjsonText } from '../../src/table-sinks/table-files.js';
import { defineTable } from '../../src/postgres/table.js';
import { positionOrdersTable } from '../../src/table-sinks/tables/position-orders.js';
import { cycle, id, link, order, position, T0 } from './records.js';

function rowsOf(tables: RowTables, name: string): (readonly unknown[])[] {
  return tables.tables().find(({ table }) => table.name === name)?.rows() as (readonly unknown[])[];
}

describe('tables in memory', () => {
  it('hold the newest state of each key, and nothing of what is retracted', () => {
    const tables = new RowTables();
    expect(tables.apply('PositionOrder', link({ revision: 0 }))).to.equal(true);
    tables.apply('PositionOrder', link({ revision: 1 }));
    tables.apply('PositionOrder', link({ id: id('gone') }));
    tables.apply('PositionOrder', link({ id: id('gone'), retracted: true }));
    tables.apply('PositionCycle', cycle());
    tables.apply('Order', order());
    const revision = positionOrdersTable.columns.findIndex(({ name }) => name === 'revision');
    expect(rowsOf(tables, 'position_orders').map((row) => row[revision])).to.deep.equal([1]);
    expect(rowsOf(tables, 'position_cycles')).to.have.length(1);
    expect(rowsOf(tables, 'orders')).to.have.length(1);
  });

  it('keep orders of one id apart by account: one session may be played for two', () => {
    const tables = new RowTables();
    tables.apply('Order', order({ account: 'one' }));
    tables.apply('Order', order({ account: 'two' }));
    expect(rowsOf(tables, 'orders')).to.have.length(2);
  });

  it('take tombstones', () => {
    const tables = new RowTables();
    tables.apply('Position', position());
    expect(tables.applyTombstone('position-manager.positions', 'SOLUSDT|main|linear|0')).to.equal(true);
    expect(rowsOf(tables, 'positions')).to.deep.equal([]);
    expect(tables.applyTombstone('position-linker.position_orders', 'SOLUSDT')).to.equal(false);
  });

  it('say so when no table follows a record', () => {
    expect(new RowTables().apply('Watermark', { watermark_at: T0 })).to.equal(false);
  });

  it('are read in the order of market, book and time', () => {
    const tables = new RowTables();
    const make = (name: string, changes: object): void => void tables.apply('PositionOrder', link({ id: id(name), exec_id: name, ...changes }));
    make('later', { executed_at: T0 + 5 });
    make('same time, higher seq', { seq: 200 });
    make('short leg', { position_idx: 2 });
    make('first', {});
    make('other asset', { asset: 'BTCUSDT' });
    expect(rowsOf(tables, 'position_orders').map((row) => row[3])).to.deep.equal(['other asset', 'first', 'same time, higher seq', 'later', 'short leg']);
  });
});

describe('tables as files', () => {
  const table = defineTable<{ name: string | null; amount: bigint; at: number | null; list: readonly string[] }>({
    name: 'sample',
    key: ['name'],
    columns: [
      { name: 'name', type: 'text', cell: ({ name }) => name },
      { name: 'amount', type: 'numeric', cell: ({ amount }) => amount },
      { name: 'at', type: 'timestamptz', cell: ({ at }) => at },
      { name: 'list', type: 'text[]', cell: ({ list }) => list },
      { name: 'flag', type: 'boolean', cell: () => true },
      { name: 'evidence', type: 'jsonb', cell: () => '{"a":"1"}' },
      { name: 'memory', type: 'jsonb', isInternal: true, cell: () => '{}' },
    ],
  });
  const rows = [
    ['plain', parseDecimal('-0.000000000000000001'), T0, ['x', 'y'], true, '{"a":"1"}', '{}'],
    ['a,"b"\n', 0n, null, [], true, '{"a":"1"}', '{}'],
    ['', 0n, null, [], true, '{"a":"1"}', '{}'],
    [null, 0n, null, [], true, '{"a":"1"}', '{}'],
  ];

  it('CSV quotes what needs it, tells empty text from nothing, and leaves internal columns out', () => {
    expect(csvText(table, rows)).to.equal(
      'name,amount,at,list,flag,evidence\n' +
        'plain,-0.000000000000000001,2026-01-01T00:00:00.000Z,"[""x"",""y""]",true,"{""a"":""1""}"\n' +
        '"a,""b""\n",0,,[],true,"{""a"":""1""}"\n' +
        '"",0,,[],true,"{""a"":""1""}"\n' +
        ',0,,[],true,"{""a"":""1""}"\n',
    );
  });

  it('NDJSON keeps amounts and times as text', () => {
    const [first, , , last] = ndjsonText(table, rows).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(first).to.deep.equal({ name: 'plain', amount: '-0.000000000000000001', at: '2026-01-01T00:00:00.000Z', list: ['x', 'y'], flag: true, evidence: { a: '1' } });
    expect(last).to.deep.include({ name: null, at: null });
  });
});
