import { NumberList } from '../domain/number-list.js';

/** A min-heap of items by time in milliseconds. Equal times come out in no promised order: callers sort what they take. */
export class TimeQueue<T> {
  private readonly times = new NumberList();
  private items: T[] = [];

  get size(): number {
    return this.times.length;
  }

  /** Time of the earliest item; Infinity when empty. */
  get firstMs(): number {
    return this.times.length === 0 ? Infinity : this.times.at(0);
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
      if (this.times.at(parent) <= ms) break;
      this.times.set(at, this.times.at(parent));
      this.items[at] = this.items[parent]!;
      at = parent;
    }
    this.times.set(at, ms);
    this.items[at] = item;
  }

  /** Takes the earliest item away. */
  pop(): T | undefined {
    if (this.size === 0) return undefined;
    const taken = this.items[0];
    const ms = this.times.pop();
    const item = this.items.pop();
    const { size } = this;
    if (size === 0) return taken;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.times.at(child + 1) < this.times.at(child)) child += 1;
      if (this.times.at(child) >= ms) break;
      this.times.set(at, this.times.at(child));
      this.items[at] = this.items[child]!;
      at = child;
    }
    this.times.set(at, ms);
    this.items[at] = item as T;
    return taken;
  }

  /** Lets go of the items that need not be kept. */
  keepOnly(isKept: (item: T) => boolean): void {
    const { items } = this;
    const times = items.map((_, at) => this.times.at(at));
    this.items = [];
    this.times.truncate(0);
    items.forEach((item, at) => {
      if (isKept(item)) this.push(times[at]!, item);
    });
  }
}
