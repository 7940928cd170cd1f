import type { CashKind } from '../domain/records.js';

/** What an execution row is: a fill changes size, a cash row is money alone, of an unknown type nothing may be assumed. */
export type ExecutionKind = 'fill' | 'cash' | 'unknown';

const FILL_TYPES: ReadonlySet<string> = new Set([
  'Trade',
  'AdlTrade',
  'BustTrade',
  'Settle',
  'Delivery',
  'BlockTrade',
  'MovePosition',
  'FutureSpread',
  'CorporateAction',
]);

/** Funding, and the settlement of USDC contracts every eight hours under the names the exchange gives it. */
const CASH_TYPES: ReadonlyMap<string, CashKind> = new Map([
  ['Funding', 'funding'],
  ['SessionSettlement', 'settlement'],
  ['SessionSettlePnL', 'settlement'],
  ['SETTLEMENT', 'settlement'],
]);

export function executionKind(execType: string): ExecutionKind {
  if (FILL_TYPES.has(execType)) return 'fill';
  return CASH_TYPES.has(execType) ? 'cash' : 'unknown';
}

export function cashKind(execType: string): CashKind {
  return CASH_TYPES.get(execType) ?? 'unknown';
}
