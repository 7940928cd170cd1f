import { expect } from 'chai';
import { abs, divide, formatDecimal, multiply } from '../../src/domain/decimal.js';
import { fill, position, tell } from '../position-linker/story.js';
import type { WireRow } from '../ws-gateway/exchange-rows.js';
import { amount, casesOf, costOf, near, traded, type Trade } from './trades.js';

interface Case {
  id: string;
  kind: string;
  contract: string;
  fills: Trade[];
  funding_paid?: string;
  last_price: string;
  closing_order: { side: string; qty: string; closed_size: string; avg_entry: string; avg_exit: string };
  execution: Record<string, string> & { seq: number; extra_fees?: { type: string; coin: string; fee: string }[]; exec_time_ms: number };
  position: Record<string, string> & { seq: number; updated_time_ms: number };
  position_updates: { size: string; seq: number; cum_realised: string; updated_time_ms: number }[];
  fills_and_updates: (Record<string, string> & { t_ms: number; event: string; seq?: number; expect?: { relationship_type: string | null; size_after: string; gross_realised?: string } })[];
  expect: Record<string, string>;
}

const CASES = casesOf<Case>('bybit-worked-examples');
const ofKind = (kind: string): Case[] => CASES.filter((one) => one.kind === kind);
const opposite = (side: string): string => (side === 'Buy' ? 'Sell' : 'Buy');

/**
 * The exchange's own convention: average cost, inverse contracts by notional in the base coin, fees and funding taken off when
 * they are paid. Left out: a row of the fast execution stream, which carries neither fee nor type and is not read; a close of
 * which only its own row is known, so that nothing says what it left; two fills told apart by sizes that the streams do not
 * carry; and the net result of a reversal whose fee rates were not published.
 */
