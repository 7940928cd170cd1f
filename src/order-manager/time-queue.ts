/** A min-heap of items by time in milliseconds. Equal times come out in no promised order: callers sort what they take. */
export class TimeQueue<T> {
  private readonly times: number[] = [];
  private readonly items: T[] = [];

  get size(): number {
    return this.times.length;
  }

  /** Time of the earliest item; Infinity when empty. */
  get firstMs(): number {
    return this.times.length === 0 ? Infinity : this.times[0]!;
  }

  get first(): T | undefined {
    return this.items[0];
  }

  push(ms: number, item: T): void {
    let at = this.times.length;
    this.times.push(ms);
    this.items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.times[parent]! <= ms) break;
      this.times[at] = this.times[parent]!;
      this.items[at] = this.items[parent]!;
      at = parent;
    }
    this.times[at] = ms;
    this.items[at] = item;
  }

  /** Takes the earliest item away. */
  pop(): T | undefined {
    const taken = this.items[0];
    const ms = this.times.pop();
    const item = this.items.pop();
    const size = this.times.length;
    if (ms === undefined || size === 0) return taken;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.times[child + 1]! < this.times[child]!) child += 1;
      if (this.times[child]! >= ms) break;
      this.times[at] = this.times[child]!;
      this.items[at] = this.items[child]!;
      at = child;
    }
    this.times[at] = ms;
    this.items[at] = item as T;
    return taken;
  }
}
