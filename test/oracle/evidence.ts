import { canonicalJson } from '../../src/domain/canonical-json.js';
import { abs, divide, formatDecimal, multiply, type Decimal } from '../../src/domain/decimal.js';
import type { Execution, OrderUpdate, PositionUpdate } from '../../src/domain/records.js';
import { signalReader } from '../../src/domain/signal.js';

/** A fill as it is known at the very end, when every window has passed. */
export interface OracleFill {
  kind: 'fill';
  id: string;
  source: 'execution' | 'order';
  execId: string | null;
  orderId: string;
  signal: string | null;
  positionIdx: number;
  /** Signed. */
  quantity: Decimal;
  price: Decimal;
  value: Decimal;
  fee: Decimal;
  seq: number;
  /** Its seq was not told but found by its time. */
  dated: boolean;
  at: number;
  leaves: Decimal | null;
  closedSize: Decimal | null;
  execPnl: Decimal | null;
}

export interface OracleCash {
  kind: 'cash';
  id: string;
  positionIdx: number;
  amount: Decimal;
  seq: number;
  at: number;
}

/** All that is known of one account, category and asset. */
export interface OracleMarket {
  account: string;
  category: string;
  asset: string;
  fills: OracleFill[];
  cash: OracleCash[];
  updates: PositionUpdate[];
}

const FILL_TYPES = new Set(['Trade', 'AdlTrade', 'BustTrade', 'Settle', 'Delivery', 'BlockTrade', 'MovePosition', 'FutureSpread', 'CorporateAction']);
const signalOf = signalReader();

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Groups by a key, in the order in which the keys are met. */
export function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}

/** What an execution row says; of several rows of one id that whose text sorts first stands. */
function contentOf(row: Execution): string {
  return canonicalJson({ side: row.side, quantity: row.quantity, price: row.price, fee: row.fee, exec_type: row.exec_type, seq: row.seq, order_id: row.order_id });
}

function feeOf(row: Execution): Decimal {
  return row.extra_fees.reduce((sum, extra) => sum + extra.fee, row.fee);
}

/** Everything the rows say about one market. */
export function gather(orders: readonly OrderUpdate[], executions: readonly Execution[], updates: readonly PositionUpdate[]): OracleMarket {
  const { account, category, asset } = (orders[0] ?? executions[0] ?? updates[0])!;
  const inverse = category === 'inverse';
  const byOrder = grouped(orders, (order) => order.order_id);
  const rows = [...grouped(executions, (row) => row.exec_id).values()]
    .map((copies) => [...copies].sort((a, b) => compareText(contentOf(a), contentOf(b)))[0]!);

  // (time, seq) pairs that are told: by these a row without seq is dated.
  const told: [number, number][] = [];
  for (const row of orders) if (row.seq !== null) told.push([row.updated_at, row.seq]);
  for (const row of rows) if (row.seq !== null) told.push([row.executed_at, row.seq]);
  for (const row of updates) if (row.seq !== null && row.seq >= 0) told.push([row.updated_at, row.seq]);
  const seqAt = (at: number): number => Math.min(...told.filter(([time]) => time >= at).map(([, seq]) => seq));

  // The mode a seq falls into: that of the nearest record below, else above.
  const modes: [number, boolean][] = [];
  for (const row of orders) if (row.seq !== null && row.position_idx !== null) modes.push([row.seq, row.position_idx !== 0]);
  for (const row of updates) if (row.seq !== null && row.seq >= 0) modes.push([row.seq, row.position_idx !== 0]);
  const isHedged = (seq: number): boolean => {
    const below = modes.filter(([at]) => at <= seq).sort((a, b) => b[0] - a[0])[0];
    return (below ?? modes.filter(([at]) => at > seq).sort((a, b) => a[0] - b[0])[0] ?? [0, false])[1];
  };
  const indexOf = (orderId: string, seq: number, side: string, closedSize: Decimal | null): number => {
    const said = (byOrder.get(orderId) ?? []).find((order) => order.position_idx !== null)?.position_idx;
    if (said !== undefined && said !== null) return said;
    if (!isHedged(seq)) return 0;
    const closes = closedSize !== null && closedSize > 0n;
    return (side === 'Buy') !== closes ? 1 : 2;
  };
  const signalFor = (orderId: string): string | null => {
    const names = [...(byOrder.get(orderId) ?? []), ...rows.filter((row) => row.order_id === orderId)].map((row) => row.order_link_id);
    return signalOf(names.find((name) => name !== '') ?? '');
  };

  const fills: OracleFill[] = [];
  const cash: OracleCash[] = [];
  for (const row of rows) {
    const seq = row.seq ?? seqAt(row.executed_at);
    if (row.exec_type === 'Funding') {
      const positionIdx = isHedged(seq) ? (row.side === 'Buy' ? 1 : 2) : 0;
      cash.push({ kind: 'cash', id: row.exec_id, positionIdx, amount: feeOf(row), seq, at: row.executed_at });
    }
    if (!FILL_TYPES.has(row.exec_type)) continue;
    fills.push({
      kind: 'fill', id: row.exec_id, source: 'execution', execId: row.exec_id, orderId: row.order_id, signal: signalFor(row.order_id),
      positionIdx: indexOf(row.order_id, seq, row.side, row.closed_size), quantity: row.side === 'Buy' ? row.quantity : -row.quantity,
      price: row.price, value: inverse ? divide(row.quantity, row.price) : multiply(row.quantity, row.price), fee: feeOf(row), seq,
      dated: row.seq === null, at: row.executed_at, leaves: row.leaves_quantity, closedSize: row.closed_size, execPnl: row.exec_pnl,
    });
  }
  for (const [orderId, messages] of byOrder) {
    fills.push(...missingOf(orderId, messages, rows.filter((row) => row.order_id === orderId && FILL_TYPES.has(row.exec_type)), signalFor(orderId), inverse));
  }
  return { account, category, asset, fills, cash, updates: [...updates] };
}

