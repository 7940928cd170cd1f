import { expect } from 'chai';
import { formatDecimal } from '../../src/domain/decimal.js';
import type { Execution } from '../../src/domain/records.js';
import type { SourceRow } from './frames.js';
import { covering, executionRow, T0, total, units } from './rows.js';
import { Session } from './session.js';

function played(...rows: readonly SourceRow[]): Session {
  const session = new Session();
  for (const row of rows) session.put(row);
  return session;
}

function execution(over: Partial<Execution>): SourceRow {
  return { type: 'Execution', value: executionRow(over) };
}

describe('one execution id, several rows', () => {
  it('a copy is a no-op', () => {
    const once = played(total(4), covering(0, 4)).transcript();
    expect(played(total(4), covering(0, 4), covering(0, 4), total(4)).transcript()).to.deep.equal(once);
  });

  const fuller: readonly [string, Partial<Execution>, Partial<Execution>, (fill: { seq: number | null; side: string; exec_pnl: bigint | null }) => unknown][] = [
    ['a seq', { seq: null }, { seq: 140 }, (fill) => fill.seq === 140],
    ['a detail', { exec_pnl: null }, { exec_pnl: units(7) }, (fill) => fill.exec_pnl === units(7)],
  ];
  for (const [name, poor, rich, holds] of fuller) {
    it(`a row that fills in ${name} makes the record fuller, whichever came first`, () => {
      for (const rows of [[covering(0, 4, poor), covering(0, 4, rich)], [covering(0, 4, rich), covering(0, 4, poor)]]) {
        const session = played(...rows);
        expect(session.liveFills().map(holds)).to.deep.equal([true]);
        expect(session.of('ExecutionAnomaly')).to.deep.equal([]);
      }
    });
  }

  it('different content is a conflict; what sorts first stands, whichever came first', () => {
    const first = covering(0, 4, { price: units(100) });
    const second = covering(0, 4, { price: units(99) });
    const revisions = [first, second].map((row) => (row === first ? [second, first] : [first, second])).map((rows) => {
      const session = played(total(4), ...rows);
      const [anomaly, ...more] = session.of('ExecutionAnomaly');
      expect(more).to.deep.equal([]);
      expect([anomaly!.cause, anomaly!.exec_id, anomaly!.position_idx]).to.deep.equal(['conflict', 'e4', 0]);
      expect((JSON.parse(anomaly!.detail) as { price: string }[]).map((row) => row.price)).to.deep.equal(['100', '99']);
      const fills = session.liveFills();
      expect(fills.map((fill) => formatDecimal(fill.price))).to.deep.equal(['100']);
      return fills[0]!.revision;
    });
    expect(revisions).to.deep.equal([1, 0]);
  });

  it('a row in conflict may move the fill to another order, and the totals of both count again', () => {
    const session = played(total(0), total(4), covering(0, 4, { order_id: 'o2' }), covering(0, 4));
    session.close();
    expect(session.liveFills().map((fill) => [fill.fill_id, fill.order_id])).to.deep.equal([['e4', 'o1']]);
    expect([...session.orders().values()].map((row) => [row.order_id, formatDecimal(row.filled_quantity)]).sort()).to.deep.equal([['o1', '4'], ['o2', '0']]);
  });
});

describe('execution types', () => {
  for (const execType of ['Trade', 'AdlTrade', 'BustTrade', 'Settle', 'Delivery', 'BlockTrade', 'MovePosition', 'FutureSpread', 'CorporateAction']) {
    it(`${execType} is a fill`, () => {
      expect(played(covering(0, 4, { exec_type: execType })).of('Fill').map((fill) => fill.exec_type)).to.deep.equal([execType]);
    });
  }

  it('another one is named, not counted; its position index follows its order', () => {
    const session = played(covering(0, 4, { exec_type: 'SomethingNew' }), total(0, { position_idx: 1 }));
    expect(session.of('Fill')).to.deep.equal([]);
    expect(session.of('ExecutionAnomaly').map((row) => [row.cause, row.detail, row.position_idx, row.retracted])).to.deep.equal([
      ['unknown_exec_type', '{"exec_type":"SomethingNew"}', null, false],
      ['unknown_exec_type', '{"exec_type":"SomethingNew"}', 1, false],
    ]);
    expect(session.of('Order')).to.have.length(1);
  });

  it('a fill without order id stands alone', () => {
    const session = played(covering(0, 4, { order_id: '', exec_type: 'MovePosition' }));
    expect(session.liveFills().map((fill) => [fill.fill_id, fill.order_id, fill.signal_id])).to.deep.equal([['e4', '', 's1']]);
    expect(session.of('Order')).to.deep.equal([]);
  });

  const bad: readonly Partial<Execution>[] = [{ quantity: 0n }, { quantity: -1n }, { price: -1n }, { side: 'None' }];
  for (const over of bad) {
    const [field] = Object.keys(over);
    it(`a fill with a bad ${field} goes to the dead letters: ${String(Object.values(over)[0])}`, () => {
      const session = played(covering(0, 4, over));
      expect(session.deadLetters).to.deep.equal(['BadExecution']);
      expect(session.emitted).to.deep.equal([]);
    });
  }
});

describe('cash events', () => {
  const funding = { exec_id: 'f1', order_id: 'synthetic', exec_type: 'Funding', fee: -units(2), quantity: units(5), executed_at: T0 + 50 };
  const logged = { ...funding, exec_id: 'log1', source: 'transaction_log' } as const;

  it('funding moves money and no quantity', () => {
    const session = played(execution(funding));
    expect(session.of('CashEvent').map((row) => [row.cash_id, row.kind, formatDecimal(row.amount), row.side, row.source])).to.deep.equal([
      ['f1', 'funding', '-2', 'Buy', 'execution'],
    ]);
    expect([session.of('Fill'), session.of('Order')]).to.deep.equal([[], []]);
  });

  it('a session settlement is one too', () => {
    expect(played(execution({ ...funding, exec_type: 'SessionSettlement' })).of('CashEvent')[0]!.kind).to.equal('settlement');
  });

  it('a row of the transaction log counts while no execution row says the same', () => {
    const session = played(execution(logged));
    expect(session.of('CashEvent').map((row) => [row.cash_id, row.source, row.retracted])).to.deep.equal([['log1', 'transaction_log', false]]);
  });

  it('and is replaced by one that comes later', () => {
    const session = played(execution(logged), execution(funding));
    expect(session.of('CashEvent').map((row) => [row.cash_id, row.retracted, row.revision])).to.deep.equal([
      ['log1', false, 0],
      ['log1', true, 1],
      ['f1', false, 0],
    ]);
  });

  it('and is nothing where the execution row came first', () => {
    expect(played(execution(funding), execution(logged)).of('CashEvent').map((row) => row.cash_id)).to.deep.equal(['f1']);
  });

  const others: readonly [string, Partial<Execution>][] = [
    ['another amount', { fee: -units(3) }],
    ['another time', { executed_at: T0 + 51 }],
    ['the other leg', { side: 'Sell' }],
  ];
  for (const [name, over] of others) {
    it(`${name} is another event`, () => {
      expect(played(execution(funding), execution({ ...logged, ...over })).of('CashEvent').map((row) => row.cash_id)).to.deep.equal(['f1', 'log1']);
    });
  }
});
