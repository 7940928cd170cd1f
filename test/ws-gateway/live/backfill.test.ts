import { expect } from 'chai';
import { parseFrame, type SourceRecord } from '../../../src/ws-gateway/frame-parser.js';
import { AccountBooks } from '../../../src/ws-gateway/live/account-books.js';
import { Backfill, type BackfillCounts } from '../../../src/ws-gateway/live/backfill.js';
import { KEPT_MS, type TimeWindow } from '../../../src/ws-gateway/live/backfill-plan.js';
import type { History, HistoryRows } from '../../../src/ws-gateway/live/history.js';
import { SeenRows } from '../../../src/ws-gateway/live/seen-rows.js';
import { executionRow, orderRow, positionRow, type WireRow } from '../exchange-rows.js';

const NOW = 1_767_225_700_000;

/** What the exchange would answer; windows that were asked for are kept. */
class Shown {
  orders: WireRow[] = [];
  openOrders: WireRow[] = [];
  executions: WireRow[] = [];
  settlements: WireRow[] = [];
  open: WireRow[] = [];
  readonly windows: TimeWindow[] = [];
  readonly single: string[] = [];
  readonly asked: string[] = [];

  /** As much of the history as a backfill uses. */
  get history(): History {
    const rows = (list: readonly WireRow[]): Promise<HistoryRows> => Promise.resolve({ rows: [...list].reverse(), shownMs: NOW });
    const linear = (category: string, list: readonly WireRow[]): Promise<HistoryRows> => rows(category === 'linear' ? list : []);
    return {
      openOrders: (category: string) => linear(category, this.openOrders),
      orders: (category: string) => linear(category, this.orders),
      order: (_category: string, orderId: string) => {
        this.single.push(orderId);
        return rows([orderRow({ orderId, orderStatus: 'Filled', updatedTime: '1767225600001' })]);
      },
      executions: (category: string, window: TimeWindow) => {
        this.windows.push(window);
        return linear(category, this.executions);
      },
      settlements: (category: string) => linear(category, this.settlements),
      positions: (category: string) => linear(category, this.open),
      positionsOf: (_category: string, asset: string) => {
        this.asked.push(asset);
        return rows([positionRow({ symbol: asset, size: '0', side: '' })]);
      },
    } as unknown as History;
  }
}

interface Done {
  readonly counts: BackfillCounts;
  readonly records: readonly SourceRecord[];
}

async function pass(shown: Shown, { seen = new SeenRows(), books = new AccountBooks(), sinceMs = NOW - 60_000, hasSettlements = true } = {}): Promise<Done> {
  const records: SourceRecord[] = [];
  const backfill = new Backfill({
    account: 'a', history: shown.history, categories: ['linear'], hasSettlements, seen, books, nowMs: () => NOW,
    push: (frame, source) => {
      for (const row of parseFrame(JSON.parse(frame), { account: 'a', receivedAtMs: NOW, source })) {
        if (row.kind !== 'record') throw new Error(row.message);
        records.push(row);
      }
    },
  });
  return { counts: await backfill.pass(sinceMs, 1_000), records };
}

const idsOf = ({ records }: Done): string[] => records.map(({ type, value }) => (type === 'Execution' ? value.exec_id : type === 'OrderUpdate' ? value.order_id : `${value.asset} ${value.size}`));

