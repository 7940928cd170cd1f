import type { Fill, InputRef, Order } from '../domain/records.js';
import { formatDecimal } from '../domain/decimal.js';
import type { ExecutionEntry } from './execution-entry.js';
import type { OrderSlot, Market } from './market.js';
import { averagePrice } from './notional.js';
import type { Labels, OrderBody, Part } from './order-body.js';

export const ORDER_TOPIC = 'ws-gateway.order';
export const EXECUTION_TOPIC = 'ws-gateway.execution';
export const OUTPUT_TOPIC = 'order-manager.order_events';

export function orderRef(partition: number, offset: number): InputRef {
  return { topic: ORDER_TOPIC, partition, offset };
}

export function executionRef(partition: number, offset: number): InputRef {
  return { topic: EXECUTION_TOPIC, partition, offset };
}

/** The fill of an execution row. `revision` counts earlier issues. */
export function executionFill(
  market: Market,
  entry: ExecutionEntry,
  labels: Labels,
  labelOffset: number,
  partition: number,
  revision: number,
  retracted: boolean,
): Fill {
  const row = entry.content;
  const inputs = [executionRef(partition, entry.offset)];
  if (labelOffset >= 0) inputs.push(orderRef(partition, labelOffset));
  return {
    account: market.account,
    category: market.category,
    asset: market.asset,
    position_idx: labels.positionIdx,
    fill_id: entry.execId,
    source: 'execution',
    exec_id: entry.execId,
    order_id: row.order_id,
    order_link_id: labels.linkId,
    signal_id: labels.signalId,
    side: row.side,
    quantity: row.quantity,
    price: row.price,
    value: entry.value,
    fee: entry.fee,
    other_fees: entry.otherFees,
    closed_size: row.closed_size,
    exec_pnl: row.exec_pnl,
    leaves_quantity: row.leaves_quantity,
    exec_type: row.exec_type,
    create_type: labels.createType === '' ? row.create_type : labels.createType,
    is_maker: row.is_maker,
    seq: row.seq,
    seq_after: null,
    executed_at: row.executed_at,
    executed_after: null,
    from_quantity: null,
    to_quantity: null,
    first_seen: false,
    retracted,
    revision,
    inputs,
  };
}

/** The fill of a part that only the order stream's totals show. */
export function orderFill(slot: OrderSlot, part: Part, labels: Labels, partition: number, retracted: boolean): Fill {
  const { market, orderId, body } = slot;
  return {
    account: market.account,
    category: market.category,
    asset: market.asset,
    position_idx: labels.positionIdx,
    fill_id: `${orderId}|${formatDecimal(part.to)}`,
    source: 'order',
    exec_id: null,
    order_id: orderId,
    order_link_id: labels.linkId,
    signal_id: labels.signalId,
    side: body.side ?? 'None',
    quantity: part.to - part.from,
    price: part.price,
    value: part.value,
    fee: part.fee,
    other_fees: '',
    closed_size: null,
    exec_pnl: null,
    leaves_quantity: part.leaves,
    exec_type: 'Trade',
    create_type: labels.createType,
    is_maker: null,
    seq: part.seq,
    seq_after: part.seqAfter,
    executed_at: part.executedAt,
    executed_after: part.executedAfter,
    from_quantity: part.from,
    to_quantity: part.to,
    first_seen: part.firstSeen,
    retracted,
    revision: part.revision,
    inputs: part.offsets.map((offset) => orderRef(partition, offset)),
  };
}

/** The order message that caused a row; null for a fill. */
export interface RowCause {
  readonly messageSeq: number | null;
  readonly messageAt: number | null;
  readonly inputs: readonly InputRef[];
}

