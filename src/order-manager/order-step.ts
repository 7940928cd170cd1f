import { max, type Decimal } from '../domain/decimal.js';
import type { InputRef } from '../domain/records.js';
import { coverage } from './coverage.js';
import type { ExecutionEntry } from './execution-entry.js';
import { executionFill, orderFill, orderRow, OUTPUT_TOPIC, sameRow, type RowCause } from './issue.js';
import type { OrderSlot } from './market.js';
import { missingParts, type MissingPart } from './missing-part.js';
import { labelsOf, type Labels, type OrderBody, type Part } from './order-body.js';
import type { Scope } from './scope.js';

/** Issues the fill of an execution of this order, once more if it was issued before. */
export function issueFill(scope: Scope, slot: OrderSlot, entry: ExecutionEntry, labels: Labels): void {
  const { market, body } = slot;
  const fill = executionFill(market, entry, labels, body.labelOffset, scope.partition, entry.revision, false);
  scope.emitter.emit(OUTPUT_TOPIC, market.asset, 'Fill', fill, scope.eventMs);
  entry.revision += 1;
  entry.live = true;
}

/** Issues all live fills of an order again, because what it says about them changed. */
export function relabel(scope: Scope, slot: OrderSlot, except: ExecutionEntry | null): void {
  const { body } = slot;
  const labels = labelsOf(body, scope.signalOf);
  for (const entry of body.executions) if (entry !== except && entry.live) issueFill(scope, slot, entry, labels);
  for (const part of body.parts) if (part.live) emitPart(scope, slot, part, labels, scope.eventMs);
}

/**
 * Compares what the order's messages show with what its executions cover: issues, changes and retracts order-derived fills,
 * and tells until when the rest waits. A part is decided once the merged watermark has passed the message that first showed
 * it by the join window. `decidedAtShown` stamps what is issued with that message's effective time: nothing came in.
 * Returns the latest event time of what was issued, -1 if nothing was.
 */
export function refreshParts(scope: Scope, slot: OrderSlot, decidedAtShown: boolean): number {
  const { body } = slot;
  if (body.plain) {
    const shownMs = earliestAbove(body);
    if (shownMs === Infinity || shownMs + scope.options.joinWindowMs > scope.watermarkMs) {
      scope.wait(slot, shownMs);
      return -1;
    }
  }
  const { decided, waitingMs } = weigh(scope, slot);
  const labels = labelsOf(body, scope.signalOf);
  let issuedMs = -1;
  for (const part of body.parts) {
    if (!part.live || decided.some((missing) => missing.to === part.to)) continue;
    part.live = false;
    emitPart(scope, slot, part, labels, scope.eventMs);
  }
  for (const missing of decided) {
    const part = partAt(body, missing);
    const unchanged = part.live && samePart(part, missing);
    assignPart(part, missing);
    if (unchanged) continue;
    part.live = true;
    const eventMs = decidedAtShown ? missing.shownMs : scope.eventMs;
    emitPart(scope, slot, part, labels, eventMs);
    issuedMs = Math.max(issuedMs, eventMs);
  }
  scope.wait(slot, waitingMs);
  return issuedMs;
}

/** The parts that are decided at the merged watermark, and when the earliest of the others was shown. */
export function weigh(scope: Pick<Scope, 'options' | 'watermarkMs'>, slot: OrderSlot): { decided: MissingPart[]; waitingMs: number } {
  const { body, market } = slot;
  const laid = coverage(body.executions, body.marks);
  const decided: MissingPart[] = [];
  let waitingMs = Infinity;
  if (laid.missing.length > 0) {
    for (const missing of missingParts(body, laid, market.inverse)) {
      if (missing.shownMs + scope.options.joinWindowMs <= scope.watermarkMs) decided.push(missing);
      else waitingMs = Math.min(waitingMs, missing.shownMs);
    }
  }
  const settled = waitingMs === Infinity;
  body.plain = !laid.guessed && (settled ? laid.gaplessAbove : laid.gapless && decided.length === 0);
  body.coverEnd = settled ? max(laid.end, topOf(body)) : laid.end;
  return { decided, waitingMs };
}

function topOf(body: OrderBody): Decimal {
  return body.marks.length === 0 ? 0n : body.marks[body.marks.length - 1]!.total;
}

/** Of an order covered without gap: when the first message showed more than that; Infinity if none does. */
function earliestAbove(body: OrderBody): number {
  let shownMs = Infinity;
  for (let i = body.marks.length - 1; i >= 0; i--) {
    const mark = body.marks[i]!;
    if (mark.total <= body.coverEnd) break;
    if (mark.shownMs < shownMs) shownMs = mark.shownMs;
  }
  return shownMs;
}

function partAt(body: OrderBody, missing: MissingPart): Part {
  let at = 0;
  while (at < body.parts.length && body.parts[at]!.to < missing.to) at += 1;
  const known = body.parts[at];
  if (known !== undefined && known.to === missing.to) return known;
  const part = newPart(missing);
  body.parts.splice(at, 0, part);
  return part;
}

export function newPart(missing: Omit<MissingPart, 'shownMs'>): Part {
  const { to, from, value, fee, price, leaves, seq, seqAfter, executedAt, executedAfter, firstSeen, offsets } = missing;
  return { to, from, value, fee, price, leaves, seq, seqAfter, executedAt, executedAfter, firstSeen, offsets, revision: 0, live: false };
}

export function assignPart(part: Part, missing: MissingPart): void {
  part.from = missing.from;
  part.value = missing.value;
  part.fee = missing.fee;
  part.price = missing.price;
  part.leaves = missing.leaves;
  part.seq = missing.seq;
  part.seqAfter = missing.seqAfter;
  part.executedAt = missing.executedAt;
  part.executedAfter = missing.executedAfter;
  part.firstSeen = missing.firstSeen;
  part.offsets = missing.offsets;
}

function samePart(part: Part, missing: MissingPart): boolean {
  return (
    part.from === missing.from &&
    part.value === missing.value &&
    part.fee === missing.fee &&
    part.price === missing.price &&
    part.leaves === missing.leaves &&
    part.seq === missing.seq &&
    part.seqAfter === missing.seqAfter &&
    part.executedAt === missing.executedAt &&
    part.executedAfter === missing.executedAfter &&
    part.firstSeen === missing.firstSeen
  );
}

function emitPart(scope: Scope, slot: OrderSlot, part: Part, labels: Labels, eventMs: number): void {
  const fill = orderFill(slot, part, labels, scope.partition, !part.live);
  scope.emitter.emit(OUTPUT_TOPIC, slot.market.asset, 'Fill', fill, eventMs);
  part.revision += 1;
}

/**
 * Issues the row of the order if it changed, or if a message with a (seq, time) not shown before came: it tells when the
 * order was at which seq.
 */
export function issueRow(scope: Scope, slot: OrderSlot, cause: RowCause, newPair: boolean, eventMs: number): void {
  const { body, market } = slot;
  const row = orderRow(slot, labelsOf(body, scope.signalOf), cause);
  if (!newPair && body.row !== null && sameRow(body.row, row)) return;
  body.row = row;
  body.revision += 1;
  scope.emitter.emit(OUTPUT_TOPIC, market.asset, 'Order', row, eventMs);
}

/** A row that no order message caused. */
export function causedBy(ref: InputRef): RowCause {
  return { messageSeq: null, messageAt: null, inputs: [ref] };
}
