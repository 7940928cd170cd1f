import type { Log } from '../../kafka/log.js';
import { KNOWN_HEADER, parseKnown } from './known-times.js';

const FIRST_WINDOW = 256;
/** Watermarks come at least every ten seconds, so one is near the end, however much is between them. */
const MOST_RECORDS = 100_000;

/**
 * What the last gateways wrote of their accounts into the first partition of the order topic, the latest time of each; null if
 * there is nothing of the kind among its last records.
 */
export async function readKnownTimes(log: Log, topic: string): Promise<ReadonlyMap<string, number> | null> {
  const place = { topic, partition: 0 };
  const [earliest] = await log.earliestOffsets([place]);
  const [end] = await log.lastStableOffsets([place]);
  const start = earliest?.offset ?? 0;
  const until = end?.offset ?? 0;
  for (let window = FIRST_WINDOW; ; window *= 4) {
    const from = Math.max(start, until - window);
    const known = await readRange(log, topic, from, until);
    // Several gateways may write by turns, so more than the very last one is wanted.
    if (known.count >= 8 || from === start || window >= MOST_RECORDS) return known.count === 0 ? null : known.times;
  }
}

async function readRange(log: Log, topic: string, from: number, until: number): Promise<{ readonly count: number; readonly times: Map<string, number> }> {
  const times = new Map<string, number>();
  let count = 0;
  if (until <= from) return { count, times };
  for await (const { records } of log.readRange({ topic, partition: 0, from, until })) {
    for (const { headers } of records) {
      const value = headers.find(([name]) => name === KNOWN_HEADER)?.[1];
      const known = value === undefined || value === null ? null : parseKnown(Buffer.from(value).toString());
      if (known === null) continue;
      count++;
      for (const [account, timeMs] of known) times.set(account, Math.max(timeMs, times.get(account) ?? timeMs));
    }
  }
  return { count, times };
}
