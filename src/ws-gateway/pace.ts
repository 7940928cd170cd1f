import { setTimeout as sleep } from 'node:timers/promises';

/** Receive time is told to the gateway this often while nothing arrives, so that watermarks come when they are due. */
const TICK_MS = 250;
/** Waiting for less than this costs more than it gives. */
const SHORTEST_WAIT_MS = 2;

/** Plays receive times back at `speed` times their pace, beginning with the first one asked for. */
export class Pace {
  readonly #speed: number;
  readonly #signal: AbortSignal;
  #start: { readonly receivedMs: number; readonly clockMs: number } | null = null;

  constructor(speed: number, signal: AbortSignal) {
    this.#speed = speed;
    this.#signal = signal;
  }

  /**
   * Resolves when the time has come; before it waits, and every 250 ms of receive time while it does, `tick` is called
   * with the receive time reached. Resolves early when the signal is aborted.
   */
  async until(receivedMs: number, tick: (reachedMs: number) => Promise<void>): Promise<void> {
    this.#start ??= { receivedMs, clockMs: performance.now() };
    const start = this.#start;
    let reachedMs = start.receivedMs;
    while (!this.#signal.aborted) {
      reachedMs = Math.max(reachedMs, start.receivedMs + (performance.now() - start.clockMs) * this.#speed);
      const waitMs = (receivedMs - reachedMs) / this.#speed;
      if (waitMs < SHORTEST_WAIT_MS) return;
      await tick(Math.floor(reachedMs));
      await sleep(Math.min(waitMs, Math.max(TICK_MS / this.#speed, SHORTEST_WAIT_MS)), undefined, { signal: this.#signal }).catch(() => {});
    }
  }
}
