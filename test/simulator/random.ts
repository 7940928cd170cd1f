/** A seeded source of random numbers (sfc32): the same seed gives the same numbers on every machine. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** `stream` separates independent sequences of one seed, so that one asset's numbers do not move another's. */
  constructor(seed: number, stream = 0) {
    this.a = seed | 0;
    this.b = Math.imul(stream + 0x9e37, 0x85ebca6b) | 0;
    this.c = Math.imul(seed ^ stream, 0xc2b2ae35) | 0;
    for (let i = 0; i < 20; i++) this.word();
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor((this.word() / 4294967296) * (high - low + 1));
  }

  /** True with the given probability; a probability of 0 takes no number from the sequence. */
  chance(probability: number): boolean {
    return probability > 0 && this.word() / 4294967296 < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  /** Shuffles in place. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      const held = items[i] as T;
      items[i] = items[j] as T;
      items[j] = held;
    }
    return items;
  }

  /** 32 lower-case hexadecimal digits. */
  hex32(): string {
    return hexWord(this.word()) + hexWord(this.word()) + hexWord(this.word()) + hexWord(this.word());
  }

  /** An id in the form of a version 4 UUID. */
  uuid(): string {
    const first = hexWord(this.word());
    const second = hexWord(((this.word() & 0xffff0fff) | 0x4000) >>> 0);
    const third = hexWord(((this.word() & 0x3fffffff) | 0x80000000) >>> 0);
    const fourth = hexWord(this.word());
    return `${first}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${fourth}`;
  }
}

function hexWord(word: number): string {
  return word.toString(16).padStart(8, '0');
}
