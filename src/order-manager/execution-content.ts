import { canonicalJson } from '../domain/canonical-json.js';
import type { Decimal } from '../domain/decimal.js';
import type { Execution } from '../domain/records.js';

/** Fields of an execution row that say something, apart from where and when it was received. */
export const EXECUTION_FIELDS = [
  'order_id',
  'order_link_id',
  'side',
  'exec_type',
  'create_type',
  'quantity',
  'price',
  'value',
  'fee',
  'fee_currency',
  'extra_fees',
  'closed_size',
  'exec_pnl',
  'leaves_quantity',
  'order_quantity',
  'is_maker',
  'seq',
  'executed_at',
  'source',
] as const;

/** What an execution row says. */
export type ExecutionContent = Pick<Execution, (typeof EXECUTION_FIELDS)[number]>;

/*
 * Rows of one execution id are compared by side, quantity, price, fee, execution type, seq and order id; an absent field
 * (side None, no seq, no order id) does not differ from anything. All other fields are details: where copies differ in
 * one, the present and then the least value counts. So what rows of one id amount to is a function of their set.
 */

export function sameIdentity(a: ExecutionContent, b: ExecutionContent): boolean {
  return (
    a.seq === b.seq &&
    a.quantity === b.quantity &&
    a.price === b.price &&
    a.fee === b.fee &&
    a.side === b.side &&
    a.exec_type === b.exec_type &&
    a.order_id === b.order_id
  );
}

/** Whether the rows agree in every compared field that both have. */
export function agree(a: ExecutionContent, b: ExecutionContent): boolean {
  return (
    a.quantity === b.quantity &&
    a.price === b.price &&
    a.fee === b.fee &&
    a.exec_type === b.exec_type &&
    (a.seq === b.seq || a.seq === null || b.seq === null) &&
    (a.side === b.side || a.side === 'None' || b.side === 'None') &&
    (a.order_id === b.order_id || a.order_id === '' || b.order_id === '')
  );
}

/** The compared fields as canonical JSON: it sorts rows in conflict, and shows them. */
export function identityText(row: ExecutionContent): string {
  return canonicalJson({
    exec_type: row.exec_type,
    fee: row.fee,
    order_id: row.order_id === '' ? null : row.order_id,
    price: row.price,
    quantity: row.quantity,
    seq: row.seq,
    side: row.side === 'None' ? null : row.side,
  });
}

/** `a` with its absent compared fields filled from `b`, and the details of both; `a` itself if `b` adds nothing. */
export function joined(a: ExecutionContent, b: ExecutionContent): ExecutionContent {
  const both: ExecutionContent = {
    order_id: a.order_id === '' ? b.order_id : a.order_id,
    order_link_id: presentText(a.order_link_id, b.order_link_id),
    side: a.side === 'None' ? b.side : a.side,
    exec_type: a.exec_type,
    create_type: presentText(a.create_type, b.create_type),
    quantity: a.quantity,
    price: a.price,
    value: a.value === 0n ? b.value : b.value === 0n || a.value < b.value ? a.value : b.value,
    fee: a.fee,
    fee_currency: presentText(a.fee_currency, b.fee_currency),
    extra_fees: presentFees(a.extra_fees, b.extra_fees),
    closed_size: presentDecimal(a.closed_size, b.closed_size),
    exec_pnl: presentDecimal(a.exec_pnl, b.exec_pnl),
    leaves_quantity: presentDecimal(a.leaves_quantity, b.leaves_quantity),
    order_quantity: presentDecimal(a.order_quantity, b.order_quantity),
    is_maker: a.is_maker === null ? b.is_maker : b.is_maker === null ? a.is_maker : a.is_maker && b.is_maker,
    seq: a.seq ?? b.seq,
    executed_at: Math.min(a.executed_at, b.executed_at),
    source: SOURCES.indexOf(a.source) <= SOURCES.indexOf(b.source) ? a.source : b.source,
  };
  return sameContent(a, both) ? a : both;
}

const SOURCES: readonly Execution['source'][] = ['stream', 'history', 'unknown', 'transaction_log'];

function presentText(a: string, b: string): string {
  if (a === '') return b;
  return b === '' || a <= b ? a : b;
}

function presentDecimal(a: Decimal | null, b: Decimal | null): Decimal | null {
  if (a === null) return b;
  return b === null || a <= b ? a : b;
}

function presentFees(a: Execution['extra_fees'], b: Execution['extra_fees']): Execution['extra_fees'] {
  if (a.length === 0) return b;
  if (b.length === 0 || a === b) return a;
  return canonicalJson(a) <= canonicalJson(b) ? a : b;
}

/** Whether the rows are alike in everything but where they were received. */
export function sameContent(a: ExecutionContent, b: ExecutionContent): boolean {
  return (
    sameIdentity(a, b) &&
    a.order_link_id === b.order_link_id &&
    a.create_type === b.create_type &&
    a.value === b.value &&
    a.fee_currency === b.fee_currency &&
    a.closed_size === b.closed_size &&
    a.exec_pnl === b.exec_pnl &&
    a.leaves_quantity === b.leaves_quantity &&
    a.order_quantity === b.order_quantity &&
    a.is_maker === b.is_maker &&
    a.executed_at === b.executed_at &&
    a.source === b.source &&
    (a.extra_fees === b.extra_fees || canonicalJson(a.extra_fees) === canonicalJson(b.extra_fees))
  );
}
