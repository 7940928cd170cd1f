import { expect } from 'chai';
import { abs, formatDecimal, MONEY_UNIT, ONE, type Decimal } from '../../src/domain/decimal.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { PositionCycle, PositionOrder, PositionUpdate, PredictionDelta } from '../../src/domain/records.js';
import { scenario, SCENARIOS } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { linkCapture, type PlainLog } from './core-pipeline.js';
import { deliveredAnew } from './delivered-anew.js';

function rowsOf<T>(log: PlainLog, topic: string): T[] {
  return log.of(topic).filter(({ type }) => type !== 'Watermark').map(({ value }) => value as T);
}

function live<T extends { retracted: boolean }>(log: PlainLog, topic: string, idOf: (row: T) => string): T[] {
  const rows = new Map<string, T>();
  for (const row of rowsOf<T>(log, topic)) {
    if (row.retracted) rows.delete(idOf(row));
    else rows.set(idOf(row), row);
  }
  return [...rows.values()];
}

const bookOf = (row: { account: string; category: string; asset: string; position_idx: number }): string => `${row.account}|${row.category}|${row.asset}|${row.position_idx}`;

function sum<T>(rows: readonly T[], amountOf: (row: T) => Decimal): Decimal {
  return rows.reduce((total, row) => total + amountOf(row), 0n);
}

/** Puts the legs of one cycle in the sequence in which each begins where the last ended; those that fit nowhere are left over. */
function chained(legs: readonly PositionOrder[]): { chain: PositionOrder[]; left: PositionOrder[] } {
  const left = [...legs].sort((a, b) => (a.seq ?? -1) - (b.seq ?? -1));
  const chain: PositionOrder[] = [];
  for (let size = 0n; left.length > 0; size = chain.at(-1)!.size_after) {
    const next = left.findIndex((leg) => leg.size_before === size || (chain.length === 0 && leg.leg === 1));
    if (next < 0) break;
    chain.push(...left.splice(next, 1));
  }
  return { chain, left };
}

/** What is wrong with live rows by themselves, whatever the session was. */
function violations(log: PlainLog): string[] {
  const found: string[] = [];
  const links = live<PositionOrder>(log, 'position-linker.position_orders', (row) => row.id);
  const cycles = live<PositionCycle>(log, 'position-linker.position_cycles', (row) => row.position_id);
  const deltas = rowsOf<PredictionDelta>(log, 'position-linker.prediction_deltas');
  const known = new Set(cycles.map((cycle) => cycle.position_id));
  for (const link of links) {
    if (!known.has(link.position_id)) found.push(`link ${link.id} belongs to no live cycle`);
    if (link.size_before + link.size_delta !== link.size_after && link.relationship_type !== 'reversed') found.push(`link ${link.id} does not add up`);
  }
  for (const cycle of cycles) {
    const name = `cycle ${cycle.position_id} of ${bookOf(cycle)}`;
    const own = links.filter((link) => link.position_id === cycle.position_id);
    const { chain, left } = chained(own);
    if (left.length > 0) found.push(`${name}: ${left.length} of ${own.length} legs do not follow from the others`);
    if (chain[0]?.relationship_type !== 'opened') found.push(`${name} begins ${chain[0]?.relationship_type}`);
    const size = sum(own, (link) => link.size_delta);
    if (size !== cycle.size) found.push(`${name}: legs add up to ${formatDecimal(size)}, its size is ${formatDecimal(cycle.size)}`);
    if (cycle.closed_at !== null && size !== 0n) found.push(`${name} is closed at ${formatDecimal(size)}`);
    const mine = deltas.filter((delta) => delta.position_id === cycle.position_id);
    const opened = sum(mine.filter((delta) => delta.kind === 'entry'), (delta) => delta.quantity);
    const closed = sum(mine.filter((delta) => delta.kind === 'exit' || delta.kind === 'residual'), (delta) => delta.quantity);
    if (opened - closed !== abs(cycle.size)) found.push(`${name}: deltas entered ${formatDecimal(opened)} and left ${formatDecimal(closed)}`);
    for (const [column, amount] of [['fees', sum(mine, (delta) => delta.fee)], ['funding', sum(mine, (delta) => delta.funding)]] as const) {
      if (amount !== cycle[column]) found.push(`${name}: ${column} are ${formatDecimal(cycle[column])}, its deltas have ${formatDecimal(amount)}`);
    }
  }
  const open = cycles.filter((cycle) => cycle.closed_at === null).map(bookOf);
  if (new Set(open).size !== open.length) found.push(`a book has two open cycles: ${open.join(', ')}`);
  const ids = new Set(deltas.map((delta) => delta.id));
  if (ids.size !== deltas.length) found.push('two deltas have one id');
  for (const delta of deltas) if (delta.reverses !== null && !ids.has(delta.reverses)) found.push(`delta ${delta.id} takes back one that never was`);
  return found;
}

