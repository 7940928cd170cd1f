import type { PositionDiscrepancy } from '../../domain/records.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<PositionDiscrepancy>();

/** One row for each thing the streams do not agree on. */
export const positionDiscrepanciesTable = defineTable<PositionDiscrepancy>({
  name: 'position_discrepancies',
  key: ['id'],
  columns: [
    ...of('uuid', 'id'),
    ...of('text', 'account', 'category', 'asset'),
    ...of('integer', 'position_idx'),
    ...of('text', 'cause', 'status'),
    ...of('bigint', 'first_seq', 'last_seq'),
    ...of('numeric', 'size', 'money'),
    ...of('text', 'exec_id', 'order_id'),
    ...of('uuid', 'position_id'),
    ...of('jsonb', 'evidence'),
    ...of('timestamptz', 'opened_at', 'closed_at'),
    ...of('integer', 'revision'),
  ],
});
