import type { SignalOf } from '../domain/signal.js';
import type { Emitter } from '../runtime/processor.js';
import type { Market, OrderSlot, StrayRow } from './market.js';

/** What the order-manager was told at start. Times in milliseconds. */
export interface OrderManagerOptions {
  /** How far the merged watermark must pass the message that showed a missing part before it becomes a fill. */
  readonly joinWindowMs: number;
  /** An order is kept until it is terminal and this much has passed; Infinity keeps everything. */
  readonly horizonMs: number;
  /** An order that never ends is kept this long after its last record. */
  readonly openOrderMs: number;
  /** Regular expression over the client order id whose first group is the signal id. */
  readonly signalPattern: string;
}

/** What one step works with. */
export interface Scope {
  readonly options: OrderManagerOptions;
  readonly signalOf: SignalOf;
  partition: number;
  watermarkMs: number;
  emitter: Emitter;
  /** Event time of what is emitted: the effective time of the record that caused it. */
  eventMs: number;
  /** The order's earliest undecided part changed. */
  wait(slot: OrderSlot, shownMs: number): void;
  /** What an order says of its position index; null if it is not known. */
  positionIdxOf(market: Market, orderId: string): number | null;
  /** Its state must be written, and its expiry looked at. */
  touch(kept: OrderSlot | StrayRow): void;
}
