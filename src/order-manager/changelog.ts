import { StateWriter } from '../domain/state-bytes.js';
import type { StateChange } from '../runtime/processor.js';
import { EntrySlab } from './entry-slab.js';
import { stateKey, type OrderSlot, type StrayRow } from './market.js';
import { segmentsOf } from './order-body.js';
import { STATE_VERSION, writeEntry, writeFacts, writeOrder } from './state-codec.js';

/*
 * State in the changelog: one entry for each row that belongs to no order, one for each order and, where an order has very
 * many messages or executions, further segments of them; and one for the clock. Only what cannot be computed again is
 * written: sums, order-derived fills and the row of an order follow from the rest.
 */

/** Where the task stands in time; its key is no key of an order. */
export interface Clock {
  readonly partition: number;
  readonly watermarkMs: number;
  readonly forwardedMs: number;
}

export const CLOCK_KEY = 'clock';

/** What changed since the last commit, as changelog entries. */
export class Changelog {
  private readonly keepsChanges: boolean;
  /** Told of orders that have ended, with their state: the bytes hold until it answers. */
  private readonly archive: (slot: OrderSlot, state: Uint8Array) => void;
  private readonly changed = new Set<OrderSlot | StrayRow>();
  private readonly idle = new Set<OrderSlot>();
  private readonly removed = new Set<string>();
  private readonly writer = new StateWriter();
  private readonly entries = new EntrySlab();
  private taken: StateChange[] = [];

  constructor(keepsChanges: boolean, archive: (slot: OrderSlot, state: Uint8Array) => void) {
    this.keepsChanges = keepsChanges;
    this.archive = archive;
  }

  touch(kept: OrderSlot | StrayRow): void {
    if (kept.dirty) return;
    kept.dirty = true;
    this.changed.add(kept);
  }

  /** It is written already, and may go to the archive. */
  rest(slot: OrderSlot): void {
    this.idle.add(slot);
  }

  /** Nothing of it is kept any more; its key, and how many segments of it the changelog holds. */
  forget(key: string, writtenSegments: number): void {
    if (!this.keepsChanges) return;
    this.removed.add(key);
    for (let segment = 1; segment < writtenSegments; segment++) this.removed.add(`${key}|${segment}`);
  }

  /** It changes no more. */
  leave(kept: OrderSlot | StrayRow): void {
    this.changed.delete(kept);
    if (kept.home === 'order') this.idle.delete(kept);
  }

  take(clock: Clock | null): StateChange[] {
    for (const kept of this.changed) {
      kept.dirty = false;
      if (kept.home === 'order') this.putOrder(kept);
      else if (this.keepsChanges) this.put(stateKey(kept), this.strayBytes(kept));
    }
    for (const slot of this.idle) if (!this.changed.has(slot) && canArchive(slot)) this.archive(slot, this.orderBytes(slot));
    this.changed.clear();
    this.idle.clear();
    if (!this.keepsChanges) return [];
    for (const key of this.removed) this.taken.push({ key, value: null });
    if (clock !== null) this.taken.push({ key: CLOCK_KEY, value: this.clockBytes(clock) });
    this.removed.clear();
    const { taken } = this;
    this.taken = [];
    return taken;
  }

  private put(key: string, bytes: Uint8Array): void {
    this.removed.delete(key);
    this.taken.push({ key, value: this.entries.keep(bytes) });
  }

  /** The head of an order and its first segment, until something else is written. */
  private orderBytes(slot: OrderSlot): Uint8Array {
    this.writer.start(STATE_VERSION);
    this.writer.count(slot.lastMs);
    writeOrder(this.writer, slot.orderId, slot.body);
    return this.writer.written();
  }

  private putOrder(slot: OrderSlot): void {
    const { body, orderId } = slot;
    const { writer } = this;
    const isArchived = canArchive(slot);
    if (!this.keepsChanges) {
      if (isArchived) this.archive(slot, this.orderBytes(slot));
      return;
    }
    const key = stateKey(slot);
    const bytes = this.orderBytes(slot);
    this.put(key, bytes);
    if (isArchived) {
      this.archive(slot, bytes);
      return;
    }
    const segments = segmentsOf(body);
    for (let segment = Math.max(1, body.changedSegment); segment < segments; segment++) {
      writer.start(STATE_VERSION);
      writeFacts(writer, orderId, body, segment);
      this.put(`${key}|${segment}`, writer.written());
    }
    for (let segment = segments; segment < body.writtenSegments; segment++) this.removed.add(`${key}|${segment}`);
    body.changedSegment = Infinity;
    body.writtenSegments = segments;
  }

  private strayBytes(stray: StrayRow): Uint8Array {
    const { writer } = this;
    writer.start(STATE_VERSION);
    writer.count(stray.lastMs);
    writeEntry(writer, stray.entry, '', '');
    return writer.written();
  }

  private clockBytes(clock: Clock): Uint8Array {
    const { writer } = this;
    writer.start(STATE_VERSION);
    writer.count(clock.partition);
    writer.count(clock.watermarkMs);
    writer.count(clock.forwardedMs);
    return writer.finish();
  }
}

/** Of an order that waits for nothing and fits one entry the bytes are all that is needed. */
function canArchive(slot: OrderSlot): boolean {
  return slot.ended && slot.pendingMs === Infinity && slot.body.writtenSegments <= 1 && segmentsOf(slot.body) === 1;
}
