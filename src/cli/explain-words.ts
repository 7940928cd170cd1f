import { formatDecimal, type Decimal } from '../domain/decimal.js';
import type { DiscrepancyCause, Evidence, Execution, InputRef, OrderUpdate, PositionUpdate } from '../domain/records.js';
import { shownNumber } from './show-cells.js';

/** Why a link is believed, in words. */
export const EVIDENCE_WORDS: Readonly<Record<Evidence, string>> = {
  exact: 'the size equation closes at this fill\'s own seq, an independent check agrees and none disagrees',
  interval: 'the size equation closes over several events',
  fills_only: 'no position update has shown it yet: it rests on the fill alone',
  inferred: 'the exchange gave no seq: it is placed by time, and only so the sizes fit',
  ambiguous: 'several explanations fit as well',
  unattributed: 'the position stream alone shows it: no order is known for it',
  unknown: 'not told',
};

/** What a discrepancy is about, in words. */
export const CAUSE_WORDS: Readonly<Record<DiscrepancyCause, string>> = {
  fill_missing: 'the position changed by more than the fills between explain: a fill was not shown',
  position_missing: 'a fill, and no position update that shows it',
  cash_missing: 'money moved, and no fill or cash event explains it',
  external_change: 'the position changed without any fill that was shown',
  start_unknown: 'the position was open when the recording began',
  conflict: 'two rows of one execution say different things',
  entry_mismatch: 'the value at entry is not what the fills give',
  pnl_mismatch: 'realised PnL is not what the fills give',
  unknown_exec_type: 'an execution of a type that is not known',
  hedge_leg_unknown: 'a fill that is too large for its leg',
  bad_record: 'a record that could not be read',
  late_beyond_horizon: 'evidence that came after the correction horizon',
  unknown: 'not told',
};

/** Why a row was issued again, in words. */
export const REASON_WORDS: Readonly<Record<string, string>> = {
  new: 'first issued',
  late_fill: 'a fill came late',
  late_update: 'a position update came late',
  late_order: 'the order told more of a fill already known',
  replaced_by_execution: 'the execution itself came, and replaced what the order\'s totals had shown',
  residual_explained: 'what had been missing came',
  expired: 'the correction horizon has passed',
  open: 'found',
  explained: 'explained by what came later',
};

export function number(amount: Decimal | null): string {
  return amount === null ? 'unknown' : shownNumber(formatDecimal(amount));
}

/** With its sign, for changes. */
export function signed(amount: Decimal | null): string {
  return amount === null ? 'unknown' : amount < 0n ? number(amount) : `+${number(amount)}`;
}

export function time(ms: number | null): string {
  return ms === null ? 'unknown' : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}

/** topic/partition@offset, as a consumer of the topic is told where to look. */
export function placeText({ topic, partition, offset }: InputRef): string {
  return `${topic}/${partition}@${offset}`;
}

export function signalText(signalId: string | null): string {
  return signalId === null ? 'the unattributed bucket' : `signal ${signalId}`;
}

/** A source record in a line. */
export function inputText(topic: string, row: object | null): string {
  if (row === null) return 'no longer in its topic';
  if (topic === 'ws-gateway.order') return orderMessageText(row as OrderUpdate);
  if (topic === 'ws-gateway.execution') return executionText(row as Execution);
  const { size, seq, cum_realised_pnl, position_value } = row as PositionUpdate;
  return `position: size ${number(size)} at seq ${seq}, value ${number(position_value)}, realised ${number(cum_realised_pnl)}`;
}

export function orderMessageText({ order_status, side, cumulative_quantity, quantity, average_price, order_link_id, seq }: OrderUpdate): string {
  const price = average_price === null || average_price === 0n ? '' : ` at ${number(average_price)} on average`;
  return `order: ${side} ${order_status}, ${number(cumulative_quantity)} of ${number(quantity)} executed${price}${order_link_id === '' ? '' : `, client id ${order_link_id}`}${seq === null ? '' : `, seq ${seq}`}`;
}

export function executionText({ exec_type, side, quantity, price, fee, seq, closed_size, exec_pnl }: Execution): string {
  const closed = closed_size === null ? '' : `, closed ${number(closed_size)}`;
  const pnl = exec_pnl === null ? '' : `, result ${number(exec_pnl)}`;
  return `execution: ${exec_type} ${side} ${number(quantity)} at ${number(price)}, fee ${number(fee)}${closed}${pnl}${seq === null ? ', no seq' : `, seq ${seq}`}`;
}
