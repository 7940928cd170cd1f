import type { BookDigest } from '../../domain/records.js';
import { defineTable, fields } from '../../postgres/table.js';

const of = fields<BookDigest>();

/** Digests of what is known, one row for each hour of each book. */
export const bookDigestsTable = defineTable<BookDigest>({
  name: 'book_digests',
  key: ['asset', 'account', 'category', 'position_idx', 'period_at'],
  columns: [
    ...of('text', 'account', 'category', 'asset'),
    ...of('integer', 'position_idx'),
    ...of('timestamptz', 'period_at'),
    ...of('bigint', 'deltas'),
    ...of('text', 'digest'),
    ...of('bigint', 'total_deltas'),
    ...of('text', 'total_digest'),
    ...of('boolean', 'is_final'),
    ...of('timestamptz', 'watermark_at'),
  ],
});