/** Books whose deltas do not add up to what the exchange's realised total moved by, in units of the tolerance. */
function unbalanced(log: PlainLog): { weighed: number; found: string[] } {
  let weighed = 0;
  const found: string[] = [];
  const updates = rowsOf<PositionUpdate>(log, 'ws-gateway.position').filter((row) => row.seq !== null && row.seq >= 0 && (row.category === 'linear' || row.category === 'inverse'));
  const deltas = rowsOf<PredictionDelta>(log, 'position-linker.prediction_deltas');
  for (const book of new Set(updates.map(bookOf))) {
    const own = updates.filter((row) => bookOf(row) === book).sort((a, b) => a.seq! - b.seq! || a.updated_at - b.updated_at);
    const [first, last] = [own[0]!, own.at(-1)!];
    // From a book that began with its recording, to where nothing is open: under both policies it must balance there.
    if (last.size !== 0n || first.size !== 0n || first.cum_realised_pnl !== 0n) continue;
    weighed += 1;
    const mine = deltas.filter((delta) => bookOf(delta) === book);
    const net = sum(mine, (delta) => (delta.realized_pnl ?? 0n) - delta.fee - delta.funding);
    const events = BigInt(mine.length + 2);
    const units = own.some((row) => row.category === 'inverse') ? 0n : sum(mine, (delta) => abs(delta.quantity)) * 10n ** 10n / ONE;
    if (abs(net - last.cum_realised_pnl!) > MONEY_UNIT * events + units) {
      found.push(`${book}: results are ${formatDecimal(net)}, the exchange realised ${formatDecimal(last.cum_realised_pnl!)}`);
    }
  }
  return { weighed, found };
}

describe('live rows by themselves', () => {
  let weighedBooks = 0;
  Object.keys(SCENARIOS).forEach((name, i) => {
    const seed = 40 + i;
    const policy = seed % 2 === 0 ? 'fifo' : 'pro-rata';
    it(`${name}, seed ${seed}, ${policy}: sizes chain, cycles add up, books balance, what was issued can be derived again`, () => {
      const { lines } = simulate(scenario(name, seed, { orders: 12 }));
      const { log, linker } = linkCapture(i % 3 === 0 ? deliveredAnew(lines, seed) : lines, { policy });
      expect(violations(log)).to.deep.equal([]);
      const balance = unbalanced(log);
      weighedBooks += balance.weighed;
      expect(balance.found).to.deep.equal([]);
      const links = live<PositionOrder>(log, 'position-linker.position_orders', (row) => row.id);
      const derived = new Map<string, string>();
      for (const market of linker.markets) {
        for (const { book } of market.books.values()) {
          const issued = book.issuedRows().links;
          for (let i = 0; i < issued.size; i++) {
            const row = issued.at(i);
            derived.set(issued.idAt(i), canonicalJson({ before: row.size_before, after: row.size_after, evidence: row.evidence, position: row.position_id }));
          }
        }
      }
      expect(new Map(links.map((row) => [row.id, canonicalJson({ before: row.size_before, after: row.size_after, evidence: row.evidence, position: row.position_id })]))).to.deep.equal(derived);
    });
  });

  it('enough of these books ended flat to be weighed', () => {
    expect(weighedBooks).to.be.greaterThan(9);
  });
});
