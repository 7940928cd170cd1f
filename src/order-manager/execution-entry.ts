import { canonicalJson } from '../domain/canonical-json.js';
import type { Decimal } from '../domain/decimal.js';
import { sameCoin } from '../domain/settle-coin.js';
import { agree, identityText, joined, sameContent, sameIdentity, type ExecutionContent } from './execution-content.js';
import { executionKind, type ExecutionKind } from './execution-type.js';
import { notional } from './notional.js';

/** One of several rows of an execution id that differ in a compared field. */
export interface Variant {
  readonly content: ExecutionContent;
  /** Place in the execution topic where it was first read. */
  readonly offset: number;
}

/** Everything known of one execution id, and how often what follows from it was issued. */
export interface ExecutionEntry {
  readonly execId: string;
  /** The row that stands. */
  content: ExecutionContent;
  offset: number;
  /** All rows, the one that sorts first in front; null while there is one. */
  variants: readonly Variant[] | null;
  conflict: boolean;
  kind: ExecutionKind;
  /** Fees in the settle coin; the others as canonical JSON, empty if none. */
  fee: Decimal;
  otherFees: string;
  value: Decimal;
  /** The part (from, to] of the order's executed quantity it covers; `to` is -1 where it does not say. */
  from: Decimal;
  to: Decimal;
  /** Times its fill was issued, times its cash event was, and whether the last one stands. */
  revision: number;
  cashRevision: number;
  live: boolean;
  /** Whether its anomaly records stand. */
  conflictShown: boolean;
  unknownShown: boolean;
}

/** What an entry needs to know of its market. */
export interface MarketTerms {
  readonly inverse: boolean;
  readonly settleCoin: string;
}

export function newEntry(execId: string, content: ExecutionContent, offset: number, terms: MarketTerms): ExecutionEntry {
  const entry: ExecutionEntry = {
    execId,
    content,
    offset,
    variants: null,
    conflict: false,
    kind: 'unknown',
    fee: 0n,
    otherFees: '',
    value: 0n,
    from: 0n,
    to: -1n,
    revision: 0,
    cashRevision: 0,
    live: false,
    conflictShown: false,
    unknownShown: false,
  };
  derive(entry, terms);
  return entry;
}

/** Takes one more row of the id in. False if it says nothing new. */
export function addRow(entry: ExecutionEntry, content: ExecutionContent, offset: number, terms: MarketTerms): boolean {
  const rows: readonly Variant[] = entry.variants ?? [{ content: entry.content, offset: entry.offset }];
  const same = rows.findIndex((row) => sameIdentity(row.content, content));
  let next: Variant[];
  if (same >= 0) {
    const row = rows[same]!;
    const both = joined(row.content, content);
    if (both === row.content) return false;
    next = rows.map((other, index) => (index === same ? { content: both, offset: row.offset } : other));
  } else {
    next = [...rows, { content, offset }].sort(byIdentity);
  }
  settle(entry, next, terms);
  return true;
}

/** Lets the rows of an id, in any order, decide what stands. */
export function settle(entry: ExecutionEntry, rows: readonly Variant[], terms: MarketTerms): void {
  let standing = rows[0]!.content;
  let conflict = false;
  for (let i = 1; i < rows.length; i++) {
    const row = rows[i]!.content;
    if (agree(standing, row)) standing = joined(standing, row);
    else conflict = true;
  }
  entry.variants = rows.length > 1 ? rows : null;
  entry.conflict = conflict;
  entry.content = standing;
  entry.offset = rows[0]!.offset;
  derive(entry, terms);
}

function byIdentity(a: Variant, b: Variant): number {
  const left = identityText(a.content);
  const right = identityText(b.content);
  return left < right ? -1 : left > right ? 1 : 0;
}

function derive(entry: ExecutionEntry, terms: MarketTerms): void {
  const row = entry.content;
  entry.kind = executionKind(row.exec_type);
  entry.value = entry.kind === 'fill' ? notional(terms.inverse, row.quantity, row.price) : 0n;
  if (row.extra_fees.length === 0 && sameCoin(row.fee_currency, terms.settleCoin)) {
    entry.fee = row.fee;
    entry.otherFees = '';
  } else {
    sumFees(entry, terms);
  }
  entry.to = -1n;
  entry.from = 0n;
  if (row.order_quantity === null || row.leaves_quantity === null || row.order_quantity <= 0n) return;
  const to = row.order_quantity - row.leaves_quantity;
  const from = to - row.quantity;
  if (from < 0n) return;
  entry.to = to;
  entry.from = from;
}

function sumFees(entry: ExecutionEntry, terms: MarketTerms): void {
  const row = entry.content;
  // A cash row's own coin is the coin of its amount, whatever it is.
  const coin = entry.kind === 'cash' && row.fee_currency !== '' ? row.fee_currency : terms.settleCoin;
  const others = new Map<string, Decimal>();
  entry.fee = 0n;
  const add = (feeCoin: string, fee: Decimal): void => {
    if (sameCoin(feeCoin, coin)) entry.fee += fee;
    else if (fee !== 0n) others.set(feeCoin, (others.get(feeCoin) ?? 0n) + fee);
  };
  add(row.fee_currency, row.fee);
  for (const extra of row.extra_fees) add(extra.coin, extra.fee);
  entry.otherFees = others.size === 0 ? '' : canonicalJson([...others].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether two entries' standing rows say the same. */
export function standsAlike(a: ExecutionContent, b: ExecutionContent): boolean {
  return a === b || sameContent(a, b);
}
