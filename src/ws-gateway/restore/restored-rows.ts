import { abs, formatDecimal, type Decimal } from '../../domain/decimal.js';
import type { Execution, OrderUpdate, PositionUpdate } from '../../domain/records.js';
import type { Row } from '../exchange-fields.js';

/*
 * Source records back in the words of the exchange. Only what the gateway reads is restored, and so that it reads the same
 * record again; what it never kept of a row is not there.
 */

function amount(value: Decimal | null): string {
  return value === null ? '' : formatDecimal(value);
}

/** Fields that are null in a record were absent or empty. */
function present(row: Record<string, unknown>): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

export function orderRow(update: OrderUpdate): Row {
  return present({
    category: update.category,
    symbol: update.asset,
    orderId: update.order_id,
    orderLinkId: update.order_link_id,
    parentOrderLinkId: update.parent_order_link_id,
    side: update.side,
    positionIdx: update.position_idx,
    orderType: update.order_type,
    orderStatus: update.order_status,
    createType: update.create_type,
    cancelType: update.cancel_type,
    rejectReason: update.reject_reason,
    stopOrderType: update.stop_order_type,
    timeInForce: update.time_in_force,
    reduceOnly: update.reduce_only,
    closeOnTrigger: update.close_on_trigger,
    price: amount(update.price),
    qty: amount(update.quantity),
    avgPrice: amount(update.average_price),
    leavesQty: amount(update.leaves_quantity),
    cumExecQty: amount(update.cumulative_quantity),
    cumExecValue: amount(update.cumulative_value),
    cumExecFee: amount(update.cumulative_fee),
    closedPnl: amount(update.closed_pnl),
    triggerPrice: amount(update.trigger_price),
    takeProfit: amount(update.take_profit),
    stopLoss: amount(update.stop_loss),
    createdTime: String(update.created_at),
    updatedTime: String(update.updated_at),
  });
}

export function executionRow(execution: Execution): Row {
  return present({
    category: execution.category,
    symbol: execution.asset,
    execId: execution.exec_id,
    orderId: execution.order_id,
    orderLinkId: execution.order_link_id,
    side: execution.side === 'None' ? '' : execution.side,
    execType: execution.exec_type,
    createType: execution.create_type,
    execQty: amount(execution.quantity),
    execPrice: amount(execution.price),
    execValue: amount(execution.value),
    execFee: amount(execution.fee),
    feeCurrency: execution.fee_currency,
    extraFees: execution.extra_fees.length === 0 ? '' : execution.extra_fees.map(({ coin, fee_type, fee }) => ({ feeCoin: coin, feeType: fee_type, fee: amount(fee) })),
    closedSize: amount(execution.closed_size),
    execPnl: amount(execution.exec_pnl),
    leavesQty: amount(execution.leaves_quantity),
    orderQty: amount(execution.order_quantity),
    isMaker: execution.is_maker,
    seq: execution.seq,
    execTime: String(execution.executed_at),
  });
}

export function positionRow(update: PositionUpdate): Row {
  return present({
    category: update.category,
    symbol: update.asset,
    positionIdx: update.position_idx,
    side: update.side === 'None' ? '' : update.side,
    size: amount(abs(update.size)),
    entryPrice: update.entry_price === null ? '' : withDecimals(update.entry_price, update.entry_price_decimals),
    positionValue: amount(update.position_value),
    markPrice: amount(update.mark_price),
    unrealisedPnl: amount(update.unrealised_pnl),
    curRealisedPnl: amount(update.cur_realised_pnl),
    cumRealisedPnl: amount(update.cum_realised_pnl),
    leverage: amount(update.leverage),
    liqPrice: amount(update.liq_price),
    takeProfit: amount(update.take_profit),
    stopLoss: amount(update.stop_loss),
    trailingStop: amount(update.trailing_stop),
    positionStatus: update.position_status,
    createdTime: String(update.created_at),
    updatedTime: String(update.updated_at),
    seq: update.seq,
  });
}

/** The decimals that were shown bound the error of the price, so zeros at its end count. */
function withDecimals(value: Decimal, decimals: number): string {
  const text = formatDecimal(value);
  const point = text.indexOf('.');
  const shown = point < 0 ? 0 : text.length - point - 1;
  if (shown >= decimals) return text;
  return `${text}${point < 0 ? '.' : ''}${'0'.repeat(decimals - shown)}`;
}
