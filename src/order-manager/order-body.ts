import type { Decimal } from '../domain/decimal.js';
import type { Order, Side } from '../domain/records.js';
import type { ExecutionEntry } from './execution-entry.js';
import type { SignalOf } from '../domain/signal.js';
import { isTerminal, type OrderContent } from './order-content.js';

/** A total of executed quantity that order messages showed; of several with one total the lowest seq, then time, counts. */
export interface Mark {
  readonly total: Decimal;
  seq: number | null;
  atMs: number;
  value: Decimal;
  fee: Decimal;
  averagePrice: Decimal | null;
  /** Quantity of the order at that time. */
  orderQuantity: Decimal;
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
  /** What the order leaves after it; null where its quantity is less. */
  leaves: Decimal | null;
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
  /** Facts lie in the changelog in segments of this many of each list: the first one that changed since the last commit. */
  changedSegment: number;
  /** Segments that the changelog holds. */
  writtenSegments: number;
}

/** Marks, pairs and executions of an order in one changelog entry. */
export const SEGMENT_FACTS = 64;

export function segmentsOf(body: OrderBody): number {
  const facts = Math.max(body.marks.length, body.pairTimes.length, body.executions.length, 1);
  return Math.ceil(facts / SEGMENT_FACTS);
}

/** The fact at this place of its list, and perhaps those after it, must be written again. */
export function changedAt(body: OrderBody, place: number): void {
  const segment = Math.floor(place / SEGMENT_FACTS);
  if (segment < body.changedSegment) body.changedSegment = segment;
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
    changedSegment: 0,
    writtenSegments: 0,
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

/** Whether nothing more is expected of an order: its row says so, or no message and no quantity says that it is open. */
export function hasEnded(body: OrderBody): boolean {
  const { row, latest } = body;
  return isTerminal(row?.status ?? '') || (latest === null && (row === null || row.quantity === null || row.quantity <= 0n));
}
