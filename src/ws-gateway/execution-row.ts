import { divide, multiply, type Decimal } from '../domain/decimal.js';
import type { Execution, ExtraFee, Side } from '../domain/records.js';
import {
  isRow,
  optionalAmount,
  optionalDecimal,
  optionalFlag,
  optionalSeq,
  optionalText,
  requiredAmount,
  requiredDecimal,
  requiredName,
  requiredText,
  requiredTime,
  RowError,
  sideOf,
  tradingSide,
  type Row,
} from './exchange-fields.js';
import type { RowContext } from './frame-parser.js';

/** Notionals above 20 integer digits fit no record of the pipeline. */
const MAX_VALUE: Decimal = 10n ** 38n - 1n;

/** One row of the execution stream; throws RowError. */
export function execution(row: Row, context: RowContext): Execution {
  const category = context.category ?? requiredName(row, 'category');
  const quantity = requiredAmount(row, 'execQty');
  const price = requiredAmount(row, 'execPrice');
  const notional = notionalOf(category, quantity, price);
  const execType = requiredText(row, 'execType');
  const seq = optionalSeq(row, 'seq');
  return {
    account: context.account,
    category,
    asset: requiredName(row, 'symbol'),
    exec_id: requiredText(row, 'execId'),
    order_id: execType === 'Funding' ? optionalText(row, 'orderId') : requiredText(row, 'orderId'),
    order_link_id: optionalText(row, 'orderLinkId'),
    side: executionSide(row, execType),
    exec_type: execType,
    create_type: optionalText(row, 'createType'),
    quantity,
    price,
    value: optionalAmount(row, 'execValue') ?? notional,
    fee: requiredDecimal(row, 'execFee'),
    fee_currency: optionalText(row, 'feeCurrency'),
    extra_fees: extraFees(row),
    closed_size: optionalAmount(row, 'closedSize'),
    exec_pnl: optionalDecimal(row, 'execPnl'),
    leaves_quantity: optionalAmount(row, 'leavesQty'),
    order_quantity: optionalAmount(row, 'orderQty'),
    is_maker: optionalFlag(row, 'isMaker', null),
    seq: seq === -1 ? null : seq,
    executed_at: requiredTime(row, 'execTime', context.receivedAtMs),
    source: context.source,
    received_at: context.receivedAtMs,
    envelope_id: context.envelopeId,
    envelope_created_at: context.envelopeCreatedAtMs,
    frame_index: context.frameIndex,
  };
}

/** Money that moves no quantity may lack a side; a fill without one says nothing. */
function executionSide(row: Row, execType: string): Side {
  return execType === 'Funding' ? sideOf(row) : tradingSide(row);
}

function notionalOf(category: string, quantity: Decimal, price: Decimal): Decimal {
  if (quantity === 0n) return 0n;
  if (category === 'inverse' && price === 0n) throw new RowError('BadNumber', 'execPrice is 0, an inverse contract has no value at it');
  const notional = category === 'inverse' ? divide(quantity, price) : multiply(quantity, price);
  if (notional > MAX_VALUE) throw new RowError('BadNumber', 'execQty times execPrice has more than 20 integer digits');
  return notional;
}

const NO_FEES: readonly ExtraFee[] = [];

/** A list of fees, or an empty string. */
function extraFees(row: Row): readonly ExtraFee[] {
  const list = row['extraFees'];
  if (list === undefined || list === null || list === '') return NO_FEES;
  if (!Array.isArray(list)) throw new RowError('BadField', 'extraFees is neither a list nor empty');
  if (list.length === 0) return NO_FEES;
  return list.map((item: unknown): ExtraFee => {
    if (!isRow(item)) throw new RowError('BadField', 'extraFees holds something that is no fee');
    return { coin: optionalText(item, 'feeCoin'), fee_type: optionalText(item, 'feeType'), fee: requiredDecimal(item, 'fee') };
  });
}
