import { expect } from 'chai';
import { formatDecimal, ONE, type Decimal } from '../../src/domain/decimal.js';
import { captureArrivals, captureTruth } from './frames.js';
import { Session } from './session.js';

const NAMES = [
  'clean', 'duplicates', 'external', 'funding', 'hedge', 'hidden-trades', 'inverse', 'late-fills', 'late-positions', 'lost-executions',
  'lost-positions', 'mid-start', 'no-seq', 'odd-rows', 'one-seq', 'orders-only', 'partials', 'reversals', 'shared-signals', 'skew', 'stalls',
];

function fraction(text: string): Decimal {
  const [n, d] = text.split('/');
  return (BigInt(n!) * ONE) / BigInt(d!);
}

function add(totals: Map<string, Decimal>, key: string, amount: Decimal): void {
  totals.set(key, (totals.get(key) ?? 0n) + amount);
}

function play(name: string): Session {
  const session = new Session();
  for (const { receivedAt, rows } of captureArrivals(name)) {
    session.advance(receivedAt - 500);
    for (const row of rows) session.put(row);
  }
  session.close();
  return session;
}

describe('fills of the captures', () => {
  for (const name of NAMES) {
    it(`${name}: every visible fill once, by its execution or within its order's totals`, () => {
      const session = play(name);
      const visible = captureTruth(name).fills.filter((fill) => fill.visible);
      const truth = new Map<string, Decimal>();
      for (const fill of visible) add(truth, `${fill.order_id} ${fill.side} ${fill.signal}`, fraction(fill.qty));
      const got = new Map<string, Decimal>();
      for (const fill of session.liveFills()) add(got, `${fill.order_id} ${fill.side} ${fill.signal_id}`, fill.quantity);
      const texts = (totals: Map<string, Decimal>) => [...totals].map(([key, total]) => `${key} ${formatDecimal(total)}`).sort();
      expect(texts(got)).to.deep.equal(texts(truth));
      const byId = new Map(visible.map((fill) => [fill.exec_id, fill]));
      for (const fill of session.liveFills()) {
        if (fill.exec_id === null) continue;
        const known = byId.get(fill.exec_id)!;
        expect([fill.quantity, fill.price, fill.fee]).to.deep.equal([known.qty, known.price, known.fee].map(fraction), fill.fill_id);
        expect(fill.seq === null || fill.seq === known.seq).to.equal(true);
      }
    });
  }

  it('lost-executions: each order-derived fill amounts to the true fills that are missing between two totals', () => {
    const session = play('lost-executions');
    const shown = new Set(session.liveFills().flatMap((fill) => (fill.exec_id === null ? [] : [fill.exec_id])));
    const lost = captureTruth('lost-executions').fills.filter((fill) => fill.visible && !shown.has(fill.exec_id));
    const derived = session.liveFills().filter((fill) => fill.source === 'order');
    expect(derived.length).to.be.greaterThan(5);
    for (const fill of derived) {
      const within = lost.filter(({ order_id: id, seq }) => id === fill.order_id && seq <= fill.seq! && seq > (fill.seq_after ?? -1));
      const sum = (pick: (fill: (typeof lost)[number]) => Decimal) => within.reduce((total, one) => total + pick(one), 0n);
      expect(formatDecimal(fill.quantity)).to.equal(formatDecimal(sum((one) => fraction(one.qty))), fill.fill_id);
      expect(formatDecimal(fill.fee)).to.equal(formatDecimal(sum((one) => fraction(one.fee))), fill.fill_id);
      const value = sum((one) => (fraction(one.qty) * fraction(one.price)) / ONE);
      expect(formatDecimal(fill.value)).to.equal(formatDecimal(value), fill.fill_id);
    }
  });

  it('funding: cash events and no fills', () => {
    const session = play('funding');
    expect(session.of('CashEvent').map(({ kind, source, retracted }) => [kind, source, retracted])).to.deep.equal([
      ['funding', 'execution', false],
      ['funding', 'execution', false],
    ]);
  });

  it('odd-rows: a type not known is named once, however often it is repeated', () => {
    const anomalies = play('odd-rows').of('ExecutionAnomaly');
    expect(new Set(anomalies.map((row) => `${row.exec_id} ${row.cause}`)).size).to.equal(11);
    expect(anomalies.every((row) => row.cause === 'unknown_exec_type' && row.position_idx === 0)).to.equal(true);
  });
});
