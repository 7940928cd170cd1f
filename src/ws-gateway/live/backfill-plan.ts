/** The exchange answers at most so much time a request. */
export const WINDOW_MS = 7 * 86_400_000;
/** For so long it keeps executions, filled orders and the transaction log. */
export const KEPT_MS = 730 * 86_400_000;
/** For so long it keeps orders that were cancelled or refused without a fill. */
export const KEPT_UNFILLED_MS = 86_400_000;

/** Both ends included, as the exchange counts. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface BackfillPlan {
  /** Oldest first; they overlap in nothing and leave nothing out. */
  readonly windows: readonly TimeWindow[];
  /** What lies before everything the exchange still has; null if nothing does. */
  readonly beyond: TimeWindow | null;
  /** Cancelled orders of this time are no longer there; null if all are. */
  readonly unfilledBeyond: TimeWindow | null;
}

/** What to ask for so that everything from `sinceMs` less the overlap up to now is there. */
export function planBackfill(sinceMs: number, nowMs: number, overlapMs: number): BackfillPlan {
  const oldestMs = nowMs - KEPT_MS;
  const oldestUnfilledMs = nowMs - KEPT_UNFILLED_MS;
  const fromMs = Math.max(Math.floor(Math.min(sinceMs, nowMs) - overlapMs), oldestMs, 0);
  const windows: TimeWindow[] = [];
  for (let startMs = fromMs; startMs <= nowMs; startMs += WINDOW_MS) windows.push({ fromMs: startMs, toMs: Math.min(startMs + WINDOW_MS - 1, Math.ceil(nowMs)) });
  return {
    windows,
    beyond: sinceMs < oldestMs ? { fromMs: sinceMs, toMs: oldestMs } : null,
    unfilledBeyond: sinceMs < oldestUnfilledMs ? { fromMs: sinceMs, toMs: oldestUnfilledMs } : null,
  };
}
