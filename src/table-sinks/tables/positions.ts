import type { Position } from '../../domain/records.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<Position>();

/** Latest state of each book, from position updates only. */
export const positionsTable = defineTable<Position>({
  name: 'positions',
  key: ['asset', 'account', 'category', 'position_idx'],
  columns: [
    ...of('text', 'account', 'category', 'asset'),
    ...of('integer', 'position_idx'),
    ...of('numeric', 'size', 'average_entry_price', 'position_value', 'mark_price', 'unrealised_pnl', 'cur_realised_pnl', 'cum_realised_pnl'),
    ...of('numeric', 'leverage', 'liq_price', 'take_profit', 'stop_loss'),
    ...of('bigint', 'seq'),
    ...of('timestamptz', 'updated_at'),
    ...of('bigint', 'version'),
  ],
});
