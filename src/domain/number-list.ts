const LEAST_PLACES = 16;

/**
 * A long row of numbers, outside of the heap that the collector goes through and lets grow to a multiple of what is in it.
 * Indexes are below length but where it says otherwise; callers see to that.
 */
export class NumberList {
  #numbers = new Float64Array(LEAST_PLACES);
  /** Where the first number stands: forgotten ones are before it. */
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#numbers[this.#first + index]!;
  }

  set(index: number, value: number): void {
    this.#numbers[this.#first + index] = value;
  }

  push(value: number): void {
    if (this.#first + this.#length === this.#numbers.length) this.#makeRoom();
    this.#numbers[this.#first + this.#length] = value;
    this.#length += 1;
  }

  /** Takes the last number away; there is one. */
  pop(): number {
    this.#length -= 1;
    return this.#numbers[this.#first + this.#length]!;
  }

  /** Puts one number in place of those from one index up to another, either of them at most length. */
  replace(from: number, to: number, value: number): void {
    if (from === to) {
      this.push(value);
      this.#numbers.copyWithin(this.#first + from + 1, this.#first + from, this.#first + this.#length - 1);
    } else {
      this.#numbers.copyWithin(this.#first + from + 1, this.#first + to, this.#first + this.#length);
      this.#length -= to - from - 1;
    }
    this.#numbers[this.#first + from] = value;
  }

  /** Forgets the first numbers. */
  dropFirst(count: number): void {
    this.#first += count;
    this.#length -= count;
    if (this.#numbers.length > LEAST_PLACES && this.#length < this.#numbers.length / 4) this.#move();
  }

  /** Forgets what stands from an index on. */
  truncate(length: number): void {
    this.#length = length;
    if (this.#numbers.length > LEAST_PLACES && this.#length < this.#numbers.length / 4) this.#move();
  }

  #makeRoom(): void {
    // Room that forgotten numbers have left is used first, if it is worth it.
    if (this.#first > this.#numbers.length / 4) {
      this.#numbers.copyWithin(0, this.#first, this.#first + this.#length);
      this.#first = 0;
    } else this.#move();
  }

  /** To a place half as large again as what is there. */
  #move(): void {
    const numbers = new Float64Array(Math.max(LEAST_PLACES, this.#length + (this.#length >> 1)));
    numbers.set(this.#numbers.subarray(this.#first, this.#first + this.#length));
    this.#numbers = numbers;
    this.#first = 0;
  }
}
