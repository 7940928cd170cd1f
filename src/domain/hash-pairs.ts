const LEAST_SLOTS = 16;
const EMPTY = -1;

/**
 * Pairs of a hash, any whole number of 32 bits, and a value from 0 on; a hash may have several. Flat, so that the collector has
 * nothing to go through: open addressing, the pairs of a hash one after the other from its place on, never more than half full.
 */
export class HashPairs {
  #hashes = new Int32Array(LEAST_SLOTS);
  #values = new Int32Array(LEAST_SLOTS).fill(EMPTY);
  #shift = 32 - Math.log2(LEAST_SLOTS);
  #size = 0;

  /** Slots that are kept ready. */
  get capacity(): number {
    return this.#values.length;
  }

  /** Where to look for a hash first: its lowest bits may be all the same. */
  #place(hash: number): number {
    return Math.imul(hash, 0x9e3779b1) >>> this.#shift;
  }

  add(hash: number, value: number): void {
    if (2 * (this.#size + 1) > this.#values.length) this.#resize(2 * this.#values.length);
    this.#put(hash, value);
    this.#size += 1;
  }

  #put(hash: number, value: number): void {
    const values = this.#values;
    const mask = values.length - 1;
    let slot = this.#place(hash);
    while (values[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    values[slot] = value;
  }

  /** Takes out one pair; nothing happens if there is none. */
  remove(hash: number, value: number): void {
    const values = this.#values;
    const hashes = this.#hashes;
    const mask = values.length - 1;
    let slot = this.#place(hash);
    while (values[slot] !== EMPTY && (hashes[slot] !== hash || values[slot] !== value)) slot = (slot + 1) & mask;
    if (values[slot] === EMPTY) return;
    // What stands further on because this slot was taken moves up, so that no search ends too early.
    for (let next = (slot + 1) & mask; values[next] !== EMPTY; next = (next + 1) & mask) {
      const wanted = this.#place(hashes[next]!);
      if (((next - wanted) & mask) < ((next - slot) & mask)) continue;
      hashes[slot] = hashes[next]!;
      values[slot] = values[next]!;
      slot = next;
    }
    values[slot] = EMPTY;
    this.#size -= 1;
    if (values.length > LEAST_SLOTS && 8 * this.#size < values.length) this.#resize(values.length / 2);
  }

  has(hash: number): boolean {
    const values = this.#values;
    const mask = values.length - 1;
    for (let slot = this.#place(hash); values[slot] !== EMPTY; slot = (slot + 1) & mask) if (this.#hashes[slot] === hash) return true;
    return false;
  }

  /** The first value of a hash that fits; -1 if none does. */
  find(hash: number, fits: (value: number) => boolean): number {
    const values = this.#values;
    const mask = values.length - 1;
    for (let slot = this.#place(hash); values[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.#hashes[slot] === hash && fits(values[slot]!)) return values[slot]!;
    }
    return -1;
  }

  #resize(slots: number): void {
    const hashes = this.#hashes;
    const values = this.#values;
    this.#hashes = new Int32Array(slots);
    this.#values = new Int32Array(slots).fill(EMPTY);
    this.#shift = 32 - Math.log2(slots);
    for (let slot = 0; slot < values.length; slot++) if (values[slot] !== EMPTY) this.#put(hashes[slot]!, values[slot]!);
  }
}
