import { expect } from 'chai';
import fc from 'fast-check';
import type { OrderManagerOptions } from '../../src/order-manager/scope.js';
import type { SourceRow } from './frames.js';
import { consistentOrders, T0, wildRows } from './rows.js';
import { Session } from './session.js';

/** What happens between two records. */
type Pause = { readonly watermark: number; readonly restart: boolean };

const pauses = fc.array(fc.record({ watermark: fc.constantFrom(0, 0, 100, 4_000, 9_000), restart: fc.boolean() }), { minLength: 40, maxLength: 40 });

/** Each row in any order, some of them several times. */
function shuffled(rows: readonly SourceRow[]): fc.Arbitrary<SourceRow[]> {
  const copies = fc.array(fc.constantFrom(...rows), { maxLength: 6 });
  return copies.chain((more) => fc.shuffledSubarray([...rows, ...more], { minLength: rows.length + more.length }));
}

function play(rows: readonly SourceRow[], between: readonly Pause[], restarts: boolean, options: Partial<OrderManagerOptions> = {}): Session {
  const session = new Session(options);
  let watermarkMs = T0;
  rows.forEach((row, index) => {
    const pause = between[index % between.length]!;
    if (pause.watermark > 0) session.advance((watermarkMs += pause.watermark));
    if (restarts && pause.restart) session.restart(index % 2 === 0);
    session.put(row);
  });
  if (restarts) session.restart();
  session.close();
  return session;
}

/** The usual windows, and some so short that orders are forgotten between their records. */
const windows = fc.constantFrom<Partial<OrderManagerOptions>>({}, { horizonMs: 3_000, openOrderMs: 8_000, joinWindowMs: 200 }, { horizonMs: 0, openOrderMs: 0, joinWindowMs: 0 });

const NO_PAUSE: readonly Pause[] = [{ watermark: 0, restart: false }];

describe('order-manager, as a function of its records', () => {
  for (const [name, sets] of [
    ['nonsense', wildRows],
    ['what an exchange tells, with holes', consistentOrders.map((orders) => orders.flatMap((order) => order.rows))],
  ] as const) {
    it(`${name}: the live records do not depend on order, copies or watermarks`, () => {
      fc.assert(
        fc.property(
          sets.chain((rows) => fc.tuple(fc.constant(rows), shuffled(rows), pauses)),
          ([rows, other, between]) => {
            expect(play(other, between, false).live().join('\n')).to.equal(play(rows, NO_PAUSE, false).live().join('\n'));
          },
        ),
        { numRuns: 200 },
      );
    });

    it(`${name}: a restart between any two records changes no output`, () => {
      fc.assert(
        fc.property(sets.chain((rows) => fc.tuple(shuffled(rows), pauses, windows)), ([rows, between, options]) => {
          const straight = play(rows, between, false, options);
          const restarted = play(rows, between, true, options);
          expect(restarted.transcript().join('\n')).to.equal(straight.transcript().join('\n'));
          straight.commit();
          restarted.commit();
          expect([...restarted.changelog].sort()).to.deep.equal([...straight.changelog].sort());
        }),
        { numRuns: 200 },
      );
    });

    it(`${name}: revisions count up from 0, a retraction follows an issue`, () => {
      fc.assert(
        fc.property(sets.chain(shuffled), pauses, (rows, between) => {
          const next = new Map<string, number>();
          const live = new Set<string>();
          for (const { type, value } of play(rows, between, false).emitted) {
            if (type === 'ExecutionAnomaly') continue;
            const id = `${type} ${'fill_id' in value ? value.fill_id : 'cash_id' in value ? value.cash_id : 'order_id' in value ? value.order_id : ''}`;
            expect('revision' in value && value.revision, id).to.equal(next.get(id) ?? 0);
            next.set(id, (next.get(id) ?? 0) + 1);
            if ('retracted' in value && value.retracted) expect(live.delete(id), id).to.equal(true);
            else live.add(id);
          }
        }),
        { numRuns: 200 },
      );
    });
  }

  it('the fills of an order whose messages and executions agree add up to what its last message shows', () => {
    fc.assert(
      fc.property(
        consistentOrders.chain((orders) => fc.tuple(fc.constant(orders), shuffled(orders.flatMap((order) => order.rows)), pauses)),
        ([orders, rows, between]) => {
          const session = play(rows, between, false);
          for (const { orderId, executed } of orders) {
            const fills = session.liveFills().filter((fill) => fill.order_id === orderId);
            expect(fills.reduce((sum, fill) => sum + fill.quantity, 0n), orderId).to.equal(executed);
            expect(fills.reduce((sum, fill) => sum + fill.value, 0n), orderId).to.equal(executed * 100n);
            expect(fills.reduce((sum, fill) => sum + fill.fee, 0n), orderId).to.equal(executed);
            expect(session.orders().get(orderId)!.filled_quantity).to.equal(executed);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never forwards a watermark at or above a fill that is still to come from totals', () => {
    fc.assert(
      fc.property(consistentOrders.chain((orders) => shuffled(orders.flatMap((order) => order.rows))), pauses, (rows, between) => {
        const session = new Session();
        let watermarkMs = T0;
        let seen = 0;
        rows.forEach((row, index) => {
          const before = session.forwardedMs;
          session.put(row);
          session.advance((watermarkMs += between[index % between.length]!.watermark));
          for (const { eventMs } of session.emitted.slice(seen)) expect(eventMs).to.be.greaterThan(before);
          seen = session.emitted.length;
          expect(session.forwardedMs).to.be.at.least(before);
        });
      }),
      { numRuns: 200 },
    );
  });
});
