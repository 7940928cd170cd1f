import { abs, MONEY_UNIT, type Decimal } from '../domain/decimal.js';
import type { PositionUpdate } from '../domain/records.js';
import { entryPriceIsExact, entryPriceTolerance, type Contract } from '../position-linker/contract.js';
import { shown, type Findings } from './breach.js';
import type { BookEvidence, CycleRow, Delta } from './evidence.js';
import type { SizedPoint } from './size-equation.js';

/**
 * Between two position updates the results of all signals must move by what the exchange's cumRealisedPnl moved by: under
 * pro-rata at each update, under fifo from flat to flat, since the exchange counts by average cost. Left out are stretches
 * in which a lot of unknown cost was closed, and what came before a book's first cycle.
 *
 * What the exchange's own rounding allows: a unit of the eighth decimal an event, and two an update; for what closes, one
 * unit of the last decimal it shows of the average entry price, unless that price is exact. An exact price says nothing of
 * what closes after the same interval opened more: the average it closes at is shown by no update.
 */
export function checkMoney({ policy, cycles, deltas, book }: BookEvidence, points: readonly SizedPoint[], findings: Findings): void {
  const first = firstCycle(cycles);
  if (first === null) return;
  const contract: Contract = { inverse: book.category === 'inverse' };
  const sorted = deltas.filter((delta) => delta.seq !== null || delta.link_id === startOf(first, delta)).sort((a, b) => (a.seq ?? -1) - (b.seq ?? -1));
  let anchor: { readonly seq: number | null; readonly cum: Decimal } | null = null;
  let earlier: PositionUpdate | null = null;
  let net: Decimal | null = 0n;
  let tolerance = 0n;
  let next = 0;
  for (const { update, isSettled, isFirm } of points) {
    tolerance += 2n * MONEY_UNIT;
    const from = next;
    while (next < sorted.length && ((sorted[next] as Delta).seq ?? -1) <= update.seq) next++;
    const interval = sorted.slice(from, next);
    const opensMore = interval.some((delta) => delta.kind === 'entry');
    for (const delta of interval) {
      tolerance += MONEY_UNIT;
      if (delta.kind === 'exit' || delta.kind === 'residual') tolerance += truncation(contract, abs(delta.quantity), earlier, update, opensMore);
      net = net === null || delta.realized_pnl === null ? null : net + delta.realized_pnl - delta.fee - delta.funding;
    }
    earlier = update;
    if (!isSettled || !isFirm || update.cum_realised_pnl === null || (policy === 'fifo' && update.size !== 0n)) continue;
    if (anchor === null && first.cum_realised_pnl_before !== null && begins(first, update)) anchor = { seq: null, cum: first.cum_realised_pnl_before };
    if (anchor !== null && net !== null) {
      const moved = update.cum_realised_pnl - anchor.cum;
      const [fromSeq, results, allowed] = [anchor.seq, net, tolerance];
      findings.check(abs(moved - results) <= allowed, () => ({
        book, message: `${fromSeq === null ? `up to seq ${update.seq}` : `from seq ${fromSeq} to ${update.seq}`} results of all signals differ from the exchange's realised PnL by more than ${shown(allowed)}`,
        expected: shown(moved), actual: shown(results), witness: { source: 'ws-gateway.position', row: update },
      }), 'money_equation');
    }
    if (!begins(first, update)) continue;
    anchor = { seq: update.seq, cum: update.cum_realised_pnl };
    net = 0n;
    tolerance = 0n;
  }
}

function firstCycle(cycles: readonly CycleRow[]): CycleRow | null {
  return [...cycles].sort((a, b) => (a.first_seq ?? -1) - (b.first_seq ?? -1) || a.opened_at - b.opened_at)[0] ?? null;
}

/** The entry of an unknown start has no seq; any other delta without one is of a fill that no update shows yet. */
function startOf(first: CycleRow, delta: Delta): string | null {
  return first.first_seq === null && delta.position_id === first.position_id && delta.kind === 'entry' && delta.price === null ? delta.link_id : null;
}

/** Whether the book's first cycle has begun at this update. */
function begins(first: CycleRow, update: SizedPoint['update']): boolean {
  return first.first_seq === null || first.first_seq <= update.seq;
}

function truncation(contract: Contract, closed: Decimal, earlier: PositionUpdate | null, update: PositionUpdate, opensMore: boolean): Decimal {
  const shownBy = earlier !== null && earlier.size !== 0n ? earlier : update;
  const { entry_price: price, position_value: value, size, entry_price_decimals: decimals } = shownBy;
  if (price === null || price === 0n) return entryPriceTolerance(contract, closed, 10n ** 18n, 8);
  if (!opensMore && value !== null && entryPriceIsExact(contract, size, value, price)) return 0n;
  return entryPriceTolerance(contract, closed, price, decimals);
}
