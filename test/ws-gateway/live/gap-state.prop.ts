import fc from 'fast-check';
import { expect } from 'chai';
import { GapState } from '../../../src/ws-gateway/live/gap-state.js';

type Step =
  | { readonly kind: 'subscribed' | 'alive' | 'lost'; readonly connection: number; readonly afterMs: number }
  | { readonly kind: 'began' | 'fetched'; readonly afterMs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('subscribed' as const, 'alive' as const, 'lost' as const), connection: fc.nat(1), afterMs: fc.nat(5_000) }),
  fc.record({ kind: fc.constantFrom('began' as const, 'fetched' as const), afterMs: fc.nat(5_000) }),
);

/** The naive account: every millisecond apart, seen by a connection or fetched. */
class Ledger {
  readonly #seen: [number, number][] = [];

  add(fromMs: number, toMs: number): void {
    if (toMs > fromMs) this.#seen.push([fromMs, toMs]);
  }

  /** Up to when everything since the beginning is seen. */
  knownUntil(startMs: number): number {
    let untilMs = startMs;
    for (const [from, to] of [...this.#seen].sort((a, b) => a[0] - b[0])) if (from <= untilMs) untilMs = Math.max(untilMs, to);
    return untilMs;
  }
}

describe('gaps of an account, any order of connections', () => {
  it('are open whenever something was neither seen nor fetched, and never close over it', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let nowMs = 1_000;
      const state = new GapState(0, nowMs);
      const ledger = new Ledger();
      const open = new Map<number, { readonly sinceMs: number; aliveMs: number }>();
      let fetching: { readonly beganMs: number; readonly fromMs: number } | null = null;
      for (const each of steps) {
        nowMs += each.afterMs;
        if (each.kind === 'subscribed' && !open.has(each.connection)) {
          open.set(each.connection, { sinceMs: nowMs, aliveMs: nowMs });
          state.subscribed(each.connection, nowMs);
        } else if (each.kind === 'alive' && open.has(each.connection)) {
          open.get(each.connection)!.aliveMs = nowMs;
          state.alive(each.connection, nowMs);
        } else if (each.kind === 'lost' && open.has(each.connection)) {
          const { sinceMs, aliveMs } = open.get(each.connection)!;
          ledger.add(sinceMs, aliveMs);
          open.delete(each.connection);
          state.lost(each.connection, nowMs);
        } else if (each.kind === 'began' && state.gap !== null) fetching = { beganMs: nowMs, fromMs: state.gap.fromMs };
        else if (each.kind === 'fetched' && fetching !== null) {
          ledger.add(fetching.fromMs, fetching.beganMs);
          state.fetched(fetching.beganMs, fetching.fromMs);
          fetching = null;
        }
        // What connections that are open have seen so far counts, too; they may be dead since their last sign of life.
        let knownMs = ledger.knownUntil(0);
        for (let again = true; again; ) {
          again = false;
          for (const { sinceMs, aliveMs } of open.values()) {
            if (sinceMs <= knownMs && aliveMs > knownMs) {
              knownMs = aliveMs;
              again = true;
            }
          }
        }
        expect(state.knownUntilMs(), 'never says more is known than is').to.be.at.most(Math.max(knownMs, ledger.knownUntil(0)));
        if (state.gap === null) expect([...open.values()].some(({ sinceMs }) => sinceMs <= knownMs), 'a closed gap has a living connection that follows on').to.equal(true);
      }
    }), { numRuns: 300 });
  });
});

describe('the gap of an account', () => {
  it('begins with the last sign of life, not when the end is noticed', () => {
    const state = new GapState(0, 0);
    state.subscribed(0, 100);
    expect(state.fetched(150, 0)).to.equal(true);
    state.alive(0, 5_000);
    expect(state.lost(0, 12_000)).to.equal(true);
    expect(state.gap).to.deep.equal({ fromMs: 5_000, noticedMs: 12_000 });
  });

  it('does not open while another connection was there all the time', () => {
    const state = new GapState(0, 0);
    state.subscribed(0, 100);
    state.subscribed(1, 100);
    state.fetched(150, 0);
    state.alive(0, 5_000);
    expect(state.lost(0, 12_000)).to.equal(false);
    expect(state.gap).to.equal(null);
  });

  it('opens if the other connection came later than the first fell silent', () => {
    const state = new GapState(0, 0);
    state.subscribed(0, 100);
    state.fetched(150, 0);
    state.alive(0, 5_000);
    state.subscribed(1, 7_000);
    expect(state.lost(0, 12_000)).to.equal(true);
    expect(state.gap?.fromMs).to.equal(5_000);
  });

  it('goes back with the clock of the exchange', () => {
    const state = new GapState(0, 0);
    state.subscribed(0, 100_000);
    state.fetched(100_100, 0);
    state.alive(0, 105_000);
    state.rewind(60_000);
    state.alive(0, 46_000);
    expect(state.lost(0, 50_000)).to.equal(true);
    expect(state.gap).to.deep.equal({ fromMs: 46_000, noticedMs: 50_000 });
  });

  it('stays open if the connection was lost while fetching, from where fetching began', () => {
    const state = new GapState(0, 0);
    state.subscribed(0, 1_000);
    state.lost(0, 2_000);
    state.subscribed(0, 3_000);
    expect(state.fetched(1_500, 0)).to.equal(false);
    expect(state.gap?.fromMs).to.equal(1_500);
    expect(state.fetched(3_100, 1_500)).to.equal(true);
  });
});
