import fc from 'fast-check';
import { expect } from 'chai';
import { divide, type Decimal } from '../../src/domain/decimal.js';
import type { PositionCycle, PredictionDelta } from '../../src/domain/records.js';
import { ResultTable, type ResultRow, type StoredCycle } from '../../src/model-service/result-table.js';
import { cycle, delta, exit, reversal, T0 } from './deltas.js';

const amount = fc.bigInt({ min: 1n, max: 10n ** 21n });
const signal = fc.constantFrom(null, 'a', 'b');
const position = fc.constantFrom('p1', 'p2');
const at = fc.nat(5).map((steps) => T0 + steps * 100);

const anyDelta: fc.Arbitrary<PredictionDelta> = fc.oneof(
  fc.record({ signal_id: signal, position_id: position, quantity: amount, value: amount, fee: amount, executed_at: at }).map(delta),
  fc
    .record({
      signal_id: signal,
      position_id: position,
      kind: fc.constantFrom('exit' as const, 'residual' as const),
      quantity: amount,
      value: amount,
      price: fc.option(amount, { nil: null }),
      realized_pnl: fc.option(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), { nil: null, freq: 6 }),
      exit_signal_id: signal,
      exit_reason: fc.constantFrom(null, 'user', 'adl'),
      executed_at: at,
    })
    .map(exit),
  fc.record({ signal_id: signal, position_id: position, kind: fc.constantFrom('fee' as const, 'funding' as const, 'residual' as const), quantity: fc.constant(0n), value: fc.constant(0n), price: fc.constant(null), fee: amount, funding: amount }).map(delta),
);

/** Deltas with ids, and which of them are taken back later. */
const history = fc
  .array(fc.tuple(anyDelta, fc.boolean()), { maxLength: 25 })
  .map((items) => items.map(([each, isReversed], index) => ({ delta: { ...each, id: `d${index}` }, isReversed })));

function tableOf(deltas: readonly PredictionDelta[], cycles: readonly PositionCycle[] = []): ResultRow[] {
  const table = new ResultTable({ startsEmpty: true });
  for (const each of deltas) table.apply(each);
  for (const each of cycles) table.applyCycle(each);
  return table.rows();
}

const sum = (values: readonly (Decimal | null)[]) => values.reduce<Decimal>((total, value) => total + (value ?? 0n), 0n);

/** The row of one (signal, cycle), computed from its live deltas alone. */
function expectedRow(deltas: readonly PredictionDelta[]): Partial<ResultRow> {
  const entries = deltas.filter((each) => each.kind === 'entry');
  const exits = deltas.filter((each) => each.kind === 'exit' || (each.kind === 'residual' && each.quantity !== 0n));
  const isKnown = deltas.every((each) => each.realized_pnl !== null);
  const realized = sum(deltas.map((each) => each.realized_pnl));
  const fees = sum(deltas.map((each) => each.fee));
  const funding = sum(deltas.map((each) => each.funding));
  const entryQuantity = sum(entries.map((each) => each.quantity));
  const exitQuantity = sum(exits.map((each) => each.quantity));
  const times = (list: readonly PredictionDelta[]) => list.map((each) => each.executed_at).sort((a, b) => a - b);
  const names = (list: readonly (string | null)[]) => [...new Set(list.filter((name) => name !== null))].sort();
  return {
    entry_quantity: entryQuantity,
    entry_price: entryQuantity === 0n ? null : divide(sum(entries.map((each) => each.value)), entryQuantity),
    entry_at: times(entries)[0] ?? null,
    exit_quantity: exitQuantity,
    exit_price: exitQuantity === 0n ? null : divide(sum(exits.map((each) => each.value)), exitQuantity),
    exit_at: times(exits).at(-1) ?? null,
    realized_pnl: isKnown ? realized : null,
    fees,
    funding,
    net_pnl: isKnown ? realized - fees - funding : null,
    open_quantity: entryQuantity - exitQuantity,
    is_closed: entryQuantity > 0n && entryQuantity === exitQuantity,
    exit_signal_ids: names(exits.map((each) => each.exit_signal_id)),
    exit_reasons: names(exits.map((each) => each.exit_reason)),
  };
}