describe('worked examples of the exchange', () => {
  for (const { id, contract, fills, expect: wanted } of ofKind('avg_entry')) {
    it(id, () => {
      const after = traded(fills, { contract });
      expect(after.size).to.equal(amount(wanted['size']!));
      // The average is rounded once, to 18 decimals.
      expect(near(after.averageEntry!, wanted['avg_entry']!, '0.000000000001'), formatDecimal(after.averageEntry!)).to.equal(true);
      if (contract === 'linear') expect(costOf(after)).to.equal(amount(wanted['entry_value_usdt']!));
      else expect(near(divide(after.size, after.averageEntry!), wanted['entry_value_base']!, '0.00000001')).to.equal(true);
    });
  }

  // Nothing here is marked to market: what is unrealised is what a close at the last price realises.
  for (const { id, contract, fills, last_price: price, expect: wanted } of ofKind('unrealised')) {
    it(id, () => {
      const { realized } = traded([...fills, { side: opposite(fills[0]!.side), qty: fills[0]!.qty, price }], { contract });
      expect(near(realized, wanted['unrealised'] ?? wanted['unrealised_exact']!, '0.0000000000000001'), formatDecimal(realized)).to.equal(true);
    });
  }

  for (const { id, contract, fills, funding_paid: funding, expect: wanted } of ofKind('closed_pnl')) {
    it(id, () => {
      const after = traded(fills, { contract, ...(funding === undefined ? {} : { funding }) });
      expect(after.realized).to.equal(amount(wanted['position_pnl']!));
      if (wanted['closed_pnl'] !== undefined) expect(after.realized - after.fees - after.funding).to.equal(amount(wanted['closed_pnl']));
      expect(after.size).to.equal(0n);
    });
  }

  // Their closed PnL charges the opening fee of the closed part with the close; over a cycle from flat to flat that is its net.
  for (const { id, closing_order: order, expect: wanted } of ofKind('closed_pnl_row')) {
    it(id, () => {
      const trade = (side: string, value: string): Trade => ({
        side, qty: order.qty, price: formatDecimal(divide(amount(value), amount(order.qty))), fee: formatDecimal(multiply(amount(value), amount(wanted['fee_rate_both_sides']!))),
      });
      const after = traded([trade(opposite(order.side), wanted['cum_entry_value']!), trade(order.side, wanted['cum_exit_value']!)]);
      expect(after.cycles[0]!.side).to.equal(wanted['closed_position_side'] === 'long' ? 'Buy' : 'Sell');
      expect(near(after.realized - after.fees, wanted['closed_pnl']!, '0.00000001'), formatDecimal(after.realized - after.fees)).to.equal(true);
      expect(near(after.cycles[0]!.exit_price!, wanted['avg_exit']!, '0.00000001')).to.equal(true);
    });
  }

  it('bybit/docs_legacy/inverse_reversal', () => {
    const { closing_order: order, expect: wanted } = CASES.find(({ id }) => id === 'bybit/docs_legacy/inverse_reversal')!;
    const after = traded([{ side: opposite(order.side), qty: order.closed_size, price: order.avg_entry }, { side: order.side, qty: order.qty, price: order.avg_exit }], { contract: 'inverse' });
    expect(after.rows.map((row) => row.relationship_type)).to.deep.equal(['opened', wanted['relationship_type'], 'opened']);
    expect(after.rows.slice(1).map((row) => formatDecimal(abs(row.size_delta)))).to.deep.equal([wanted['closed_part'], wanted['opened_part']]);
    // Published to six decimals.
    expect(near(after.realized, wanted['gross_pnl_base']!, '0.0000005'), formatDecimal(after.realized)).to.equal(true);
  });

  for (const { id, execution, position: shown, expect: wanted } of ofKind('join').filter((one) => one.execution['topic'] !== 'execution.fast')) {
    it(id, () => {
      const extraFees = (execution.extra_fees ?? []).map(({ type, coin, fee }) => ({ feeType: type, feeCoin: coin, fee, subFeeType: '', feeRate: '' }));
      const cumBefore = formatDecimal(amount(shown['cum_realised']!) - amount(shown['cur_realised']!));
      const made = tell([
        position(0, execution.seq - 9, 0, '0', cumBefore),
        fill(100, execution.seq, execution['exec_id']!, 'a', 'Buy', execution['qty']!, execution['price']!, { execFee: execution['fee'], extraFees, closedSize: execution['closed_size'], execPnl: execution['exec_pnl'] }),
        position(102, shown.seq, Number(shown['size']), formatDecimal(multiply(amount(shown['size']!), amount(shown['entry_price']!))), shown['cum_realised']!),
      ]);
      const [row] = made.rows;
      expect(made.links).to.deep.equal([`${wanted['relationship_type']} 0→${wanted['size_delta']} @${execution['price']} ${execution['exec_id']} exact`]);
      expect(made.open).to.deep.equal([]);
      // Taxes are part of the fee; the exchange shows 8 decimals of it.
      expect(near(-row!.execution_fee, wanted['cur_realised_exact']!, '0')).to.equal(true);
    });
  }

  it('bybit/docs/xrpusdt_life', () => {
    const { fills_and_updates: life } = CASES.find(({ kind }) => kind === 'sequence')!;
    const begin = life[0]!.t_ms;
    const seqOf = (event: (typeof life)[number], i: number): number => (event.seq === undefined ? 4_600_000_000 + i : event.seq);
    const story = [position(-10, '-1', 0, '0', '0')];
    life.forEach((event, i) => {
      const at = event.t_ms - begin;
      // The position's total is left out: funding of some days in between was not published.
      if (event.event === 'position') return void story.push(position(at, event.seq!, Number(event['size']), event['position_value']!, '', { entryPrice: event['entry_price'] }));
      const changes: WireRow = event.event === 'funding' ? { execType: 'Funding', execFee: formatDecimal(-amount(event['funding']!)), orderLinkId: '' } : { execFee: event['fee'] };
      const first = event['exec_id'] === life[0]!['exec_id'];
      story.push(fill(at, seqOf(event, i), event['exec_id'] ?? event['trade_id']!, event['order_id'] ?? 'funding', (event['side'] ?? 'Buy') as 'Buy' | 'Sell', event['qty'] ?? event['qty_as_logged']!, event['price'] ?? event['mark_price']!, { ...changes, ...(first ? { orderQty: '100', leavesQty: '88' } : {}) }));
    });
    const made = tell(story);
    const fills = life.filter(({ event }) => event === 'fill');
    expect(made.rows.map((row) => [row.relationship_type, formatDecimal(row.size_after)])).to.deep.equal(fills.map((event) => [event.expect!.relationship_type, event.expect!.size_after]));
    expect(made.cycles[0]!.realized_pnl).to.equal(amount(fills.at(-1)!.expect!.gross_realised!));
    expect(made.cycles[0]!.funding).to.equal(amount('0.003676'));
    expect(made.cycles[0]!.average_entry_price).to.equal(amount('0.3615'));
  });

  it('bybit/real/funding_row_is_not_a_fill', () => {
    const { execution, expect: wanted } = CASES.find(({ id }) => id.endsWith('funding_row_is_not_a_fill'))!;
    const made = tell([
      position(0, '-1', 0, '0', '0'), fill(100, 10, 'x', 'a', 'Sell', execution['qty']!, execution['price']!),
      fill(200, 20, 'f', 'funding', 'Sell', execution['qty']!, execution['price']!, { execType: execution['exec_type'], execFee: execution['fee'], orderLinkId: '' }),
    ]);
    expect(made.links).to.deep.equal([`opened 0→-${execution['qty']} @${execution['price']} x fills_only`]);
    expect(-made.cycles[0]!.funding).to.equal(amount(wanted['funding_received']!));
  });

  it('bybit/real/hedge_flat_leg_repeated', () => {
    const { position_updates: updates } = CASES.find(({ id }) => id.endsWith('hedge_flat_leg_repeated'))!;
    const made = tell(updates.map((update, i) => position(1000 * i, update.seq, Number(update.size), '0', update.cum_realised, { positionIdx: 2, updatedTime: String(update.updated_time_ms) })));
    expect(made.links).to.deep.equal([]);
    expect(made.open).to.deep.equal([]);
  });
});
