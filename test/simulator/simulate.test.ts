import { expect } from 'chai';
import { readCapture } from '../captures/captures.js';
import { abs, money8, parseFixed, truncated8, type Fixed } from './fixed.js';
import { scenario, SCENARIOS } from './scenarios.js';
import { simulate, simulateLines } from './simulate.js';
import { casesOf } from '../truth/cases.js';
import { BookFold } from '../truth/fold.js';
import { POLICIES } from '../truth/lots.js';
import type { Truth } from '../truth/truth.js';

type Row = Record<string, unknown>;
interface Line {
  receivedAt: number;
  account?: string;
  frame: { topic: string; id: string; creationTime: number; data: Row[] };
}

const read = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Line);
const rowsOf = (lines: readonly Line[], topic: string) => lines.filter((line) => line.frame.topic === topic).flatMap((line) => line.frame.data);

describe('exchange simulator', () => {
  it('gives the same bytes for the same seed, and others for another', () => {
    for (const name of Object.keys(SCENARIOS)) {
      const [a, b, c] = [5, 5, 6].map((seed) => simulate(scenario(name, seed, { orders: 4 })));
      expect(a?.lines, name).to.deep.equal(b?.lines);
      expect(JSON.stringify(a?.truth), name).to.equal(JSON.stringify(b?.truth));
      expect(a?.lines, name).to.not.deep.equal(c?.lines);
    }
  });

  it('streams the same lines it collects', () => {
    for (const name of ['stalls', 'everything']) {
      expect([...simulateLines(scenario(name, 3))], name).to.deep.equal(simulate(scenario(name, 3)).lines);
    }
  });

  it('delivers in order of arrival', () => {
    const times = read(simulate(scenario('shaken', 2)).lines).map((line) => line.receivedAt);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
  });

  it('writes rows with the same fields, in the same order, as the sample sessions', () => {
    const shapes = (lines: readonly Line[]) => {
      const found = new Set<string>();
      for (const { frame } of lines) {
        for (const row of frame.data) {
          if (row['execType'] !== 'Funding') found.add(`${Object.keys(frame).join()} ${Object.keys(row).join()} ${Object.values(row).map((value) => typeof value).join()}`);
        }
      }
      return [...found].sort();
    };
    expect(shapes(read(simulate(scenario('clean', 1)).lines))).to.deep.equal(shapes(read(readCapture('clean').lines)));
    expect(shapes(read(simulate(scenario('inverse', 1)).lines))).to.deep.equal(shapes(read(readCapture('inverse').lines)));
  });

  for (const name of ['clean', 'reversals', 'hedge', 'inverse', 'funding', 'one-seq', 'external', 'odd-rows', 'overlap', 'varied', 'active', 'settings', 'hidden-trades', 'mid-start']) {
    it(`shows in every row what is true then (${name})`, () => {
      const { lines, truth } = simulate(scenario(name, 4, { orders: 40 }));
      expect(checkRows(read(lines), truth)).to.be.greaterThan(60);
    });
  }

  it('closes every cycle at 0 and accounts for all money', () => {
    for (const name of ['reversals', 'hedge', 'inverse', 'active', 'one-seq', 'shared-signals']) {
      const { truth } = simulate(scenario(name, 9));
      for (const book of truth.books) {
        const own = (row: { cycle: string }) => row.cycle.startsWith(`${book.symbol}:${book.idx}:`);
        const last = truth.legs.filter((leg) => leg.symbol === book.symbol && leg.idx === book.idx).at(-1);
        for (const cycle of new Set(truth.legs.filter(own).map((leg) => leg.cycle))) {
          const sum = truth.legs.filter((leg) => leg.cycle === cycle).reduce((total, leg) => total + parseFixed(leg.size_delta), 0n);
          expect(sum, cycle).to.equal(cycle === last?.cycle ? parseFixed(book.size) : 0n);
        }
        const nets = POLICIES.map((policy) => truth.results[policy].filter(own).reduce((total, row) => total + parseFixed(row.realized) - parseFixed(row.fees) - parseFixed(row.funding), 0n));
        expect(abs((nets[0] as Fixed) - parseFixed(book.cum)) < 10n ** 6n, `${name} ${book.symbol}`).to.equal(true);
        if (book.size === '0/1') expect(abs((nets[1] as Fixed) - parseFixed(book.cum)) < 10n ** 6n, `${name} ${book.symbol}`).to.equal(true);
      }
    }
  });

  it('makes each kind of trouble it is asked for', () => {
    const of = (name: string) => {
      const { lines, truth } = simulate(scenario(name, 8));
      return { truth, lines: name === 'bad-input' ? [] : read(lines), raw: lines };
    };
    const lateness = (lines: readonly Line[], topic: string) => lines.filter((line) => line.frame.topic === topic).map((line) => line.receivedAt - line.frame.creationTime);
    expect(rowsOf(of('orders-only').lines, 'execution')).to.have.length(0);
    expect(rowsOf(of('no-seq').lines, 'execution').filter((row) => row['seq'] === -1).length).to.be.greaterThan(5);
    expect(rowsOf(of('odd-rows').lines, 'execution').filter((row) => row['execType'] === 'SomethingNew').length).to.be.greaterThan(2);
    expect(of('hedge').lines.filter((line) => line.frame.topic === 'position').every((line) => line.frame.data.length === 2)).to.equal(true);
    expect(Math.min(...lateness(of('late-positions').lines, 'position'))).to.be.greaterThan(900);
    expect(Math.min(...lateness(of('late-fills').lines, 'execution'))).to.be.greaterThan(900);
    expect(Math.max(...lateness(of('stalls').lines, 'position'), ...lateness(of('stalls').lines, 'order'), ...lateness(of('stalls').lines, 'execution'))).to.be.greaterThan(2000);
    expect(Math.max(...lateness(of('late-orders').lines, 'order'))).to.be.greaterThan(6000);
    expect(Object.keys(of('mid-start').truth.start)).to.not.have.length(0);
    expect(of('hidden-trades').truth.fills.filter((fill) => !fill.visible)).to.not.have.length(0);
    expect(of('disconnects').truth.fills.filter((fill) => !fill.visible)).to.not.have.length(0);
    expect(of('one-seq').truth.legs.filter((leg) => leg.swappable)).to.not.have.length(0);
    expect(of('funding').truth.funding).to.not.have.length(0);
    const bad = of('bad-input');
    expect(bad.truth.stats['badLines']).to.be.greaterThan(5);
    expect(bad.raw.filter((line) => line.includes('"spot"') || line.includes('"option"'))).to.have.length(bad.truth.stats['foreign'] as number);
    expect(bad.raw.filter((line) => line.includes('4102444800000'))).to.have.length(bad.truth.stats['farClock'] as number);
    const several = read(simulate(scenario('clean', 1, { accounts: 3 })).lines);
    expect([...new Set(several.map((line) => line.account))].sort()).to.deep.equal(['account-1', 'account-2', 'account-3']);
  });
});

