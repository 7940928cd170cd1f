import { ONE, type Decimal } from './decimal.js';
import type { Execution, OrderUpdate, PositionUpdate, RecordName, RecordTypes } from './records.js';

/*
 * What an exchange can say. The types of the records hold amounts of twenty integer digits; one that uses them all makes
 * products and sums that no type holds, and would stop everything of its partition for ever. These bounds are a thousand
 * times what is traded, and leave room for the sums of a whole book. Of the numbers, only a book that never traded has the
 * sequence number -1; positions and decimals are few, and times are those that a calendar has. A text of megabytes would
 * come back in every row that names it, until no topic takes one.
 */

const MOST_SIZE: Decimal = 10n ** 11n * ONE;
const MOST_PRICE: Decimal = 10n ** 8n * ONE;
const MOST_MONEY: Decimal = 10n ** 15n * ONE;
/** Of inverse contracts: their value is size over price. */
const LEAST_INVERSE_PRICE: Decimal = ONE / 10n ** 6n;
/** Options and spot pairs of small coins are counted in other units; nothing is computed of them but value and fees. */
const MOST_OF_OTHERS: Decimal = MOST_MONEY;

const LAST_TIME_MS = 8_640_000_000_000_000;
const MOST_SMALL = 255;
const MOST_CHARACTERS = 1_024;
const MOST_EXTRA_FEES = 64;

/** Why a record of the exchange cannot be true, whatever it says; null for one that can, and for every other record. Fields that were not read are not judged. */
export function implausibility(type: RecordName, value: RecordTypes[RecordName]): string | null {
  if (type === 'OrderUpdate') return implausibleOrder(value as OrderUpdate);
  if (type === 'Execution') return implausibleExecution(value as Execution);
  return type === 'PositionUpdate' ? implausiblePosition(value as PositionUpdate) : null;
}

// Field by field, as written here: a list of names to go through costs ten times as much, and every record of the exchange comes by.

function implausibleOrder(row: OrderUpdate): string | null {
  const mostSize = isContract(row) ? MOST_SIZE : MOST_OF_OTHERS;
  return amount('quantity', row.quantity, mostSize) ?? amount('leaves_quantity', row.leaves_quantity, mostSize)
    ?? amount('cumulative_quantity', row.cumulative_quantity, mostSize) ?? price('average_price', row.average_price, row)
    ?? time('created_at', row.created_at) ?? time('updated_at', row.updated_at) ?? time('received_at', row.received_at)
    ?? time('envelope_created_at', row.envelope_created_at) ?? small('position_idx', row.position_idx) ?? sequence(row.seq, 1)
    ?? amount('price', row.price, MOST_MONEY) ?? amount('cumulative_value', row.cumulative_value, MOST_MONEY)
    ?? amount('cumulative_fee', row.cumulative_fee, MOST_MONEY) ?? amount('closed_pnl', row.closed_pnl, MOST_MONEY)
    ?? amount('trigger_price', row.trigger_price, MOST_MONEY) ?? amount('take_profit', row.take_profit, MOST_MONEY)
    ?? amount('stop_loss', row.stop_loss, MOST_MONEY) ?? text('account', row.account) ?? text('category', row.category) ?? text('asset', row.asset)
    ?? text('order_id', row.order_id) ?? text('order_link_id', row.order_link_id) ?? text('parent_order_link_id', row.parent_order_link_id)
    ?? text('order_type', row.order_type) ?? text('order_status', row.order_status) ?? text('create_type', row.create_type)
    ?? text('cancel_type', row.cancel_type) ?? text('reject_reason', row.reject_reason) ?? text('stop_order_type', row.stop_order_type)
    ?? text('time_in_force', row.time_in_force) ?? text('envelope_id', row.envelope_id);
}

