import { settleCoin } from '../domain/settle-coin.js';
import type { ExecutionEntry, MarketTerms } from './execution-entry.js';
import { newBody, type OrderBody } from './order-body.js';

/** One order in memory, and when it is looked at next. An order that has ended is kept as its changelog entry. */
export interface OrderSlot {
  readonly home: 'order';
  readonly market: Market;
  readonly orderId: string;
  body: OrderBody | null;
  /** Its state as bytes, while body is null. */
  frozen: Uint8Array | null;
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

/** An order that can be worked with. */
export type LiveSlot = OrderSlot & { readonly body: OrderBody };

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
  readonly orders: Map<string, OrderSlot>;
  /** By execution id: where the row is kept. */
  readonly executions: Map<string, OrderSlot | StrayRow>;
  /** Cash rows by time and amount. */
  readonly cash: Map<string, StrayRow[]>;
  /** Rows with an anomaly by their order id, whose position index the anomaly takes. */
  readonly flawed: Map<string, StrayRow[]>;
}

export function newMarket(account: string, category: string, asset: string): Market {
  return {
    account,
    category,
    asset,
    inverse: category === 'inverse',
    settleCoin: settleCoin(category, asset),
    keyPart: `${escape(account)}|${escape(category)}|${escape(asset)}`,
    orders: new Map(),
    executions: new Map(),
    cash: new Map(),
    flawed: new Map(),
  };
}

export function newSlot(market: Market, orderId: string): LiveSlot {
  return {
    home: 'order',
    market,
    orderId,
    body: newBody(),
    frozen: null,
    lastMs: 0,
    ended: false,
    pendingMs: Infinity,
    expiryMs: Infinity,
    dirty: false,
  };
}

export function newStray(market: Market, entry: ExecutionEntry): StrayRow {
  return { home: 'stray', market, entry, lastMs: 0, expiryMs: Infinity, dirty: false };
}

/** Changelog key: o or s|account|category|asset|id, with | and % in a part escaped; segments of an order have |n at the end. */
export function stateKey(kept: OrderSlot | StrayRow): string {
  const { market } = kept;
  const id = kept.home === 'order' ? kept.orderId : kept.entry.execId;
  return `${kept.home === 'order' ? 'o' : 's'}|${market.keyPart}|${escape(id)}`;
}

/** The parts of a changelog key after its kind. */
export function keyParts(key: string): string[] {
  return key.split('|').slice(1).map((part) => (part.includes('%') ? part.replaceAll('%7C', '|').replaceAll('%25', '%') : part));
}

function escape(part: string): string {
  return part.includes('|') || part.includes('%') ? part.replaceAll('%', '%25').replaceAll('|', '%7C') : part;
}
