import type { Message } from './frames.js';
import type { Trouble } from './options.js';
import { foreignFrame, unreadableLine } from './oddities.js';
import type { Random } from './random.js';

export interface DeliveryStats {
  frames: number;
  duplicates: number;
  stale: number;
  dropped: number;
  stalls: number;
  badLines: number;
  foreign: number;
  farClock: number;
}

interface Arrival {
  time: number;
  order: number;
  line: string;
}

const FAR = 4102444800000;

/** Carries messages to the recorder: every kind of trouble happens here. Keeps only what has not arrived yet. */
export class Delivery {
  readonly stats: DeliveryStats = { frames: 0, duplicates: 0, stale: 0, dropped: 0, stalls: 0, badLines: 0, foreign: 0, farClock: 0 };
  private readonly random: Random;
  private readonly trouble: Trouble;
  private readonly named: boolean;
  private readonly waiting: Arrival[] = [];
  private readonly lastArrival = new Map<string, number>();
  private readonly deafUntil = new Map<number, number>();
  private readonly older = new Map<string, Message[]>();
  private count = 0;
  private readonly onDelivered: ((message: Message) => void) | null;

  constructor(trouble: Trouble, random: Random, named: boolean, onDelivered: ((message: Message) => void) | null) {
    this.trouble = trouble;
    this.random = random;
    this.named = named;
    this.onDelivered = onDelivered;
  }

  send(message: Message): void {
    const { random, trouble } = this;
    if (this.isLost(message)) {
      this.stats.dropped++;
      return;
    }
    const arrival = this.arrivalOf(message);
    this.put(arrival, message.account, message.frame);
    this.onDelivered?.(message);
    if (random.chance(trouble.duplicates)) {
      this.stats.duplicates++;
      this.put(arrival + random.int(0, 20), message.account, message.frame);
    }
    if (message.topic === 'position') this.repeatOlder(message, arrival);
    if (random.chance(trouble.badLines)) {
      this.stats.badLines++;
      this.putLine(arrival, unreadableLine(random, this.lineOf(arrival, message.account, message.frame), arrival));
    }
    if (random.chance(trouble.foreignRows)) {
      this.stats.foreign++;
      this.put(arrival + random.int(0, 9), message.account, foreignFrame(random, message.at));
    }
  }

  /** Lines that can no longer be overtaken by anything sent from `now` on. */
  *arrivedBefore(now: number): Generator<string> {
    while (this.waiting.length > 0 && (this.waiting[0] as Arrival).time < now) yield this.take();
  }

  private isLost(message: Message): boolean {
    const { random, trouble } = this;
    if (message.topic === 'order' && random.chance(trouble.disconnects)) {
      this.deafUntil.set(message.account, message.at + random.int(1000, 10000));
    }
    if (message.at < (this.deafUntil.get(message.account) ?? 0)) return true;
    if (message.topic === 'execution') return random.chance(trouble.lostExecutions);
    return random.chance(message.topic === 'order' ? trouble.lostOrders : trouble.lostPositions);
  }

  private arrivalOf(message: Message): number {
    const { random, trouble } = this;
    const late = message.topic === 'position' ? trouble.latePositions : trouble.lateFills;
    let arrival = message.at + (late > 0 ? random.int(910, 1500) : trouble.skewMs > 0 ? random.int(9, trouble.skewMs) : random.int(0, 2));
    if (message.topic === 'order' && random.chance(trouble.lateOrders)) return arrival + random.int(6000, 20000);
    const stream = `${message.account}${message.topic}`;
    if (random.chance(trouble.stalls)) {
      this.stats.stalls++;
      arrival = message.at + random.int(2000, 15000);
    }
    arrival = Math.max(arrival, this.lastArrival.get(stream) ?? 0);
    this.lastArrival.set(stream, arrival);
    return arrival;
  }

  private repeatOlder(message: Message, arrival: number): void {
    const { random, trouble } = this;
    if (trouble.stale === 0 && trouble.farClock === 0) return;
    const key = `${message.account}${message.symbol}`;
    const known = this.older.get(key) ?? [];
    this.older.set(key, known);
    if (known.length > 0 && random.chance(trouble.stale)) {
      this.stats.stale++;
      this.put(arrival + random.int(0, 30), message.account, random.pick(known).frame);
    }
    if (random.chance(trouble.farClock)) {
      this.stats.farClock++;
      this.put(arrival, message.account, message.frame.replace(/"creationTime":\d+/, `"creationTime":${FAR}`));
    }
    known.push(message);
    if (known.length > 3) known.shift();
  }

  private lineOf(arrival: number, account: number, frame: string): string {
    return this.named ? `{"receivedAt":${arrival},"account":"account-${account + 1}","frame":${frame}}` : `{"receivedAt":${arrival},"frame":${frame}}`;
  }

  private put(arrival: number, account: number, frame: string): void {
    this.stats.frames++;
    this.putLine(arrival, this.lineOf(arrival, account, frame));
  }

  /** Into a binary heap by (arrival, sequence of sending). */
  private putLine(time: number, line: string): void {
    const heap = this.waiting;
    const item = { time, order: this.count++, line };
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, heap[parent] as Arrival)) break;
      heap[at] = heap[parent] as Arrival;
      at = parent;
    }
    heap[at] = item;
  }

  private take(): string {
    const heap = this.waiting;
    const first = heap[0] as Arrival;
    const last = heap.pop() as Arrival;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && isBefore(heap[child + 1] as Arrival, heap[child] as Arrival)) child++;
        if (!isBefore(heap[child] as Arrival, last)) break;
        heap[at] = heap[child] as Arrival;
        at = child;
      }
      heap[at] = last;
    }
    return first.line;
  }
}

function isBefore(a: Arrival, b: Arrival): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
