import { expect } from 'chai';
import { abs, formatDecimal, multiply } from '../../src/domain/decimal.js';
import { amount, casesOf, costOf, near, traded, tradeOfAmounts, type Trade } from './trades.js';

interface Barter {
  id: string;
  fills: Trade[];
  expect_after_last_fill: {
    position: { side: string; price_entry_average: string; quantity_abs: string; quantity_abs_max: string; pnl_realised: string } | null;
    position_exited: { side: string; quantity_abs_max: string; pnl_realised: string; fees_enter: string; fees_exit: string } | null;
  };
}

interface Drift {
  id: string;
  update_type: string;
  initial: { base_asset_amount: string; quote_entry_amount: string };
  delta: { base_asset_amount: string; quote_asset_amount: string };
  expect: { base_asset_amount: string; quote_entry_amount: string; pnl: string };
}

interface DriftSequence {
  id: string;
  steps: { delta: Drift['delta']; expect: { pnl: string; entry_price: string; base_asset_amount?: string } }[];
}

interface Hummingbot {
  id: string;
  method: string;
  fills: { side: string; qty: string; quote: string }[];
  expect_after_last_fill: { net_amount_base: string; avg_entry_price?: string; realized_pnl_quote?: string };
}

interface LeanProfit {
  id: string;
  initial: { signed_qty: string; avg_price: string } | null;
  fill: { signed_qty: string; price: string; fee: string };
  expect: { last_trade_profit: string };
}

interface LeanEquity {
  id: string;
  starting_cash: string;
  steps: (Trade & { mark_price: string; expect: { total_equity: string } })[];
}

