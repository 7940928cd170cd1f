import { Random } from '../simulator/random.js';

const MOST_DELAY_MS = 60_000;

/** A capture line's time of arrival; null if the line is no readable record. */
function arrivalOf(line: string): number | null {
  const digits = /^\{"receivedAt":(\d+)/.exec(line)?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * The same frames as another network might have delivered them: each up to a minute later than it came, a fifth of them twice.
 * Each line keeps its frame to the byte; lines that are no record stay away.
 */
export function deliveredAnew(lines: readonly string[], seed: number): string[] {
  const random = new Random(seed, 77);
  const arrivals: { at: number; line: string }[] = [];
  for (const line of lines) {
    const received = arrivalOf(line);
    if (received === null) continue;
    for (let copy = random.chance(0.2) ? 2 : 1; copy > 0; copy--) {
      const at = received + random.int(0, MOST_DELAY_MS);
      arrivals.push({ at, line: line.replace(/^\{"receivedAt":\d+/, `{"receivedAt":${at}`) });
    }
  }
  return arrivals.sort((a, b) => a.at - b.at).map(({ line }) => line);
}
