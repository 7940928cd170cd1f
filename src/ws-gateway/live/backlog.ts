import { localMs } from './local-clock.js';
import { SpoolFullError, type Spool } from './spool.js';

export interface BacklogOptions {
  readonly spool: Spool;
  /** Arrivals wait in memory at most so long before they go to disk, with all that follows. */
  readonly memoryMs: number;
  readonly memoryBytes: number;
  /** Told once when arrivals begin to go to disk, and when that is over. */
  readonly onSpooling: (isSpooling: boolean) => void;
}

const TAKE_LINES = 500;
const LOOK_EVERY_MS = 200;

interface Waiting {
  readonly line: string;
  readonly sinceMs: number;
  readonly place: number;
}

/**
 * What was received and not yet acknowledged by the log, in order. Normally in memory; once something waits too long, or too
 * much does, everything unacknowledged goes to the spool and all that follows behind it, until the spool is read empty.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #timer: NodeJS.Timeout;
  #memory: Waiting[] = [];
  /** Taken and not acknowledged. */
  #underWay: Waiting[] = [];
  #memoryBytes = 0;
  /** Lines at the spool's beginning that are under way at the same time: they are skipped when it is read. */
  #toSkip = 0;
  #isSpooling: boolean;
  #pushed = 0;
  #handled = 0;
  /** How many pushed before each wait in the spool. */
  #handledWaits: { readonly place: number; readonly resolve: () => void }[] = [];
  #wake: (() => void) | null = null;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#isSpooling = !options.spool.isEmpty;
    this.#pushed = options.spool.inheritedLines;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  get isSpooling(): boolean {
    return this.#isSpooling;
  }

  /** Nothing waits to be taken. */
  get isEmpty(): boolean {
    return this.#memory.length === 0 && !this.#isSpooling;
  }

  /** Throws SpoolFullError; then it is not in it. */
  push(line: string): void {
    if (this.#isSpooling) this.#options.spool.append(line);
    else {
      if (this.#memoryBytes > 2 * this.#options.memoryBytes) throw new SpoolFullError('memory is full and the spool takes nothing');
      this.#memory.push({ line, sinceMs: localMs(), place: this.#pushed });
      this.#memoryBytes += line.length;
    }
    this.#pushed++;
    this.#wake?.();
  }

  /** The next lines, in the order of arrival; waits for some, or until the signal. */
  async take(signal: AbortSignal): Promise<readonly string[]> {
    for (;;) {
      if (signal.aborted) return [];
      const lines = this.#isSpooling ? this.#fromSpool() : this.#fromMemory();
      if (lines.length > 0) return lines;
      if (this.#isSpooling) continue;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#wake = null;
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  /** The lines last taken are in the gateway's hands: resolves waits for them. */
  handled(count: number): void {
    this.#handled += count;
    const ready = this.#handledWaits.filter(({ place }) => place <= this.#handled);
    this.#handledWaits = this.#handledWaits.filter(({ place }) => place > this.#handled);
    for (const { resolve } of ready) resolve();
  }

  /** Everything that was handled so far is acknowledged by the log. */
  acknowledged(handledBefore: number): void {
    while (this.#underWay[0] !== undefined && this.#underWay[0].place < handledBefore) this.#memoryBytes -= (this.#underWay.shift() as Waiting).line.length;
  }

  get handledCount(): number {
    return this.#handled;
  }

  /** Resolves once everything pushed so far was handled. */
  async caughtUp(): Promise<void> {
    if (this.#handled >= this.#pushed) return;
    await new Promise<void>((resolve) => this.#handledWaits.push({ place: this.#pushed, resolve }));
  }

  /** Whatever is not acknowledged goes to disk. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#underWay.length + this.#memory.length > 0) this.#beginSpooling();
    this.#options.spool.close();
  }

  #fromMemory(): readonly string[] {
    const taken = this.#memory.splice(0, TAKE_LINES);
    this.#underWay.push(...taken);
    return taken.map(({ line }) => line);
  }

  #fromSpool(): readonly string[] {
    const lines = this.#options.spool.read();
    if (lines.length === 0) {
      this.#isSpooling = false;
      this.#options.onSpooling(false);
      return [];
    }
    const skipped = Math.min(this.#toSkip, lines.length);
    this.#toSkip -= skipped;
    return lines.slice(skipped);
  }

  #look(): void {
    if (this.#isSpooling) return;
    const oldest = this.#underWay[0] ?? this.#memory[0];
    if (oldest === undefined) return;
    const { memoryMs, memoryBytes } = this.#options;
    if (localMs() - oldest.sinceMs > memoryMs || this.#memoryBytes > memoryBytes) this.#beginSpooling();
  }

  #beginSpooling(): void {
    this.#toSkip = this.#underWay.length;
    try {
      for (const { line } of [...this.#underWay, ...this.#memory]) this.#options.spool.append(line);
    } catch {
      // The disk takes nothing: what is in memory stays there, and what comes is refused when it does.
      this.#toSkip = 0;
      return;
    }
    this.#underWay = [];
    this.#memory = [];
    this.#memoryBytes = 0;
    if (!this.#isSpooling) this.#options.onSpooling(true);
    this.#isSpooling = true;
    // Whoever waits for memory has to look at the disk now.
    this.#wake?.();
  }
}
