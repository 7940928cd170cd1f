/** One thing known of an asset's sequence: at this time, this seq. */
export interface SeqAt {
  readonly atMs: number;
  readonly seq: number;
}

/**
 * Dates by time what has no seq of its own: to the lowest seq known at or after its time. Kept are only the pairs that can
 * be an answer: both time and seq rise from pair to pair. A function of the set of pairs, whatever their order of arrival.
 */
export class SeqClock {
  readonly pairs: SeqAt[] = [];

  /** Index of the first pair at or after a time. */
  #indexAt(atMs: number): number {
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.pairs[middle]!.atMs < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds a pair; answers whether any date can change by it. */
  add(atMs: number, seq: number): boolean {
    const index = this.#indexAt(atMs);
    const next = this.pairs[index];
    if (next !== undefined && next.seq <= seq) return false;
    let from = index;
    while (from > 0 && this.pairs[from - 1]!.seq >= seq) from -= 1;
    const to = next !== undefined && next.atMs === atMs ? index + 1 : index;
    if (from === this.pairs.length) this.pairs.push({ atMs, seq });
    else this.pairs.splice(from, to - from, { atMs, seq });
    return true;
  }

  /** The pair that dates a time; null if nothing is known at or after it. */
  at(atMs: number): SeqAt | null {
    return this.pairs[this.#indexAt(atMs)] ?? null;
  }

  /** Forgets pairs before a time, but the last one. */
  forgetBefore(atMs: number): void {
    const index = Math.min(this.#indexAt(atMs), this.pairs.length - 1);
    if (index > 0) this.pairs.splice(0, index);
  }
}
