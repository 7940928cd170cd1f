import { expect } from 'chai';
import { formatDecimal, multiply } from '../../src/domain/decimal.js';
import { consumeLots } from '../../src/position-linker/lots.js';
import { amount, casesOf, traded, type Trade } from './trades.js';

interface RoundTrips {
  id: string;
  transactions: { signed_qty: string; price: string }[];
  expected_round_trips: { pnl: string; long: boolean }[];
}

interface TradeBuilder {
  id: string;
  events: (Trade & { order_id: number })[];
  expected_closed_trades: { Quantity: string; ProfitLoss: string }[];
}

interface LotSelection {
  id: string;
  method: string;
  lots_added: string;
  lots: { row: number; price: string; qty: string }[];
  amounts_to_match: string[];
  expected_picks: { lot_amount_available_before: string; lot_row: number }[];
}

const LEFT_OUT = /Multiplier|ScaleInScaleOut[134]Short/;

/** First in, first out: the fifo policy, where no closing order has lots of its own signal. */
describe('worked examples of lots, first in first out', () => {
  // A round trip is what one closing trade takes, so a cycle's result is the sum of its round trips.
  for (const { id, transactions, expected_round_trips: trips } of casesOf<RoundTrips>('pyfolio-round-trips')) {
    it(id, () => {
      const { cycles } = traded(transactions.map(({ signed_qty: signed, price }) => ({ side: signed.startsWith('-') ? 'Sell' : 'Buy', qty: signed.replace('-', ''), price })), { policy: 'fifo' });
      for (const [side, long] of [['Buy', true], ['Sell', false]] as const) {
        const found = cycles.filter((cycle) => cycle.side === side).reduce((sum, cycle) => sum + cycle.realized_pnl!, 0n);
        const wanted = trips.filter((trip) => trip.long === long).reduce((sum, trip) => sum + amount(trip.pnl), 0n);
        expect(found, side).to.equal(wanted);
      }
    });
  }

  // Gross results of what each entry gave; their fee per order, charged to its first fill, is not asked. Left out: a contract
  // multiplier, which Bybit's contracts do not have, and three whose trades are on the other side than the results they are
  // said to give.
  for (const { id, events, expected_closed_trades: closed } of casesOf<TradeBuilder>('lean-trade-builder').filter((one) => !LEFT_OUT.test(one.id))) {
    it(id, () => {
      const { realized, sums } = traded(events, { policy: 'fifo' });
      expect(formatDecimal(realized)).to.equal(formatDecimal(closed.reduce((sum, trade) => sum + amount(trade.ProfitLoss), 0n)));
      const left = Object.entries(sums).filter(([key]) => key.endsWith(' exit')).reduce((sum, [, total]) => sum + amount(total.split(' ')[0]!), 0n);
      expect(left).to.equal(closed.reduce((sum, trade) => sum + amount(trade.Quantity), 0n));
    });
  }

  // Of rp2's methods only first in first out is one of ours; its picks are of the lots alone, without a market.
  for (const { id, lots, lots_added: added, amounts_to_match: amounts, expected_picks: picks } of casesOf<LotSelection>('rp2-lot-selection').filter((one) => one.method === 'FIFO')) {
    it(id, () => {
      const all = lots.map((lot) => ({ signalId: String(lot.row), quantity: amount(lot.qty), cost: multiply(amount(lot.qty), amount(lot.price)) }));
      const open = added === 'all at start' ? all.splice(0) : [];
      const found = amounts.flatMap((wanted) => {
        open.push(...all.splice(0, 1));
        const before = new Map(open.map((lot) => [lot.signalId, lot.quantity]));
        return consumeLots('fifo', open, amount(wanted), null).map((taken) => ({ lot_amount_available_before: formatDecimal(before.get(taken.signalId!)!), lot_row: Number(taken.signalId) }));
      });
      expect(found).to.deep.equal(picks);
    });
  }
});