describe('prediction results, any deltas', () => {
  it('are the sums over the live deltas, whatever was reversed', () => {
    fc.assert(fc.property(history, (items) => {
      const live = items.filter((item) => !item.isReversed).map((item) => item.delta);
      const rows = tableOf([...items.map((item) => item.delta), ...items.filter((item) => item.isReversed).map((item) => reversal(item.delta))]);
      const keys = new Set(live.map((each) => `${each.position_id} ${each.signal_id ?? ''}`));
      expect(rows.map((row) => `${row.position_id} ${row.signal_id ?? ''}`)).to.deep.equal([...keys].sort());
      for (const row of rows) expect(row).to.deep.include(expectedRow(live.filter((each) => each.position_id === row.position_id && each.signal_id === row.signal_id)));
    }), { numRuns: 400 });
  });

  it('do not depend on the order of deltas, reversals and cycles', () => {
    const script = history.chain((items) => {
      const all = [...items.map((item) => item.delta), ...items.filter((item) => item.isReversed).map((item) => reversal(item.delta))];
      return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }));
    });
    fc.assert(fc.property(script, ([straight, shuffled]) => {
      expect(tableOf(shuffled)).to.deep.equal(tableOf(straight));
    }), { numRuns: 300 });
  });

  it('survive being stored, forgotten and loaded after every batch, and the store ends with the same rows', () => {
    const cycles = fc.array(fc.record({ position_id: position, verified_to_seq: fc.integer({ min: -1, max: 5 }), contaminated_signal_ids: fc.subarray(['a', 'b']), retracted: fc.boolean() }).map(cycle), { maxLength: 6 });
    fc.assert(fc.property(history, cycles, fc.integer({ min: 1, max: 7 }), (items, facts, batchSize) => {
      const inputs = [
        ...items.map((item) => ({ id: item.delta.position_id, apply: (table: ResultTable) => table.apply(item.delta) })),
        ...facts.map((each) => ({ id: each.position_id, apply: (table: ResultTable) => table.applyCycle(each) })),
        ...items.filter((item) => item.isReversed).map((item) => ({ id: item.delta.position_id, apply: (table: ResultTable) => table.apply(reversal(item.delta)) })),
      ];
      const stored = new Map<string, { row: ResultRow; tally: string }>();
      const storedCycles = new Map<string, StoredCycle>();
      const sink = new ResultTable();
      const whole = new ResultTable({ startsEmpty: true });
      for (let start = 0; start < inputs.length; start += batchSize) {
        const batch = inputs.slice(start, start + batchSize);
        for (const id of new Set(batch.map((input) => input.id))) {
          if (!sink.needs(id)) continue;
          const rows = [...stored.values()].filter((entry) => entry.row.position_id === id);
          sink.load(id, storedCycles.get(id) ?? null, rows.map(({ row, tally }) => ({ signalId: row.signal_id, tally: JSON.stringify(JSON.parse(tally)) })));
        }
        for (const input of batch) {
          input.apply(sink);
          input.apply(whole);
        }
        for (const change of sink.takeChangedRows()) {
          if (change.kind === 'delete') stored.delete(`${change.positionId} ${change.signalId ?? ''}`);
          else stored.set(`${change.row.position_id} ${change.row.signal_id ?? ''}`, change);
        }
        for (const change of sink.takeChangedCycles()) {
          if (change.kind === 'delete') storedCycles.delete(change.positionId);
          else storedCycles.set(change.cycle.positionId, change.cycle);
        }
        sink.forgetIdle(start % 2);
      }
      expect([...stored].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry.row)).to.deep.equal(whole.rows());
    }), { numRuns: 300 });
  });
});
