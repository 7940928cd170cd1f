import type { Portfolio } from '../../domain/records.js';
import { settleCoin } from '../../domain/settle-coin.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<Portfolio>();

/** Totals over the books of one account, category and asset, with the coin they are in. */
export const portfolioTable = defineTable<Portfolio>({
  name: 'portfolio',
  key: ['asset', 'account', 'category'],
  columns: [
    ...of('text', 'account', 'category', 'asset'),
    { name: 'settle_coin', type: 'text', cell: (record) => settleCoin(record.category, record.asset) },
    ...of('numeric', 'net_size', 'gross_size', 'position_value', 'unrealised_pnl', 'cur_realised_pnl', 'cum_realised_pnl'),
    ...of('integer', 'open_books'),
    ...of('timestamptz', 'updated_at'),
    ...of('bigint', 'version'),
  ],
});
