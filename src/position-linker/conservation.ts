import { abs } from '../domain/decimal.js';
import type { BookState } from './book-state.js';
import type { AttributionPolicy } from './lots.js';

/**
 * How well results add up: Σ over signals and the unattributed bucket of (realised − fees − funding) since a book's start
 * against the change of the exchange's cumRealisedPnl. Not part of any result.
 */
export interface Conservation {
  /** Updates at which it was checked. */
  checks: number;
  /** Checks whose error was above the tolerance. */
  breaches: number;
  /** Largest error / tolerance seen. */
  largestErrorPerTolerance: number;
}

export function newConservation(): Conservation {
  return { checks: 0, breaches: 0, largestErrorPerTolerance: 0 };
}

/** What several books, or several linkers, saw together. */
export function addConservation(parts: readonly Conservation[]): Conservation {
  const total = newConservation();
  for (const part of parts) {
    total.checks += part.checks;
    total.breaches += part.breaches;
    total.largestErrorPerTolerance = Math.max(total.largestErrorPerTolerance, part.largestErrorPerTolerance);
  }
  return total;
}

/** Checks a state right after an update was read. Under fifo the exchange's view is met whenever the book is flat. */
export function checkConservation(conservation: Conservation, policy: AttributionPolicy, state: BookState): void {
  const { attributed, startCum, shown } = state;
  if (attributed === null || startCum === null || shown === null || shown.cumRealisedPnl === null) return;
  if (policy === 'fifo' && state.size !== 0n) return;
  const error = abs(shown.cumRealisedPnl - startCum - attributed);
  conservation.checks += 1;
  if (error > state.toleranceSinceStart) conservation.breaches += 1;
  if (error === 0n || state.toleranceSinceStart === 0n) return;
  conservation.largestErrorPerTolerance = Math.max(conservation.largestErrorPerTolerance, Number(error) / Number(state.toleranceSinceStart));
}
