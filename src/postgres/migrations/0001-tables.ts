import type { Migration } from './migration.js';

/*
 * Enumerations are text without a check: they grow with the exchange's own words, and a sink must not stop for a new one.
 *
 * "Only one open cycle per book" is no unique index. A correction takes several records (the old cycle is retracted, the
 * new one issued), which may reach the table in two transactions and in either order; a partial unique index is checked
 * row by row and cannot be deferred. So it is an invariant to be verified, not a constraint; the index serves the look-up.
 *
 * Rows that are written often leave room in their page, so that an update which touches no indexed column stays there.
 */
export const tables: Migration = {
  version: 1,
  name: 'tables',
  sql: `
CREATE TABLE orders (
  order_id text NOT NULL,
  order_link_id text NOT NULL,
  signal_id text,
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  position_idx integer,
  side text NOT NULL,
  order_type text NOT NULL,
  quantity numeric,
  price numeric,
  status text NOT NULL,
  filled_quantity numeric NOT NULL,
  average_price numeric,
  fees numeric NOT NULL,
  created_at timestamptz,
  updated_at timestamptz,
  executed_at timestamptz,
  create_type text NOT NULL,
  cancel_type text NOT NULL,
  reject_reason text NOT NULL,
  stop_order_type text NOT NULL,
  time_in_force text NOT NULL,
  reduce_only boolean NOT NULL,
  close_on_trigger boolean NOT NULL,
  trigger_price numeric,
  take_profit numeric,
  stop_loss numeric,
  revision integer NOT NULL,
  PRIMARY KEY (order_id, asset, category, account)
) WITH (fillfactor = 80);
CREATE INDEX orders_asset ON orders (asset);
CREATE INDEX orders_signal ON orders (signal_id) WHERE signal_id IS NOT NULL;

CREATE TABLE positions (
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  position_idx integer NOT NULL,
  size numeric NOT NULL,
  average_entry_price numeric,
  position_value numeric,
  mark_price numeric,
  unrealised_pnl numeric,
  cur_realised_pnl numeric,
  cum_realised_pnl numeric,
  leverage numeric,
  liq_price numeric,
  take_profit numeric,
  stop_loss numeric,
  seq bigint,
  updated_at timestamptz NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (asset, account, category, position_idx)
) WITH (fillfactor = 70);

CREATE TABLE portfolio (
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  settle_coin text NOT NULL,
  net_size numeric NOT NULL,
  gross_size numeric NOT NULL,
  position_value numeric NOT NULL,
  unrealised_pnl numeric NOT NULL,
  cur_realised_pnl numeric NOT NULL,
  cum_realised_pnl numeric NOT NULL,
  open_books integer NOT NULL,
  updated_at timestamptz NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (asset, account, category)
) WITH (fillfactor = 70);

CREATE TABLE position_cycles (
  position_id uuid PRIMARY KEY,
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  position_idx integer NOT NULL,
  side text NOT NULL,
  size numeric NOT NULL,
  average_entry_price numeric,
  max_size numeric NOT NULL,
  realized_pnl numeric,
  fees numeric NOT NULL,
  funding numeric NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  exit_price numeric,
  first_seq bigint,
  last_seq bigint,
  revision integer NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX position_cycles_book ON position_cycles (asset, account, category, position_idx, opened_at);
CREATE INDEX position_cycles_open ON position_cycles (asset, account, category, position_idx) WHERE closed_at IS NULL;

CREATE TABLE position_orders (
  id uuid PRIMARY KEY,
  position_id uuid NOT NULL,
  order_id text,
  exec_id text,
  leg integer NOT NULL,
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  position_idx integer NOT NULL,
  side text NOT NULL,
  relationship_type text NOT NULL,
  size_delta numeric NOT NULL,
  size_before numeric NOT NULL,
  size_after numeric NOT NULL,
  execution_price numeric,
  execution_fee numeric NOT NULL,
  executed_at timestamptz NOT NULL,
  seq bigint,
  signal_id text,
  evidence text NOT NULL,
  source text NOT NULL,
  revision integer NOT NULL,
  reason text NOT NULL,
  known_at timestamptz NOT NULL
);
CREATE INDEX position_orders_position ON position_orders (position_id);
CREATE INDEX position_orders_asset ON position_orders (asset, executed_at);
CREATE INDEX position_orders_signal ON position_orders (signal_id) WHERE signal_id IS NOT NULL;

CREATE TABLE position_discrepancies (
  id uuid PRIMARY KEY,
  account text NOT NULL,
  category text NOT NULL,
  asset text NOT NULL,
  position_idx integer,
  cause text NOT NULL,
  status text NOT NULL,
  first_seq bigint,
  last_seq bigint,
  size numeric,
  money numeric,
  exec_id text,
  order_id text,
  position_id uuid,
  evidence jsonb NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  revision integer NOT NULL
);
CREATE INDEX position_discrepancies_asset ON position_discrepancies (asset, opened_at);
CREATE INDEX position_discrepancies_position ON position_discrepancies (position_id) WHERE position_id IS NOT NULL;

CREATE TABLE prediction_trading_results (
  signal_id text,
  position_id uuid NOT NULL,
  asset text NOT NULL,
  direction text,
  entry_quantity numeric NOT NULL,
  entry_price numeric,
  entry_at timestamptz,
  exit_quantity numeric NOT NULL,
  exit_price numeric,
  exit_at timestamptz,
  realized_pnl numeric,
  fees numeric NOT NULL,
  funding numeric NOT NULL,
  net_pnl numeric,
  open_quantity numeric NOT NULL,
  is_closed boolean NOT NULL,
  is_contaminated boolean NOT NULL,
  exit_signal_ids text[] NOT NULL,
  exit_reasons text[] NOT NULL,
  final_to_seq bigint,
  account text NOT NULL,
  category text NOT NULL,
  position_idx integer NOT NULL,
  tally jsonb NOT NULL,
  CONSTRAINT prediction_trading_results_key UNIQUE NULLS NOT DISTINCT (position_id, signal_id)
) WITH (fillfactor = 70);
CREATE INDEX prediction_trading_results_signal ON prediction_trading_results (signal_id) WHERE signal_id IS NOT NULL;
CREATE INDEX prediction_trading_results_asset ON prediction_trading_results (asset);
COMMENT ON COLUMN prediction_trading_results.tally IS
  'Memory of the model-service: the sums and counts this row is made of, so that a reversing delta undoes its delta exactly. Not for other readers.';

CREATE TABLE prediction_cycles (
  position_id uuid PRIMARY KEY,
  contaminated_signal_ids text[] NOT NULL,
  final_to_seq bigint
) WITH (fillfactor = 80);
COMMENT ON TABLE prediction_cycles IS
  'Memory of the model-service: what each cycle says about its rows in prediction_trading_results. Not for other readers.';

CREATE TABLE sink_offsets (
  sink text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  next_offset bigint NOT NULL,
  watermark_at timestamptz,
  records_applied bigint NOT NULL,
  merge_state jsonb,
  PRIMARY KEY (sink, topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE sink_offsets IS
  'How far each table follows its topics: everything before next_offset is in it, and nothing else. Changed only in the transaction that changes the rows, by compare-and-set.';
COMMENT ON COLUMN sink_offsets.watermark_at IS 'Merged watermark of what is in the table; null for compacted topics, which carry none.';
COMMENT ON COLUMN sink_offsets.records_applied IS 'Records of the table''s kind before next_offset, retractions and dead letters among them.';
COMMENT ON COLUMN sink_offsets.merge_state IS 'Where a sink of several topics stands in their merge; null for a sink of one.';

CREATE TABLE pipeline_settings (
  name text PRIMARY KEY,
  value text NOT NULL
);
COMMENT ON TABLE pipeline_settings IS 'Options the rows depend on, as of the first start; a role started with others refuses.';
`,
};
