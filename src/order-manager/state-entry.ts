import type { SignalOf } from '../domain/signal.js';
import { orderRow } from './issue.js';
import type { MarketIndex } from './market-index.js';
import { keyParts, newSlot, newStray, type LiveSlot, type OrderSlot, type StrayRow } from './market.js';
import { labelsOf, newBody, recount } from './order-body.js';
import { assignPart, weigh } from './order-step.js';
import type { OrderManagerOptions, Scope } from './scope.js';
import { StateWriter } from '../domain/state-bytes.js';
import { readEntry, readOrder, readState, STATE_VERSION, writeEntry, writeOrder } from './state-codec.js';
import { fileStray } from './stray-step.js';

/*
 * State in the changelog: one entry for each order and for each row that belongs to none, and one for the clock. Only what
 * cannot be computed again is written: sums, order-derived fills and the row of an order follow from the rest.
 */

/** Where the task stands in time; its key is no key of an order. */
export interface Clock {
  readonly partition: number;
  readonly watermarkMs: number;
  readonly forwardedMs: number;
}

export const CLOCK_KEY = 'clock';

export function clockEntry(w: StateWriter, clock: Clock): Uint8Array {
  w.start(STATE_VERSION);
  w.count(clock.partition);
  w.count(clock.watermarkMs);
  w.count(clock.forwardedMs);
  return w.finish();
}

export function readClock(bytes: Uint8Array): Clock {
  const r = readState(bytes);
  return { partition: r.count(), watermarkMs: r.count(), forwardedMs: r.count() };
}

/** The bytes hold until the writer is used again. */
export function keptEntry(w: StateWriter, kept: LiveSlot | StrayRow): Uint8Array {
  w.start(STATE_VERSION);
  w.count(kept.lastMs);
  if (kept.home === 'order') writeOrder(w, kept.orderId, kept.body);
  else writeEntry(w, kept.entry, '', '');
  return w.written();
}

/** Puts an entry back where it was kept. Orders are whole only after settleOrder. */
export function restoreKept(markets: MarketIndex, key: string, bytes: Uint8Array): LiveSlot | StrayRow {
  const [account, category, asset, id] = keyParts(key);
  if (account === undefined || category === undefined || asset === undefined || id === undefined) {
    throw new Error(`order-manager state has an entry of unknown key ${JSON.stringify(key)}: it is not this role's changelog, or a newer program wrote it`);
  }
  const market = markets.get(account, category, asset);
  const reader = readState(bytes);
  const lastMs = reader.count();
  if (key.startsWith('o|')) {
    const slot = newSlot(market, id);
    readOrder(reader, id, slot.body, market);
    slot.lastMs = lastMs;
    market.orders.set(id, slot);
    for (const entry of slot.body.executions) market.executions.set(entry.execId, slot);
    return slot;
  }
  const stray = newStray(market, readEntry(reader, market, '', ''));
  stray.lastMs = lastMs;
  market.executions.set(id, stray);
  fileStray(stray);
  return stray;
}

/** Computes again what was issued for a restored order, which is a function of its facts and the merged watermark. */
export function settleRestored(scope: Scope, slot: LiveSlot): void {
  scope.wait(slot, recompute(slot, scope.options, scope.signalOf, scope.watermarkMs));
}

/** Makes a frozen order one that can be worked with. All its parts are decided, or it had not been frozen. */
export function thaw(slot: OrderSlot, options: OrderManagerOptions, signalOf: SignalOf): LiveSlot {
  const { frozen } = slot;
  if (frozen === null) return slot as LiveSlot;
  const reader = readState(frozen);
  reader.count();
  const body = newBody();
  readOrder(reader, slot.orderId, body, slot.market);
  slot.body = body;
  slot.frozen = null;
  recompute(slot as LiveSlot, options, signalOf, Infinity);
  return slot as LiveSlot;
}

/** Of a row that is only compared with the next one. */
const NOT_ISSUED = { messageSeq: null, messageAt: null, inputs: [] };

/** Returns when the earliest part that is not decided was shown. */
function recompute(slot: LiveSlot, options: OrderManagerOptions, signalOf: SignalOf, watermarkMs: number): number {
  const { body } = slot;
  recount(body);
  const { decided, waitingMs } = weigh({ options, watermarkMs }, slot);
  for (const part of body.parts) {
    const missing = decided.find((one) => one.to === part.to);
    if (part.live !== (missing !== undefined)) {
      throw new Error(`order-manager state of order ${slot.orderId} does not fit its facts: rebuild the changelog`);
    }
    if (missing !== undefined) assignPart(part, missing);
  }
  if (body.revision > 0) body.row = orderRow(slot, labelsOf(body, signalOf), NOT_ISSUED);
  return waitingMs;
}
