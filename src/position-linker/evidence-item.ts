import type { Decimal } from '../domain/decimal.js';
import type { InputRef } from '../domain/records.js';
import { POSITION_TOPIC } from './input-topic.js';

/**
 * What a book is derived from: fills, cash events and position updates, each dated to a seq of its asset.
 * `seq` is where an item stands in the book; it is null only for a fill or cash event that no known seq follows.
 */
export interface ItemBase {
  seq: number | null;
  /** Effective time of the record that brought the item: windows count from here. */
  effectiveMs: number;
  /** The rows this item leads to are issued. */
  settled: boolean;
  /** To be taken out as soon as a derivation without it is settled; effectiveMs is then that of the removal. */
  dying: boolean;
}

export interface FillItem extends ItemBase {
  readonly kind: 'fill';
  readonly inputs: readonly InputRef[];
  readonly positionIdx: number;
  /** Identity within account, category and asset, and its hash. */
  readonly fillId: string;
  readonly idHash: number;
  readonly source: 'execution' | 'order';
  readonly execId: string | null;
  readonly orderId: string;
  /** 1 buys, -1 sells. */
  readonly direction: 1 | -1;
  readonly quantity: Decimal;
  /** Notional: linear quantity × price, inverse quantity / price. */
  readonly value: Decimal;
  readonly price: Decimal;
  readonly fee: Decimal;
  readonly closedSize: Decimal | null;
  readonly execPnl: Decimal | null;
  readonly leavesQuantity: Decimal | null;
  /** Covered part of the order's executed quantity, of an order-derived fill. */
  readonly fromQuantity: Decimal | null;
  readonly toQuantity: Decimal | null;
  /** An order-derived fill happened after this seq; null: not known. */
  readonly seqAfter: number | null;
  readonly executedAfter: number | null;
  readonly executedAt: number;
  readonly signalId: string | null;
  readonly exitReason: string;
  /** The order had already executed this part when it was first seen. */
  readonly firstSeen: boolean;
  /** The exchange gave no seq: it is dated by time. */
  readonly dated: boolean;
  /** Part of it was issued at an earlier update, while the fill itself still waits. */
  taken: boolean;
}

export interface CashItem extends ItemBase {
  readonly kind: 'cash';
  readonly inputs: readonly InputRef[];
  readonly positionIdx: number;
  readonly cashId: string;
  readonly idHash: number;
  /** Positive is paid. */
  readonly amount: Decimal;
  readonly occurredAt: number;
  readonly dated: boolean;
  /** Dated to a seq whose events happened later than the cash event: it goes before them. */
  readonly beforeFills: boolean;
}

export interface UpdateItem extends ItemBase {
  readonly kind: 'update';
  /** Where its record stands in the position topic. */
  readonly partition: number;
  readonly offset: number;
  readonly positionIdx: number;
  seq: number;
  /** Signed size. */
  readonly size: Decimal;
  readonly entryPrice: Decimal | null;
  readonly entryPriceDecimals: number;
  readonly positionValue: Decimal | null;
  readonly cumRealisedPnl: Decimal | null;
  readonly updatedAt: number;
  /** When the exchange pushed it: its event time. */
  readonly pushedAt: number;
}

export type FlowItem = FillItem | CashItem;

/** Hash of the id of a fill or cash event: a whole number of 32 bits whose two lowest are 0. */
export function hashOfId(kind: 'fill' | 'cash', id: string): number {
  let hash = kind === 'fill' ? 0x811c9dc5 : 0x2b91f39d;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & ~3;
}

/** The record an update came with. */
export function inputsOfUpdate({ partition, offset }: UpdateItem): InputRef[] {
  return [{ topic: POSITION_TOPIC, partition, offset }];
}

export type Item = FlowItem | UpdateItem;

/** Whether an item is the fill, or the cash event, of an id. */
export function hasId(item: Item, kind: 'fill' | 'cash', id: string): item is FillItem | CashItem {
  return kind === 'fill' ? item.kind === 'fill' && item.fillId === id : item.kind === 'cash' && item.cashId === id;
}

function rank(item: Item): number {
  if (item.kind === 'update') return 2;
  if (item.kind === 'fill') return 0;
  return item.beforeFills ? -1 : 1;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareFills(a: FillItem, b: FillItem): number {
  if (a.seq === null && a.executedAt !== b.executedAt) return a.executedAt - b.executedAt;
  if (a.orderId !== b.orderId) return compareText(a.orderId, b.orderId);
  // A remainder that is not known counts as the smallest, so that the order is total.
  const leavesA = a.leavesQuantity ?? -1n;
  const leavesB = b.leavesQuantity ?? -1n;
  if (leavesA !== leavesB) return leavesA > leavesB ? -1 : 1;
  const toA = a.toQuantity ?? -1n;
  const toB = b.toQuantity ?? -1n;
  if (toA !== toB) return toA < toB ? -1 : 1;
  return compareText(a.fillId, b.fillId);
}

/**
 * Order of a book: by seq; inside one seq fills before cash events before the update; inside one order the larger
 * remainder first. The sequence of several orders inside one seq is decided by the derivation.
 */
export function compareItems(a: Item, b: Item): number {
  if (a.seq !== b.seq) return a.seq === null ? 1 : b.seq === null ? -1 : a.seq - b.seq;
  const byRank = rank(a) - rank(b);
  if (byRank !== 0) return byRank;
  if (a.kind === 'fill' && b.kind === 'fill') return compareFills(a, b);
  if (a.kind === 'cash' && b.kind === 'cash') {
    return a.occurredAt !== b.occurredAt ? a.occurredAt - b.occurredAt : compareText(a.cashId, b.cashId);
  }
  return 0;
}

/** Event time of an item, for the horizon. */
export function eventTime(item: Item): number {
  return item.kind === 'fill' ? item.executedAt : item.kind === 'cash' ? item.occurredAt : item.pushedAt;
}
