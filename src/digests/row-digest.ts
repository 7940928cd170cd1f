/*
 * A digest of a set of rows: the sum of the rows' hashes, so the order of rows has no influence. A row's hash is SHA-256 over
 * its cells, cut to its first 128 bits; sql-digest.ts lets the database compute it.
 */

/** Count of rows, and the sums of the two halves of their hashes, each modulo 2^64. */
export interface RowsDigest {
  readonly rows: number;
  readonly high: bigint;
  readonly low: bigint;
}

/** 32 hexadecimal digits; of no rows, zeros. */
export function digestText({ high, low }: RowsDigest): string {
  return high.toString(16).padStart(16, '0') + low.toString(16).padStart(16, '0');
}
