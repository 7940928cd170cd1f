import type { Execution } from '../domain/records.js';
import { executionKind } from './execution-type.js';
import { addRow, standsAlike, type ExecutionEntry } from './execution-entry.js';
import { executionFill, executionRef, OUTPUT_TOPIC } from './issue.js';
import { newStray, type OrderSlot, type Market, type StrayRow } from './market.js';
import { labelsOf, linkOf, orderlessLabels } from './order-body.js';
import { attachExecution, recount } from './order-facts.js';
import { causedBy, issueFill, issueRow, refreshParts, relabel } from './order-step.js';
import type { Scope } from './scope.js';
import { cashKey, fileStray, issueAnomalies, issueCash, issueOrderlessFill, refreshCash, unfileStray } from './stray-step.js';

/** What the step needs from the keeper of state. */
export interface Shelf {
  slot(market: Market, orderId: string): OrderSlot;
  /** Forgets a row that is kept elsewhere now. */
  forget(stray: StrayRow): void;
  /** A record changed it. */
  renew(kept: OrderSlot | StrayRow): void;
}

/**
 * One more row of a known execution id. A copy is a no-op; a row that fills in what was absent makes the record fuller; a
 * row that differs is a conflict, and may change which row stands, even of what kind it is and to which order it belongs.
 */
export function repeatExecution(scope: Scope, shelf: Shelf, market: Market, row: Execution, offset: number): void {
  const kept = market.executions.get(row.exec_id)!;
  const home = kept.home === 'order' ? shelf.slot(market, kept.orderId) : kept;
  const entry = home.home === 'stray' ? home.entry : home.body.executions.find((one) => one.execId === row.exec_id)!;
  const next = { ...entry };
  if (!addRow(next, row, offset, market)) return;
  const before = { kind: entry.kind, content: entry.content, cash: entry.kind === 'cash' ? cashKey(entry) : null };
  if (entry.live && entry.kind !== next.kind) retract(scope, home, entry);
  const homeLink = home.home === 'order' ? linkOf(home.body) : '';
  const orderId = next.content.order_id;
  const target = next.kind === 'fill' && orderId !== '' ? shelf.slot(market, orderId) : null;
  const targetLink = target === null ? '' : linkOf(target.body);
  const wasLive = entry.live;
  const rehomed = move(shelf, market, home, entry, next, target);
  const alike = before.kind === entry.kind && standsAlike(before.content, entry.content);
  if (home !== rehomed && home.home === 'order') settleOrder(scope, shelf, home, homeLink, null, offset);
  if (rehomed.home === 'order') settleOrder(scope, shelf, rehomed, targetLink, alike ? null : entry, offset);
  else if (entry.kind === 'fill' && !alike) issueOrderlessFill(scope, rehomed);
  if (before.cash !== null) refreshCash(scope, market, before.cash);
  if (rehomed.home === 'stray' && entry.kind === 'cash') {
    refreshCash(scope, market, cashKey(entry));
    if (wasLive && entry.live && !alike) issueCash(scope, rehomed, false);
  }
  shelf.renew(rehomed);
  mention(scope, shelf, market, entry, offset);
  issueAnomalies(scope, market, entry);
}

function retract(scope: Scope, home: OrderSlot | StrayRow, entry: ExecutionEntry): void {
  if (entry.kind === 'cash' && home.home === 'stray') {
    issueCash(scope, home, true);
    return;
  }
  const body = home.home === 'order' ? home.body : null;
  const labels = body === null ? orderlessLabels(entry, scope.signalOf) : labelsOf(body, scope.signalOf);
  const offset = body?.labelOffset ?? -1;
  const fill = executionFill(home.market, entry, labels, offset, scope.partition, entry.revision, true);
  scope.emitter.emit(OUTPUT_TOPIC, home.market.asset, 'Fill', fill, scope.eventMs);
  entry.revision += 1;
  entry.live = false;
}

/** Puts what the rows amount to in the place of what stood, and keeps it where it belongs now. */
function move(
  shelf: Shelf,
  market: Market,
  home: OrderSlot | StrayRow,
  entry: ExecutionEntry,
  next: ExecutionEntry,
  target: OrderSlot | null,
): OrderSlot | StrayRow {
  if (home.home === 'stray') unfileStray(home);
  const { revision, cashRevision, live } = entry;
  Object.assign(entry, next, { revision, cashRevision, live });
  const rehomed = target ?? (home.home === 'stray' ? home : newStray(market, entry));
  if (home.home === 'order') {
    if (home !== rehomed) home.body.executions = home.body.executions.filter((one) => one !== entry);
    recount(home.body);
  } else if (home !== rehomed) {
    shelf.forget(home);
  }
  if (rehomed.home === 'stray') fileStray(rehomed);
  else if (rehomed !== home) attachExecution(rehomed.body, entry);
  market.executions.set(entry.execId, rehomed);
  return rehomed;
}

function settleOrder(
  scope: Scope,
  shelf: Shelf,
  slot: OrderSlot,
  linkBefore: string,
  changed: ExecutionEntry | null,
  offset: number,
): void {
  if (linkOf(slot.body) !== linkBefore) relabel(scope, slot, changed);
  refreshParts(scope, slot, false);
  if (changed !== null) issueFill(scope, slot, changed, labelsOf(slot.body, scope.signalOf));
  issueRow(scope, slot, causedBy(executionRef(scope.partition, offset)), false, scope.eventMs);
  shelf.renew(slot);
}

/** An order that only a row in conflict names has a row too: which of the rows came first must not matter. */
function mention(scope: Scope, shelf: Shelf, market: Market, entry: ExecutionEntry, offset: number): void {
  for (const { content } of entry.variants ?? []) {
    if (content.order_id === '' || executionKind(content.exec_type) !== 'fill') continue;
    const slot = shelf.slot(market, content.order_id);
    const { body } = slot;
    if (body.mentionedSide !== null && body.mentionedSide <= content.side) continue;
    body.mentionedSide = content.side;
    issueRow(scope, slot, causedBy(executionRef(scope.partition, offset)), false, scope.eventMs);
    shelf.renew(slot);
  }
}
