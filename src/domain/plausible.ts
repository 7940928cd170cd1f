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

type Numbers<R> = { readonly [F in keyof R & string]: R[F] extends number | null ? F : never }[keyof R & string];
type Texts<R> = { readonly [F in keyof R & string]: R[F] extends string | null ? F : never }[keyof R & string];
type Amounts<R> = { readonly [F in keyof R & string]: R[F] extends Decimal | null ? F : never }[keyof R & string];

interface Bounds<R> {
  readonly sizes: readonly Amounts<R>[];
  readonly prices: readonly Amounts<R>[];
  readonly money: readonly Amounts<R>[];
  readonly times: readonly Numbers<R>[];
  readonly small: readonly Numbers<R>[];
  readonly texts: readonly Texts<R>[];
  readonly leastSeq: number;
}

const BOUNDS: { readonly OrderUpdate: Bounds<OrderUpdate>; readonly Execution: Bounds<Execution>; readonly PositionUpdate: Bounds<PositionUpdate> } = {
  OrderUpdate: {
    sizes: ['quantity', 'leaves_quantity', 'cumulative_quantity'],
    prices: ['average_price'],
    money: ['price', 'cumulative_value', 'cumulative_fee', 'closed_pnl', 'trigger_price', 'take_profit', 'stop_loss'],
    times: ['created_at', 'updated_at', 'received_at', 'envelope_created_at'],
    small: ['position_idx'],
    texts: [
      'account', 'category', 'asset', 'order_id', 'order_link_id', 'parent_order_link_id', 'order_type', 'order_status', 'create_type', 'cancel_type', 'reject_reason',
      'stop_order_type', 'time_in_force', 'envelope_id',
    ],
    leastSeq: 1,
  },
  Execution: {
    sizes: ['quantity', 'closed_size', 'leaves_quantity', 'order_quantity'],
    prices: ['price'],
    money: ['value', 'fee', 'exec_pnl'],
    times: ['executed_at', 'received_at', 'envelope_created_at'],
    small: [],
    texts: ['account', 'category', 'asset', 'exec_id', 'order_id', 'order_link_id', 'exec_type', 'create_type', 'fee_currency', 'envelope_id'],
    leastSeq: 1,
  },
  PositionUpdate: {
    sizes: ['size'],
    prices: ['entry_price'],
    money: ['position_value', 'mark_price', 'unrealised_pnl', 'cur_realised_pnl', 'cum_realised_pnl', 'leverage', 'liq_price', 'take_profit', 'stop_loss', 'trailing_stop'],
    times: ['created_at', 'updated_at', 'received_at', 'envelope_created_at'],
    small: ['position_idx', 'entry_price_decimals'],
    texts: ['account', 'category', 'asset', 'position_status', 'envelope_id'],
    leastSeq: -1,
  },
};

/** Why a record of the exchange cannot be true, whatever it says; null for one that can, and for every other record. Fields that were not read are not judged. */
export function implausibility(type: RecordName, value: RecordTypes[RecordName]): string | null {
  const bounds = BOUNDS[type as keyof typeof BOUNDS] as unknown as Bounds<Readonly<Record<string, Decimal | null>>> & Bounds<Readonly<Record<string, number | null>>> & Bounds<Readonly<Record<string, string | null>>> | undefined;
  if (bounds === undefined) return null;
  const amounts = value as unknown as Readonly<Record<string, Decimal | null>>;
  const category = (value as unknown as { readonly category: string }).category;
  const isContract = category === 'linear' || category === 'inverse';
  for (const field of bounds.sizes) if (isBeyond(amounts[field], isContract ? MOST_SIZE : MOST_OF_OTHERS)) return `${field} is beyond what is traded`;
  for (const field of bounds.prices) {
    const price = amounts[field] ?? 0n;
    if (isBeyond(price, isContract ? MOST_PRICE : MOST_OF_OTHERS)) return `${field} is beyond what is traded`;
    if (category === 'inverse' && price > 0n && price < LEAST_INVERSE_PRICE) return `${field} is below what is traded`;
  }
  const numbers = value as unknown as Readonly<Record<string, number | null>>;
  for (const field of bounds.times) if (!isBetween(numbers[field], 0, LAST_TIME_MS)) return `${field} is no time`;
  for (const field of bounds.small) if (!isBetween(numbers[field], 0, MOST_SMALL)) return `${field} is out of place`;
  if (!isBetween(numbers['seq'], bounds.leastSeq, Number.MAX_SAFE_INTEGER)) return 'seq is no sequence number';
  for (const field of bounds.money) if (isBeyond(amounts[field], MOST_MONEY)) return `${field} is beyond what is traded`;
  const texts = value as unknown as Readonly<Record<string, string | null>>;
  for (const field of bounds.texts) if ((texts[field]?.length ?? 0) > MOST_CHARACTERS) return `${field} has ${texts[field]?.length} characters`;
  return type === 'Execution' ? implausibleFees((value as Execution).extra_fees) : null;
}

function implausibleFees(fees: Execution['extra_fees'] | undefined): string | null {
  if (fees === undefined) return null;
  if (fees.length > MOST_EXTRA_FEES) return `there are ${fees.length} extra fees`;
  const isTooMuch = fees.some(({ coin, fee_type, fee }) => isBeyond(fee, MOST_MONEY) || coin.length > MOST_CHARACTERS || fee_type.length > MOST_CHARACTERS);
  return isTooMuch ? 'an extra fee is beyond what is traded' : null;
}

function isBetween(value: number | null | undefined, least: number, most: number): boolean {
  return value === null || value === undefined || (value >= least && value <= most);
}

function isBeyond(value: Decimal | null | undefined, most: Decimal): boolean {
  return value !== null && value !== undefined && (value > most || value < -most);
}
