import { expect } from 'chai';
import { formatDecimal, parseDecimal, type Decimal } from '../../src/domain/decimal.js';
import { ResultTable, type ResultRow, type RowChange } from '../../src/model-service/result-table.js';
import type { PredictionDelta } from '../../src/domain/records.js';
import { cycle, delta, exit, reversal, T0 } from './deltas.js';

const d = parseDecimal;

function rowsOf(...deltas: readonly PredictionDelta[]): ResultRow[] {
  const table = new ResultTable({ startsEmpty: true });
  for (const each of deltas) table.apply(each);
  return table.rows();
}

function only(...deltas: readonly PredictionDelta[]): ResultRow {
  const rows = rowsOf(...deltas);
  expect(rows).to.have.length(1);
  return rows[0] as ResultRow;
}

const text = (value: Decimal | null) => (value === null ? null : formatDecimal(value));

describe('prediction results', () => {
  it('make a row of entries, exits, fees and funding', () => {
    const row = only(
      delta({ id: '1' }),
      delta({ id: '2', quantity: d('1'), price: d('153'), value: d('153'), executed_at: T0 + 500 }),
      delta({ id: '3', kind: 'funding', quantity: 0n, price: null, value: 0n, fee: 0n, funding: d('0.03'), link_id: null, cash_id: 'f1', executed_at: T0 + 600 }),
      exit({ id: '4', quantity: d('1'), value: d('160'), price: d('160'), realized_pnl: d('9'), fee: d('0.2') }),
      exit({ id: '5', quantity: d('2'), value: d('310'), price: d('155'), realized_pnl: d('8'), fee: 0n, exit_signal_id: null, exit_reason: 'stop_loss', executed_at: T0 + 2_000 }),
      delta({ id: '6', kind: 'fee', quantity: 0n, price: null, value: 0n, fee: d('-0.05'), executed_at: T0 + 9_000 }),
    );
    expect(row).to.deep.equal({
      signal_id: 'a',
      position_id: 'p1',
      account: 'main',
      category: 'linear',
      asset: 'SOLUSDT',
      position_idx: 0,
      direction: 'long',
      entry_quantity: d('3'),
      entry_price: d('151'),
      entry_at: T0,
      exit_quantity: d('3'),
      exit_price: d('156.666666666666666667'),
      exit_at: T0 + 2_000,
      realized_pnl: d('17'),
      fees: d('0.35'),
      funding: d('0.03'),
      net_pnl: d('16.62'),
      open_quantity: 0n,
      is_closed: true,
      is_contaminated: false,
      exit_signal_ids: ['b'],
      exit_reasons: ['stop_loss', 'user'],
      final_to_seq: null,
    });
  });

  it('are on the side that stands once a cycle was found to be on the other', () => {
    const long = delta({ id: '1' });
    expect(only(long, reversal(long), delta({ id: '2', side: 'Sell' })).direction).to.equal('short');
  });

  it('are open while quantity is', () => {
    expect(only(delta(), exit({ quantity: d('0.5') }))).to.deep.include({ open_quantity: d('1.5'), is_closed: false });
    expect(only(delta())).to.deep.include({ exit_price: null, exit_at: null, exit_signal_ids: [], is_closed: false });
  });

  it('know shorts', () => expect(only(delta({ side: 'Sell' })).direction).to.equal('short'));

  it('average inverse contracts harmonically, from values', () => {
    // 1000 at 5000 and 2000 at 6000: 3000 / (0.2 + 0.333...) = 5625.
    const row = only(
      delta({ category: 'inverse', quantity: d('1000'), price: d('5000'), value: d('0.2') }),
      delta({ category: 'inverse', quantity: d('2000'), price: d('6000'), value: d('0.333333333333333333') }),
      exit({ category: 'inverse', quantity: d('500'), price: d('8000'), value: d('0.0625'), realized_pnl: d('0.026388888888888889') }),
    );
    expect(text(row.entry_price)?.slice(0, 8)).to.equal('5625.000');
    expect(text(row.exit_price)).to.equal('8000');
  });

  it('keep the unattributed bucket apart, and cycles, and signals', () => {
    const rows = rowsOf(delta(), delta({ signal_id: null }), delta({ signal_id: 'b' }), delta({ position_id: 'p0' }));
    expect(rows.map((row) => [row.position_id, row.signal_id])).to.deep.equal([['p0', 'a'], ['p1', null], ['p1', 'a'], ['p1', 'b']]);
  });

  it('do not show money that is not known', () => {
    const unknown = delta({ signal_id: null, price: null, value: 0n });
    const out = exit({ signal_id: null, realized_pnl: null });
    expect(only(unknown, out)).to.deep.include({ entry_price: null, realized_pnl: null, net_pnl: null, exit_price: d('160'), is_closed: true });
    const known = delta({ signal_id: null });
    expect(only(unknown, out, known, reversal(unknown), reversal(out))).to.deep.include({ entry_price: d('150'), realized_pnl: 0n });
  });

  it('take a closing residual as an exit with its implied value', () => {
    const residual = exit({ kind: 'residual', price: null, value: d('318'), realized_pnl: d('18'), exit_signal_id: null, exit_reason: null, fee: 0n });
    expect(only(delta(), residual)).to.deep.include({ exit_quantity: d('2'), exit_price: d('159'), is_closed: true, realized_pnl: d('18'), exit_reasons: [] });
    expect(only(delta(), residual, reversal(residual))).to.deep.equal(only(delta()));
  });

  it('take a residual without quantity as money alone', () => {
    const money = delta({ id: 'm', signal_id: null, kind: 'residual', quantity: 0n, price: null, value: 0n, realized_pnl: d('-0.7'), fee: 0n, executed_at: T0 + 5 });
    expect(only(money)).to.deep.include({ entry_quantity: 0n, entry_at: null, exit_at: null, exit_quantity: 0n, realized_pnl: d('-0.7'), is_closed: false });
  });

  it('average exits over those with a price', () => {
    const unpriced = exit({ kind: 'residual', quantity: d('1'), price: null, value: 0n, realized_pnl: null });
    const priced = exit({ quantity: d('1'), value: d('160') });
    expect(only(delta(), unpriced, priced).exit_price).to.deep.equal(d('160'));
    expect(only(delta(), unpriced).exit_price).to.equal(null);
  });

  it('are undone by a reversal: times, signals and reasons too', () => {
    const first = exit({ id: 'x1', quantity: d('1'), executed_at: T0 + 1_000 });
    const second = exit({ id: 'x2', quantity: d('1'), executed_at: T0 + 3_000, exit_signal_id: 'c', exit_reason: 'liquidation' });
    const early = delta({ id: 'e', executed_at: T0 - 700 });
    expect(only(early, delta(), first, second)).to.deep.include({ entry_at: T0 - 700, exit_at: T0 + 3_000, exit_signal_ids: ['b', 'c'], exit_reasons: ['liquidation', 'user'] });
    expect(only(early, delta(), first, second, reversal(early), reversal(second))).to.deep.equal(only(delta(), first));
    // The other of two with one time and signal still stands.
    expect(only(delta(), first, first, reversal(first))).to.deep.equal(only(delta(), first));
  });

  it('go when all deltas are reversed', () => {
    const one = delta();
    const two = exit();
    expect(rowsOf(one, two, reversal(two), reversal(one))).to.deep.equal([]);
  });

  describe('and their cycle', () => {
    it('says how final they are and which are contaminated, whichever comes first', () => {
      const facts = cycle({ verified_to_seq: 130, contaminated_signal_ids: ['a', 'z'] });
      const before = new ResultTable({ startsEmpty: true });
      before.applyCycle(facts);
      before.apply(delta());
      before.apply(delta({ signal_id: 'b' }));
      before.apply(delta({ signal_id: null }));
      const after = new ResultTable({ startsEmpty: true });
      for (const signal_id of ['a', 'b', null]) after.apply(delta({ signal_id }));
      after.applyCycle(facts);
      expect(before.rows()).to.deep.equal(after.rows());
      expect(after.rows().map((row) => [row.signal_id, row.is_contaminated, row.final_to_seq])).to.deep.equal([[null, false, 130], ['a', true, 130], ['b', false, 130]]);
    });

    it('counts as it stands last, and not once it is retracted', () => {
      const table = new ResultTable({ startsEmpty: true });
      table.apply(delta());
      table.applyCycle(cycle({ verified_to_seq: 130, contaminated_signal_ids: ['a'] }));
      table.applyCycle(cycle({ verified_to_seq: -1, revision: 1 }));
      expect(table.rows()[0]).to.deep.include({ final_to_seq: null, is_contaminated: false });
      table.applyCycle(cycle({ verified_to_seq: 140, revision: 2 }));
      expect(table.rows()[0]?.final_to_seq).to.equal(140);
      table.applyCycle(cycle({ retracted: true, revision: 3 }));
      expect(table.rows()[0]?.final_to_seq).to.equal(null);
    });
  });

  describe('in a sink', () => {
    const brief = (changes: readonly RowChange[]) => changes.map((change) => (change.kind === 'delete' ? ['delete', change.positionId, change.signalId] : ['upsert', change.row.position_id, change.row.signal_id]));

    it('must be loaded before they are changed', () => {
      const table = new ResultTable();
      expect(table.needs('p1')).to.equal(true);
      expect(() => table.apply(delta())).to.throw('not loaded');
      expect(() => table.applyCycle(cycle())).to.throw('not loaded');
      table.load('p1', null, []);
      expect(table.needs('p1')).to.equal(false);
      expect(() => table.load('p1', null, [])).to.throw('loaded already');
      table.apply(delta());
      expect(new ResultTable({ startsEmpty: true }).needs('p1')).to.equal(false);
    });

    it('say what changed, once, in order', () => {
      const table = new ResultTable({ startsEmpty: true });
      table.apply(delta({ position_id: 'p2' }));
      table.apply(delta());
      table.apply(delta({ signal_id: null }));
      table.apply(exit());
      expect(brief(table.takeChangedRows())).to.deep.equal([['upsert', 'p1', null], ['upsert', 'p1', 'a'], ['upsert', 'p2', 'a']]);
      expect(table.takeChangedRows()).to.deep.equal([]);
      table.apply(reversal(delta({ signal_id: null })));
      expect(brief(table.takeChangedRows())).to.deep.equal([['delete', 'p1', null]]);
    });

    it('change with their cycle, whose facts are stored too; a cycle that says the same changes nothing', () => {
      const table = new ResultTable({ startsEmpty: true });
      table.apply(delta());
      table.apply(delta({ signal_id: 'b' }));
      table.takeChangedRows();
      table.applyCycle(cycle({ contaminated_signal_ids: ['b', 'a'] }));
      expect(table.takeChangedCycles()).to.deep.equal([{ kind: 'upsert', cycle: { positionId: 'p1', contaminatedSignalIds: ['a', 'b'], finalToSeq: 120 } }]);
      expect(brief(table.takeChangedRows())).to.deep.equal([['upsert', 'p1', 'a'], ['upsert', 'p1', 'b']]);
      table.applyCycle(cycle({ contaminated_signal_ids: ['a', 'b'], revision: 7, size: 0n }));
      expect([table.takeChangedCycles(), table.takeChangedRows()]).to.deep.equal([[], []]);
      table.applyCycle(cycle({ retracted: true }));
      expect(table.takeChangedCycles()).to.deep.equal([{ kind: 'delete', positionId: 'p1' }]);
    });

    it('bound what they hold, and lose nothing that is not stored', () => {
      const table = new ResultTable();
      for (const positionId of ['p1', 'p2', 'p3']) table.load(positionId, null, []);
      table.apply(delta({ position_id: 'p2' }));
      table.apply(delta({ position_id: 'p1' }));
      table.forgetIdle(1);
      expect(['p1', 'p2', 'p3'].map((id) => table.needs(id))).to.deep.equal([false, false, true]);
      table.takeChangedRows();
      table.forgetIdle(1);
      expect(['p1', 'p2', 'p3'].map((id) => table.needs(id))).to.deep.equal([false, true, true]);
      table.clear();
      expect(table.needs('p1')).to.equal(true);
      expect(() => new ResultTable({ startsEmpty: true }).forgetIdle(0)).to.throw('stored nowhere else');
    });

    it('refuse what another version stored', () => {
      expect(() => new ResultTable().load('p1', null, [{ signalId: 'a', tally: '{"v":2}' }])).to.throw('version 2');
    });
  });
});
