import type { Decimal } from '../domain/decimal.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { Order, OrderUpdate, Side } from '../domain/records.js';
import type { ExecutionEntry } from './execution-entry.js';
import type { SignalOf } from '../domain/signal.js';
import { isLater, type OrderContent } from './order-content.js';

/** A total of executed quantity that order messages showed; of several with one total the lowest seq, then time, counts. */
export interface Mark {
  readonly total: Decimal;
  seq: number | null;
  atMs: number;
  value: Decimal;
  fee: Decimal;
  averagePrice: Decimal | null;
  offset: number;
  /** Effective time of the first message that showed this total. */
  readonly shownMs: number;
}

/** An order-derived fill as it was last issued; kept when retracted, for its revision. */
export interface Part {
  readonly to: Decimal;
  from: Decimal;
  value: Decimal;
  fee: Decimal;
  price: Decimal;
  seq: number | null;
  seqAfter: number | null;
  executedAt: number;
  executedAfter: number | null;
  firstSeen: boolean;
  offsets: readonly number[];
  revision: number;
  live: boolean;
}

/** What an order says about each of its fills. */
export interface Labels {
  readonly linkId: string;
  readonly signalId: string | null;
  readonly positionIdx: number | null;
  readonly createType: string;
}

/** Everything kept of one order. What its messages and executions say is joined, so that their order does not matter. */
export interface OrderBody {
  latest: OrderContent | null;
  latestOffset: number;
  /** Least non-empty client id of its messages, and of its executions. */
  linkId: string;
  executionLinkId: string;
  positionIdx: number | null;
  createType: string;
  /** Side as its messages say; null while none does. */
  side: Side | null;
  createdAt: number | null;
  /** What its fills are labelled with; null until it is asked for. */
  labels: Labels | null;
  /** Offset of the message that last changed what its fills are labelled with; -1 if none did. */
  labelOffset: number;
  /** Side as a row in conflict says, of an order that no other row knows. */
  mentionedSide: Side | null;
  /** Ascending totals. */
  marks: Mark[];
  /** (updatedTime, seq or -1) of its messages, ascending. */
  pairTimes: number[];
  pairSeqs: number[];
  /** In order of arrival. */
  executions: ExecutionEntry[];
  /**
   * While `plain`, executions that say where they lie and decided parts make up (0, coverEnd] without gap or overlap, and
   * no fact since the last weighing can change that: what comes next above it need not be weighed with what lies below.
   */
  coverEnd: Decimal;
  plain: boolean;
  /** Ascending upper ends. */
  parts: Part[];
  /** Sums over executions, without parts. */
  executedQuantity: Decimal;
  executedValue: Decimal;
  executedFees: Decimal;
  executedAt: number | null;
  row: Order | null;
  revision: number;
}

export function newBody(): OrderBody {
  return {
    latest: null,
    latestOffset: -1,
    linkId: '',
    executionLinkId: '',
    positionIdx: null,
    createType: '',
    side: null,
    createdAt: null,
    labels: null,
    labelOffset: -1,
    mentionedSide: null,
    marks: [],
    pairTimes: [],
    pairSeqs: [],
    executions: [],
    coverEnd: 0n,
    plain: true,
    parts: [],
    executedQuantity: 0n,
    executedValue: 0n,
    executedFees: 0n,
    executedAt: null,
    row: null,
    revision: 0,
  };
}

/** The client id that counts: the order's own, else that of its executions. */
export function linkOf(body: OrderBody): string {
  return body.linkId === '' ? body.executionLinkId : body.linkId;
}

export function labelsOf(body: OrderBody, signalOf: SignalOf): Labels {
  if (body.labels !== null) return body.labels;
  const linkId = linkOf(body);
  body.labels = { linkId, signalId: signalOf(linkId), positionIdx: body.positionIdx, createType: body.createType };
  return body.labels;
}

/** Labels of a fill whose row names no order. */
export function orderlessLabels(entry: ExecutionEntry, signalOf: SignalOf): Labels {
  const linkId = entry.content.order_link_id;
  return { linkId, signalId: signalOf(linkId), positionIdx: null, createType: '' };
}

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
      offset,
      shownMs: effectiveMs,
    };
    if (at === marks.length) {
      marks.push(mark);
    } else {
      marks.splice(at, 0, mark);
      if (body.parts.length > 0) body.plain = false;
    }
    return true;
  }
  if (!countsBefore(row, known)) return false;
  if (body.parts.length > 0) body.plain = false;
  known.seq = row.seq;
  known.atMs = row.updated_at;
  known.value = row.cumulative_value;
  known.fee = row.cumulative_fee;
  known.averagePrice = row.average_price;
  known.offset = offset;
  return true;
}

function countsBefore(row: OrderUpdate, mark: Mark): boolean {
  if (row.seq !== mark.seq) return mark.seq === null || (row.seq !== null && row.seq < mark.seq);
  if (row.updated_at !== mark.atMs) return row.updated_at < mark.atMs;
  if (row.cumulative_value === mark.value && row.cumulative_fee === mark.fee && row.average_price === mark.averagePrice) return false;
  return (
    canonicalJson([row.average_price, row.cumulative_fee, row.cumulative_value]) <
    canonicalJson([mark.averagePrice, mark.fee, mark.value])
  );
}

function addPair(body: OrderBody, atMs: number, seq: number): boolean {
  const { pairTimes, pairSeqs } = body;
  let at = pairTimes.length;
  while (at > 0 && (pairTimes[at - 1]! > atMs || (pairTimes[at - 1] === atMs && pairSeqs[at - 1]! > seq))) at -= 1;
  if (at > 0 && pairTimes[at - 1] === atMs && pairSeqs[at - 1] === seq) return false;
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
  body.executions.push(entry);
  sumExecution(body, entry);
  if (body.plain) {
    if (entry.to > 0n && entry.from === body.coverEnd) body.coverEnd = entry.to;
    else body.plain = false;
  }
  const link = entry.content.order_link_id;
  if (link === '' || (body.executionLinkId !== '' && link >= body.executionLinkId)) return false;
  body.executionLinkId = link;
  body.labels = null;
  return body.linkId === '';
}

/** Counts everything that comes from executions afresh, after one of them changed or left. */
export function recount(body: OrderBody): void {
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
