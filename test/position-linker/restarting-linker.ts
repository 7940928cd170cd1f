import { createPositionLinker, type PositionLinker } from '../../src/position-linker/position-linker.js';
import type { LinkerOptions } from '../../src/position-linker/market.js';
import type { Emitter, MergedRecord, Processor, StateChange } from '../../src/runtime/processor.js';
import { Random } from '../simulator/random.js';

/**
 * A linker that dies after every few steps, and goes on as a new one from what was stored. A step is a record or a
 * watermark; the stored entries are given back in any order.
 */
export class RestartingLinker implements Processor {
  readonly store = new Map<string, Uint8Array>();
  restarts = 0;
  #linker: PositionLinker;
  #steps = 0;
  readonly #random: Random;
  readonly #options: Partial<LinkerOptions>;
  readonly #every: number;
  readonly #minSnapshotBytes: number | undefined;

  constructor(options: Partial<LinkerOptions>, every: number, seed: number, minSnapshotBytes?: number) {
    this.#options = options;
    this.#every = every;
    this.#minSnapshotBytes = minSnapshotBytes;
    this.#random = new Random(seed, 5);
    this.#linker = this.#made();
  }

  #made(): PositionLinker {
    return createPositionLinker(this.#options, true, this.#minSnapshotBytes);
  }

  process(record: MergedRecord, emitter: Emitter): void {
    this.#linker.process(record, emitter);
    this.#step();
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    const forwarded = this.#linker.advance(watermarkMs, emitter);
    this.#step();
    return forwarded;
  }

  takeChanges(): StateChange[] {
    return this.#linker.takeChanges();
  }

  restore(): void {
    throw new Error('restores itself');
  }

  finishRestore(): void {
    throw new Error('restores itself');
  }

  #step(): void {
    this.#steps++;
    if (this.#steps % this.#every !== 0) return;
    for (const { key, value } of this.#linker.takeChanges()) {
      if (value === null) this.store.delete(key);
      // A copy: what is stored must not change with the buffer it was written in.
      else this.store.set(key, Uint8Array.from(value));
    }
    this.restarts++;
    this.#linker = this.#made();
    for (const [key, value] of this.#random.shuffle([...this.store])) this.#linker.restore(key, Uint8Array.from(value));
    this.#linker.finishRestore();
  }
}
