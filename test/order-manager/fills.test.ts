import { expect } from 'chai';
import { formatDecimal } from '../../src/domain/decimal.js';
import type { Fill } from '../../src/domain/records.js';
import type { SourceRow } from './frames.js';
import { covering, executionRow, orderUpdate, T0, total, units } from './rows.js';
import { Session } from './session.js';

function played(...rows: readonly SourceRow[]): Session {
  const session = new Session();
  for (const row of rows) session.put(row);
  return session;
}

function closed(...rows: readonly SourceRow[]): Session {
  const session = played(...rows);
  session.close();
  return session;
}

/** from–to of what came from totals, quantity of what came from executions. */
function shape(fills: readonly Fill[]): string[] {
  return fills
    .map((fill) => (fill.source === 'order' ? `${formatDecimal(fill.from_quantity!)}–${formatDecimal(fill.to_quantity!)}` : `${fill.fill_id}:${formatDecimal(fill.quantity)}`))
    .sort();
}

function derived(session: Session): Fill {
  const fills = session.liveFills().filter((fill) => fill.source === 'order');
  expect(fills).to.have.length(1);
  return fills[0]!;
}

describe('the totals of the order stream as checksum', () => {
  const bare = { order_quantity: null, leaves_quantity: null };
  const cases: readonly { name: string; rows: readonly SourceRow[]; fills: readonly string[] }[] = [
    { name: 'executions cover everything', rows: [total(0), covering(0, 4), covering(4, 10), total(10)], fills: ['e10:6', 'e4:4'] },
    { name: 'no execution at all: one fill a step', rows: [total(0), total(4), total(10)], fills: ['0–4', '4–10'] },
    { name: 'one of two executions of a step is lost', rows: [total(0), covering(0, 4), total(10)], fills: ['4–10', 'e4:4'] },
    { name: 'a hole between two executions', rows: [total(0), covering(0, 2), covering(5, 10), total(10)], fills: ['2–5', 'e10:5', 'e2:2'] },
    { name: 'a hole is cut at the totals that were shown', rows: [total(0), total(3), total(6), covering(6, 10), total(10)], fills: ['0–3', '3–6', 'e10:4'] },
    { name: 'a total that comes late cuts too', rows: [total(0), total(10), total(4)], fills: ['0–4', '4–10'] },
    { name: 'an execution of more than was shown', rows: [total(0), total(3), covering(0, 5)], fills: ['e5:5'] },
    {
      name: 'after an amend the executions count from their own order quantity',
      rows: [total(0), covering(0, 2), covering(2, 5, { order_quantity: units(20), leaves_quantity: units(15) }), total(5)],
      fills: ['e2:2', 'e5:3'],
    },
    { name: 'an execution without a place takes what is missing', rows: [total(0), covering(0, 4, bare), total(10)], fills: ['4–10', 'e4:4'] },
    {
      name: 'one without a place belongs to the step of its seq',
      rows: [total(0), total(4), covering(4, 8, bare), total(10)],
      fills: ['0–4', '8–10', 'e8:4'],
    },
    {
      name: 'without seq, to the step of its time',
      rows: [total(0), total(4), covering(4, 8, { ...bare, seq: null }), total(10)],
      fills: ['0–4', '8–10', 'e8:4'],
    },
    {
      name: 'without seq, what does not fit above is taken below',
      rows: [total(0), total(4), covering(4, 8, { ...bare, seq: null, executed_at: T0 + 41 })],
      fills: ['e8:4'],
    },
    {
      name: 'two executions that claim one place: the second takes what is missing',
      rows: [total(0), covering(0, 4), covering(0, 4, { exec_id: 'other' }), total(10)],
      fills: ['8–10', 'e4:4', 'other:4'],
    },
    { name: 'no messages: executions stand alone', rows: [covering(3, 7)], fills: ['e7:4'] },
    { name: 'two Filled messages', rows: [total(0), total(10), total(10, { cancel_type: 'CancelByUser', seq: 300, updated_at: T0 + 300 })], fills: ['0–10'] },
  ];
  for (const { name, rows, fills } of cases) {
    it(name, () => {
      expect(shape(closed(...rows).liveFills())).to.deep.equal([...fills].sort());
      expect(shape(closed(...[...rows].reverse()).liveFills())).to.deep.equal([...fills].sort());
    });
  }

  it('waits the join window, and holds its watermark back until then', () => {
    const session = new Session();
    session.advance(T0);
    session.put(total(0));
    session.put(total(10));
    const shownMs = T0 + 100;
    expect(session.advance(shownMs + 4_999)).to.equal(shownMs - 1);
    expect(session.liveFills()).to.deep.equal([]);
    expect(session.advance(shownMs + 5_000)).to.equal(shownMs + 5_000);
    expect(shape(session.liveFills())).to.deep.equal(['0–10']);
    const decided = session.emitted.filter(({ eventMs }) => eventMs === shownMs).map(({ type }) => type);
    expect(decided).to.deep.equal(['Order', 'Fill', 'Order']);
  });

  it('an execution within the window lets the watermark go', () => {
    const session = played(total(0), total(10));
    session.put(covering(0, 10));
    expect(session.advance(T0 + 2_000)).to.equal(T0 + 2_000);
  });

  it('an execution without a place that came first does so too', () => {
    const session = played(total(0), covering(0, 4), covering(4, 8, bare), total(8));
    expect(session.advance(T0 + 2_000)).to.equal(T0 + 2_000);
  });

  it('what a greater total showed does not wait anew for a smaller one', () => {
    const session = played(total(0), total(10));
    session.advance(T0 + 4_000);
    session.put(total(4));
    session.advance(T0 + 5_100);
    expect(shape(session.liveFills())).to.deep.equal(['0–4', '4–10']);
  });

  it('an execution that comes later replaces what it covers: retracted, shortened, and under the same id again', () => {
    const session = closed(total(0), total(4), total(10));
    session.put(covering(0, 4));
    session.put(covering(4, 6));
    expect(shape(session.liveFills())).to.deep.equal(['6–10', 'e4:4', 'e6:2']);
    const history = session.of('Fill').filter((fill) => fill.source === 'order').map((fill) => [fill.fill_id, fill.revision, fill.retracted]);
    expect(history).to.deep.equal([
      ['o1|4', 0, false],
      ['o1|10', 0, false],
      ['o1|4', 1, true],
      ['o1|10', 1, false],
    ]);
  });

  it('value and fee are what the executions of the step leave, shared by quantity', () => {
    const rows = [
      total(0),
      covering(3, 4, { price: units(110), value: units(110), fee: units(2) }),
      total(10, { cumulative_value: units(1_001), cumulative_fee: units(11) }),
    ];
    const fills = closed(...rows).liveFills().filter((fill) => fill.source === 'order');
    expect(fills.map((fill) => [formatDecimal(fill.value), formatDecimal(fill.fee), formatDecimal(fill.price)])).to.deep.equal([
      ['297', '3', '99'],
      ['594', '6', '99'],
    ]);
  });

  it('totals that contradict the executions: the average price of the message', () => {
    const fill = derived(closed(total(0), covering(0, 4), total(10, { cumulative_value: units(300) })));
    expect([formatDecimal(fill.value), formatDecimal(fill.price)]).to.deep.equal(['600', '100']);
  });

  it('an inverse fill is worth quantity / price', () => {
    const inverse = { category: 'inverse', asset: 'BTCUSD' };
    const row = total(10, { ...inverse, cumulative_value: units(1) / 10n });
    expect(formatDecimal(derived(closed(total(0, inverse), row)).price)).to.equal('100');
    const session = played({ type: 'Execution', value: executionRow({ ...inverse, quantity: units(1), price: units(3) }) });
    expect(formatDecimal(session.of('Fill')[0]!.value)).to.equal('0.333333333333333333');
  });
});

