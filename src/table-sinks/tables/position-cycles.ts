import type { PositionCycle } from '../../domain/records.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<PositionCycle>();

/** One row a cycle: a book's life from flat to flat, or to a reversal. */
export const positionCyclesTable = defineTable<PositionCycle>({
  name: 'position_cycles',
  key: ['position_id'],
  columns: [
    ...of('uuid', 'position_id'),
    ...of('text', 'account', 'category', 'asset'),
    ...of('integer', 'position_idx'),
    ...of('text', 'side'),
    ...of('numeric', 'size', 'average_entry_price', 'max_size', 'realized_pnl', 'fees', 'funding'),
    ...of('timestamptz', 'opened_at', 'closed_at'),
    ...of('numeric', 'exit_price'),
    ...of('bigint', 'first_seq', 'last_seq'),
    ...of('integer', 'revision'),
    ...of('numeric', 'cum_realised_pnl_before'),
  ],
});