describe('backfill', () => {
  it('writes orders, executions, settlements and positions, each oldest first, with where they came from', async () => {
    const shown = new Shown();
    shown.orders = [orderRow({ orderId: 'o1', updatedTime: '1767225600001' }), orderRow({ orderId: 'o2', updatedTime: '1767225600002' })];
    shown.executions = [executionRow({ execId: 'e1', orderId: 'o1', execTime: '1767225600001' }), executionRow({ execId: 'e2', orderId: 'o2', execTime: '1767225600002' })];
    shown.settlements = [{ id: 's', symbol: 'SOLUSDT', side: 'Buy', qty: '1', tradePrice: '1', transactionTime: '1767225600003', currency: 'USDT', funding: '-1', orderId: 'f' }];
    shown.open = [positionRow({})];
    const done = await pass(shown);
    expect(idsOf(done)).to.deep.equal(['o1', 'o2', 'e1', 'e2', 'log-s', `SOLUSDT ${(done.records.at(-1)!.value as { size: bigint }).size}`]);
    expect(done.records.map(({ value }) => value.source)).to.deep.equal(['history', 'history', 'history', 'history', 'transaction_log', 'history']);
    expect(done.counts).to.deep.include({ orders: 2, executions: 2, settlements: 1, positions: 1 });
  });

  it('writes nothing that went into the topics before', async () => {
    const shown = new Shown();
    shown.orders = [orderRow({ orderId: 'order-1' })];
    shown.executions = [executionRow({})];
    shown.open = [positionRow({})];
    const seen = new SeenRows();
    const books = new AccountBooks();
    const first = await pass(shown, { seen, books });
    for (const record of first.records) {
      seen.add(record);
      books.take(record);
    }
    expect((await pass(shown, { seen, books })).records).to.deep.equal([]);
  });

  it('asks one by one for orders that executions name and no list shows, and for those that were open and are in no list', async () => {
    const shown = new Shown();
    shown.executions = [executionRow({ execId: 'e1', orderId: 'unlisted' }), executionRow({ execId: 'e2', orderId: 'listed' }), executionRow({ execId: 'e3', orderId: 'funding', execType: 'Funding' })];
    shown.orders = [orderRow({ orderId: 'listed' })];
    const books = new AccountBooks();
    for (const orderId of ['was-open', 'listed']) {
      const [record] = parseFrame({ topic: 'order', creationTime: NOW, data: [orderRow({ orderId, orderStatus: 'New' })] }, { account: 'a', receivedAtMs: NOW, source: 'stream' });
      books.take(record as SourceRecord);
    }
    await pass(shown, { books });
    expect(shown.single).to.deep.equal(['unlisted', 'was-open']);
  });

  it('asks by name for the position of every asset that was touched and is not wholly among the open ones', async () => {
    const shown = new Shown();
    shown.executions = ['AUSDT', 'BUSDT', 'CUSDT'].map((symbol) => executionRow({ symbol, execId: symbol, orderId: '' , execType: 'Funding' }));
    shown.open = [positionRow({ symbol: 'BUSDT', positionIdx: 0 }), positionRow({ symbol: 'CUSDT', positionIdx: 1 })];
    await pass(shown);
    expect([...shown.asked].sort()).to.deep.equal(['AUSDT', 'CUSDT']);
  });

  it('names a time of which the exchange keeps nothing, in every asset', async () => {
    const shown = new Shown();
    shown.open = [positionRow({})];
    shown.executions = [executionRow({ execId: 'e1' })];
    shown.orders = [orderRow({ orderId: 'order-1' })];
    const done = await pass(shown, { sinceMs: NOW - KEPT_MS - 1_000 });
    expect(shown.windows.length).to.equal(105);
    const named = done.records.filter(({ type, value }) => type === 'Execution' && value.exec_type === 'HistoryGap');
    expect(named.map(({ value }) => value.asset)).to.deep.equal(['SOLUSDT']);
    expect(done.counts.plan.beyond).to.deep.equal({ fromMs: NOW - KEPT_MS - 1_000, toMs: NOW - KEPT_MS });
  });

  it('leaves the transaction log out where there is none', async () => {
    const shown = new Shown();
    shown.settlements = [{ id: 's', symbol: 'SOLUSDT', side: 'Buy', qty: '1', tradePrice: '1', transactionTime: '1767225600003', currency: 'USDT', funding: '-1' }];
    expect((await pass(shown, { hasSettlements: false })).records).to.deep.equal([]);
  });
});