/** Folds the true fills again and compares what position and execution rows say; returns how many rows it compared. */
function checkRows(lines: readonly Line[], truth: Truth): number {
  const states = new Map<string, { seq: number; time: number; fold: { size: Fixed; cost: Fixed; average: Fixed } }[]>();
  const closed = new Map<string, { closed: Fixed; pnl: Fixed }>();
  for (const book of casesOf(truth).values()) {
    const fold = new BookFold('', book.symbol, book.index, book.inverse);
    fold.begin(book.startSize, book.startCost, 0n);
    const list = [{ seq: -1, time: 0, fold: { size: fold.size, cost: fold.cost, average: fold.average } }];
    for (const fill of book.fills) {
      fold.fill(fill);
      closed.set(fill.execId, { closed: fold.closed, pnl: fold.pnl });
      list.push({ seq: fill.seq, time: fill.time, fold: { size: fold.size, cost: fold.cost, average: fold.average } });
    }
    states.set(`${book.symbol}:${book.index}`, list);
  }
  let compared = 0;
  for (const row of rowsOf(lines, 'position')) {
    const list = states.get(`${row['symbol']}:${row['positionIdx']}`) ?? [];
    const state = list.filter((one) => one.seq <= Number(row['seq'])).at(-1) as (typeof list)[number];
    const size = parseFixed(String(row['size'])) * (row['side'] === 'Sell' ? -1n : 1n);
    expect(size, `size at ${row['seq']}`).to.equal(state.fold.size);
    expect(row['side']).to.equal(state.fold.size > 0n ? 'Buy' : state.fold.size < 0n ? 'Sell' : '');
    expect(truncated8(parseFixed(String(row['positionValue'])))).to.equal(truncated8(state.fold.cost));
    expect(row['entryPrice']).to.equal(money8(state.fold.average));
    compared++;
  }
  for (const row of rowsOf(lines, 'execution')) {
    const wanted = closed.get(String(row['execId']));
    if (!wanted) continue;
    expect(parseFixed(String(row['closedSize'])), `closedSize of ${row['execId']}`).to.equal(wanted.closed);
    expect(row['execPnl']).to.equal(money8(wanted.pnl));
    compared++;
  }
  const final = new Map(rowsOf(lines, 'position').map((row) => [`${row['symbol']}:${row['positionIdx']}`, row]));
  for (const book of truth.books) {
    expect(final.get(`${book.symbol}:${book.idx}`)?.['cumRealisedPnl'], book.symbol).to.equal(money8(parseFixed(book.cum)));
  }
  return compared;
}