/** Average cost, the exchange's view: the pro-rata policy. */
describe('worked examples at average cost', () => {
  // Their result of a position is net of all fees, paid when they are paid; a flip's fee is split by quantity. So it is here.
  for (const { id, fills, expect_after_last_fill: { position, position_exited: exited } } of casesOf<Barter>('barter-position')) {
    it(id, () => {
      const { cycles, size } = traded(fills);
      const sided = (side: string): string => (side === 'BUY' ? 'Buy' : 'Sell');
      if (exited !== null) {
        const closed = cycles[0]!;
        expect(closed.side).to.equal(sided(exited.side));
        expect(closed.closed_at).to.not.equal(null);
        expect(closed.max_size).to.equal(amount(exited.quantity_abs_max));
        expect(closed.realized_pnl! - closed.fees).to.equal(amount(exited.pnl_realised));
        expect(closed.fees).to.equal(amount(exited.fees_enter) + amount(exited.fees_exit));
      }
      expect(cycles.length).to.equal((exited === null ? 0 : 1) + (position === null ? 0 : 1));
      if (position === null) return void expect(size).to.equal(0n);
      const open = cycles.at(-1)!;
      expect(open.side).to.equal(sided(position.side));
      expect(abs(open.size)).to.equal(amount(position.quantity_abs));
      expect(open.max_size).to.equal(amount(position.quantity_abs_max));
      expect(open.average_entry_price).to.equal(amount(position.price_entry_average));
      expect(open.realized_pnl! - open.fees).to.equal(amount(position.pnl_realised));
    });
  }

  // They count whole units and keep the residue of a division in the position; here nothing is cut, so each amount is within one.
  for (const { id, update_type: type, initial, delta, expect: wanted } of casesOf<Drift>('drift-position-update').filter((one) => 'delta' in one)) {
    it(id, () => {
      const change = tradeOfAmounts(delta.base_asset_amount, delta.quote_asset_amount);
      const before = initial.base_asset_amount === '0' ? [] : [tradeOfAmounts(initial.base_asset_amount, initial.quote_entry_amount)];
      const after = traded([...before, change]);
      expect(after.size).to.equal(amount(wanted.base_asset_amount));
      expect(near(costOf(after), wanted.quote_entry_amount.replace('-', ''), '0.999999999'), `cost ${formatDecimal(costOf(after))}`).to.equal(true);
      expect(near(after.realized, wanted.pnl, '0.999999999'), `result ${formatDecimal(after.realized)}`).to.equal(true);
      const labels: Record<string, string[]> = { Open: ['opened'], Increase: ['increased'], Reduce: ['decreased'], Close: ['closed'], Flip: ['reversed', 'opened'] };
      expect(after.rows.slice(before.length).map((row) => row.relationship_type)).to.deep.equal(labels[type]);
    });
  }

  for (const { id, steps } of casesOf<DriftSequence>('drift-position-update').filter((one) => 'steps' in one)) {
    it(id, () => {
      const trades = steps.map(({ delta }) => tradeOfAmounts(delta.base_asset_amount, delta.quote_asset_amount));
      let realized = 0n;
      steps.forEach(({ expect: wanted }, i) => {
        const after = traded(trades.slice(0, i + 1));
        if (wanted.base_asset_amount !== undefined) expect(after.size).to.equal(amount(wanted.base_asset_amount));
        // Their price is quote per 10^9 of base.
        expect(after.averageEntry! * 10n ** 9n).to.equal(amount(wanted.entry_price));
        expect(after.realized - realized).to.equal(amount(wanted.pnl));
        realized = after.realized;
      });
    });
  }

  // Left out: an execution of nothing, which no exchange reports, and those that net all buys against all sells.
  for (const { id, fills, expect_after_last_fill: wanted } of casesOf<Hummingbot>('hummingbot-position-hold').filter((one) => one.method === 'average_cost' && one.fills.every(({ qty }) => qty !== '0'))) {
    it(id, () => {
      const after = traded(fills.map(({ side, qty, quote }) => ({ ...tradeOfAmounts(qty, quote), side })));
      expect(after.size).to.equal(amount(wanted.net_amount_base));
      if (wanted.avg_entry_price !== undefined) expect(after.averageEntry ?? 0n).to.equal(amount(wanted.avg_entry_price));
      if (wanted.realized_pnl_quote !== undefined) expect(after.realized).to.equal(amount(wanted.realized_pnl_quote));
    });
  }

  // Gross of fees, of the last trade alone.
  for (const { id, initial, fill, expect: wanted } of casesOf<LeanProfit>('lean-portfolio-model').filter((one) => 'fill' in one)) {
    it(id, () => {
      const trade = (signed: string, price: string): Trade => ({ side: signed.startsWith('-') ? 'Sell' : 'Buy', qty: signed.replace('-', ''), price });
      const before = initial === null ? [] : [trade(initial.signed_qty, initial.avg_price)];
      const after = traded([...before, { ...trade(fill.signed_qty, fill.price), fee: fill.fee }]);
      expect(after.realized).to.equal(amount(wanted.last_trade_profit));
      expect(after.fees).to.equal(amount(fill.fee));
    });
  }

  // Cash + realised + open quantity x (mark - average) is the equity, after every trade and by any rule of cost.
  for (const { id, starting_cash: cash, steps } of casesOf<LeanEquity>('lean-portfolio-model').filter((one) => 'steps' in one)) {
    for (const policy of ['pro-rata', 'fifo'] as const) {
      it(`${id}, ${policy}`, () => {
        steps.forEach((step, i) => {
          const after = traded(steps.slice(0, i + 1), { policy });
          // Under fifo the open cost is that of the lots left: what came in less what was taken.
          const open = after.averageEntry === null ? 0n : multiply(after.size, amount(step.mark_price)) - (after.size < 0n ? -1n : 1n) * openCost(after, policy);
          expect(formatDecimal(amount(cash) + after.realized + open), `after trade ${i + 1}`).to.equal(formatDecimal(amount(step.expect.total_equity)));
        });
      });
    }
  }
});

/** Cost of what is open: at the average, or what the lots of the last cycle were worth less what was realised on them. */
function openCost(after: ReturnType<typeof traded>, policy: 'pro-rata' | 'fifo'): bigint {
  if (policy === 'pro-rata') return costOf(after);
  const cycle = after.cycles.at(-1)!;
  const own = after.rows.filter((row) => row.position_id === cycle.position_id);
  const sign = cycle.side === 'Buy' ? 1n : -1n;
  const flow = own.reduce((sum, row) => sum + multiply(row.size_delta, row.execution_price!), 0n);
  return sign * (flow + cycle.realized_pnl!);
}
