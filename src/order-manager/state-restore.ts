import type { SignalOf } from '../domain/signal.js';
import type { Clock } from './changelog.js';
import { orderRow } from './issue.js';
import type { MarketIndex } from './market-index.js';
import { keyParts, newSlot, newStray, type OrderSlot, type StrayRow } from './market.js';
import type { ArchivedOrder } from './order-archive.js';
import { labelsOf, newBody } from './order-body.js';
import { recount } from './order-facts.js';
import { assignPart, weigh } from './order-step.js';
import type { OrderManagerOptions } from './scope.js';
import { readEntry, readFacts, readOrder, readState } from './state-codec.js';
import { fileStray } from './stray-step.js';

export function readClock(bytes: Uint8Array): Clock {
  const r = readState(bytes);
  return { partition: r.count(), watermarkMs: r.count(), forwardedMs: r.count() };
}

/** Takes changelog entries in, in any order, and puts everything back where it was kept. */
export class StateRestore {
  private readonly markets: MarketIndex;
  private readonly segments = new Map<string, Uint8Array>();
  private readonly orders = new Map<string, OrderSlot>();
  private readonly strays: StrayRow[] = [];

  constructor(markets: MarketIndex) {
    this.markets = markets;
  }

  add(key: string, bytes: Uint8Array): void {
    const [account, category, asset, id, segment] = keyParts(key);
    if (account === undefined || category === undefined || asset === undefined || id === undefined) {
      throw new Error(`order-manager state has an entry of unknown key ${JSON.stringify(key)}: it is not this role's changelog, or a newer program wrote it`);
    }
    if (segment !== undefined) {
      this.segments.set(key, bytes);
      return;
    }
    const market = this.markets.get(account, category, asset);
    const reader = readState(bytes);
    const lastMs = reader.count();
    if (key.startsWith('o|')) {
      const slot = newSlot(market, id);
      slot.lastMs = lastMs;
      readOrder(reader, id, slot.body, market);
      market.orders.set(id, slot);
      this.orders.set(key, slot);
      return;
    }
    const stray = newStray(market, readEntry(reader, market, '', ''));
    stray.lastMs = lastMs;
    market.executions.set(id, stray);
    fileStray(stray);
    this.strays.push(stray);
  }

  /** Everything that was restored. Parts and rows of the orders are still to be computed. */
  finish(): (OrderSlot | StrayRow)[] {
    for (const [key, slot] of this.orders) {
      for (let segment = 1; segment < slot.body.writtenSegments; segment++) {
        const bytes = this.segments.get(`${key}|${segment}`);
        if (bytes === undefined) throw new Error(`order-manager state lacks segment ${segment} of ${key}: rebuild the changelog`);
        readFacts(readState(bytes), slot.orderId, slot.body, slot.market);
      }
      for (const entry of slot.body.executions) slot.market.executions.set(entry.execId, slot);
    }
    return [...this.orders.values(), ...this.strays];
  }
}

/** What is kept of an archived order, without what is computed from it. */
export function readArchived({ market, orderId, state }: ArchivedOrder): OrderSlot {
  const body = newBody();
  const reader = readState(state);
  const lastMs = reader.count();
  readOrder(reader, orderId, body, market);
  const slot = newSlot(market, orderId, body);
  slot.lastMs = lastMs;
  return slot;
}

/** Of a row that is only compared with the next one. */
const NOT_ISSUED = { messageSeq: null, messageAt: null, inputs: [] };

/**
 * Computes again what was issued for an order, which is a function of its facts and the merged watermark. Returns when the
 * earliest part that is not decided was shown.
 */
export function recompute(slot: OrderSlot, options: OrderManagerOptions, signalOf: SignalOf, watermarkMs: number): number {
  const { body } = slot;
  recount(body);
  body.changedSegment = Infinity;
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
