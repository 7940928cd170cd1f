import { expect } from 'chai';
import { parseDecimal } from '../../src/domain/decimal.js';
import type { Portfolio, PositionCycle, PositionOrder } from '../../src/domain/records.js';
import type { Database } from '../../src/postgres/database.js';
import { claimPipelineSettings, readPipelineSettings } from '../../src/postgres/pipeline-settings.js';
import type { AnyTableChanges } from '../../src/postgres/sink.js';
import { writeChanges } from '../../src/postgres/table-writer.js';
import { SettingsError } from '../../src/runtime/task-state.js';
import { portfolioTable } from '../../src/table-sinks/tables/portfolio.js';
import { positionCyclesTable } from '../../src/table-sinks/tables/position-cycles.js';
import { positionOrdersTable } from '../../src/table-sinks/tables/position-orders.js';
import { cycle, id, link, T0 } from '../table-sinks/records.js';
import { scratchSchema, type Scratch } from './scratch-database.js';

const d = parseDecimal;

describe('views', () => {
  let scratch: Scratch;
  let database: Database;

  before(async () => {
    scratch = await scratchSchema();
    database = scratch.open();
  });

  beforeEach(() => database.query('TRUNCATE position_orders, position_cycles, portfolio'));

  after(() => scratch.drop());

  const put = (table: unknown, records: readonly object[]): Promise<void> =>
    writeChanges(database, { table, changes: records.map((record) => ({ kind: 'upsert', record, origin: null, previous: null })) } as unknown as AnyTableChanges);

  type Leg = readonly [order: string | null, cycleNumber: number, before: string, after: string, changes?: Partial<PositionOrder>];

  /** Legs of one book in their order, a second apart. */
  async function book(...legs: readonly Leg[]): Promise<void> {
    const numbers = [...new Set(legs.map(([, number]) => number))];
    await put(positionCyclesTable, numbers.map((number): PositionCycle => cycle({ position_id: id(`cycle ${number}`), opened_at: T0 + number, first_seq: number })));
    await put(
      positionOrdersTable,
      legs.map(([order_id, number, before, after, changes], index) =>
        link({
          id: id(`leg ${index}`), position_id: id(`cycle ${number}`), order_id, size_before: d(before), size_after: d(after), size_delta: d(after) - d(before),
          executed_at: T0 + index * 1_000, seq: index + 1, execution_price: d('10'), execution_fee: d('0.5'), ...changes,
        }),
      ),
    );
  }

  async function labels(): Promise<string[]> {
    const rows = await database.query<Record<string, string>>(
      `SELECT order_id, c.first_seq AS cycle, s.relationship_type AS label, s.size_before, s.size_after, s.legs
       FROM position_order_summary s JOIN position_cycles c USING (position_id) ORDER BY c.first_seq, order_id`,
    );
    return rows.map(({ order_id, cycle: number, label, size_before, size_after, legs }) => `${order_id} in ${number}: ${label} ${size_before} to ${size_after}, ${legs}`);
  }

  describe('position_order_summary', () => {
    it('labels by the size before the first leg and after the last one', async () => {
      await book(['A', 1, '0', '2'], ['A', 1, '2', '5'], ['B', 1, '5', '6'], ['C', 1, '6', '4'], ['C', 1, '4', '3'], ['D', 1, '3', '1'], ['D', 1, '1', '0']);
      expect(await labels()).to.deep.equal(['A in 1: opened 0 to 5, 2', 'B in 1: increased 5 to 6, 1', 'C in 1: decreased 6 to 3, 2', 'D in 1: closed 3 to 0, 2']);
    });

    it('short positions are labelled alike', async () => {
      await book(['A', 1, '0', '-2'], ['B', 1, '-2', '-5'], ['C', 1, '-5', '-1'], ['D', 1, '-1', '0']);
      expect(await labels()).to.deep.equal(['A in 1: opened 0 to -2, 1', 'B in 1: increased -2 to -5, 1', 'C in 1: decreased -5 to -1, 1', 'D in 1: closed -1 to 0, 1']);
    });

    it('an order that goes on to the other side reversed one cycle and opened the next', async () => {
      await book(['A', 1, '0', '2'], ['B', 1, '2', '1'], ['B', 1, '1', '0'], ['B', 2, '0', '-3', { leg: 1, seq: 3, executed_at: T0 + 2_000 }], ['C', 2, '-3', '0']);
      expect(await labels()).to.deep.equal(['A in 1: opened 0 to 2, 1', 'B in 1: reversed 2 to 0, 2', 'B in 2: opened 0 to -3, 1', 'C in 2: closed -3 to 0, 1']);
    });

    it('by two fills too: the first ends at 0, the second begins there', async () => {
      await book(['A', 1, '0', '2'], ['B', 1, '2', '0'], ['B', 2, '0', '-1'], ['C', 2, '-1', '0']);
      expect(await labels()).to.include('B in 1: reversed 2 to 0, 1').and.include('B in 2: opened 0 to -1, 1');
    });

    it('an order with legs in cycles that do not follow each other reversed nothing', async () => {
      await book(['A', 1, '0', '2'], ['B', 1, '2', '0'], ['C', 2, '0', '1'], ['D', 2, '1', '0'], ['B', 3, '0', '-1']);
      expect(await labels()).to.include('B in 1: closed 2 to 0, 1').and.include('B in 3: opened 0 to -1, 1');
    });

    it('legs of other orders in between do not disturb', async () => {
      await book(['A', 1, '0', '5'], ['B', 1, '5', '8'], ['C', 1, '8', '1'], ['B', 1, '1', '4']);
      expect(await labels()).to.include('B in 1: decreased 5 to 4, 2');
    });

    it('legs of one order in one seq follow each other in the direction of its side', async () => {
      const together = { executed_at: T0 + 5_000, seq: 5 };
      await book(['A', 1, '0', '4'], ['B', 1, '1', '0', together], ['B', 1, '4', '3', together], ['B', 1, '3', '1', together]);
      expect(await labels()).to.include('B in 1: closed 4 to 0, 3');
    });

    it('rows without an order have no place in it', async () => {
      await book([null, 1, '0', '4'], ['B', 1, '4', '0']);
      expect(await labels()).to.deep.equal(['B in 1: closed 4 to 0, 1']);
    });

    it('averages prices by quantity, of inverse contracts by value', async () => {
      await book(['A', 1, '0', '1'], ['A', 1, '1', '4', { execution_price: d('20') }], ['I', 2, '0', '1', { category: 'inverse' }], ['I', 2, '1', '4', { category: 'inverse', execution_price: d('20') }]);
      const rows = await database.query<{ order_id: string; price: string; fees: string }>('SELECT order_id, round(average_price, 6)::text AS price, fees FROM position_order_summary ORDER BY order_id');
      expect(rows).to.deep.equal([{ order_id: 'A', price: '17.500000', fees: '1.0' }, { order_id: 'I', price: '16.000000', fees: '1.0' }]);
    });
  });

  it('account_totals adds up per settle coin', async () => {
    const row = (asset: string, category: string, cum: string): Portfolio => ({
      account: 'main', category, asset, net_size: 0n, gross_size: 0n, position_value: d('1'), unrealised_pnl: 0n, cur_realised_pnl: 0n, cum_realised_pnl: d(cum), open_books: 1, updated_at: T0, version: 0,
    });
    await put(portfolioTable, [row('BTCUSDT', 'linear', '1.5'), row('ETHUSDT', 'linear', '-0.5'), row('BTCUSD', 'inverse', '0.01'), row('BTCPERP', 'linear', '7')]);
    const totals = await database.query('SELECT settle_coin, cum_realised_pnl, position_value, open_books FROM account_totals ORDER BY settle_coin');
    expect(totals.map((total) => Object.values(total).map(String))).to.deep.equal([['BTC', '0.01', '1', '1'], ['USDC', '7', '1', '1'], ['USDT', '1.0', '2', '2']]);
  });
});

describe('settings of a pipeline', () => {
  let scratch: Scratch;

  before(async () => {
    scratch = await scratchSchema();
  });

  after(() => scratch.drop());

  it('are those of the first start; others are refused, and both are named', async () => {
    const database = scratch.open();
    await claimPipelineSettings(database, { policy: 'pro-rata', joinWindowMs: 5_000 });
    await claimPipelineSettings(database, { policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 1 });
    expect(await readPipelineSettings(database)).to.deep.equal({ policy: 'pro-rata', joinWindowMs: '5000', horizonMs: '1' });
    let refused: unknown = null;
    await claimPipelineSettings(database, { policy: 'fifo', joinWindowMs: 5_000 }).catch((error: unknown) => {
      refused = error;
    });
    expect(refused).to.be.instanceOf(SettingsError);
    expect((refused as Error).message).to.contain('policy is pro-rata in the tables and fifo in this start').and.not.contain('joinWindowMs');
    expect((await readPipelineSettings(database))['policy']).to.equal('pro-rata');
  });
});
