import type { Decimal } from '../domain/decimal.js';
import { abs } from '../domain/decimal.js';
import type { PositionOrder, PredictionDelta } from '../domain/records.js';
import { addLot, consumeLots, type AttributionPolicy } from '../position-linker/lots.js';
import { placeOf } from '../verify/link-checks.js';

/** What a closing leg takes from one lot. */
export interface LotTaken {
  readonly signal_id: string | null;
  readonly quantity: Decimal;
  /** What the lot held just before. */
  readonly of_quantity: Decimal;
  /** The legs that opened the lot, oldest first. */
  readonly opened_by: readonly LotOpening[];
}

export interface LotOpening {
  readonly link_id: string;
  readonly order_id: string | null;
  readonly quantity: Decimal;
  readonly price: Decimal | null;
  readonly executed_at: number;
}

interface NamedLot {
  readonly signalId: string | null;
  quantity: Decimal;
  cost: Decimal | null;
  openedBy?: LotOpening[];
}

/** Steps of the search for a walk before the plain order by seq is taken. */
const MAX_STEPS = 20_000;

/** Links of a cycle in the sequence in which each begins at the size where the one before ended; by seq where there is none. */
export function inSequence(links: readonly PositionOrder[]): PositionOrder[] {
  const sorted = [...links].sort((a, b) => placeOf(a) - placeOf(b) || a.executed_at - b.executed_at);
  const found: PositionOrder[] = [];
  const used = new Set<PositionOrder>();
  let steps = 0;
  const walk = (size: Decimal): boolean => {
    if (found.length === sorted.length) return true;
    for (const link of sorted) {
      if (used.has(link) || link.size_before !== size) continue;
      if (++steps > MAX_STEPS) return false;
      used.add(link);
      found.push(link);
      if (walk(link.size_after)) return true;
      found.pop();
      used.delete(link);
    }
    return false;
  };
  return sorted.length <= 1_000 && walk(0n) ? found : sorted;
}

/** Which lots each closing leg of a cycle takes, by link id: the policy, over the legs in their sequence. */
export function lotsTaken(links: readonly PositionOrder[], policy: AttributionPolicy): Map<string, LotTaken[]> {
  const taken = new Map<string, LotTaken[]>();
  const lots: NamedLot[] = [];
  for (const link of links) {
    const quantity = abs(link.size_delta);
    if (abs(link.size_after) > abs(link.size_before)) open(lots, link, quantity, policy);
    else taken.set(link.id, close(lots, link, quantity, policy));
  }
  return taken;
}

function open(lots: NamedLot[], link: PositionOrder, quantity: Decimal, policy: AttributionPolicy): void {
  const before = lots.map((lot) => lot.quantity);
  // A lot of unknown cost stays apart from others of its signal.
  addLot(policy, lots, link.signal_id, quantity, link.order_id === null && link.seq === null ? null : 0n);
  const grown = lots.find((lot, index) => lot.quantity !== before[index]) as NamedLot;
  grown.openedBy = [...(grown.openedBy ?? []), { link_id: link.id, order_id: link.order_id, quantity, price: link.execution_price, executed_at: link.executed_at }];
}

function close(lots: NamedLot[], link: PositionOrder, quantity: Decimal, policy: AttributionPolicy): LotTaken[] {
  const before = lots.map((lot) => ({ lot, quantity: lot.quantity }));
  const open = before.reduce((sum, lot) => sum + lot.quantity, 0n);
  consumeLots(policy, lots, quantity < open ? quantity : open, link.signal_id);
  return before.filter(({ lot, quantity: held }) => lot.quantity !== held)
    .map(({ lot, quantity: held }) => ({ signal_id: lot.signalId, quantity: held - lot.quantity, of_quantity: held, opened_by: lot.openedBy ?? [] }));
}

/** Deltas that no later one takes back. */
export function liveDeltas(deltas: readonly PredictionDelta[]): PredictionDelta[] {
  const live = new Map<string, PredictionDelta>();
  for (const delta of deltas) {
    if (delta.reverses === null) live.set(delta.id, delta);
    else live.delete(delta.reverses);
  }
  return [...live.values()];
}
