import { setTimeout as pause } from 'node:timers/promises';

/** Work that nobody awaits where it is begun. It ends with the signal, and its errors reach one place. */
export class Background {
  private readonly running = new Set<Promise<void>>();
  private readonly signal: AbortSignal;
  private readonly onError: (error: unknown) => void;

  constructor(signal: AbortSignal, onError: (error: unknown) => void) {
    this.signal = signal;
    this.onError = onError;
  }

  run(work: () => Promise<void>, delayMs = 0): void {
    const kept = this.after(delayMs, work)
      .catch(this.onError)
      .finally(() => {
        this.running.delete(kept);
      });
    this.running.add(kept);
  }

  /** Waits, then works; neither once the signal came. */
  async after(delayMs: number, work: () => Promise<void> = async () => undefined): Promise<void> {
    if (delayMs > 0) await pause(delayMs, undefined, { signal: this.signal }).catch(() => undefined);
    if (!this.signal.aborted) await work();
  }

  /** Resolves when everything begun so far has ended. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.running]);
  }
}
