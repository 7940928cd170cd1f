import { canonicalJson } from '../domain/canonical-json.js';
import type { OrderUpdate } from '../domain/records.js';
import type { ExecutionEntry } from './execution-entry.js';
import { changedAt, type Mark, type OrderBody } from './order-body.js';
import { isLater } from './order-content.js';

/** What a message changed; an exact copy changes nothing. */
export interface MessageChange {
  changed: boolean;
  /** Its (seq, updatedTime) was not shown before. */
  newPair: boolean;
  /** What fills are labelled with: client id, position index, create type, side of an order-derived fill. */
  labels: boolean;
}

export function applyMessage(body: OrderBody, row: OrderUpdate, offset: number, effectiveMs: number): MessageChange {
  const labels = applyLabels(body, row);
  let changed = labels;
  if (labels) {
    body.labels = null;
    changedAt(body, 0);
    body.labelOffset = offset;
  }
  if (body.createdAt === null || row.created_at < body.createdAt) {
    body.createdAt = row.created_at;
    changed = true;
    if (body.parts.length > 0) body.plain = false;
  }
  if (body.latest === null || isLater(row, body.latest)) {
    if (body.parts.length > 0 && body.latest?.price !== row.price) body.plain = false;
    body.latest = row;
    body.latestOffset = offset;
    changed = true;
  }
  if (applyMark(body, row, offset, effectiveMs)) changed = true;
  const newPair = addPair(body, row.updated_at, row.seq ?? -1);
  return { changed: changed || newPair, newPair, labels };
}

function applyLabels(body: OrderBody, row: OrderUpdate): boolean {
  let changed = false;
  if (row.order_link_id !== '' && (body.linkId === '' || row.order_link_id < body.linkId)) {
    body.linkId = row.order_link_id;
    changed = true;
  }
  if (row.position_idx !== null && (body.positionIdx === null || row.position_idx < body.positionIdx)) {
    body.positionIdx = row.position_idx;
    changed = true;
  }
  if (row.create_type !== '' && (body.createType === '' || row.create_type < body.createType)) {
    body.createType = row.create_type;
    changed = true;
  }
  if (row.side !== 'None' && (body.side === null || row.side < body.side)) {
    body.side = row.side;
    changed = true;
  }
  return changed;
}

function applyMark(body: OrderBody, row: OrderUpdate, offset: number, effectiveMs: number): boolean {
  const { marks } = body;
  const total = row.cumulative_quantity;
  let at = marks.length;
  while (at > 0 && marks[at - 1]!.total > total) at -= 1;
  const known = at > 0 ? marks[at - 1]! : undefined;
  if (known === undefined || known.total !== total) {
    const mark: Mark = {
      total,
      seq: row.seq,
      atMs: row.updated_at,
      value: row.cumulative_value,
      fee: row.cumulative_fee,
      averagePrice: row.average_price,
      orderQuantity: row.quantity,
      offset,
      shownMs: effectiveMs,
    };
    changedAt(body, at);
    if (at === marks.length) {
      marks.push(mark);
    } else {
      marks.splice(at, 0, mark);
      if (body.parts.length > 0) body.plain = false;
    }
    return true;
  }
  if (!countsBefore(row, known)) return false;
  changedAt(body, at - 1);
  if (body.parts.length > 0) body.plain = false;
  known.seq = row.seq;
  known.atMs = row.updated_at;
  known.value = row.cumulative_value;
  known.fee = row.cumulative_fee;
  known.averagePrice = row.average_price;
  known.orderQuantity = row.quantity;
  known.offset = offset;
  return true;
}

function countsBefore(row: OrderUpdate, mark: Mark): boolean {
  if (row.seq !== mark.seq) return mark.seq === null || (row.seq !== null && row.seq < mark.seq);
  if (row.updated_at !== mark.atMs) return row.updated_at < mark.atMs;
  const alike = row.cumulative_value === mark.value && row.cumulative_fee === mark.fee && row.average_price === mark.averagePrice;
  if (alike && row.quantity === mark.orderQuantity) return false;
  return (
    canonicalJson([row.average_price, row.cumulative_fee, row.cumulative_value, row.quantity]) <
    canonicalJson([mark.averagePrice, mark.fee, mark.value, mark.orderQuantity])
  );
}

function addPair(body: OrderBody, atMs: number, seq: number): boolean {
  const { pairTimes, pairSeqs } = body;
  let at = pairTimes.length;
  while (at > 0 && (pairTimes[at - 1]! > atMs || (pairTimes[at - 1] === atMs && pairSeqs[at - 1]! > seq))) at -= 1;
  if (at > 0 && pairTimes[at - 1] === atMs && pairSeqs[at - 1] === seq) return false;
  changedAt(body, at);
  if (at === pairTimes.length) {
    pairTimes.push(atMs);
    pairSeqs.push(seq);
  } else {
    pairTimes.splice(at, 0, atMs);
    pairSeqs.splice(at, 0, seq);
  }
  return true;
}

/** Takes a new execution in; true if it changes what the order's fills are labelled with. */
export function attachExecution(body: OrderBody, entry: ExecutionEntry): boolean {
  changedAt(body, body.executions.length);
  body.executions.push(entry);
  sumExecution(body, entry);
  if (body.plain) {
    if (entry.to > 0n && entry.from === body.coverEnd) body.coverEnd = entry.to;
    else body.plain = false;
  }
  const link = entry.content.order_link_id;
  if (link === '' || (body.executionLinkId !== '' && link >= body.executionLinkId)) return false;
  body.executionLinkId = link;
  if (body.linkId !== '') return false;
  body.labels = null;
  changedAt(body, 0);
  return true;
}

/** Counts everything that comes from executions afresh, after one of them changed or left. */
export function recount(body: OrderBody): void {
  changedAt(body, 0);
  body.executedQuantity = body.executedValue = body.executedFees = 0n;
  body.executedAt = null;
  body.executionLinkId = '';
  body.labels = null;
  body.plain = false;
  for (const entry of body.executions) {
    sumExecution(body, entry);
    const link = entry.content.order_link_id;
    if (link !== '' && (body.executionLinkId === '' || link < body.executionLinkId)) body.executionLinkId = link;
  }
}

function sumExecution(body: OrderBody, entry: ExecutionEntry): void {
  body.executedQuantity += entry.content.quantity;
  body.executedValue += entry.value;
  body.executedFees += entry.fee;
  if (body.executedAt === null || entry.content.executed_at > body.executedAt) body.executedAt = entry.content.executed_at;
}
