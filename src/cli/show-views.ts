import { shownColumn, type ShownColumn } from './show-cells.js';

/** What `show` can list: rows of one table, the newest as many as asked for, in reading order. */
export interface ShowView {
  /** Query over all rows, without order and limit; the alias t carries the columns that filters and order name. */
  readonly from: string;
  /** Columns of JSON output; * but for the sinks' own memory. */
  readonly columns: string;
  /** SQL condition on a signal; $signal is a text, or null for the unattributed bucket. */
  readonly signalFilter: string;
  /** Reading order, oldest first. */
  readonly order: readonly string[];
  readonly shown: readonly ShownColumn[];
}

const book = (alias: string): string =>
  `(${alias}.account, ${alias}.category, ${alias}.asset, ${alias}.position_idx) = (t.account, t.category, t.asset, t.position_idx)`;
const OWN_SIGNAL = 't.signal_id IS NOT DISTINCT FROM $signal';
const CYCLE_OF_SIGNAL = 'EXISTS (SELECT 1 FROM prediction_trading_results r WHERE r.position_id = t.position_id AND r.signal_id IS NOT DISTINCT FROM $signal)';
const BOOK_OF_SIGNAL = `EXISTS (SELECT 1 FROM prediction_trading_results r WHERE r.signal_id IS NOT DISTINCT FROM $signal AND ${book('r')})`;

const asset = shownColumn('asset', 'asset', 'text');
const index = shownColumn('idx', 'position_idx', 'number');
const seq = shownColumn('seq', 'seq', 'number');

export const SHOW_VIEWS = {
  positions: {
    from: 'positions t',
    columns: 't.*',
    signalFilter: BOOK_OF_SIGNAL,
    order: ['account', 'category', 'asset', 'position_idx'],
    shown: [
      shownColumn('account', 'account', 'text'),
      shownColumn('category', 'category', 'text'),
      asset,
      index,
      shownColumn('size', 'size', 'number'),
      shownColumn('entry price', 'average_entry_price', 'number'),
      shownColumn('value', 'position_value', 'number'),
      shownColumn('mark price', 'mark_price', 'number'),
      shownColumn('unrealised', 'unrealised_pnl', 'number'),
      shownColumn('realised, all time', 'cum_realised_pnl', 'number'),
      seq,
      shownColumn('updated (UTC)', 'updated_at', 'time'),
    ],
  },
  links: {
    from: 'position_orders t',
    columns: 't.*',
    signalFilter: OWN_SIGNAL,
    order: ['executed_at', 'asset', 'account', 'category', 'position_idx', 'seq', 'leg', 'id'],
    shown: [
      shownColumn('executed (UTC)', 'executed_at', 'time'),
      asset,
      index,
      shownColumn('link', 'relationship_type', 'text'),
      shownColumn('change', 'size_delta', 'number'),
      shownColumn('before', 'size_before', 'number'),
      shownColumn('after', 'size_after', 'number'),
      shownColumn('price', 'execution_price', 'number'),
      shownColumn('fee', 'execution_fee', 'number'),
      shownColumn('signal', 'signal_id', 'signal'),
      shownColumn('order', 'order_id', 'id'),
      shownColumn('position', 'position_id', 'id'),
      shownColumn('evidence', 'evidence', 'text'),
      seq,
      shownColumn('rev', 'revision', 'number'),
    ],
  },
  results: {
    from: 'prediction_trading_results t',
    columns:
      't.signal_id, t.position_id, t.account, t.category, t.asset, t.position_idx, t.direction, t.entry_quantity, t.entry_price, t.entry_at, t.exit_quantity, t.exit_price, t.exit_at, ' +
      't.realized_pnl, t.fees, t.funding, t.net_pnl, t.open_quantity, t.is_closed, t.is_contaminated, t.exit_signal_ids, t.exit_reasons, t.final_to_seq',
    signalFilter: OWN_SIGNAL,
    order: ['entry_at', 'asset', 'account', 'category', 'position_idx', 'position_id', 'signal_id'],
    shown: [
      shownColumn('signal', 'signal_id', 'signal'),
      shownColumn('position', 'position_id', 'id'),
      asset,
      shownColumn('side', 'direction', 'text'),
      shownColumn('entered (UTC)', 'entry_at', 'time'),
      shownColumn('quantity', 'entry_quantity', 'number'),
      shownColumn('entry price', 'entry_price', 'number'),
      shownColumn('exit price', 'exit_price', 'number'),
      shownColumn('gross', 'realized_pnl', 'number'),
      shownColumn('fees', 'fees', 'number'),
      shownColumn('funding', 'funding', 'number'),
      shownColumn('net', 'net_pnl', 'number'),
      shownColumn('open', 'open_quantity', 'number'),
      shownColumn('contaminated', 'is_contaminated', 'flag'),
      shownColumn('exits', 'exit_reasons', 'list'),
    ],
  },
  discrepancies: {
    from: 'position_discrepancies t',
    columns: 't.*',
    signalFilter: CYCLE_OF_SIGNAL,
    order: ['opened_at', 'asset', 'account', 'category', 'position_idx', 'id'],
    shown: [
      shownColumn('since (UTC)', 'opened_at', 'time'),
      asset,
      index,
      shownColumn('cause', 'cause', 'text'),
      shownColumn('status', 'status', 'text'),
      shownColumn('size', 'size', 'number'),
      shownColumn('money', 'money', 'number'),
      shownColumn('order', 'order_id', 'id'),
      shownColumn('position', 'position_id', 'id'),
      shownColumn('first seq', 'first_seq', 'number'),
      shownColumn('last seq', 'last_seq', 'number'),
    ],
  },
  orders: {
    from: 'orders t',
    columns: 't.*',
    signalFilter: OWN_SIGNAL,
    order: ['created_at', 'asset', 'account', 'category', 'order_id'],
    shown: [
      shownColumn('created (UTC)', 'created_at', 'time'),
      shownColumn('category', 'category', 'text'),
      asset,
      index,
      shownColumn('order', 'order_id', 'id'),
      shownColumn('signal', 'signal_id', 'signal'),
      shownColumn('side', 'side', 'text'),
      shownColumn('type', 'order_type', 'text'),
      shownColumn('quantity', 'quantity', 'number'),
      shownColumn('price', 'price', 'number'),
      shownColumn('status', 'status', 'text'),
      shownColumn('filled', 'filled_quantity', 'number'),
      shownColumn('average', 'average_price', 'number'),
      shownColumn('fees', 'fees', 'number'),
    ],
  },
  cycles: {
    from: 'position_cycles t',
    columns: 't.*',
    signalFilter: CYCLE_OF_SIGNAL,
    order: ['opened_at', 'asset', 'account', 'category', 'position_idx', 'first_seq', 'position_id'],
    shown: [
      shownColumn('position', 'position_id', 'id'),
      asset,
      index,
      shownColumn('side', 'side', 'text'),
      shownColumn('opened (UTC)', 'opened_at', 'time'),
      shownColumn('closed (UTC)', 'closed_at', 'time'),
      shownColumn('size now', 'size', 'number'),
      shownColumn('largest', 'max_size', 'number'),
      shownColumn('entry price', 'average_entry_price', 'number'),
      shownColumn('exit price', 'exit_price', 'number'),
      shownColumn('gross', 'realized_pnl', 'number'),
      shownColumn('fees', 'fees', 'number'),
      shownColumn('funding', 'funding', 'number'),
      shownColumn('rev', 'revision', 'number'),
    ],
  },
} as const satisfies Readonly<Record<string, ShowView>>;