describe('when an order-derived fill can have happened', () => {
  const range = (fill: Fill) => [fill.seq_after, fill.seq, fill.executed_after, fill.executed_at];

  it('after the previous total, up to the message that shows its own', () => {
    const fills = closed(total(0), total(4), total(10)).liveFills();
    expect(fills.map(range)).to.deep.equal([
      [100, 140, T0, T0 + 40],
      [140, 200, T0 + 40, T0 + 100],
    ]);
  });

  it('of messages with one total the lowest seq counts', () => {
    const fill = derived(closed(total(0), total(10, { seq: 250, updated_at: T0 + 150 }), total(10)));
    expect(range(fill)).to.deep.equal([100, 200, T0, T0 + 100]);
  });

  it('inside a step up to the execution that follows it, and not before the seq of the one that precedes it', () => {
    const fill = derived(closed(total(0), covering(0, 2), covering(5, 10, { seq: 180, executed_at: T0 + 80 }), total(10)));
    expect(range(fill)).to.deep.equal([119, 180, T0 + 20, T0 + 80]);
  });

  it('after its creation where no earlier total is known; the first part is marked as first seen', () => {
    const fills = closed(total(4, { created_at: T0 - 9_000 }), total(10, { created_at: T0 - 9_000 })).liveFills();
    expect(fills.map(range)).to.deep.equal([
      [null, 140, T0 - 9_000, T0 + 40],
      [140, 200, T0 + 40, T0 + 100],
    ]);
    expect(fills.map((fill) => fill.first_seen)).to.deep.equal([true, false]);
  });

  it('leaves what its order leaves after it, at the quantity the order had then', () => {
    const fills = closed(total(0), total(4), total(10, { quantity: units(12) })).liveFills();
    expect(fills.map((fill) => formatDecimal(fill.leaves_quantity!))).to.deep.equal(['6', '2']);
  });

  it('is not first seen once the order was known at 0, or an execution came before it', () => {
    expect(derived(closed(total(4), total(0))).first_seen).to.equal(false);
    expect(derived(closed(covering(0, 3), total(4))).first_seen).to.equal(false);
  });
});

