/*
 * What an account's connections have not seen. A connection sees everything from when it is subscribed to when it last gave a
 * sign of life (a frame, a pong), no matter when its end is noticed. Times between which no connection saw are a gap; it is
 * open until what it hid has been fetched by somebody who was himself connected from before he began to fetch.
 */

export interface Gap {
  /** Everything before is known. */
  readonly fromMs: number;
  /** When it was noticed. */
  readonly noticedMs: number;
}

interface Coverage {
  readonly sinceMs: number;
  aliveMs: number;
}

/** All times are exchange times. */
export class GapState {
  #gap: Gap | null;
  /** Everything before was seen or fetched, without a hole. */
  #knownMs: number;
  readonly #connections = new Map<number, Coverage>();

  /** A gateway that starts has a gap from the last known time on. */
  constructor(knownUntilMs: number, nowMs: number) {
    this.#knownMs = knownUntilMs;
    this.#gap = { fromMs: knownUntilMs, noticedMs: nowMs };
  }

  get gap(): Gap | null {
    return this.#gap;
  }

  get isConnected(): boolean {
    return this.#connections.size > 0;
  }

  /** Up to when everything is known to be received; what a successor would have to fetch from. */
  knownUntilMs(): number {
    return this.#gap === null ? this.#knownMs : this.#gap.fromMs;
  }

  /** Subscribed, and sees everything from here on. */
  subscribed(connection: number, nowMs: number): void {
    this.#connections.set(connection, { sinceMs: nowMs, aliveMs: nowMs });
    this.#extend();
  }

  alive(connection: number, nowMs: number): void {
    const coverage = this.#connections.get(connection);
    if (coverage === undefined || nowMs <= coverage.aliveMs) return;
    coverage.aliveMs = nowMs;
    this.#extend();
  }

  /** A connection's end was noticed. Answers whether that opened a gap. */
  lost(connection: number, nowMs: number): boolean {
    if (!this.#connections.delete(connection) || this.#gap !== null || this.#isFollowed()) return false;
    return this.open(this.#knownMs, nowMs);
  }

  /** Something got lost since that time, for whatever reason. Answers whether there was no gap before. */
  open(fromMs: number, nowMs: number): boolean {
    const isNew = this.#gap === null;
    this.#gap = { fromMs: Math.min(fromMs, this.knownUntilMs()), noticedMs: this.#gap?.noticedMs ?? nowMs };
    return isNew;
  }

  /**
   * Everything from the gap's beginning up to `beganMs`, when fetching began, is written. Closes the gap if some connection has
   * seen everything since; else what it did not see is what remains. Answers whether it is closed.
   */
  fetched(beganMs: number, gapFromMs: number): boolean {
    const gap = this.#gap;
    if (gap === null) return true;
    // Another loss, further back, was noticed in the meantime.
    if (gap.fromMs < gapFromMs) return false;
    this.#knownMs = Math.max(gap.fromMs, beganMs);
    this.#gap = null;
    this.#extend();
    if (this.#isFollowed()) return true;
    this.#gap = { fromMs: this.#knownMs, noticedMs: gap.noticedMs };
    return false;
  }

  /** The exchange's clock has gone back: what was seen by the old one lies ahead of the new. */
  rewind(byMs: number): void {
    this.#knownMs -= byMs;
    if (this.#gap !== null) this.#gap = { fromMs: this.#gap.fromMs - byMs, noticedMs: this.#gap.noticedMs - byMs };
    for (const [connection, { sinceMs, aliveMs }] of this.#connections) this.#connections.set(connection, { sinceMs: sinceMs - byMs, aliveMs: aliveMs - byMs });
  }

  /** Some connection goes on seeing from where everything is known. */
  #isFollowed(): boolean {
    for (const { sinceMs } of this.#connections.values()) if (sinceMs <= this.#knownMs) return true;
    return false;
  }

  #extend(): void {
    if (this.#gap !== null) return;
    for (let grows = true; grows; ) {
      grows = false;
      for (const { sinceMs, aliveMs } of this.#connections.values()) {
        if (sinceMs > this.#knownMs || aliveMs <= this.#knownMs) continue;
        this.#knownMs = aliveMs;
        grows = true;
      }
    }
  }
}
