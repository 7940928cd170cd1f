import type { PredictionDelta } from '../domain/records.js';
import { uuidOfKey } from '../domain/uuid.js';

/** Four words of 32 bits, each a sum modulo 2^32. */
export interface Sum {
  /** Deltas, reversals taken off. */
  deltas: number;
  readonly words: [number, number, number, number];
}

export function emptySum(): Sum {
  return { deltas: 0, words: [0, 0, 0, 0] };
}

export function isEmptySum({ deltas, words }: Sum): boolean {
  return deltas === 0 && words.every((word) => word === 0);
}

export function addSum(into: Sum, other: Sum): void {
  into.deltas += other.deltas;
  for (let i = 0; i < 4; i++) into.words[i] = ((into.words[i] as number) + (other.words[i] as number)) >>> 0;
}

export function sumText({ words }: Sum): string {
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/**
 * Adds a delta. A reversal carries the negated amounts of what it takes back, so it hashes to the same and is taken off. Ids
 * are left out: their numbers count how often a delta was issued, which depends on what came when.
 */
export function addDelta(into: Sum, delta: PredictionDelta): void {
  const isReversal = delta.reverses !== null;
  const sign = (amount: bigint): string => (isReversal ? -amount : amount).toString();
  const uuid = uuidOfKey(
    delta.signal_id, delta.position_id, delta.side, delta.kind, sign(delta.quantity), delta.price === null ? null : delta.price.toString(), sign(delta.value),
    delta.realized_pnl === null ? null : sign(delta.realized_pnl), sign(delta.fee), sign(delta.funding), delta.exit_signal_id, delta.exit_reason,
    delta.link_id, delta.cash_id, delta.seq, delta.executed_at,
  );
  const digits = uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
  into.deltas += isReversal ? -1 : 1;
  for (let i = 0; i < 4; i++) {
    const word = Number.parseInt(digits.slice(i * 8, i * 8 + 8), 16);
    into.words[i] = ((into.words[i] as number) + (isReversal ? -word : word)) >>> 0;
  }
}
