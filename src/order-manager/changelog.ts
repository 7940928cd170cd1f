import { StateWriter } from '../domain/state-bytes.js';
import type { StateChange } from '../runtime/processor.js';
import { EntrySlab } from './entry-slab.js';
import { stateKey, type LiveSlot, type OrderSlot, type StrayRow } from './market.js';
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
  private readonly changed = new Set<OrderSlot | StrayRow>();
  private readonly removed = new Set<string>();
  private readonly writer = new StateWriter();
  /** Entries that stay in memory lie apart from those that go. */
  private readonly staying = new EntrySlab();
  private readonly passing = new EntrySlab();
  private taken: StateChange[] = [];

  constructor(keepsChanges: boolean) {
    this.keepsChanges = keepsChanges;
  }

  touch(kept: OrderSlot | StrayRow): void {
    if (kept.dirty) return;
    kept.dirty = true;
    this.changed.add(kept);
  }

  /** Nothing of it is kept any more; the changelog holds so many segments of it. */
  forget(kept: OrderSlot | StrayRow, writtenSegments: number): void {
    this.changed.delete(kept);
    if (!this.keepsChanges) return;
    const key = stateKey(kept);
    this.removed.add(key);
    for (let segment = 1; segment < writtenSegments; segment++) this.removed.add(`${key}|${segment}`);
  }

  take(clock: Clock | null): StateChange[] {
    if (!this.keepsChanges) return this.takeNothing();
    for (const kept of this.changed) {
      kept.dirty = false;
      if (kept.home === 'stray') this.put(stateKey(kept), this.passing.keep(this.strayBytes(kept)));
      else if (kept.frozen !== null) this.put(stateKey(kept), kept.frozen);
      else this.putOrder(kept as LiveSlot);
    }
    for (const key of this.removed) this.taken.push({ key, value: null });
    if (clock !== null) this.taken.push({ key: CLOCK_KEY, value: this.clockBytes(clock) });
    this.changed.clear();
    this.removed.clear();
    const { taken } = this;
    this.taken = [];
    return taken;
  }

  /** Only lets what has ended become small. */
  private takeNothing(): StateChange[] {
    const { writer } = this;
    for (const kept of this.changed) {
      kept.dirty = false;
      if (kept.home === 'stray' || kept.frozen !== null) continue;
      const slot = kept as LiveSlot;
      if (!canFreeze(slot)) continue;
      writer.start(STATE_VERSION);
      writer.count(slot.lastMs);
      writeOrder(writer, slot.orderId, slot.body);
      freeze(slot, this.staying.keep(writer.written()));
    }
    this.changed.clear();
    return [];
  }

  private put(key: string, value: Uint8Array): void {
    this.removed.delete(key);
    this.taken.push({ key, value });
  }

  /** Of an order that has ended its bytes are also all that stays in memory. */
  private putOrder(slot: LiveSlot): void {
    const { body, orderId } = slot;
    const { writer } = this;
    const key = stateKey(slot);
    const segments = segmentsOf(body);
    writer.start(STATE_VERSION);
    writer.count(slot.lastMs);
    writeOrder(writer, orderId, body);
    if (canFreeze(slot)) {
      const bytes = this.staying.keep(writer.written());
      this.put(key, bytes);
      freeze(slot, bytes);
      return;
    }
    this.put(key, this.passing.keep(writer.written()));
    for (let segment = Math.max(1, body.changedSegment); segment < segments; segment++) {
      writer.start(STATE_VERSION);
      writeFacts(writer, orderId, body, segment);
      this.put(`${key}|${segment}`, this.passing.keep(writer.written()));
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
function canFreeze(slot: LiveSlot): boolean {
  return slot.ended && slot.pendingMs === Infinity && slot.body.writtenSegments <= 1 && segmentsOf(slot.body) === 1;
}

function freeze(slot: OrderSlot, bytes: Uint8Array): void {
  slot.frozen = bytes;
  slot.body = null;
}
