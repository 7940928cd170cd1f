/** A row of book_digests: the hour of a book. Times in milliseconds since the epoch. */
export interface DigestRow {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly position_idx: number;
  readonly period_at: number;
  readonly deltas: number;
  readonly digest: string;
  readonly total_deltas: number;
  readonly total_digest: string;
  readonly is_final: boolean;
  readonly watermark_at: number;
}

/** equal; different; open: different, but one side may only not have come as far as the other in this hour. */
export type DigestVerdict = 'equal' | 'different' | 'open';

export interface ComparedHour {
  readonly book: string;
  readonly periodAt: number;
  readonly verdict: DigestVerdict;
  readonly here: string | null;
  readonly there: string | null;
  readonly deltasHere: number;
  readonly deltasThere: number;
}

export interface DigestComparison {
  readonly isEqual: boolean;
  readonly equal: number;
  /** Hours that are not equal. */
  readonly hours: readonly ComparedHour[];
  /** How far each side has come: its highest watermark. */
  readonly reachedHere: number | null;
  readonly reachedThere: number | null;
}

const HOUR_MS = 3_600_000;

/**
 * Hour by hour, since a later hour says nothing about an earlier one. Hours that both sides have passed must be equal; in one
 * that a side is still in, a difference counts only if both have come equally far, or know equally many deltas.
 */
export function compareDigests(here: readonly DigestRow[], there: readonly DigestRow[]): DigestComparison {
  const [reachedHere, reachedThere] = [reached(here), reached(there)];
  const bothPassed = Math.min(reachedHere ?? 0, reachedThere ?? 0);
  const [ofHere, ofThere] = [byHour(here), byHour(there)];
  const hours: ComparedHour[] = [];
  let equal = 0;
  for (const key of [...new Set([...ofHere.keys(), ...ofThere.keys()])].sort()) {
    const [a, b] = [ofHere.get(key), ofThere.get(key)];
    if ((a?.deltas ?? 0) === (b?.deltas ?? 0) && (a?.digest ?? b?.digest) === (b?.digest ?? a?.digest)) {
      equal++;
      continue;
    }
    const row = (a ?? b) as DigestRow;
    // As many deltas on both sides, and yet not the same: that is not for want of time.
    const isSettled = row.period_at + HOUR_MS <= bothPassed || reachedHere === reachedThere || a?.deltas === b?.deltas;
    hours.push({
      book: bookOf(row), periodAt: row.period_at, verdict: isSettled ? 'different' : 'open', here: a?.digest ?? null, there: b?.digest ?? null, deltasHere: a?.deltas ?? 0, deltasThere: b?.deltas ?? 0,
    });
  }
  return { isEqual: hours.every(({ verdict }) => verdict !== 'different'), equal, hours, reachedHere, reachedThere };
}

function reached(rows: readonly DigestRow[]): number | null {
  return rows.reduce((highest: number | null, { watermark_at }) => Math.max(highest ?? watermark_at, watermark_at), null);
}

function bookOf({ account, category, asset, position_idx }: DigestRow): string {
  return `${account}|${category}|${asset}|${position_idx}`;
}

function byHour(rows: readonly DigestRow[]): Map<string, DigestRow> {
  return new Map(rows.map((row) => [`${bookOf(row)} ${String(row.period_at).padStart(16, '0')}`, row]));
}
