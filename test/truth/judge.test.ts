import { expect } from 'chai';
import { captureNames, readTruth } from '../captures/captures.js';
import { abs } from '../simulator/fixed.js';
import { scenario, SCENARIOS } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { asFirstShown } from './begin.js';
import { casesOf, type BookCase } from './cases.js';
import type { TrueFill } from './fold.js';
import { judge } from './judge.js';
import { isPlaceKnown } from './knowable.js';
import { POLICIES } from './lots.js';
import type { Row, Tables } from './rows.js';
import { tablesOfTruth } from './tables-of-truth.js';
import { truthOf, type Happened } from './truth-of.js';
import type { Truth } from './truth.js';

/** The truth as it would be had the fills, and what was there before them, been these. */
function retold(truth: Truth, change: (book: BookCase) => TrueFill[], beginning = (book: BookCase): BookCase => book): Truth {
  const books = [...casesOf(truth).values()];
  const happened: Happened[] = books.flatMap((book) => {
    const cash = beginning(book).cash.map((one) => ({ cash: one, account: book.account, symbol: book.symbol, index: book.index }));
    return [...change(book).map((fill) => ({ fill })), ...cash].sort((a, b) => seqOf(a) - seqOf(b));
  });
  const begins = books.map((book) => ({ ...book, size: beginning(book).startSize, cost: beginning(book).startCost, cum: 0n }));
  return truthOf(truth.scenario, truth.seed, truth.stats, begins, happened);
}

function seqOf(one: Happened): number {
  return 'fill' in one ? one.fill.seq : one.cash.seq;
}

/** Fills of one order in one seq as one, as the order stream's totals tell them. */
function merged(book: BookCase): TrueFill[] {
  const fills: TrueFill[] = [];
  for (const fill of book.fills) {
    const last = fills[fills.length - 1];
    if (last?.orderId !== fill.orderId || last.seq !== fill.seq) fills.push(fill);
    else {
      const quantity = last.quantity + fill.quantity;
      const price = (last.price * abs(last.quantity) + fill.price * abs(fill.quantity)) / abs(quantity);
      fills[fills.length - 1] = { ...fill, quantity, price, fee: last.fee + fill.fee };
    }
  }
  return fills;
}

/** Links as order totals give them: no execution id, a merged fill's two legs at its average price. */
function orderDerived(tables: Tables): Tables {
  return { ...tables, position_orders: tables.position_orders.map((row) => ({ ...row, exec_id: null, evidence: 'ambiguous' })) };
}

