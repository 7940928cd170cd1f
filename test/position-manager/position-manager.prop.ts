import fc from 'fast-check';
import { expect } from 'chai';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { PositionUpdate } from '../../src/domain/records.js';
import type { StateChange } from '../../src/runtime/processor.js';
import { PositionManager } from '../../src/position-manager/position-manager.js';
import { merged, RecordingEmitter, T0, update } from './position-updates.js';

const amount = fc.bigInt({ min: -3n, max: 3n }).map((units) => units * 10n ** 17n);

/** Few values, so that ties are common. */
const anyUpdate: fc.Arbitrary<PositionUpdate> = fc
  .record({
    account: fc.constantFrom('main', 'other'),
    asset: fc.constantFrom('SOLUSDT', 'XRPUSDT'),
    position_idx: fc.constantFrom(0, 1, 2),
    size: amount,
    entry_price: fc.option(amount, { nil: null }),
    mark_price: amount,
    cum_realised_pnl: fc.option(amount, { nil: null }),
    seq: fc.constantFrom(null, -1, 100, 101),
    updated_at: fc.constantFrom(T0, T0 + 1),
    envelope_created_at: fc.constantFrom(T0 + 10, T0 + 11),
    received_at: fc.constantFrom(T0 + 12, T0 + 13),
    frame_index: fc.nat(2),
  })
  .map(update);

const updates = fc.array(anyUpdate, { minLength: 1, maxLength: 30 });

describe('position-manager, any updates', () => {
  it('ends with the same rows whatever order they come in, however often', () => {
    fc.assert(fc.property(updates.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2, maxLength: list.length * 2 }))), ([list, shuffled]) => {
      const straight = new RecordingEmitter();
      const other = new RecordingEmitter();
      const first = new PositionManager();
      const second = new PositionManager();
      list.forEach((value, index) => first.process(merged(value, index), straight));
      shuffled.forEach((value, index) => second.process(merged(value, index), other));
      expect(other.latest()).to.deep.equal(straight.latest());
    }), { numRuns: 300 });
  });

  it('goes on after a restart anywhere as if there had been none', () => {
    fc.assert(fc.property(updates, fc.array(fc.boolean()), (list, restarts) => {
      const straight = new RecordingEmitter();
      const restarted = new RecordingEmitter();
      const processor = new PositionManager();
      let current = new PositionManager();
      const changelog = new Map<string, Uint8Array>();
      const commit = (changes: readonly StateChange[]) => {
        for (const { key, value } of changes) if (value !== null) changelog.set(key, value);
      };
      list.forEach((value, index) => {
        processor.process(merged(value, index), straight);
        current.process(merged(value, index), restarted);
        if (restarts[index] !== true) return;
        commit(current.takeChanges());
        expect(current.takeChanges()).to.deep.equal([]);
        current = new PositionManager();
        for (const [key, bytes] of [...changelog].reverse()) current.restore(key, bytes);
        current.finishRestore();
      });
      expect(restarted.emitted).to.deep.equal(straight.emitted);
      const bytes = (changes: readonly StateChange[]) => changes.map(({ key, value }) => `${key} ${Buffer.from(value ?? []).toString()}`).sort();
      commit(current.takeChanges());
      expect([...changelog].map(([key, value]) => `${key} ${Buffer.from(value).toString()}`).sort()).to.deep.equal(bytes(processor.takeChanges()));
    }), { numRuns: 200 });
  });

  it('keeps for every book the greatest by seq, times and text', () => {
    fc.assert(fc.property(updates, (list) => {
      const emitter = new RecordingEmitter();
      const processor = new PositionManager();
      list.forEach((value, index) => processor.process(merged(value, index), emitter));
      const rank = (value: PositionUpdate) => [value.seq ?? -1, value.updated_at, value.envelope_created_at];
      for (const value of list) {
        const key = `position-manager.positions ${value.asset}|${value.account}|${value.category}|${value.position_idx}`;
        const ofBook = list.filter((other) => key.endsWith(` ${other.asset}|${other.account}|${other.category}|${other.position_idx}`));
        const best = ofBook.reduce((a, b) => (canonicalJson(rank(a)) === canonicalJson(rank(b)) ? a : rank(a).find((n, i) => n !== rank(b)[i])! > rank(b).find((n, i) => n !== rank(a)[i])! ? a : b));
        const row = emitter.latest()[key] as { seq: number | null; updated_at: number };
        expect([row.seq ?? -1, row.updated_at]).to.deep.equal(rank(best).slice(0, 2));
      }
    }), { numRuns: 100 });
  });
});
