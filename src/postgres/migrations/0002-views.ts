import type { Migration } from './migration.js';

/*
 * position_order_summary: an order's legs in one cycle as one row. Its first and last leg are found by time, then seq; the
 * legs of one order in one seq follow each other in the direction of its side, so the size before them tells their order.
 * The label follows from the size before the first leg and after the last one. A leg that ends at 0 belongs to a reversal
 * if the order has a leg in the book's next cycle too. Residuals and an unknown start have no order and no row here.
 *
 * account_totals: per settle coin, since amounts of two coins do not add up.
 */
export const views: Migration = {
  version: 2,
  name: 'views',
  sql: `
CREATE VIEW position_order_summary AS
WITH next_cycles AS (
  SELECT position_id,
    lead(position_id) OVER (
      PARTITION BY asset, account, category, position_idx
      ORDER BY opened_at, first_seq, closed_at NULLS LAST, position_id
    ) AS next_position_id
  FROM position_cycles
), legs AS (
  SELECT *,
    row_number() OVER first_to_last AS number,
    count(*) OVER (PARTITION BY asset, account, category, position_idx, position_id, order_id) AS legs
  FROM position_orders
  WHERE order_id IS NOT NULL
  WINDOW first_to_last AS (
    PARTITION BY asset, account, category, position_idx, position_id, order_id
    ORDER BY executed_at, seq NULLS FIRST, size_before * sign(size_delta), leg
  )
), sums AS (
  SELECT asset, account, category, position_idx, position_id, order_id,
    min(signal_id) AS signal_id,
    min(side) AS side,
    max(legs) AS legs,
    sum(size_delta) AS size_delta,
    max(size_before) FILTER (WHERE number = 1) AS size_before,
    max(size_after) FILTER (WHERE number = legs) AS size_after,
    CASE WHEN category = 'inverse' THEN sum(abs(size_delta)) / nullif(sum(abs(size_delta) / nullif(execution_price, 0)), 0)
      ELSE sum(abs(size_delta) * execution_price) / nullif(sum(abs(size_delta)), 0) END AS average_price,
    sum(execution_fee) AS fees,
    min(executed_at) AS first_executed_at,
    max(executed_at) AS last_executed_at
  FROM legs
  GROUP BY asset, account, category, position_idx, position_id, order_id
)
SELECT s.account, s.category, s.asset, s.position_idx, s.position_id, s.order_id, s.signal_id, s.side,
  CASE
    WHEN s.size_after = 0 AND EXISTS (
      SELECT 1 FROM next_cycles n JOIN position_orders o ON o.position_id = n.next_position_id
      WHERE n.position_id = s.position_id AND o.order_id = s.order_id
    ) THEN 'reversed'
    WHEN s.size_after = 0 THEN 'closed'
    WHEN s.size_before = 0 THEN 'opened'
    WHEN abs(s.size_after) > abs(s.size_before) THEN 'increased'
    ELSE 'decreased'
  END AS relationship_type,
  s.legs, s.size_delta, s.size_before, s.size_after, s.average_price, s.fees, s.first_executed_at, s.last_executed_at
FROM sums s;

CREATE VIEW account_totals AS
SELECT account, settle_coin,
  sum(position_value) AS position_value,
  sum(unrealised_pnl) AS unrealised_pnl,
  sum(cur_realised_pnl) AS cur_realised_pnl,
  sum(cum_realised_pnl) AS cum_realised_pnl,
  sum(open_books) AS open_books,
  max(updated_at) AS updated_at
FROM portfolio
GROUP BY account, settle_coin;
`,
};
