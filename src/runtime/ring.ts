/** A first-in-first-out queue of (time, offset, item) in parallel columns: no allocation per entry. */
export class Ring<T> {
  size = 0;
  private head = 0;
  private mask = 63;
  private times = new Float64Array(64);
  private offsets = new Float64Array(64);
  private items: (T | undefined)[] = new Array<T | undefined>(64).fill(undefined);

  push(time: number, offset: number, item: T): void {
    if (this.size > this.mask) this.grow();
    const slot = (this.head + this.size) & this.mask;
    this.times[slot] = time;
    this.offsets[slot] = offset;
    this.items[slot] = item;
    this.size++;
  }

  /** Time of the entry `index` places behind the first; the caller keeps index below size. */
  time(index = 0): number {
    return this.times[(this.head + index) & this.mask] as number;
  }

  offset(index = 0): number {
    return this.offsets[(this.head + index) & this.mask] as number;
  }

  item(index = 0): T {
    return this.items[(this.head + index) & this.mask] as T;
  }

  shift(): T {
    const item = this.items[this.head] as T;
    this.items[this.head] = undefined;
    this.head = (this.head + 1) & this.mask;
    this.size--;
    return item;
  }

  private grow(): void {
    const capacity = (this.mask + 1) * 2;
    const times = new Float64Array(capacity);
    const offsets = new Float64Array(capacity);
    const items = new Array<T | undefined>(capacity).fill(undefined);
    for (let index = 0; index < this.size; index++) {
      times[index] = this.time(index);
      offsets[index] = this.offset(index);
      items[index] = this.item(index);
    }
    this.times = times;
    this.offsets = offsets;
    this.items = items;
    this.head = 0;
    this.mask = capacity - 1;
  }
}
