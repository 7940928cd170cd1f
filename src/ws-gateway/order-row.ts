import { multiply, type Decimal } from '../domain/decimal.js';
import type { OrderUpdate } from '../domain/records.js';
import { seqOfEnvelopeId } from './envelope.js';
import {
  decimalOf,
  isRow,
  optionalAmount,
  optionalDecimal,
  optionalFlag,
  optionalPositionIdx,
  optionalText,
  requiredAmount,
  requiredName,
  requiredText,
  requiredTime,
  RowError,
  tradingSide,
  type Row,
} from './exchange-fields.js';
import type { RowContext } from './frame-parser.js';

/** One row of the order stream; throws RowError. */
export function orderUpdate(row: Row, context: RowContext): OrderUpdate {
  const asset = requiredName(row, 'symbol');
  const averagePrice = optionalAmount(row, 'avgPrice');
  const cumulativeQuantity = requiredAmount(row, 'cumExecQty');
  return {
    account: context.account,
    category: context.category ?? requiredName(row, 'category'),
    asset,
    order_id: requiredText(row, 'orderId'),
    order_link_id: optionalText(row, 'orderLinkId'),
    parent_order_link_id: optionalText(row, 'parentOrderLinkId'),
    side: tradingSide(row),
    position_idx: optionalPositionIdx(row),
    order_type: optionalText(row, 'orderType'),
    order_status: requiredText(row, 'orderStatus'),
    create_type: optionalText(row, 'createType'),
    cancel_type: optionalText(row, 'cancelType'),
    reject_reason: optionalText(row, 'rejectReason'),
    stop_order_type: optionalText(row, 'stopOrderType'),
    time_in_force: optionalText(row, 'timeInForce'),
    reduce_only: optionalFlag(row, 'reduceOnly', false),
    close_on_trigger: optionalFlag(row, 'closeOnTrigger', false),
    price: optionalDecimal(row, 'price'),
    quantity: requiredAmount(row, 'qty'),
    average_price: averagePrice,
    leaves_quantity: optionalAmount(row, 'leavesQty'),
    cumulative_quantity: cumulativeQuantity,
    cumulative_value: cumulativeValue(row, cumulativeQuantity, averagePrice),
    cumulative_fee: cumulativeFee(row, cumulativeQuantity),
    closed_pnl: optionalDecimal(row, 'closedPnl'),
    trigger_price: optionalDecimal(row, 'triggerPrice'),
    take_profit: optionalDecimal(row, 'takeProfit'),
    stop_loss: optionalDecimal(row, 'stopLoss'),
    created_at: requiredTime(row, 'createdTime', context.receivedAtMs),
    updated_at: requiredTime(row, 'updatedTime', context.receivedAtMs),
    seq: seqOfEnvelopeId(context.envelopeId, asset),
    source: context.source,
    received_at: context.receivedAtMs,
    envelope_id: context.envelopeId,
    envelope_created_at: context.envelopeCreatedAtMs,
    frame_index: context.frameIndex,
  };
}

function cumulativeValue(row: Row, quantity: Decimal, averagePrice: Decimal | null): Decimal {
  const value = optionalAmount(row, 'cumExecValue');
  if (value !== null) return value;
  if (quantity === 0n) return 0n;
  // Only linear-like values are quantity times price; an inverse order always carries its value.
  if (averagePrice === null || row['category'] === 'inverse') throw new RowError('MissingField', 'cumExecValue is missing');
  return multiply(quantity, averagePrice);
}

/** cumExecFee is being replaced by cumFeeDetail, an amount a coin: with one coin it says the same. */
function cumulativeFee(row: Row, quantity: Decimal): Decimal {
  const fee = optionalDecimal(row, 'cumExecFee');
  if (fee !== null) return fee;
  const detail = row['cumFeeDetail'];
  const amounts = isRow(detail) ? Object.values(detail) : [];
  const [only] = amounts;
  if (amounts.length === 1 && typeof only === 'string') return decimalOf(only, 'cumFeeDetail');
  if (quantity !== 0n) throw new RowError('MissingField', 'cumExecFee is missing');
  return 0n;
}
