import { expect } from 'chai';
import { showCommands } from '../../src/cli/show.js';
import type { Command, CommandContext } from '../../src/cli/command.js';
import type { OptionName } from '../../src/config/options.js';
import { resolveOptions } from '../../src/config/resolve.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import { predictionTradingResultsTable, type ResultRecord } from '../../src/model-service/result-tables.js';
import type { AnyTableChanges } from '../../src/postgres/sink.js';
import { writeChanges } from '../../src/postgres/table-writer.js';
import { ROW_SOURCES } from '../../src/table-sinks/row-sources.js';
import { databaseUrl, scratchSchema, type Scratch } from '../postgres/scratch-database.js';
import { cycle, id, link, order, position, T0 } from '../table-sinks/records.js';

const d = parseDecimal;

function result(changes: Partial<ResultRecord>): ResultRecord {
  return {
    signal_id: 'signal', position_id: id('cycle'), account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, direction: 'long', entry_quantity: d('2'),
    entry_price: d('150'), entry_at: T0, exit_quantity: d('2'), exit_price: d('151'), exit_at: T0 + 9, realized_pnl: d('2'), fees: d('0.2'), funding: d('0.05'),
    net_pnl: d('1.75'), open_quantity: 0n, is_closed: true, is_contaminated: false, exit_signal_ids: ['other'], exit_reasons: ['user'], final_to_seq: 100, tally: '{}', ...changes,
  };
}

describe('show', () => {
  let scratch: Scratch;
  const [command] = showCommands as [Command];

  async function show(what: string, flags: Partial<Record<OptionName, string>> = {}): Promise<string> {
    let out = '';
    const all = new Map(Object.entries({ namespace: scratch.schema, databaseUrl: databaseUrl(), ...flags }) as [OptionName, string][]);
    const context = {
      positionals: [what],
      options: resolveOptions(command.options, all, {}),
      stdout: (text: string) => void (out += text),
      stderr: () => undefined,
      signal: new AbortController().signal,
    };
    expect(await command.run(context as unknown as CommandContext)).to.equal(0);
    return out;
  }

  before(async () => {
    scratch = await scratchSchema();
    const database = scratch.open();
    const put = async (record: string, ...records: object[]): Promise<void> => {
      const table = record === 'Result' ? predictionTradingResultsTable : ROW_SOURCES.find((source) => source.record === record)?.table;
      await writeChanges(database, { table, changes: records.map((one) => ({ kind: 'upsert', record: one, origin: null, previous: null })) } as unknown as AnyTableChanges);
    };
    await put('Order', order(), order({ order_id: 'spot', asset: 'BTCUSDT', category: 'spot', signal_id: null }));
    await put('Position', position({ cum_realised_pnl: d('12.5') }), position({ asset: 'BTCUSDT', cum_realised_pnl: d('-1') }), position({ asset: 'ETHUSDT', category: 'spot' }));
    await put('PositionCycle', cycle({ cum_realised_pnl_before: d('10') }), cycle({ position_id: id('later'), first_seq: 200, cum_realised_pnl_before: d('11') }), cycle({ position_id: id('other'), asset: 'BTCUSDT' }));
    await put('PositionOrder', ...[1, 2, 3].map((n) => link({ id: id(`link ${n}`), seq: n, executed_at: T0 + n, exec_id: `e${n}` })), link({ id: id('other'), asset: 'BTCUSDT', signal_id: null, evidence: 'interval', executed_at: T0 - 1 }));
    await put('PositionDiscrepancy', {
      id: id('discrepancy'), account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, cause: 'start_unknown', status: 'open', first_seq: 1, last_seq: 1, size: d('1'),
      money: null, exec_id: null, order_id: null, position_id: id('cycle'), evidence: '{"cum_realised_pnl":"10","cost":null}', opened_at: T0, closed_at: null, retracted: false, revision: 0, known_at: T0,
    });
    await put('Result', result({}), result({ signal_id: null, realized_pnl: d('1'), net_pnl: d('0.75') }), result({ position_id: id('other'), asset: 'BTCUSDT', realized_pnl: null, net_pnl: null }));
  });

  after(() => scratch.drop());

  for (const what of ['positions', 'links', 'results', 'discrepancies', 'orders', 'cycles']) {
    it(`lists ${what}, as text and as JSON, and by asset`, async () => {
      const text = await show(what);
      const json = JSON.parse(await show(what, { json: 'true' })) as { asset: string; matching?: number; tally?: unknown }[];
      expect(text.trimEnd().split('\n').length - 2).to.equal(json.length);
      expect(json.length).to.be.greaterThan(0);
      for (const row of json) expect(row).to.not.have.any.keys('matching', 'tally');
      expect((JSON.parse(await show(what, { json: 'true', asset: 'SOLUSDT' })) as unknown[]).length).to.equal(json.filter(({ asset }) => asset === 'SOLUSDT').length);
      expect(await show(what, { asset: 'NONE' })).to.equal('no rows\n');
    });

    it(`lists ${what} of a signal`, async () => {
      const of = async (signal: string): Promise<unknown[]> => JSON.parse(await show(what, { json: 'true', signal })) as unknown[];
      expect(await of('nobody')).to.deep.equal([]);
      expect((await of('signal')).length).to.be.greaterThan(0);
      expect((await of('unattributed')).length).to.be.greaterThan(0);
    });
  }

  it('shows the newest rows in reading order, and says that there are more', async () => {
    const json = JSON.parse(await show('links', { json: 'true', limit: '2' })) as { exec_id: string; size_delta: string; executed_at: string }[];
    expect(json.map(({ exec_id }) => exec_id)).to.deep.equal(['e2', 'e3']);
    expect(json[0]).to.include({ size_delta: '2', executed_at: '2026-01-01T00:00:00.002Z' });
    expect(await show('links', { limit: '2' })).to.match(/the newest 2 of 4 rows; --limit N shows more\n$/);
  });

  it("sums up, and compares results with the exchange's own figure since the book's start", async () => {
    const text = await show('summary');
    expect(text).to.match(/position_orders +4\n/).and.match(/exact +3\n/).and.match(/start_unknown, open +1\n/);
    expect(text).to.contain("sum of results = 2.5 USDT, exchange's realised PnL = 2.5 USDT, difference 0 (1 book left out: not all of it is known)\n");
    const { books } = JSON.parse(await show('summary', { json: 'true', asset: 'SOLUSDT' })) as { books: unknown[] };
    expect(books).to.deep.equal([
      { account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, settle_coin: 'USDT', results: '2.5', exchange: '2.5', difference: '0', links: 3 },
    ]);
  });
});
