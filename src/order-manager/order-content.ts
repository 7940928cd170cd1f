import { canonicalJson } from '../domain/canonical-json.js';
import type { OrderUpdate } from '../domain/records.js';

/** What an order message says, without where and when it was received. */
export type OrderContent = Omit<
  OrderUpdate,
  | 'account'
  | 'category'
  | 'asset'
  | 'order_id'
  | 'parent_order_link_id'
  | 'source'
  | 'received_at'
  | 'envelope_id'
  | 'envelope_created_at'
  | 'frame_index'
>;

const TERMINAL: ReadonlySet<string> = new Set(['Filled', 'Cancelled', 'Rejected', 'Deactivated', 'PartiallyFilledCanceled']);

export function isTerminal(status: string): boolean {
  return TERMINAL.has(status);
}

/** Whether a is later than b: (terminal status, updatedTime, cumulative quantity, seq, canonical JSON). */
export function isLater(a: OrderContent, b: OrderContent): boolean {
  const terminalA = isTerminal(a.order_status);
  const terminalB = isTerminal(b.order_status);
  if (terminalA !== terminalB) return terminalA;
  if (a.updated_at !== b.updated_at) return a.updated_at > b.updated_at;
  if (a.cumulative_quantity !== b.cumulative_quantity) return a.cumulative_quantity > b.cumulative_quantity;
  if (a.seq !== b.seq) return (a.seq ?? -1) > (b.seq ?? -1);
  return canonicallyAfter(a, b);
}

/**
 * Whether the canonical JSON of a sorts after that of b. Both have the same members, so the first that differs decides; what
 * follows it is a comma, for the last of them, the time of the update, is the same in both.
 */
function canonicallyAfter(a: OrderContent, b: OrderContent): boolean {
  for (const name of SORTED_FIELDS) if (a[name] !== b[name]) return `${canonicalJson(a[name])},` > `${canonicalJson(b[name])},`;
  return false;
}

/** Fields of an order message by name; those that differ most often first. */
export const ORDER_FIELDS: readonly (keyof OrderContent)[] = [
  'updated_at',
  'seq',
  'cumulative_quantity',
  'order_status',
  'order_link_id',
  'side',
  'position_idx',
  'order_type',
  'create_type',
  'cancel_type',
  'reject_reason',
  'stop_order_type',
  'time_in_force',
  'reduce_only',
  'close_on_trigger',
  'price',
  'quantity',
  'average_price',
  'leaves_quantity',
  'cumulative_value',
  'cumulative_fee',
  'closed_pnl',
  'trigger_price',
  'take_profit',
  'stop_loss',
  'created_at',
];

const SORTED_FIELDS: readonly (keyof OrderContent)[] = [...ORDER_FIELDS].sort();