export type ShowViewName = keyof typeof SHOW_VIEWS;

export interface ShowFilter {
  readonly asset: string | null;
  /** The word unattributed names the bucket of orders without a signal. */
  readonly signal: string | null;
  readonly limit: number;
}

export interface ShowQuery {
  readonly text: string;
  readonly parameters: readonly (string | null)[];
}

export const UNATTRIBUTED = 'unattributed';

/** The newest `limit` rows in reading order; each has `matching`, how many rows the filters let through. */
export function showQuery(view: ShowView, { asset: assetWanted, signal, limit }: ShowFilter): ShowQuery {
  const parameters: (string | null)[] = [];
  const conditions: string[] = [];
  if (assetWanted !== null) {
    parameters.push(assetWanted);
    conditions.push(`t.asset = $${parameters.length}`);
  }
  if (signal !== null) {
    parameters.push(signal === UNATTRIBUTED ? null : signal);
    conditions.push(view.signalFilter.replaceAll('$signal', `$${parameters.length}::text`));
  }
  parameters.push(String(limit));
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const newest = view.order.map((column) => `t.${column} DESC NULLS LAST`).join(', ');
  const reading = view.order.map((column) => `s.${column} NULLS FIRST`).join(', ');
  const inner = `SELECT ${view.columns}, count(*) OVER () AS matching FROM ${view.from}${where} ORDER BY ${newest} LIMIT $${parameters.length}::bigint`;
  return { text: `SELECT s.* FROM (${inner}) s ORDER BY ${reading}`, parameters };
}
