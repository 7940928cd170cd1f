import { divide, type Decimal } from '../domain/decimal.js';
import type { ResultRow, StoredCycle } from './result-table.js';
import type { Counts, Tally } from './tally.js';

/** The row of prediction_trading_results that a tally and its cycle make. */
export function resultRow(signalId: string | null, positionId: string, tally: Tally, cycle: StoredCycle | null): ResultRow {
  const open = tally.entryQuantity - tally.exitQuantity;
  const realized = tally.realizedUnknown === 0 ? tally.realized : null;
  const inverse = tally.category === 'inverse';
  return {
    signal_id: signalId,
    position_id: positionId,
    account: tally.account,
    category: tally.category,
    asset: tally.asset,
    position_idx: tally.positionIdx,
    direction: tally.side === 'Buy' ? 'long' : tally.side === 'Sell' ? 'short' : null,
    entry_quantity: tally.entryQuantity,
    entry_price: tally.entriesWithoutValue === 0 ? averagePrice(tally.entryQuantity, tally.entryValue, inverse) : null,
    entry_at: tally.entryTimes.earliest(),
    exit_quantity: tally.exitQuantity,
    exit_price: averagePrice(tally.exitQuantity - tally.exitQuantityWithoutValue, tally.exitValue, inverse),
    exit_at: tally.exitTimes.latest(),
    realized_pnl: realized,
    fees: tally.fees,
    funding: tally.funding,
    net_pnl: realized === null ? null : realized - tally.fees - tally.funding,
    open_quantity: open,
    is_closed: open === 0n && tally.entryQuantity > 0n,
    is_contaminated: signalId !== null && (cycle?.contaminatedSignalIds.includes(signalId) ?? false),
    exit_signal_ids: names(tally.exitSignals),
    exit_reasons: names(tally.exitReasons),
    final_to_seq: cycle?.finalToSeq ?? null,
  };
}

/** Linear: value / quantity. Inverse values are quantity / price, so the average is quantity / value, a harmonic mean. */
function averagePrice(quantity: Decimal, value: Decimal, inverse: boolean): Decimal | null {
  if (quantity === 0n || value === 0n) return null;
  return inverse ? divide(quantity, value) : divide(value, quantity);
}

function names(counts: Counts): string[] {
  return [...counts.keys()].sort();
}
