import type { Order } from '../../domain/records.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<Order>();

/** One row an order, of any category. */
export const ordersTable = defineTable<Order>({
  name: 'orders',
  key: ['order_id', 'asset', 'category', 'account'],
  columns: [
    ...of('text', 'order_id', 'order_link_id', 'signal_id', 'account', 'category', 'asset'),
    ...of('integer', 'position_idx'),
    ...of('text', 'side', 'order_type'),
    ...of('numeric', 'quantity', 'price'),
    ...of('text', 'status'),
    ...of('numeric', 'filled_quantity', 'average_price', 'fees'),
    ...of('timestamptz', 'created_at', 'updated_at', 'executed_at'),
    ...of('text', 'create_type', 'cancel_type', 'reject_reason', 'stop_order_type', 'time_in_force'),
    ...of('boolean', 'reduce_only', 'close_on_trigger'),
    ...of('numeric', 'trigger_price', 'take_profit', 'stop_loss'),
    ...of('integer', 'revision'),
  ],
});
