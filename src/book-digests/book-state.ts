import type { BookDigest } from '../domain/records.js';
import { naturalKey } from '../domain/uuid.js';
import { addSum, emptySum, sumText, type Sum } from './delta-hash.js';

/** Length of a period: an hour of event time. */
export const PERIOD_MS = 3_600_000;

export interface BookName {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly positionIdx: number;
}

/** One hour of a book that may still change. */
export interface Period {
  readonly startMs: number;
  readonly sum: Sum;
  /** Effective time of its last change. */
  changedMs: number;
}

/** A book: the sum of all hours that are final, and each of those that are not. */
export interface BookState {
  readonly key: string;
  readonly name: BookName;
  readonly base: Sum;
  /** End of the last final hour; -1 before any. */
  baseEndMs: number;
  /** Ascending. */
  readonly periods: Period[];
}

export function bookKey({ account, category, asset, positionIdx }: BookName): string {
  return naturalKey(asset, account, category, positionIdx);
}

export function newBook(name: BookName): BookState {
  return { key: bookKey(name), name, base: emptySum(), baseEndMs: -1, periods: [] };
}

/** The hour of an event time, made when it is first needed; null where it is final. */
export function periodAt(book: BookState, eventMs: number): Period | null {
  const startMs = Math.floor(eventMs / PERIOD_MS) * PERIOD_MS;
  if (startMs < book.baseEndMs) return null;
  let at = book.periods.length;
  while (at > 0 && (book.periods[at - 1] as Period).startMs > startMs) at--;
  const before = book.periods[at - 1];
  if (before?.startMs === startMs) return before;
  const period: Period = { startMs, sum: emptySum(), changedMs: -1 };
  book.periods.splice(at, 0, period);
  return period;
}

/** What the hours say from the first that changed after `sinceMs` on; earlier ones said so already. */
export function digestsSince(book: BookState, sinceMs: number, watermarkMs: number, horizonMs: number): BookDigest[] {
  const digests: BookDigest[] = [];
  const total = emptySum();
  addSum(total, book.base);
  let isChanged = false;
  for (const { startMs, sum, changedMs } of book.periods) {
    addSum(total, sum);
    isChanged ||= changedMs > sinceMs;
    if (isChanged || isFinal(startMs, watermarkMs, horizonMs)) digests.push(digestRecord(book.name, startMs, sum, total, isFinal(startMs, watermarkMs, horizonMs), watermarkMs));
  }
  return digests;
}

export function isFinal(startMs: number, watermarkMs: number, horizonMs: number): boolean {
  return startMs + PERIOD_MS + horizonMs <= watermarkMs;
}

function digestRecord({ account, category, asset, positionIdx }: BookName, startMs: number, sum: Sum, total: Sum, final: boolean, watermarkMs: number): BookDigest {
  return {
    account, category, asset, position_idx: positionIdx, period_at: startMs, deltas: sum.deltas, digest: sumText(sum), total_deltas: total.deltas, total_digest: sumText(total),
    is_final: final, watermark_at: watermarkMs,
  };
}