/** Parts of an order's executed total that no execution covers, cut at the totals its messages showed. */
function missingOf(orderId: string, messages: readonly OrderUpdate[], rows: readonly Execution[], signal: string | null, inverse: boolean): OracleFill[] {
  const { side, quantity: ordered } = messages[0]!;
  const covered = rows.map((row) => {
    const upper = row.order_quantity! - row.leaves_quantity!;
    return { row, lower: upper - row.quantity, upper };
  });
  // Of messages that show one total the earliest tells it.
  const steps = [...grouped(messages.filter((message) => message.cumulative_quantity > 0n), (message) => String(message.cumulative_quantity)).values()]
    .map((same) => [...same].sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || a.updated_at - b.updated_at || compareText(canonicalJson(a), canonicalJson(b)))[0]!)
    .sort((a, b) => (a.cumulative_quantity < b.cumulative_quantity ? -1 : 1));
  const found: OracleFill[] = [];
  let before = { cumulative_quantity: 0n, cumulative_value: 0n, cumulative_fee: 0n };
  for (const step of steps) {
    const inside = covered.filter(({ lower, upper }) => lower >= before.cumulative_quantity && upper <= step.cumulative_quantity);
    const edges = [before.cumulative_quantity, step.cumulative_quantity, ...covered.flatMap(({ lower, upper }) => [lower, upper])]
      .filter((edge) => edge >= before.cumulative_quantity && edge <= step.cumulative_quantity)
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const parts: { lower: Decimal; upper: Decimal }[] = [];
    for (let i = 1; i < edges.length; i++) {
      const [lower, upper] = [edges[i - 1]!, edges[i]!];
      if (lower === upper || covered.some((one) => one.lower <= lower && one.upper >= upper)) continue;
      parts.push({ lower, upper });
    }
    const value = inside.reduce((sum, { row }) => sum - row.value, step.cumulative_value - before.cumulative_value);
    const fee = inside.reduce((sum, { row }) => sum - row.fee, step.cumulative_fee - before.cumulative_fee);
    const weights = parts.map(({ lower, upper }) => upper - lower);
    const values = split(value, weights);
    const fees = split(fee, weights);
    parts.forEach(({ lower, upper }, i) => {
      const quantity = upper - lower;
      const next = covered.find((one) => one.lower === upper && upper < step.cumulative_quantity);
      const seq = next?.row.seq != null && next.row.seq < (step.seq ?? Infinity) ? next.row.seq : step.seq;
      found.push({
        kind: 'fill', id: `${orderId}|${formatDecimal(upper)}`, source: 'order', execId: null, orderId, signal, positionIdx: step.position_idx ?? 0,
        quantity: side === 'Buy' ? quantity : -quantity, price: inverse ? divide(quantity, values[i]!) : divide(values[i]!, quantity),
        value: values[i]!, fee: fees[i]!, seq: seq!, dated: false, at: step.updated_at, leaves: ordered - upper, closedSize: null, execPnl: null,
      });
    });
    before = step;
  }
  return found;
}

/** Shares of a whole: rounded down in units of 10^-18, the missing units to the largest remainders, ties to the first. */
export function split(whole: Decimal, weights: readonly Decimal[]): Decimal[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (weights.length === 0) return [];
  const size = abs(whole);
  const parts = weights.map((weight) => (size * weight) / total);
  const ranked = weights
    .map((weight, i) => ({ i, remainder: (size * weight) % total }))
    .sort((a, b) => (a.remainder > b.remainder ? -1 : a.remainder < b.remainder ? 1 : a.i - b.i));
  let missing = size - parts.reduce((sum, part) => sum + part, 0n);
  for (const { i } of ranked) {
    if (missing === 0n) break;
    parts[i]! += 1n;
    missing -= 1n;
  }
  return whole < 0n ? parts.map((part) => -part) : parts;
}
