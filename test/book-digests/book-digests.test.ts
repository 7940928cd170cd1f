import { expect } from 'chai';
import * as fc from 'fast-check';
import { BookDigests } from '../../src/book-digests/book-digests.js';
import { ONE } from '../../src/domain/decimal.js';
import type { BookDigest, PredictionDelta } from '../../src/domain/records.js';
import type { Emitter, MergedRecord } from '../../src/runtime/processor.js';

const HOUR_MS = 3_600_000;
const HORIZON_MS = 24 * HOUR_MS;
const BOOK = { account: 'a', category: 'linear', asset: 'BTCUSDT', position_idx: 0 };

function delta(id: string, executedAt: number, changes: Partial<PredictionDelta> = {}): PredictionDelta {
  return {
    ...BOOK, id, signal_id: 's', position_id: 'p', side: 'Buy', kind: 'entry', quantity: 2n * ONE, price: ONE, value: 2n * ONE, realized_pnl: 0n, fee: 1n, funding: 0n,
    exit_signal_id: null, exit_reason: null, link_id: id, cash_id: null, reverses: null, seq: 1, executed_at: executedAt, known_at: executedAt, ...changes,
  };
}

function reversal(of: PredictionDelta): PredictionDelta {
  return { ...of, id: `${of.id}-back`, reverses: of.id, quantity: -of.quantity, value: -of.value, realized_pnl: of.realized_pnl === null ? null : -of.realized_pnl, fee: -of.fee, funding: -of.funding };
}

/** The role fed by hand; rows as the compacted topic keeps them. */
class Rig {
  readonly rows = new Map<string, BookDigest>();
  readonly published: BookDigest[] = [];
  state = new Map<string, Uint8Array>();
  role = new BookDigests({ horizonMs: HORIZON_MS });
  private readonly emitter: Emitter = {
    emit: (_topic, key, _type, value) => {
      this.published.push(value as BookDigest);
      this.rows.set(key, value as BookDigest);
    },
    deadLetter: (_exception, message) => {
      throw new Error(message);
    },
  };

  take(value: PredictionDelta, effectiveMs: number): void {
    this.role.process({ topic: 'position-linker.prediction_deltas', partition: 0, offset: 0, eventMs: effectiveMs, effectiveMs, type: 'PredictionDelta', value } as MergedRecord, this.emitter);
  }

  advance(watermarkMs: number): void {
    this.role.advance(watermarkMs, this.emitter);
  }

  restart(): void {
    for (const { key, value } of this.role.takeChanges()) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, value);
    }
    this.role = new BookDigests({ horizonMs: HORIZON_MS });
    for (const [key, value] of this.state) this.role.restore(key, value);
    this.role.finishRestore();
  }

  content(): unknown[] {
    return [...this.rows].filter(([, { deltas, total_deltas }]) => deltas + total_deltas > 0).map(([key, { digest, total_digest, total_deltas }]) => [key, digest, total_digest, total_deltas]).sort();
  }
}

describe('digests of books', () => {
  it('are published at watermarks, an hour and a total each', () => {
    const rig = new Rig();
    rig.take(delta('1', 10), 10);
    rig.take(delta('2', HOUR_MS + 10), HOUR_MS + 10);
    expect(rig.published).to.deep.equal([]);
    rig.advance(HOUR_MS + 1_000);
    expect([...rig.rows.keys()]).to.deep.equal(['BTCUSDT|a|linear|0|0', `BTCUSDT|a|linear|0|${HOUR_MS}`]);
    const [first, second] = [...rig.rows.values()] as [BookDigest, BookDigest];
    expect([first.deltas, first.total_deltas, second.deltas, second.total_deltas]).to.deep.equal([1, 1, 1, 2]);
    expect(first.digest).to.match(/^[0-9a-f]{32}$/).and.equal(first.total_digest).and.not.equal(second.total_digest);
    rig.advance(HOUR_MS + 1_500);
    rig.advance(HOUR_MS + 9_000);
    expect(rig.published).to.have.length(2);
  });

  it('know nothing of a delta that was taken back, nor of how often one was issued', () => {
    const [never, back] = [new Rig(), new Rig()];
    never.take(delta('1', 10), 10);
    back.take(delta('1', 10, { fee: 5n }), 10);
    back.take(reversal(delta('1', 10, { fee: 5n })), 20);
    back.take(delta('another number', 10, { link_id: '1' }), 30);
    for (const rig of [never, back]) rig.advance(2_000);
    expect(back.content()).to.deep.equal(never.content());
    back.take(reversal(delta('1', 10)), 2_500);
    back.advance(4_000);
    expect([...back.rows.values()][0]).to.include({ deltas: 0, digest: '0'.repeat(32) });
  });

  it('differ for every amount, signal or link that differs', () => {
    const digests = [{}, { quantity: 3n * ONE }, { signal_id: null }, { link_id: 'x' }, { fee: 2n }, { exit_reason: 'user' }, { realized_pnl: null }].map((changes) => {
      const rig = new Rig();
      rig.take(delta('1', 10, changes), 10);
      rig.advance(2_000);
      return rig.published[0]?.digest;
    });
    expect(new Set(digests).size).to.equal(digests.length);
  });

  it('become final a horizon after the hour, and are forgotten but for their total', () => {
    const rig = new Rig();
    rig.take(delta('1', 10), 10);
    rig.advance(HOUR_MS + HORIZON_MS - 1_000);
    expect(rig.published.at(-1)?.is_final).to.equal(false);
    rig.advance(HOUR_MS + HORIZON_MS);
    expect(rig.published.at(-1)).to.include({ is_final: true, deltas: 1 });
    rig.restart();
    expect([...rig.state.keys()].sort()).to.deep.equal(['base|BTCUSDT|a|linear|0', 'clock']);
    rig.take(delta('2', HORIZON_MS + HOUR_MS), HORIZON_MS + 2 * HOUR_MS);
    rig.advance(HORIZON_MS + 3 * HOUR_MS);
    expect(rig.published.at(-1)).to.include({ deltas: 1, total_deltas: 2 });
  });

  it('are the same for every order of arrival, and whatever restarts there are', () => {
    const deltas = Array.from({ length: 12 }, (_, index) => delta(String(index), (index % 4) * HOUR_MS + index, { quantity: BigInt(index + 1) }));
    const straight = new Rig();
    for (const one of deltas) straight.take(one, 5 * HOUR_MS);
    straight.advance(6 * HOUR_MS);
    fc.assert(fc.property(fc.shuffledSubarray(deltas, { minLength: deltas.length }), fc.array(fc.nat(2), { minLength: 12, maxLength: 12 }), (order, acts) => {
      const rig = new Rig();
      order.forEach((one, index) => {
        const nowMs = 5 * HOUR_MS + index * 1_000;
        rig.take(one, nowMs);
        if (acts[index] === 1) rig.restart();
        if (acts[index] === 2) rig.advance(nowMs + 500);
      });
      rig.restart();
      rig.advance(6 * HOUR_MS);
      expect(rig.content()).to.deep.equal(straight.content());
    }), { numRuns: 50 });
  });
});