describe('what an order says about its fills', () => {
  it('an order that comes after its execution names the fill once more', () => {
    const session = played(covering(0, 4, { order_link_id: '', create_type: '' }), total(4, { position_idx: 2 }));
    expect(session.of('Fill').map((fill) => [fill.fill_id, fill.revision, fill.position_idx, fill.signal_id, fill.create_type])).to.deep.equal([
      ['e4', 0, null, null, ''],
      ['e4', 1, 2, 's1', 'CreateByUser'],
    ]);
  });

  const links: readonly [string, string, string, string][] = [
    ["the order's id counts", 'mine_1', 'other_1', 'mine'],
    ["else the execution's", '', 'other_1', 'other'],
  ];
  for (const [name, order, execution, signal] of links) {
    it(name, () => {
      for (const rows of [
        [total(4, { order_link_id: order }), covering(0, 4, { order_link_id: execution })],
        [covering(0, 4, { order_link_id: execution }), total(4, { order_link_id: order })],
      ]) {
        const session = closed(...rows);
        expect(session.liveFills().map((fill) => fill.signal_id)).to.deep.equal([signal]);
        expect(session.orders().get('o1')!.signal_id).to.equal(signal);
      }
    });
  }

  it('the id of a parent order names no signal', () => {
    const session = closed(total(4, { order_link_id: '', parent_order_link_id: 'sig_1' }), covering(0, 4, { order_link_id: '' }));
    expect(session.liveFills()[0]!.signal_id).to.equal(null);
  });

  it('fees: extra fees count in the settle coin, others are recorded', () => {
    const extra_fees = [
      { coin: 'USDT', fee_type: 'TAX', fee: units(2) },
      { coin: 'MNT', fee_type: 'TAX', fee: units(3) },
    ];
    const fill = played(covering(0, 4, { extra_fees })).of('Fill')[0]!;
    expect([formatDecimal(fill.fee), fill.other_fees]).to.deep.equal(['6', '[["MNT","3"]]']);
    const foreign = played(covering(0, 4, { fee_currency: 'MNT' })).of('Fill')[0]!;
    expect([formatDecimal(foreign.fee), foreign.other_fees]).to.deep.equal(['0', '[["MNT","4"]]']);
  });

  it('rests on its execution, and on the order message that named it', () => {
    const fill = closed(total(4), covering(0, 4)).liveFills()[0]!;
    expect(fill.inputs).to.deep.equal([
      { topic: 'ws-gateway.execution', partition: 3, offset: 0 },
      { topic: 'ws-gateway.order', partition: 3, offset: 0 },
    ]);
  });
});

describe('the row of an order', () => {
  const last = (session: Session) => session.orders().get('o1')!;

  it('sums its fills, and is Filled once they reach its quantity', () => {
    const session = played(total(0), covering(0, 4), covering(4, 10, { price: units(110) }));
    const row = last(session);
    expect([row.status, row.filled_quantity, row.average_price, row.fees, row.executed_at]).to.deep.equal(['Filled', units(10), units(106), units(10), T0 + 100]);
  });

  it('takes its status from the latest message, whichever came last', () => {
    const cancelled = total(4, { order_status: 'Cancelled', updated_at: T0 + 500, seq: 400 });
    for (const rows of [[total(0), cancelled], [cancelled, total(0)]]) expect(last(closed(...rows)).status).to.equal('Cancelled');
  });

  it('a terminal status is later than any other', () => {
    const cancelled = total(4, { order_status: 'Cancelled', updated_at: T0 });
    expect(last(closed(cancelled, total(4, { updated_at: T0 + 900 }))).status).to.equal('Cancelled');
  });

  it('exists for an order known only by its executions', () => {
    const row = last(played(covering(0, 4)));
    expect([row.status, row.order_type, row.side, row.quantity, row.filled_quantity, row.created_at]).to.deep.equal(['', '', 'Buy', units(10), units(4), null]);
    expect(last(played(covering(0, 10))).status).to.equal('Filled');
  });

  it('is issued for a message that shows a new seq, even if nothing else is new; not for a copy', () => {
    const session = played(total(0), total(0), orderRowAt(300));
    expect(session.of('Order').map((row) => [row.message_seq, row.message_at, row.revision])).to.deep.equal([
      [100, T0, 0],
      [300, T0, 1],
    ]);
    function orderRowAt(seq: number): SourceRow {
      return total(0, { seq, order_status: 'New' });
    }
  });

  it('names no message when a fill caused it', () => {
    const rows = played(total(0), covering(0, 4)).of('Order');
    expect(rows.map((row) => row.message_seq)).to.deep.equal([100, null]);
  });

  it('a spot order bought by value is not Filled by a quantity of the other coin', () => {
    const spot = { category: 'spot', asset: 'XUSDT' };
    const order: SourceRow = { type: 'OrderUpdate', value: orderUpdate({ ...spot, quantity: units(2) }) };
    expect(last(played(order, covering(0, 4, spot))).status).to.equal('New');
  });
});