function implausibleExecution(row: Execution): string | null {
  const mostSize = isContract(row) ? MOST_SIZE : MOST_OF_OTHERS;
  return amount('quantity', row.quantity, mostSize) ?? amount('closed_size', row.closed_size, mostSize)
    ?? amount('leaves_quantity', row.leaves_quantity, mostSize) ?? amount('order_quantity', row.order_quantity, mostSize)
    ?? price('price', row.price, row) ?? time('executed_at', row.executed_at) ?? time('received_at', row.received_at)
    ?? time('envelope_created_at', row.envelope_created_at) ?? sequence(row.seq, 1) ?? amount('value', row.value, MOST_MONEY)
    ?? amount('fee', row.fee, MOST_MONEY) ?? amount('exec_pnl', row.exec_pnl, MOST_MONEY) ?? text('account', row.account)
    ?? text('category', row.category) ?? text('asset', row.asset) ?? text('exec_id', row.exec_id) ?? text('order_id', row.order_id)
    ?? text('order_link_id', row.order_link_id) ?? text('exec_type', row.exec_type) ?? text('create_type', row.create_type)
    ?? text('fee_currency', row.fee_currency) ?? text('envelope_id', row.envelope_id) ?? implausibleFees(row.extra_fees);
}

function implausiblePosition(row: PositionUpdate): string | null {
  return amount('size', row.size, isContract(row) ? MOST_SIZE : MOST_OF_OTHERS) ?? price('entry_price', row.entry_price, row)
    ?? time('created_at', row.created_at) ?? time('updated_at', row.updated_at) ?? time('received_at', row.received_at)
    ?? time('envelope_created_at', row.envelope_created_at) ?? small('position_idx', row.position_idx)
    ?? small('entry_price_decimals', row.entry_price_decimals) ?? sequence(row.seq, -1)
    ?? amount('position_value', row.position_value, MOST_MONEY) ?? amount('mark_price', row.mark_price, MOST_MONEY)
    ?? amount('unrealised_pnl', row.unrealised_pnl, MOST_MONEY) ?? amount('cur_realised_pnl', row.cur_realised_pnl, MOST_MONEY)
    ?? amount('cum_realised_pnl', row.cum_realised_pnl, MOST_MONEY) ?? amount('leverage', row.leverage, MOST_MONEY)
    ?? amount('liq_price', row.liq_price, MOST_MONEY) ?? amount('take_profit', row.take_profit, MOST_MONEY)
    ?? amount('stop_loss', row.stop_loss, MOST_MONEY) ?? amount('trailing_stop', row.trailing_stop, MOST_MONEY)
    ?? text('account', row.account) ?? text('category', row.category) ?? text('asset', row.asset)
    ?? text('position_status', row.position_status) ?? text('envelope_id', row.envelope_id);
}

function isContract({ category }: { readonly category: string }): boolean {
  return category === 'linear' || category === 'inverse';
}

function implausibleFees(fees: Execution['extra_fees'] | undefined): string | null {
  if (fees === undefined) return null;
  if (fees.length > MOST_EXTRA_FEES) return `there are ${fees.length} extra fees`;
  const isTooMuch = fees.some(({ coin, fee_type, fee }) => isBeyond(fee, MOST_MONEY) || coin.length > MOST_CHARACTERS || fee_type.length > MOST_CHARACTERS);
  return isTooMuch ? 'an extra fee is beyond what is traded' : null;
}

function amount(field: string, value: Decimal | null | undefined, most: Decimal): string | null {
  return isBeyond(value, most) ? `${field} is beyond what is traded` : null;
}

function price(field: string, value: Decimal | null | undefined, row: { readonly category: string }): string | null {
  if (value === null || value === undefined) return null;
  if (isBeyond(value, isContract(row) ? MOST_PRICE : MOST_OF_OTHERS)) return `${field} is beyond what is traded`;
  return row.category === 'inverse' && value > 0n && value < LEAST_INVERSE_PRICE ? `${field} is below what is traded` : null;
}

function time(field: string, value: number | null | undefined): string | null {
  return isBetween(value, 0, LAST_TIME_MS) ? null : `${field} is no time`;
}

function small(field: string, value: number | null | undefined): string | null {
  return isBetween(value, 0, MOST_SMALL) ? null : `${field} is out of place`;
}

function sequence(value: number | null | undefined, least: number): string | null {
  return isBetween(value, least, Number.MAX_SAFE_INTEGER) ? null : 'seq is no sequence number';
}

function text(field: string, value: string | null | undefined): string | null {
  return value === null || value === undefined || value.length <= MOST_CHARACTERS ? null : `${field} has ${value.length} characters`;
}

function isBetween(value: number | null | undefined, least: number, most: number): boolean {
  return value === null || value === undefined || (value >= least && value <= most);
}

function isBeyond(value: Decimal | null | undefined, most: Decimal): boolean {
  if (value === null || value === undefined) return false;
  return value < 0n ? -value > most : value > most;
}
