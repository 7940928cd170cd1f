import { NumberList } from '../domain/number-list.js';

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
  /** Times and their seqs, side by side: there are as many as fills. */
  readonly #times = new NumberList();
  readonly #seqs = new NumberList();

  get length(): number {
    return this.#times.length;
  }

  /** The n-th pair, from the oldest; n is below length. */
  pairAt(n: number): SeqAt {
    return { atMs: this.#times.at(n), seq: this.#seqs.at(n) };
  }

  /** Time of the oldest pair; null if there is none. */
  get firstMs(): number | null {
    return this.length === 0 ? null : this.#times.at(0);
  }

  /** Index of the first pair at or after a time. */
  #indexAt(atMs: number): number {
    let low = 0;
    let high = this.#times.length;
    if (high > 0 && this.#times.at(high - 1) < atMs) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times.at(middle) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds a pair; answers whether any date can change by it. */
  add(atMs: number, seq: number): boolean {
    const index = this.#indexAt(atMs);
    const { length } = this.#times;
    if (index < length && this.#seqs.at(index) <= seq) return false;
    let from = index;
    while (from > 0 && this.#seqs.at(from - 1) >= seq) from -= 1;
    const to = index < length && this.#times.at(index) === atMs ? index + 1 : index;
    if (from === length) {
      this.#times.push(atMs);
      this.#seqs.push(seq);
    } else {
      this.#times.replace(from, to, atMs);
      this.#seqs.replace(from, to, seq);
    }
    return true;
  }

  /** Adds a pair after all others, as it was once kept. */
  restore(atMs: number, seq: number): void {
    this.#times.push(atMs);
    this.#seqs.push(seq);
  }

  /** The pair that dates a time; null if nothing is known at or after it. */
  at(atMs: number): SeqAt | null {
    const index = this.#indexAt(atMs);
    return index < this.#times.length ? this.pairAt(index) : null;
  }

  /** Forgets pairs before a time, but the last one. */
  forgetBefore(atMs: number): void {
    this.#forgetFirst(Math.min(this.#indexAt(atMs), this.#times.length - 1));
  }

  /** Forgets pairs up to a seq, but the last one: what is older is dated to it, which is at or below that seq as well. */
  forgetUpTo(seq: number): void {
    let low = 0;
    let high = this.#seqs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#seqs.at(middle) <= seq) low = middle + 1;
      else high = middle;
    }
    this.#forgetFirst(low - 1);
  }

  #forgetFirst(count: number): void {
    if (count <= 0) return;
    this.#times.dropFirst(count);
    this.#seqs.dropFirst(count);
  }
}
