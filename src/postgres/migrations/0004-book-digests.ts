import type { Migration } from './migration.js';

/** Digests by book and hour, as the topic book-digests.digests tells them. */
export const bookDigests: Migration = {
  version: 4,
  name: 'book-digests',
  sql: `
CREATE TABLE book_digests (
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  position_idx integer NOT NULL,
  period_at timestamptz NOT NULL,
  deltas bigint NOT NULL,
  digest text NOT NULL,
  total_deltas bigint NOT NULL,
  total_digest text NOT NULL,
  is_final boolean NOT NULL,
  watermark_at timestamptz NOT NULL,
  PRIMARY KEY (asset, account, category, position_idx, period_at)
) WITH (fillfactor = 70);
`,
};
