import { expect } from 'chai';
import { parseDecimal, withinDigits } from '../../src/domain/decimal.js';
import { implausibility } from '../../src/domain/plausible.js';
import type { Execution, OrderUpdate, PositionUpdate } from '../../src/domain/records.js';

const common = { account: 'main', category: 'linear', asset: 'BTCUSDT', envelope_id: 'e', received_at: 1, envelope_created_at: 1, frame_index: 0 };
const execution = {
  ...common, exec_id: 'x', order_id: 'o', order_link_id: '', exec_type: 'Trade', create_type: '', fee_currency: 'USDT', quantity: parseDecimal('1'), price: parseDecimal('60000'), value: parseDecimal('60000'),
  fee: 0n, extra_fees: [], closed_size: null, exec_pnl: null, leaves_quantity: null, order_quantity: null, seq: 5, executed_at: 1_767_225_600_000,
} as unknown as Execution;
const update = { ...common, seq: -1, size: 0n, entry_price: 0n, position_idx: 0, entry_price_decimals: 2, created_at: 0, updated_at: 0, position_status: 'Normal', liq_price: parseDecimal('9999999') } as unknown as PositionUpdate;
const order = { ...common, quantity: parseDecimal('1'), cumulative_quantity: 0n, cumulative_value: 0n, cumulative_fee: 0n, seq: null, created_at: 1, updated_at: 1, position_idx: null } as unknown as OrderUpdate;

describe('what an exchange can say', () => {
  it('is what it does say: a book that never traded, an order without sequence number, far prices of liquidation', () => {
    expect([implausibility('Execution', execution), implausibility('PositionUpdate', update), implausibility('OrderUpdate', order)]).to.deep.equal([null, null, null]);
    expect(implausibility('Watermark', { watermark_at: 1 })).to.equal(null);
  });

  const refused: readonly (readonly [what: string, problem: string | null])[] = [
    ['a quantity of all digits', implausibility('Execution', { ...execution, quantity: parseDecimal('99999999999999999999') })],
    ['a price of a billion', implausibility('Execution', { ...execution, price: parseDecimal('1000000000') })],
    ['an inverse price next to nothing', implausibility('Execution', { ...execution, category: 'inverse', price: 1n })],
    ['a fee of all digits, below zero', implausibility('Execution', { ...execution, fee: -(10n ** 37n) })],
    ['an extra fee of all digits', implausibility('Execution', { ...execution, extra_fees: [{ coin: 'USDT', fee_type: '', fee: 10n ** 37n }] })],
    ['very many extra fees', implausibility('Execution', { ...execution, extra_fees: Array.from({ length: 1_000 }, () => ({ coin: '', fee_type: '', fee: 0n })) })],
    ['a fill that never traded', implausibility('Execution', { ...execution, seq: -1 })],
    ['a time before all time', implausibility('Execution', { ...execution, executed_at: -1 })],
    ['a time without a date', implausibility('OrderUpdate', { ...order, updated_at: Number.MAX_SAFE_INTEGER })],
    ['a text of megabytes', implausibility('OrderUpdate', { ...order, order_link_id: 'x'.repeat(5_000_000) })],
    ['a position of another world', implausibility('PositionUpdate', { ...update, position_idx: 2 ** 31 - 1 })],
    ['a size of all digits', implausibility('PositionUpdate', { ...update, size: -(10n ** 38n - 1n) })],
  ];
  for (const [what, problem] of refused) it(`is not ${what}`, () => expect(problem).to.be.a('string'));
});

describe('decimals too long for a record', () => {
  it('become the largest there is, wherever they stand, and nothing else changes', () => {
    const most = 10n ** 38n - 1n;
    const value = { a: 10n ** 40n, b: [{ c: -(10n ** 50n), d: 'x', e: null }], f: 7 };
    expect(withinDigits(value)).to.deep.equal({ a: most, b: [{ c: -most, d: 'x', e: null }], f: 7 });
    const fine = { a: most, b: [{ c: -most }] };
    expect(withinDigits(fine)).to.equal(fine);
  });
});
