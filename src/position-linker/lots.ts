import type { Decimal } from '../domain/decimal.js';
import type { Lot } from './book-state.js';
import { partOf, splitByWeight } from './split.js';

/** How closing legs consume lots. */
export type AttributionPolicy = 'pro-rata' | 'fifo';

/** What a closing leg takes from one lot. `cost` is null where the lot's cost is not known. */
export interface ConsumedLot {
  readonly signalId: string | null;
  readonly quantity: Decimal;
  readonly cost: Decimal | null;
}

/**
 * Adds an opening leg to the lots. Under pro-rata a signal has one lot per cycle, as old as its first leg; under fifo every
 * leg is a lot of its own. Lots of unknown cost stay apart, so that only their result is unknown.
 */
export function addLot(policy: AttributionPolicy, lots: Lot[], signalId: string | null, quantity: Decimal, cost: Decimal | null): void {
  if (policy === 'pro-rata') {
    for (const lot of lots) {
      if (lot.signalId === signalId && (lot.cost === null) === (cost === null)) {
        lot.quantity += quantity;
        if (lot.cost !== null && cost !== null) lot.cost += cost;
        return;
      }
    }
  }
  lots.push({ signalId, quantity, cost });
}

/** Takes `quantity` off one lot, with its part of the cost: all of it when the lot is used up. */
function take(lot: Lot, quantity: Decimal): ConsumedLot {
  const cost = lot.cost === null ? null : partOf(lot.cost, quantity, lot.quantity);
  lot.quantity -= quantity;
  if (lot.cost !== null && cost !== null) lot.cost -= cost;
  return { signalId: lot.signalId, quantity, cost };
}

function consumeProRata(lots: readonly Lot[], quantity: Decimal): ConsumedLot[] {
  const weights: Decimal[] = [];
  for (const lot of lots) weights.push(lot.quantity);
  const parts = splitByWeight(quantity, weights);
  const consumed: ConsumedLot[] = [];
  for (let i = 0; i < lots.length; i++) if (parts[i]! > 0n) consumed.push(take(lots[i]!, parts[i]!));
  return consumed;
}

/** Lots of the closing order's own signal first, then the oldest; an order without signal takes the oldest. */
function consumeFifo(lots: Lot[], quantity: Decimal, closingSignalId: string | null): ConsumedLot[] {
  const consumed: ConsumedLot[] = [];
  let rest = quantity;
  const takeFrom = (lot: Lot): void => {
    const part = rest < lot.quantity ? rest : lot.quantity;
    if (part === 0n) return;
    consumed.push(take(lot, part));
    rest -= part;
  };
  if (closingSignalId !== null) for (const lot of lots) if (lot.signalId === closingSignalId) takeFrom(lot);
  for (const lot of lots) takeFrom(lot);
  return consumed;
}

/** Takes a closing quantity, not above the sum of lots, out of the lots; used-up lots go. */
export function consumeLots(policy: AttributionPolicy, lots: Lot[], quantity: Decimal, closingSignalId: string | null): ConsumedLot[] {
  const consumed = policy === 'pro-rata' ? consumeProRata(lots, quantity) : consumeFifo(lots, quantity, closingSignalId);
  let kept = 0;
  for (const lot of lots) if (lot.quantity > 0n) lots[kept++] = lot;
  lots.length = kept;
  return consumed;
}
