import { settleCoin } from '../domain/settle-coin.js';
import type { ExecutionEntry, MarketTerms } from './execution-entry.js';
import { newBody, type OrderBody } from './order-body.js';

/** A place in the queue of what is looked at later; null once its order is kept elsewhere. */
export interface Ticket {
  readonly home: 'ticket';
  slot: OrderSlot | null;
}

/** One order that can be worked with, and when it is looked at next. One that has ended is kept in the archive. */
export interface OrderSlot {
  readonly home: 'order';
  readonly market: Market;
  readonly orderId: string;
  readonly body: OrderBody;
  readonly ticket: Ticket;
  /** Effective time of the last record that touched it. */
  lastMs: number;
  /** Nothing more is expected of it. */
  ended: boolean;
  /** Effective time of its earliest missing part that is not decided; Infinity if there is none. */
  pendingMs: number;
  /** Time of its entry in the expiry queue; Infinity if there is none. */
  expiryMs: number;
  dirty: boolean;
}

/** One execution row that is no fill of an order: cash, of a type not known, or a fill without an order id. */
export interface StrayRow {
  readonly home: 'stray';
  readonly market: Market;
  readonly entry: ExecutionEntry;
  lastMs: number;
  expiryMs: number;
  dirty: boolean;
}

/** Everything kept of one (account, category, asset). */
export interface Market extends MarketTerms {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  /** Its part of the keys of its changelog entries. */
  readonly keyPart: string;
  /** Where hashes of its ids begin. */
  readonly seed: number;
  /** How many of its orders lie in the archive. */
  archived: number;
  /** All others. */
  readonly orders: Map<string, OrderSlot>;
  /** By execution id: where the row is kept; those of archived orders are not here. */
  readonly executions: Map<string, OrderSlot | StrayRow>;
  /** Cash rows by time and amount. */
  readonly cash: Map<string, StrayRow[]>;
  /** Rows with an anomaly by their order id, whose position index the anomaly takes. */
  readonly flawed: Map<string, StrayRow[]>;
}

export function newMarket(account: string, category: string, asset: string): Market {
  const keyPart = `${escape(account)}|${escape(category)}|${escape(asset)}`;
  let seed = 0x811c9dc5;
  for (let i = 0; i < keyPart.length; i++) seed = Math.imul(seed ^ keyPart.charCodeAt(i), 0x01000193);
  return {
    account,
    category,
    asset,
    inverse: category === 'inverse',
    settleCoin: settleCoin(category, asset),
    keyPart,
    seed,
    archived: 0,
    orders: new Map(),
    executions: new Map(),
    cash: new Map(),
    flawed: new Map(),
  };
}

export function newSlot(market: Market, orderId: string, body = newBody()): OrderSlot {
  const ticket: Ticket = { home: 'ticket', slot: null };
  const slot: OrderSlot = { home: 'order', market, orderId, body, ticket, lastMs: 0, ended: false, pendingMs: Infinity, expiryMs: Infinity, dirty: false };
  ticket.slot = slot;
  return slot;
}

export function newStray(market: Market, entry: ExecutionEntry): StrayRow {
  return { home: 'stray', market, entry, lastMs: 0, expiryMs: Infinity, dirty: false };
}

/** Changelog key: o or s|account|category|asset|id, with | and % in a part escaped; segments of an order have |n at the end. */
export function stateKey(kept: OrderSlot | StrayRow): string {
  return kept.home === 'order' ? orderKey(kept.market, kept.orderId) : `s|${kept.market.keyPart}|${escape(kept.entry.execId)}`;
}

export function orderKey(market: Market, orderId: string): string {
  return `o|${market.keyPart}|${escape(orderId)}`;
}

/** The parts of a changelog key after its kind. */
export function keyParts(key: string): string[] {
  return key.split('|').slice(1).map((part) => (part.includes('%') ? part.replaceAll('%7C', '|').replaceAll('%25', '%') : part));
}

function escape(part: string): string {
  return part.includes('|') || part.includes('%') ? part.replaceAll('%', '%25').replaceAll('|', '%7C') : part;
}
