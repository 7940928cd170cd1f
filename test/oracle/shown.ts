import { canonicalJson } from '../../src/domain/canonical-json.js';
import { abs, divide, MONEY_UNIT, multiply, type Decimal } from '../../src/domain/decimal.js';
import type { PositionUpdate } from '../../src/domain/records.js';
import type { Account } from './account.js';
import { grouped } from './evidence.js';

/** What the exchange shows of a book at one seq. */
export interface Shown {
  seq: number;
  size: Decimal;
  value: Decimal | null;
  cum: Decimal;
  entry: Decimal | null;
  entryUnit: Decimal;
  at: number;
}

/** Text of what an update says, but for how it came. */
function told(update: PositionUpdate): string {
  const { received_at: _received, envelope_id: _id, envelope_created_at: _created, frame_index: _index, source: _source, ...rest } = update;
  return canonicalJson(rest);
}

/** The one update of each seq that counts, rising. */
export function shownOf(updates: readonly PositionUpdate[]): Shown[] {
  return [...grouped(updates.filter((update) => update.seq !== null && update.seq >= 0), (update) => String(update.seq)).values()]
    .map((same) => [...same].sort((a, b) => b.updated_at - a.updated_at || (told(a) > told(b) ? -1 : 1))[0]!)
    .map((update) => ({
      seq: update.seq!, size: update.size, value: update.position_value, cum: update.cum_realised_pnl!, entry: update.entry_price,
      entryUnit: 10n ** BigInt(18 - update.entry_price_decimals), at: update.updated_at,
    }))
    .sort((a, b) => a.seq - b.seq);
}

/** Value at entry; of an inverse contract the entry price tells it to more decimals than the value that is shown. */
export function entryValue(first: Shown, inverse: boolean): Decimal {
  const shown = first.value ?? 0n;
  if (!inverse || first.entry === null || first.entry === 0n) return shown;
  const value = divide(abs(first.size), first.entry);
  return abs(value - shown) <= MONEY_UNIT ? value : shown;
}

/**
 * Money that may be lacking: the exchange's own rounding and, where it closes at an entry price that it shows cut off, what
 * one more unit of that price would be worth.
 */
export function tolerance(last: Shown | null, account: Account, events: number, closedQuantity: Decimal): Decimal {
  const rounding = MONEY_UNIT * BigInt(events + 2);
  if (last === null || last.entry === null || last.entry === 0n || closedQuantity === 0n) return rounding;
  const atEntry = account.inverse ? divide(abs(last.size), last.entry) : multiply(abs(last.size), last.entry);
  if (abs(atEntry - (last.value ?? 0n)) <= MONEY_UNIT) return rounding;
  const unit = multiply(closedQuantity, last.entryUnit);
  return rounding + (account.inverse ? divide(divide(unit, last.entry), last.entry) : unit);
}
