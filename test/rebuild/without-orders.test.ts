import { expect } from 'chai';
import { ONE, type Decimal } from '../../src/domain/decimal.js';
import type { CashEvent, Fill, PositionUpdate } from '../../src/domain/records.js';
import { FirstSeqsWatch, isExternal, ofSignal, WithoutOrders } from '../../src/rebuild/without-orders.js';

const MARKET = { account: 'a', category: 'linear', asset: 'BTCUSDT' };

function fill(fillId: string, signed: number, changes: Partial<Fill> = {}): Fill {
  const quantity = BigInt(Math.abs(signed)) * ONE;
  return {
    ...MARKET, position_idx: 0, fill_id: fillId, source: 'execution', exec_id: fillId, order_id: `o-${fillId}`, order_link_id: '', signal_id: null, side: signed > 0 ? 'Buy' : 'Sell',
    quantity, price: 100n * ONE, value: 100n * quantity, fee: quantity / 10n, other_fees: '', closed_size: 0n, exec_pnl: 0n, leaves_quantity: 0n, exec_type: 'Trade', create_type: 'CreateByUser',
    is_maker: false, seq: 10, seq_after: null, executed_at: 1, executed_after: null, from_quantity: null, to_quantity: null, first_seen: false, retracted: false, revision: 0, inputs: [], ...changes,
  };
}

function units(value: Decimal | undefined): number {
  return Number((value ?? 0n) / (ONE / 10n)) / 10;
}

describe('a log without some orders', () => {
  const without = (): WithoutOrders => new WithoutOrders(ofSignal('A'), new Map([['a|linear|BTCUSDT', 5]]));
  const shown = (orders: WithoutOrders, record: Fill): Fill | null => orders.filter('position-linker', 'Fill', record) as Fill | null;

  it('lets a remaining fill close at most what there would have been to close', () => {
    const orders = without();
    expect(shown(orders, fill('1', 10, { signal_id: 'A' }))).to.equal(null);
    expect(units(shown(orders, fill('2', 5, { signal_id: 'B' }))?.quantity)).to.equal(5);
    const exit = shown(orders, fill('3', -15, { closed_size: 15n * ONE, exec_pnl: ONE }));
    expect([units(exit?.quantity), units(exit?.value), units(exit?.fee), exit?.exec_pnl]).to.deep.equal([5, 500, 0.5, null]);
    expect(shown(orders, fill('4', -3, { closed_size: 3n * ONE }))).to.equal(null);
  });

  it('keeps the part of a fill that opened', () => {
    const orders = without();
    shown(orders, fill('1', 10, { signal_id: 'A' }));
    expect(units(shown(orders, fill('2', -14, { closed_size: 10n * ONE }))?.quantity)).to.equal(4);
  });

  it('takes a fill back that comes again with nothing left of it', () => {
    const orders = without();
    shown(orders, fill('1', 10, { signal_id: 'B' }));
    expect(units(shown(orders, fill('2', -10, { closed_size: 10n * ONE }))?.quantity)).to.equal(10);
    shown(orders, fill('1', 10, { signal_id: 'A' }));
    expect(shown(orders, fill('2', -10, { closed_size: 10n * ONE }))).to.include({ retracted: true });
  });

  it('goes by position updates until the first of these orders, and by fills from there', () => {
    const orders = without();
    const update = (seq: number, size: number): PositionUpdate => ({ ...MARKET, position_idx: 0, seq, size: BigInt(size) * ONE }) as PositionUpdate;
    expect(orders.filter('position-linker', 'PositionUpdate', update(4, 20))).to.not.equal(null);
    expect(orders.filter('position-linker', 'PositionUpdate', update(5, 30))).to.equal(null);
    shown(orders, fill('1', 10, { signal_id: 'A' }));
    // 20 of the start are there, the 10 are not.
    expect(units(shown(orders, fill('2', -30, { closed_size: 30n * ONE }))?.quantity)).to.equal(20);
  });

  it('pays funding for the size there would have been', () => {
    const orders = without();
    shown(orders, fill('1', 30, { signal_id: 'A' }));
    shown(orders, fill('2', 10, { signal_id: 'B' }));
    const cash = { ...MARKET, position_idx: 0, amount: 4n * ONE } as CashEvent;
    expect(units((orders.filter('position-linker', 'CashEvent', cash) as CashEvent).amount)).to.equal(1);
  });

  it('leaves other markets and other roles alone', () => {
    const orders = without();
    const elsewhere = fill('1', 10, { signal_id: 'A', asset: 'ETHUSDT' });
    expect(shown(orders, elsewhere)).to.equal(elsewhere);
    const here = fill('1', 10, { signal_id: 'A' });
    expect(orders.filter('order-manager', 'Fill', here)).to.equal(here);
  });

  it('begins where the first of these orders may have been filled, or nobody knows who traded', () => {
    const watch = new FirstSeqsWatch(isExternal);
    watch.fill(fill('1', 1, { signal_id: 'A', seq: 3 }));
    watch.fill(fill('2', 1, { create_type: 'CreateByTakeProfit', seq: 4 }));
    watch.fill(fill('3', 1, { seq: 9, seq_after: 6 }));
    const residual = { ...MARKET, id: 'r', order_id: null, seq: 5, retracted: false } as Parameters<FirstSeqsWatch['residual']>[0];
    watch.residual(residual);
    expect([...watch.firstSeqs()]).to.deep.equal([['a|linear|BTCUSDT', 5]]);
    watch.residual({ ...residual, retracted: true });
    expect([...watch.firstSeqs()]).to.deep.equal([['a|linear|BTCUSDT', 7]]);
  });
});
