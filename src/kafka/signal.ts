/** Lets one loop sleep until a time has passed or somebody wakes it. Waking nobody is forgotten. */
export class Signal {
  #wake: (() => void) | null = null;

  wait(maxMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, maxMs);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = done;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
