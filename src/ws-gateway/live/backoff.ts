/** Pause before the next attempt, doubling up to a limit; `random` from 0 to 1 spreads it over its upper half, so that many do not come back at once. */
export function backoffMs(attempt: number, random: number, firstMs: number, mostMs: number): number {
  const fullMs = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return fullMs / 2 + (fullMs / 2) * random;
}