/** The row of table orders as the order's messages and fills say. */
export function orderRow(slot: OrderSlot, labels: Labels, cause: RowCause): Order {
  const { market, body } = slot;
  const { latest } = body;
  let filled = body.executedQuantity;
  let value = body.executedValue;
  let fees = body.executedFees;
  let executedAt = body.executedAt;
  for (const part of body.parts) {
    if (!part.live) continue;
    filled += part.to - part.from;
    value += part.value;
    fees += part.fee;
    if (executedAt === null || part.executedAt > executedAt) executedAt = part.executedAt;
  }
  const known = latest === null ? newest(body) : null;
  const quantity = latest === null ? (known?.content.order_quantity ?? null) : latest.quantity;
  // A spot order's quantity may count the quote coin, its fills never do.
  const complete = quantity !== null && quantity > 0n && filled >= quantity && market.category !== 'spot';
  return {
    account: market.account,
    category: market.category,
    asset: market.asset,
    position_idx: labels.positionIdx,
    order_id: slot.orderId,
    order_link_id: labels.linkId,
    signal_id: labels.signalId,
    side: body.side ?? known?.content.side ?? body.mentionedSide ?? 'None',
    order_type: latest?.order_type ?? '',
    quantity,
    price: latest?.price ?? null,
    status: complete ? 'Filled' : (latest?.order_status ?? ''),
    filled_quantity: filled,
    average_price: filled === 0n ? null : averagePrice(market.inverse, filled, value),
    fees,
    create_type: labels.createType === '' ? (known?.content.create_type ?? '') : labels.createType,
    cancel_type: latest?.cancel_type ?? '',
    reject_reason: latest?.reject_reason ?? '',
    stop_order_type: latest?.stop_order_type ?? '',
    time_in_force: latest?.time_in_force ?? '',
    reduce_only: latest?.reduce_only ?? false,
    close_on_trigger: latest?.close_on_trigger ?? false,
    trigger_price: latest?.trigger_price ?? null,
    take_profit: latest?.take_profit ?? null,
    stop_loss: latest?.stop_loss ?? null,
    created_at: body.createdAt,
    updated_at: latest?.updated_at ?? null,
    executed_at: executedAt,
    message_seq: cause.messageSeq,
    message_at: cause.messageAt,
    revision: body.revision,
    inputs: cause.inputs,
  };
}

/** The execution an order without messages takes its quantity and side from: greatest (time, seq, id). */
function newest(body: OrderBody): ExecutionEntry | null {
  let best: ExecutionEntry | null = null;
  for (const entry of body.executions) {
    if (best === null || isNewer(entry, best)) best = entry;
  }
  return best;
}

function isNewer(a: ExecutionEntry, b: ExecutionEntry): boolean {
  if (a.content.executed_at !== b.content.executed_at) return a.content.executed_at > b.content.executed_at;
  const seqA = a.content.seq ?? -1;
  const seqB = b.content.seq ?? -1;
  return seqA !== seqB ? seqA > seqB : a.execId > b.execId;
}

/** Whether two rows are alike but for message, revision and inputs. */
export function sameRow(a: Order, b: Order): boolean {
  return (
    a.filled_quantity === b.filled_quantity &&
    a.status === b.status &&
    a.updated_at === b.updated_at &&
    a.executed_at === b.executed_at &&
    a.average_price === b.average_price &&
    a.fees === b.fees &&
    a.position_idx === b.position_idx &&
    a.order_link_id === b.order_link_id &&
    a.side === b.side &&
    a.order_type === b.order_type &&
    a.quantity === b.quantity &&
    a.price === b.price &&
    a.create_type === b.create_type &&
    a.cancel_type === b.cancel_type &&
    a.reject_reason === b.reject_reason &&
    a.stop_order_type === b.stop_order_type &&
    a.time_in_force === b.time_in_force &&
    a.reduce_only === b.reduce_only &&
    a.close_on_trigger === b.close_on_trigger &&
    a.trigger_price === b.trigger_price &&
    a.take_profit === b.take_profit &&
    a.stop_loss === b.stop_loss &&
    a.created_at === b.created_at
  );
}