describe('judge', () => {
  const names = captureNames();

  it('has all sample sessions', () => expect(names).to.have.length(21));

  for (const name of names) {
    it(`accepts the tables made from the truth of ${name}`, () => {
      const truth = readTruth(name);
      for (const policy of POLICIES) expect(judge(tablesOfTruth(truth, policy), truth, { policy })).to.deep.equal([]);
    });
  }

  it('accepts the tables made from the truth of every simulated scenario, several accounts included', () => {
    for (const name of Object.keys(SCENARIOS)) {
      const { truth } = simulate(scenario(name, 11, { orders: 10, accounts: name === 'active' ? 2 : 1 }));
      for (const policy of POLICIES) expect(judge(tablesOfTruth(truth, policy), truth, { policy }), name).to.deep.equal([]);
    }
  });

  it('rejects the other policy', () => {
    const truth = readTruth('shared-signals');
    expect(judge(tablesOfTruth(truth, 'fifo'), truth, { policy: 'pro-rata' })).to.not.deep.equal([]);
  });

  describe('the sequence of orders inside one seq', () => {
    const truth = readTruth('one-seq');
    const turnedAt = (wanted: (labels: readonly string[]) => boolean): Truth[] => {
      const groups = [...new Set(truth.legs.filter((leg) => leg.swappable).map((leg) => `${leg.symbol}|${leg.seq}`))];
      const cases = [...casesOf(truth).values()];
      return groups.flatMap((group) => {
        const fills = cases.flatMap((book) => book.fills).filter((fill) => `${fill.symbol}|${fill.seq}` === group);
        if (!wanted(truth.legs.filter((leg) => `${leg.symbol}|${leg.seq}` === group).map((leg) => leg.relationship))) return [];
        const orders = [...new Set(fills.map((fill) => fill.orderId))].reverse();
        const turned = orders.flatMap((orderId) => fills.filter((fill) => fill.orderId === orderId));
        return [retold(truth, (book) => {
          const at = book.fills.indexOf(book.fills.find((fill) => fill.execId === fills[0]?.execId) as TrueFill);
          return at < 0 ? book.fills : [...book.fills.slice(0, at), ...turned, ...book.fills.slice(at + turned.length)];
        })];
      });
    };

    it('may be another where closedSize and execPnl are the same in both', () => {
      const turned = turnedAt((labels) => labels.every((label) => label === 'opened' || label === 'increased'));
      expect(turned).to.not.have.length(0);
      for (const other of turned.slice(0, 4)) {
        expect(other.legs).to.not.deep.equal(truth.legs);
        for (const policy of POLICIES) expect(judge(tablesOfTruth(other, policy), truth, { policy })).to.deep.equal([]);
      }
    });

    it('may not be another where closedSize tells', () => {
      const turned = turnedAt((labels) => labels.includes('reversed') || (labels.includes('opened') && labels.includes('closed')));
      expect(turned).to.not.have.length(0);
      for (const other of turned.slice(0, 4)) expect(judge(tablesOfTruth(other, 'pro-rata'), truth, { policy: 'pro-rata' })).to.not.deep.equal([]);
    });
  });

  describe('fills known only by order totals', () => {
    for (const name of ['partials', 'reversals', 'orders-only', 'hedge']) {
      it(`may merge those of one order message (${name})`, () => {
        const told = readTruth(name);
        // No record shows what a crossing fill opened: both legs may have its average.
        const truth = { ...told, books: told.books.map((book) => ({ ...book, updates: [] })) };
        const other = retold(truth, merged);
        expect(other.fills.length).to.be.lessThan(truth.fills.length);
        for (const policy of POLICIES) {
          // What the exchange shows of the position does not depend on how fills were told.
          const tables = { ...orderDerived(tablesOfTruth(other, policy)), positions: tablesOfTruth(truth, policy).positions ?? [] };
          expect(judge(tables, truth, { policy, grain: 'order-message' })).to.deep.equal([]);
          expect(judge(tables, truth, { policy })).to.not.deep.equal([]);
          // Where every record came, those show it, and an average is wrong.
          if (name === 'reversals') expect(judge(tables, told, { policy, grain: 'order-message' })).to.not.deep.equal([]);
          const row = tables.position_orders[3] as Row;
          const less = { ...tables, position_orders: tables.position_orders.filter((one) => one !== row) };
          expect(judge(less, truth, { policy, grain: 'order-message' })).to.not.deep.equal([]);
          const dearer = tables.position_orders.map((one) => (one === row ? { ...row, execution_price: '1.5' } : one));
          expect(judge({ ...tables, position_orders: dearer }, truth, { policy, grain: 'order-message' })).to.not.deep.equal([]);
        }
      });
    }
  });

  describe('hidden trades', () => {
    const truth = readTruth('hidden-trades');
    const tables = tablesOfTruth(truth, 'pro-rata');
    const touched = new Set(truth.legs.filter((leg) => !leg.visible).map((leg) => `position |${leg.cycle}`));
    const residual = tables.position_orders.find((row) => row['order_id'] === null) as Row;

    it('may split their money into gross and fee otherwise, in the cycles they touch', () => {
      const shifted = (row: Row): Row => ({ ...row, realized_pnl: `${Number(row['realized_pnl']) - 1}`.slice(0, 18), fees: `${Number(row['fees']) - 1}`.slice(0, 18) });
      const moved = (ids: boolean) => tables.prediction_trading_results.map((row) => (touched.has(row['position_id'] as string) === ids ? { ...row, ...shifted(row), net_pnl: row['net_pnl'] } : row));
      expect(judge({ ...tables, prediction_trading_results: moved(true) }, truth, { policy: 'pro-rata' })).to.deep.equal([]);
      expect(judge({ ...tables, prediction_trading_results: moved(false) }, truth, { policy: 'pro-rata' })).to.not.deep.equal([]);
    });

    it('must be residuals of the hidden size', () => {
      const without = tables.position_orders.filter((row) => row !== residual);
      expect(judge({ ...tables, position_orders: without }, truth, { policy: 'pro-rata' })).to.not.deep.equal([]);
      const priced = tables.position_orders.map((row) => (row === residual ? { ...row, execution_price: '1' } : row));
      expect(judge({ ...tables, position_orders: priced }, truth, { policy: 'pro-rata' })).to.not.deep.equal([]);
      expect(judge({ ...tables, position_discrepancies: [] }, truth, { policy: 'pro-rata' })).to.not.deep.equal([]);
    });
  });

  describe('hidden trades among lost position messages', () => {
    const sessions = [1, 2, 3, 4, 5, 6].map((seed) => simulate(scenario('disconnects', seed, { orders: 30, trouble: { disconnects: 0.05 } })).truth);
    const unsure = sessions.flatMap((truth) => [...casesOf(truth).values()].filter((book) => !isPlaceKnown(book)).map((book) => ({ truth, book })));

    it('leave the place of a residual open, not the sum', () => {
      let totals = 0;
      for (const { truth, book } of unsure) {
        const tables = tablesOfTruth(truth, 'pro-rata');
        const own = (row: Row) => row['asset'] === book.symbol;
        const of = (rows: readonly Row[]) => judge({ ...tables, position_orders: rows }, truth, { policy: 'pro-rata' }).filter((one) => one.startsWith(book.key));
        expect(of(tables.position_orders)).to.deep.equal([]);
        const seen = tables.position_orders.find((row) => own(row) && row['exec_id'] !== null) as Row;
        expect(of(tables.position_orders.map((row) => (row === seen ? { ...row, signal_id: 'another' } : row)))).to.not.deep.equal([]);
        expect(of(tables.position_orders.map((row) => (row === seen ? { ...row, size_delta: '0' } : row)))).to.not.deep.equal([]);
        const residual = tables.position_orders.find((row) => own(row) && row['order_id'] === null) as Row;
        expect(of(tables.position_orders.filter((row) => row !== residual))).to.not.deep.equal([]);
        const paid = (row: Row) => (row === tables.prediction_trading_results.find(own) ? { ...row, fees: '1000' } : row);
        const dearer = { ...tables, prediction_trading_results: tables.prediction_trading_results.map(paid) };
        totals += judge(dearer, truth, { policy: 'pro-rata' }).filter((one) => one.includes('results sum to')).length;
      }
      expect(totals).to.be.greaterThan(0);
    });
  });

  describe('what happened untold before the first record', () => {
    const sessions = ([[28029, 30], [29001, 25], [29082, 25], [29243, 25]] as const).map(([seed, orders]) => simulate(scenario('everything', seed, { orders })).truth);
    const found = sessions.flatMap((truth) => [...casesOf(truth).values()].flatMap((book) => {
      const shown = asFirstShown(book);
      return shown !== null && shown.startSize !== 0n && shown.fills.every((fill) => fill.visible) ? [{ truth, book, shown }] : [];
    }));

    it('is in the start, which must be what that record shows', () => {
      expect(found).to.not.have.length(0);
      for (const { truth, book, shown } of found) {
        const other = retold(truth, (one) => (one.key === book.key ? [...shown.fills] : one.fills), (one) => (one.key === book.key ? shown : one));
        const tables = tablesOfTruth(other, 'fifo');
        const judged = (change: (row: Row) => Row | null): string[] => {
          const rows = tables.position_orders.map(change).filter((row) => row !== null);
          return judge({ position_orders: rows, position_cycles: tables.position_cycles, prediction_trading_results: tables.prediction_trading_results }, truth, { policy: 'fifo' })
            .filter((one) => one.startsWith(book.key));
        };
        const isStart = (row: Row) => row['asset'] === book.symbol && row['position_idx'] === book.index && String(row['id']).startsWith('start');
        expect(judged((row) => row)).to.deep.equal([]);
        expect(judged((row) => (isStart(row) ? null : row))).to.not.deep.equal([]);
        expect(judged((row) => (isStart(row) ? { ...row, size_delta: `${row['size_delta']}1` } : row))).to.not.deep.equal([]);
        const told = shown.fills[0]?.execId;
        if (told !== undefined) expect(judged((row) => (String(row['exec_id']) === told ? null : row))).to.not.deep.equal([]);
      }
    });
  });

  it('wants the start link of a book that was open when the recording began', () => {
    const truth = readTruth('mid-start');
    const tables = tablesOfTruth(truth, 'fifo');
    const without = tables.position_orders.filter((row) => row['order_id'] !== null);
    expect(without.length).to.equal(tables.position_orders.length - 2);
    expect(judge({ ...tables, position_orders: without }, truth, { policy: 'fifo' })).to.not.deep.equal([]);
  });

  it('reads amounts as bigints scaled by 10^18 too', () => {
    const truth = readTruth('clean');
    const tables = tablesOfTruth(truth, 'fifo');
    const scaled = tables.position_orders.map((row) => ({ ...row, size_delta: BigInt(Math.round(Number(row['size_delta']) * 1000)) * 10n ** 15n }));
    expect(judge({ ...tables, position_orders: scaled }, truth, { policy: 'fifo' })).to.deep.equal([]);
  });
});
