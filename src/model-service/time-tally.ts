/*
 * A multiset of times of which single ones can be taken out again, with its earliest and latest.
 *
 * Corrections reach back a bounded number of events only, so the oldest times are folded into one count once there are
 * many: their earliest and latest stay exact unless something older than the fold is taken out.
 */

/** Distinct times kept singly; beyond twice as many the older half is folded. Above the correction horizon of a book. */
export const TIMES_KEPT = 5000;

interface Fold {
  count: number;
  earliestMs: number;
  latestMs: number;
}

export class TimeTally {
  #fold: Fold | null = null;
  readonly #counts = new Map<number, number>();

  /** count is 1, or -1 to take one out. */
  add(timeMs: number, count: 1 | -1): void {
    const fold = this.#fold;
    if (fold !== null && timeMs <= fold.latestMs) {
      fold.count += count;
      if (count > 0) fold.earliestMs = Math.min(fold.earliestMs, timeMs);
      if (fold.count === 0) this.#fold = null;
      return;
    }
    const now = (this.#counts.get(timeMs) ?? 0) + count;
    if (now === 0) this.#counts.delete(timeMs);
    else this.#counts.set(timeMs, now);
    if (this.#counts.size > 2 * TIMES_KEPT) this.#foldOldest();
  }

  get isEmpty(): boolean {
    return this.#fold === null && this.#counts.size === 0;
  }

  earliest(): number | null {
    if (this.#fold !== null) return this.#fold.earliestMs;
    let earliest: number | null = null;
    for (const timeMs of this.#counts.keys()) if (earliest === null || timeMs < earliest) earliest = timeMs;
    return earliest;
  }

  latest(): number | null {
    let latest: number | null = this.#fold?.latestMs ?? null;
    for (const timeMs of this.#counts.keys()) if (latest === null || timeMs > latest) latest = timeMs;
    return latest;
  }

  /** Text: fold "count,earliest,latest" or nothing; then after ; the times in base 36, each as distance to the one before, with *count if not 1. */
  encode(): string {
    const fold = this.#fold;
    let before = 0;
    const times = this.#sorted().map((timeMs) => {
      const count = this.#counts.get(timeMs) ?? 0;
      const text = (timeMs - before).toString(36) + (count === 1 ? '' : `*${count}`);
      before = timeMs;
      return text;
    });
    return `${fold === null ? '' : `${fold.count},${fold.earliestMs},${fold.latestMs}`};${times.join(',')}`;
  }

  static decode(text: string): TimeTally {
    const tally = new TimeTally();
    const [fold = '', times = ''] = text.split(';');
    if (fold !== '') {
      const [count, earliestMs, latestMs] = fold.split(',').map(Number);
      if (count === undefined || earliestMs === undefined || latestMs === undefined) throw new Error(`stored times cannot be read: ${fold}`);
      tally.#fold = { count, earliestMs, latestMs };
    }
    let timeMs = 0;
    for (const item of times === '' ? [] : times.split(',')) {
      const [distance = '', count = '1'] = item.split('*');
      timeMs += Number.parseInt(distance, 36);
      tally.#counts.set(timeMs, Number(count));
    }
    return tally;
  }

  #sorted(): number[] {
    return [...this.#counts.keys()].sort((a, b) => a - b);
  }

  #foldOldest(): void {
    const oldest = this.#sorted().slice(0, -TIMES_KEPT);
    let fold = this.#fold;
    for (const timeMs of oldest) {
      const count = this.#counts.get(timeMs) ?? 0;
      if (fold === null) fold = { count, earliestMs: timeMs, latestMs: timeMs };
      else fold = { count: fold.count + count, earliestMs: Math.min(fold.earliestMs, timeMs), latestMs: timeMs };
      this.#counts.delete(timeMs);
    }
    this.#fold = fold;
  }
}
