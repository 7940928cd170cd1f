import type { PositionOrder } from '../../domain/records.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<PositionOrder>();

/** One row a link: this leg of this fill belongs to this cycle. */
export const positionOrdersTable = defineTable<PositionOrder>({
  name: 'position_orders',
  key: ['id'],
  columns: [
    ...of('uuid', 'id', 'position_id'),
    ...of('text', 'order_id', 'exec_id'),
    ...of('integer', 'leg'),
    ...of('text', 'account', 'category', 'asset'),
    ...of('integer', 'position_idx'),
    ...of('text', 'side', 'relationship_type'),
    ...of('numeric', 'size_delta', 'size_before', 'size_after', 'execution_price', 'execution_fee'),
    ...of('timestamptz', 'executed_at'),
    ...of('bigint', 'seq'),
    ...of('text', 'signal_id', 'evidence', 'source'),
    ...of('integer', 'revision'),
    ...of('text', 'reason'),
    ...of('timestamptz', 'known_at'),
  ],
});
