import type { PositionUpdate } from '../domain/records.js';
import {
  decimalOf,
  decimalsShown,
  numberText,
  optionalDecimal,
  optionalPositionIdx,
  optionalSeq,
  optionalText,
  optionalTime,
  requiredAmount,
  requiredName,
  requiredTime,
  RowError,
  sideOf,
  type Row,
} from './exchange-fields.js';
import type { RowContext } from './frame-parser.js';

/** One row of the position stream; throws RowError. The exchange's size has no sign: the side gives it. */
export function positionUpdate(row: Row, context: RowContext): PositionUpdate {
  const positionIdx = optionalPositionIdx(row);
  if (positionIdx === null) throw new RowError('MissingField', 'positionIdx is missing');
  const size = requiredAmount(row, 'size');
  const side = size === 0n ? 'None' : sideOf(row);
  if (size !== 0n && side === 'None') throw new RowError('MissingField', 'side is empty, but size is not 0');
  const entryPrice = numberText(row, 'entryPrice');
  const updatedAt = requiredTime(row, 'updatedTime', context.receivedAtMs);
  return {
    account: context.account,
    category: context.category ?? requiredName(row, 'category'),
    asset: requiredName(row, 'symbol'),
    position_idx: positionIdx,
    side,
    size: side === 'Sell' ? -size : size,
    entry_price: entryPrice === null ? null : decimalOf(entryPrice, 'entryPrice'),
    entry_price_decimals: entryPrice === null ? 0 : decimalsShown(entryPrice),
    position_value: optionalDecimal(row, 'positionValue'),
    mark_price: optionalDecimal(row, 'markPrice'),
    unrealised_pnl: optionalDecimal(row, 'unrealisedPnl'),
    cur_realised_pnl: optionalDecimal(row, 'curRealisedPnl'),
    cum_realised_pnl: optionalDecimal(row, 'cumRealisedPnl'),
    leverage: optionalDecimal(row, 'leverage'),
    liq_price: optionalDecimal(row, 'liqPrice'),
    take_profit: optionalDecimal(row, 'takeProfit'),
    stop_loss: optionalDecimal(row, 'stopLoss'),
    trailing_stop: optionalDecimal(row, 'trailingStop'),
    position_status: optionalText(row, 'positionStatus'),
    created_at: optionalTime(row, 'createdTime') ?? updatedAt,
    updated_at: updatedAt,
    seq: optionalSeq(row, 'seq'),
    source: context.source,
    received_at: context.receivedAtMs,
    envelope_id: context.envelopeId,
    envelope_created_at: context.envelopeCreatedAtMs,
    frame_index: context.frameIndex,
  };
}
