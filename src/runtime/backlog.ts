/*
 * A commit costs much the same whatever is in it. While more is waiting to be handled than there is time for, nobody gets
 * anything sooner by many small ones: they come later then, and take in more.
 */

/** How many intervals later, at most. */
const BACKLOG_INTERVALS = 4;
/** But not later than this after the one before it. */
const LONGEST_INTERVAL_MS = 1_000;

/** How much later than after its usual interval a commit may come while there is a backlog, in milliseconds. */
export function backlogPauseMs(commitIntervalMs: number): number {
  return Math.max(0, Math.min(BACKLOG_INTERVALS * commitIntervalMs, LONGEST_INTERVAL_MS - commitIntervalMs));
}
