import { canonicalJson } from '../domain/canonical-json.js';
import type { AnomalyCause, CashEvent, ExecutionAnomaly } from '../domain/records.js';
import { identityText } from './execution-content.js';
import type { ExecutionEntry } from './execution-entry.js';
import { cashKind } from './execution-type.js';
import { executionFill, executionRef, OUTPUT_TOPIC } from './issue.js';
import type { Market, StrayRow } from './market.js';
import { orderlessLabels } from './order-body.js';
import type { Scope } from './scope.js';

/** Files a row that is no fill of an order under what it is matched by. */
export function fileStray(stray: StrayRow): void {
  const { entry, market } = stray;
  if (entry.kind === 'cash') push(market.cash, cashKey(entry), stray);
  if ((entry.kind === 'unknown' || entry.conflict) && entry.content.order_id !== '') push(market.flawed, entry.content.order_id, stray);
}

/** Takes it out again; must be called before its content changes. */
export function unfileStray(stray: StrayRow): void {
  const { entry, market } = stray;
  if (entry.kind === 'cash') drop(market.cash, cashKey(entry), stray);
  if ((entry.kind === 'unknown' || entry.conflict) && entry.content.order_id !== '') drop(market.flawed, entry.content.order_id, stray);
}

function push(index: Map<string, StrayRow[]>, key: string, stray: StrayRow): void {
  const rows = index.get(key);
  if (rows === undefined) index.set(key, [stray]);
  else rows.push(stray);
}

function drop(index: Map<string, StrayRow[]>, key: string, stray: StrayRow): void {
  const rest = (index.get(key) ?? []).filter((other) => other !== stray);
  if (rest.length === 0) index.delete(key);
  else index.set(key, rest);
}

const NO_ROWS: readonly ExecutionEntry[] = [];

/** Rows with an anomaly that name an order, by execution id. */
export function flawedRows(market: Market, orderId: string): readonly ExecutionEntry[] {
  const flawed = market.flawed.get(orderId);
  if (flawed === undefined) return NO_ROWS;
  const rows = flawed.map((stray) => stray.entry);
  return rows.sort((a, b) => (a.execId < b.execId ? -1 : 1));
}

export function cashKey(entry: ExecutionEntry): string {
  return `${entry.content.executed_at}|${entry.fee}`;
}

/**
 * Issues and retracts the cash events of one time and amount: a row of the transaction log counts only while no execution
 * row of its book says the same. Which book a row means, its side says; a side that is not told does not differ.
 */
export function refreshCash(scope: Scope, market: Market, key: string): void {
  const rows = [...(market.cash.get(key) ?? [])].sort((a, b) => (a.entry.execId < b.entry.execId ? -1 : 1));
  // Retractions first, so that the same money is at no time there twice.
  for (const stray of rows) if (stray.entry.live && !counts(stray, rows)) issueCash(scope, stray, true);
  for (const stray of rows) if (!stray.entry.live && counts(stray, rows)) issueCash(scope, stray, false);
}

function counts(stray: StrayRow, rows: readonly StrayRow[]): boolean {
  if (stray.entry.content.source !== 'transaction_log') return true;
  const { side } = stray.entry.content;
  return !rows.some(({ entry: { content } }) => {
    return content.source !== 'transaction_log' && (content.side === side || content.side === 'None' || side === 'None');
  });
}

export function issueCash(scope: Scope, stray: StrayRow, retracted: boolean): void {
  const { entry, market } = stray;
  const row = entry.content;
  const cash: CashEvent = {
    account: market.account,
    category: market.category,
    asset: market.asset,
    position_idx: null,
    cash_id: entry.execId,
    kind: cashKind(row.exec_type),
    side: row.side,
    amount: entry.fee,
    currency: row.fee_currency,
    seq: row.seq,
    occurred_at: row.executed_at,
    source: row.source === 'transaction_log' ? 'transaction_log' : 'execution',
    retracted,
    revision: entry.cashRevision,
    inputs: [executionRef(scope.partition, entry.offset)],
  };
  entry.cashRevision += 1;
  entry.live = !retracted;
  scope.emitter.emit(OUTPUT_TOPIC, market.asset, 'CashEvent', cash, scope.eventMs);
  scope.touch(stray);
}

/** Issues the fill of a row that names no order. */
export function issueOrderlessFill(scope: Scope, stray: StrayRow): void {
  const { entry, market } = stray;
  const labels = orderlessLabels(entry, scope.signalOf);
  const fill = executionFill(market, entry, labels, -1, scope.partition, entry.revision, false);
  scope.emitter.emit(OUTPUT_TOPIC, market.asset, 'Fill', fill, scope.eventMs);
  entry.revision += 1;
  entry.live = true;
}

/** Issues what is wrong with a row, and takes back what no longer is. */
export function issueAnomalies(scope: Scope, market: Market, entry: ExecutionEntry): void {
  if (entry.conflict || entry.conflictShown) {
    const rows = (entry.variants ?? []).map((variant) => JSON.parse(identityText(variant.content)) as object);
    emitAnomaly(scope, market, entry, 'conflict', canonicalJson(rows), !entry.conflict);
    entry.conflictShown = entry.conflict;
  }
  const unknown = entry.kind === 'unknown';
  if (unknown || entry.unknownShown) {
    emitAnomaly(scope, market, entry, 'unknown_exec_type', canonicalJson({ exec_type: entry.content.exec_type }), !unknown);
    entry.unknownShown = unknown;
  }
}

function emitAnomaly(
  scope: Scope,
  market: Market,
  entry: ExecutionEntry,
  cause: AnomalyCause,
  detail: string,
  retracted: boolean,
): void {
  const row = entry.content;
  const offsets = entry.variants === null ? [entry.offset] : entry.variants.map((variant) => variant.offset);
  const anomaly: ExecutionAnomaly = {
    account: market.account,
    category: market.category,
    asset: market.asset,
    position_idx: scope.positionIdxOf(market, row.order_id),
    cause,
    exec_id: entry.execId,
    order_id: row.order_id,
    side: row.side,
    quantity: row.quantity,
    seq: row.seq,
    occurred_at: row.executed_at,
    detail,
    retracted,
    inputs: offsets.map((offset) => executionRef(scope.partition, offset)),
  };
  scope.emitter.emit(OUTPUT_TOPIC, market.asset, 'ExecutionAnomaly', anomaly, scope.eventMs);
}
