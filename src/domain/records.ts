// Generated from schemas/*.avsc by `npm run generate:types`. Do not edit.

import type { Decimal } from './decimal.js';

/** Digest of one hour of a book: the sum of the hashes of its live deltas. Two deployments that know the same have the same, whatever came in which order. */
export interface BookDigest {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index of the book: 0 one-way, 1 long leg, 2 short leg. */
  readonly position_idx: number;
  /** Beginning of the hour, on the exchange's clock; deltas belong to the hour of their cause. Milliseconds since the epoch. Milliseconds since the epoch. */
  readonly period_at: number;
  /** Live deltas of the hour. */
  readonly deltas: number;
  /** Digest of the hour: 32 hexadecimal digits. */
  readonly digest: string;
  /** Live deltas of the book up to the end of the hour. */
  readonly total_deltas: number;
  /** Digest of the book up to the end of the hour. */
  readonly total_digest: string;
  /** Whether the correction horizon has passed the hour, so that nothing in it can change any more. */
  readonly is_final: boolean;
  /** Merged watermark at which this was so. Milliseconds since the epoch. Milliseconds since the epoch. */
  readonly watermark_at: number;
}

/** Money without quantity: funding or session settlement. */
export interface CashEvent {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index: 0 one-way, 1 long leg, 2 short leg. Null if no order said it. */
  readonly position_idx: number | null;
  /** Identity in account, category and asset: the exec_id of the row. */
  readonly cash_id: string;
  /** Funding or session settlement. */
  readonly kind: CashKind;
  /** Side of the position it was paid for. */
  readonly side: Side;
  /** Amount: positive is paid, negative is received. */
  readonly amount: Decimal;
  /** Coin. Empty if not told. */
  readonly currency: string;
  /** Cross sequence. Null if not told. */
  readonly seq: number | null;
  /** When it happened. Milliseconds since the epoch. */
  readonly occurred_at: number;
  /** Row it was derived from. */
  readonly source: CashSource;
  /** Whether it is taken away. */
  readonly retracted: boolean;
  /** How many times this event was issued before. */
  readonly revision: number;
  /** Source records this record rests on. Not part of the compared content of a row. */
  readonly inputs: readonly InputRef[];
}

/** Kind of cash event. */
export type CashKind = 'funding' | 'settlement' | 'unknown';

/** Side of an order, execution or position; None is flat or not told. */
export type Side = 'Buy' | 'Sell' | 'None';

/** What a cash event was derived from. */
export type CashSource = 'execution' | 'transaction_log' | 'unknown';

/** The place of one source record, always in a ws-gateway topic. */
export interface InputRef {
  /** Topic without the namespace prefix, such as ws-gateway.execution. */
  readonly topic: string;
  /** Partition number. */
  readonly partition: number;
  /** Offset of the record in that partition. */
  readonly offset: number;
}

/** One row of the exchange's private execution stream: a fill, a cash event, or a row of a type not known. */
export interface Execution {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Execution id, unique in account, category and asset. */
  readonly exec_id: string;
  /** Order it belongs to; synthetic on funding rows. */
  readonly order_id: string;
  /** Client order id as the execution shows it. Empty if none. */
  readonly order_link_id: string;
  /** Own side of the execution; on funding rows the side of the position. */
  readonly side: Side;
  /** Execution type as the exchange words it, such as Trade or Funding. */
  readonly exec_type: string;
  /** Who made the order. Empty if not told. */
  readonly create_type: string;
  /** Executed quantity, never negative. */
  readonly quantity: Decimal;
  /** Execution price. */
  readonly price: Decimal;
  /** execValue: 8 decimals; inverse contracts in the base coin. */
  readonly value: Decimal;
  /** execFee: positive is paid, negative is received. Without extra fees. */
  readonly fee: Decimal;
  /** Coin of the fee. Empty if not told. */
  readonly fee_currency: string;
  /** Fees beside execFee. */
  readonly extra_fees: readonly ExtraFee[];
  /** Part of the quantity that closed a position. */
  readonly closed_size: Decimal | null;
  /** Gross result of the closed part. */
  readonly exec_pnl: Decimal | null;
  /** Remainder of the order after this execution. */
  readonly leaves_quantity: Decimal | null;
  /** Quantity of the order. */
  readonly order_quantity: Decimal | null;
  /** Whether it was a maker execution. */
  readonly is_maker: boolean | null;
  /** Cross sequence. Null where the exchange sent -1 or none. */
  readonly seq: number | null;
  /** execTime: the event time of the record. Milliseconds since the epoch. */
  readonly executed_at: number;
  /** Where the record came from: the private stream, the exchange's history, or its transaction log. */
  readonly source: RecordSource;
  /** When the gateway received the frame, on the exchange's clock. Milliseconds since the epoch. */
  readonly received_at: number;
  /** Id of the frame it came in. Not unique. */
  readonly envelope_id: string | null;
  /** creationTime of the frame. Milliseconds since the epoch. */
  readonly envelope_created_at: number;
  /** Index of the row in the frame's data array, from 0. */
  readonly frame_index: number;
}

/** A tax or levy charged beside the trading fee. */
export interface ExtraFee {
  /** Coin of the fee. */
  readonly coin: string;
  /** Kind of the fee as the exchange words it. */
  readonly fee_type: string;
  /** Amount: positive is paid. */
  readonly fee: Decimal;
}

/** Where the gateway had the record from. */
export type RecordSource = 'stream' | 'history' | 'transaction_log' | 'unknown';

/** An execution row that is not a fill as it stands: of a type not known, or in conflict with another row of the same identity. */
export interface ExecutionAnomaly {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index: 0 one-way, 1 long leg, 2 short leg. Null if no order said it. */
  readonly position_idx: number | null;
  /** What is wrong. */
  readonly cause: AnomalyCause;
  /** Execution id. */
  readonly exec_id: string;
  /** Order id. */
  readonly order_id: string;
  /** Side. */
  readonly side: Side;
  /** Quantity of the row. */
  readonly quantity: Decimal;
  /** Cross sequence. Null if not told. */
  readonly seq: number | null;
  /** execTime of the row. Milliseconds since the epoch. */
  readonly occurred_at: number;
  /** Canonical JSON: the rows in conflict, or the type not known. */
  readonly detail: string;
  /** Whether it is taken away. */
  readonly retracted: boolean;
  /** Source records this record rests on. Not part of the compared content of a row. */
  readonly inputs: readonly InputRef[];
}

/** What is wrong with the row. */
export type AnomalyCause = 'conflict' | 'unknown_exec_type' | 'unknown';

/** One execution of an order, or the part of its executed total that no execution covers. A later record of the same fill_id replaces it; retracted takes it away. */
export interface Fill {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index: 0 one-way, 1 long leg, 2 short leg. Null if no order said it. */
  readonly position_idx: number | null;
  /** Identity in account, category and asset: the exec_id, or order_id|upper end of the covered quantity. */
  readonly fill_id: string;
  /** execution: an execution row; order: the order stream's totals. */
  readonly source: FillSource;
  /** Execution id. Null on an order-derived fill. */
  readonly exec_id: string | null;
  /** Order it belongs to. */
  readonly order_id: string;
  /** Client order id: the order's, else the execution's; empty if none. */
  readonly order_link_id: string;
  /** Signal id taken from the client order id. Null if none. */
  readonly signal_id: string | null;
  /** Side. */
  readonly side: Side;
  /** Quantity, positive. */
  readonly quantity: Decimal;
  /** Price; of an order-derived fill the average of its part. */
  readonly price: Decimal;
  /** Notional: linear quantity x price, inverse quantity / price; of an order-derived fill from the totals. */
  readonly value: Decimal;
  /** Fee in the settle coin, extra fees included; negative is a rebate. Order-derived: without extra fees. */
  readonly fee: Decimal;
  /** Canonical JSON list of [coin, amount] of fees in other coins, which are not summed. Empty if none. */
  readonly other_fees: string;
  /** Part that closed, as the exchange said. */
  readonly closed_size: Decimal | null;
  /** Gross result of the closed part, as the exchange said. */
  readonly exec_pnl: Decimal | null;
  /** Remainder of the order after it, as the exchange said. */
  readonly leaves_quantity: Decimal | null;
  /** Execution type; Trade for an order-derived fill. */
  readonly exec_type: string;
  /** Who made the order. Empty if not told. */
  readonly create_type: string;
  /** Whether it was a maker execution. */
  readonly is_maker: boolean | null;
  /** Cross sequence. Null if not told; of an order-derived fill the upper end of its possible range. */
  readonly seq: number | null;
  /** Order-derived: it happened after this seq (the order's previous total, or its creation). Null if not known, or an execution. */
  readonly seq_after: number | null;
  /** Execution time; order-derived: of the message that showed the total. Milliseconds since the epoch. */
  readonly executed_at: number;
  /** Order-derived: it happened at or after this time. Null for an execution. Milliseconds since the epoch. */
  readonly executed_after: number | null;
  /** Order-derived: lower end of the covered part of the order's executed quantity. */
  readonly from_quantity: Decimal | null;
  /** Order-derived: upper end of the covered part of the order's executed quantity. */
  readonly to_quantity: Decimal | null;
  /** Order-derived: the part the order had already executed when it was first seen; it may belong to before the recording. */
  readonly first_seen: boolean;
  /** Whether the fill is taken away. */
  readonly retracted: boolean;
  /** How many times this fill was issued before. */
  readonly revision: number;
  /** Source records this record rests on. Not part of the compared content of a row. */
  readonly inputs: readonly InputRef[];
}

/** What a fill was derived from. */
export type FillSource = 'execution' | 'order' | 'unknown';

/** State of one order after a message or a fill: the row of table orders. */
export interface Order {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index: 0 one-way, 1 long leg, 2 short leg. Null if no order said it. */
  readonly position_idx: number | null;
  /** Exchange order id. */
  readonly order_id: string;
  /** Client order id: the order's, else the execution's; empty if none. */
  readonly order_link_id: string;
  /** Signal id taken from the client order id. Null if none. */
  readonly signal_id: string | null;
  /** Side of the order. */
  readonly side: Side;
  /** Market, Limit or UNKNOWN. Empty if known only by executions. */
  readonly order_type: string;
  /** Ordered quantity. Null if not known. */
  readonly quantity: Decimal | null;
  /** Limit price. */
  readonly price: Decimal | null;
  /** Latest status; Filled once its fills reach its quantity. Empty if known only by executions and not filled. */
  readonly status: string;
  /** Quantity of its fills. */
  readonly filled_quantity: Decimal;
  /** Average price of its fills (inverse: harmonic). Null before the first. */
  readonly average_price: Decimal | null;
  /** Fees of its fills in the settle coin. */
  readonly fees: Decimal;
  /** Who made the order. Empty if not told. */
  readonly create_type: string;
  /** Why it was cancelled. Empty if not told. */
  readonly cancel_type: string;
  /** Reject reason. Empty if not told. */
  readonly reject_reason: string;
  /** Kind of conditional order. Empty for a plain order. */
  readonly stop_order_type: string;
  /** Time in force. Empty if not told. */
  readonly time_in_force: string;
  /** Whether it can only shrink a position. */
  readonly reduce_only: boolean;
  /** Whether it is a close-on-trigger order. */
  readonly close_on_trigger: boolean;
  /** Trigger price. */
  readonly trigger_price: Decimal | null;
  /** Take profit price. */
  readonly take_profit: Decimal | null;
  /** Stop loss price. */
  readonly stop_loss: Decimal | null;
  /** When the order was made. Null if known only by executions. Milliseconds since the epoch. */
  readonly created_at: number | null;
  /** Matching time of the latest order message. Null if known only by executions. Milliseconds since the epoch. */
  readonly updated_at: number | null;
  /** Time of the last fill. Milliseconds since the epoch. */
  readonly executed_at: number | null;
  /** Cross sequence of the order message that caused this record. Null if a fill caused it, or the message carries none. */
  readonly message_seq: number | null;
  /** updatedTime of the order message that caused this record. Null if a fill caused it. Milliseconds since the epoch. */
  readonly message_at: number | null;
  /** How many times this row was issued before. */
  readonly revision: number;
  /** Source records this record rests on. Not part of the compared content of a row. */
  readonly inputs: readonly InputRef[];
}

/** One row of the exchange's private order stream. */
export interface OrderUpdate {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Exchange order id. */
  readonly order_id: string;
  /** Client order id, which carries the signal id. Empty if none. */
  readonly order_link_id: string;
  /** Client id of the parent order of an attached take profit or stop loss. Empty if none. */
  readonly parent_order_link_id: string;
  /** Side of the order. */
  readonly side: Side;
  /** Position index the order acts on. Null where the exchange did not say. */
  readonly position_idx: number | null;
  /** Market, Limit or UNKNOWN. */
  readonly order_type: string;
  /** Status as the exchange words it, such as New, PartiallyFilled, Filled, Cancelled. */
  readonly order_status: string;
  /** Who made the order, such as CreateByUser. Empty if not told. */
  readonly create_type: string;
  /** Why it was cancelled. Empty if not told. */
  readonly cancel_type: string;
  /** Reject reason. Empty if not told. */
  readonly reject_reason: string;
  /** Kind of conditional order. Empty for a plain order. */
  readonly stop_order_type: string;
  /** GTC, IOC, FOK, PostOnly or RPI. Empty if not told. */
  readonly time_in_force: string;
  /** Whether the order can only shrink a position. */
  readonly reduce_only: boolean;
  /** Whether the order is a close-on-trigger order. */
  readonly close_on_trigger: boolean;
  /** Limit price, or the protection price of a market order. */
  readonly price: Decimal | null;
  /** Ordered quantity. */
  readonly quantity: Decimal;
  /** Average price of all fills so far. Null before the first. */
  readonly average_price: Decimal | null;
  /** Open remainder; 0 once cancelled. */
  readonly leaves_quantity: Decimal | null;
  /** Executed quantity so far: the checksum of the fills. */
  readonly cumulative_quantity: Decimal;
  /** Executed value so far, 8 decimals from the exchange. */
  readonly cumulative_value: Decimal;
  /** Fee so far, without extra fees. */
  readonly cumulative_fee: Decimal;
  /** Net result of a closing order. */
  readonly closed_pnl: Decimal | null;
  /** Trigger price of a conditional order. */
  readonly trigger_price: Decimal | null;
  /** Take profit price. */
  readonly take_profit: Decimal | null;
  /** Stop loss price. */
  readonly stop_loss: Decimal | null;
  /** createdTime of the order. Milliseconds since the epoch. */
  readonly created_at: number;
  /** updatedTime: matching time of this change, the event time of the record. Milliseconds since the epoch. */
  readonly updated_at: number;
  /** Cross sequence taken from the envelope id. Null where the id carries none. */
  readonly seq: number | null;
  /** Where the record came from: the private stream, the exchange's history, or its transaction log. */
  readonly source: RecordSource;
  /** When the gateway received the frame, on the exchange's clock. Milliseconds since the epoch. */
  readonly received_at: number;
  /** Id of the frame it came in. Not unique. */
  readonly envelope_id: string | null;
  /** creationTime of the frame. Milliseconds since the epoch. */
  readonly envelope_created_at: number;
  /** Index of the row in the frame's data array, from 0. */
  readonly frame_index: number;
}

/** Totals over the books of one account, category and asset. */
export interface Portfolio {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Sum of signed sizes. */
  readonly net_size: Decimal;
  /** Sum of absolute sizes. */
  readonly gross_size: Decimal;
  /** Sum of position values. */
  readonly position_value: Decimal;
  /** Sum of unrealised results when pushed. */
  readonly unrealised_pnl: Decimal;
  /** Sum of realised results of the current holdings. */
  readonly cur_realised_pnl: Decimal;
  /** Sum of realised results of all time. */
  readonly cum_realised_pnl: Decimal;
  /** Books that are not flat. */
  readonly open_books: number;
  /** Latest updatedTime of its books. Milliseconds since the epoch. */
  readonly updated_at: number;
  /** How many states were issued before. */
  readonly version: number;
}

/** Latest state of one book: the row of table positions. Only position updates change it. */
export interface Position {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index of the book: 0 one-way, 1 long leg, 2 short leg. */
  readonly position_idx: number;
  /** Signed size: positive long, negative short. */
  readonly size: Decimal;
  /** Average entry price as shown. */
  readonly average_entry_price: Decimal | null;
  /** Value at entry. */
  readonly position_value: Decimal | null;
  /** Mark price when pushed. */
  readonly mark_price: Decimal | null;
  /** Unrealised result when pushed. */
  readonly unrealised_pnl: Decimal | null;
  /** Realised result of the current holding. */
  readonly cur_realised_pnl: Decimal | null;
  /** Realised result of all time. */
  readonly cum_realised_pnl: Decimal | null;
  /** Leverage. */
  readonly leverage: Decimal | null;
  /** Liquidation price estimate. */
  readonly liq_price: Decimal | null;
  /** Take profit price. */
  readonly take_profit: Decimal | null;
  /** Stop loss price. */
  readonly stop_loss: Decimal | null;
  /** Cross sequence of the state. Null if never traded. */
  readonly seq: number | null;
  /** updatedTime of the state. Milliseconds since the epoch. */
  readonly updated_at: number;
  /** How many states of this book were taken before. */
  readonly version: number;
}

/** A book's life from flat to flat or to a reversal: the row of table position_cycles. */
export interface PositionCycle {
  /** UUIDv5 of the book, the seq of its first leg and a number. */
  readonly position_id: string;
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index of the book: 0 one-way, 1 long leg, 2 short leg. */
  readonly position_idx: number;
  /** Side of the position. */
  readonly side: Side;
  /** Signed size now. */
  readonly size: Decimal;
  /** Average entry price (inverse: harmonic). Null when closed or unknown. */
  readonly average_entry_price: Decimal | null;
  /** Largest absolute size. */
  readonly max_size: Decimal;
  /** Gross result. Null if the start's cost is not known. */
  readonly realized_pnl: Decimal | null;
  /** Fees. */
  readonly fees: Decimal;
  /** Funding and settlement: positive is paid. */
  readonly funding: Decimal;
  /** Time of the first leg. Milliseconds since the epoch. */
  readonly opened_at: number;
  /** Time of the last leg. Null while open. Milliseconds since the epoch. */
  readonly closed_at: number | null;
  /** Average over priced exits. Null if none. */
  readonly exit_price: Decimal | null;
  /** seq of the first leg. Null if not known. */
  readonly first_seq: number | null;
  /** seq of the last leg. Null if not known. */
  readonly last_seq: number | null;
  /** The exchange's realised result of all time just before the cycle began: what the cycle's own result is added to. Null where the exchange did not tell. */
  readonly cum_realised_pnl_before: Decimal | null;
  /** Everything up to this seq is in the row; -1 if nothing is certain yet. */
  readonly verified_to_seq: number;
  /** Signals whose lots an unexplained size residual touched, sorted. */
  readonly contaminated_signal_ids: readonly string[];
  /** Whether the cycle is taken away. */
  readonly retracted: boolean;
  /** How many times this id changed before. */
  readonly revision: number;
  /** Why this revision was issued; new for the first. */
  readonly reason: string;
  /** Effective time of the record that caused this revision. Milliseconds since the epoch. */
  readonly known_at: number;
}

/** Something the streams do not agree on, with a life of its own: the row of table position_discrepancies. */
export interface PositionDiscrepancy {
  /** UUIDv5 of book, cause, and update seq or fill identity. */
  readonly id: string;
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index: 0 one-way, 1 long leg, 2 short leg. Null if no order said it. */
  readonly position_idx: number | null;
  /** Cause. */
  readonly cause: DiscrepancyCause;
  /** Status. */
  readonly status: DiscrepancyStatus;
  /** First seq it concerns. */
  readonly first_seq: number | null;
  /** Last seq it concerns. */
  readonly last_seq: number | null;
  /** Signed size no fill explains. */
  readonly size: Decimal | null;
  /** Money no fill explains. */
  readonly money: Decimal | null;
  /** Execution it concerns. */
  readonly exec_id: string | null;
  /** Order it concerns. */
  readonly order_id: string | null;
  /** Cycle it concerns. */
  readonly position_id: string | null;
  /** Canonical JSON: what was expected and what was seen. */
  readonly evidence: string;
  /** Event time of what it concerns. Milliseconds since the epoch. */
  readonly opened_at: number;
  /** Effective time at which it was explained or expired. Null while open. Milliseconds since the epoch. */
  readonly closed_at: number | null;
  /** Whether it is taken away. */
  readonly retracted: boolean;
  /** How many times this id changed before. */
  readonly revision: number;
  /** Effective time of the record that caused this revision. Milliseconds since the epoch. */
  readonly known_at: number;
}

/** Causes, a closed list. */
export type DiscrepancyCause =
  | 'fill_missing'
  | 'position_missing'
  | 'cash_missing'
  | 'external_change'
  | 'start_unknown'
  | 'conflict'
  | 'entry_mismatch'
  | 'pnl_mismatch'
  | 'unknown_exec_type'
  | 'hedge_leg_unknown'
  | 'bad_record'
  | 'late_beyond_horizon'
  | 'unknown';

/** Life of a discrepancy. */
export type DiscrepancyStatus = 'open' | 'explained' | 'expired' | 'unknown';

/** A link: this leg of this fill belongs to this cycle. The row of table position_orders. */
export interface PositionOrder {
  /** UUIDv5 of the fill's identity and the leg. */
  readonly id: string;
  /** Cycle it belongs to. */
  readonly position_id: string;
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index of the book: 0 one-way, 1 long leg, 2 short leg. */
  readonly position_idx: number;
  /** Order. Null on a residual or unknown start. */
  readonly order_id: string | null;
  /** Execution. Null on a residual and on an order-derived fill. */
  readonly exec_id: string | null;
  /** Leg of the fill, from 0. */
  readonly leg: number;
  /** Side of the position. */
  readonly side: Side;
  /** What the leg did to the position. */
  readonly relationship_type: RelationshipType;
  /** Signed change of size. */
  readonly size_delta: Decimal;
  /** Signed size before. */
  readonly size_before: Decimal;
  /** Signed size after. */
  readonly size_after: Decimal;
  /** Price. Null on a residual or unknown start. */
  readonly execution_price: Decimal | null;
  /** The leg's share of the fee. */
  readonly execution_fee: Decimal;
  /** Execution time; on a residual the record's updatedTime. Milliseconds since the epoch. */
  readonly executed_at: number;
  /** Cross sequence. Null if not known. */
  readonly seq: number | null;
  /** Signal of the order. Null if none. */
  readonly signal_id: string | null;
  /** Why the link is believed. */
  readonly evidence: Evidence;
  /** execution, order totals, or the position stream alone. */
  readonly source: LinkSource;
  /** How many explanations fit as well, where evidence is ambiguous or a residual's place is not unique. */
  readonly candidates: number | null;
  /** Independent checks, with numbers. */
  readonly checks: readonly EvidenceCheck[];
  /** Whether the link is taken away. */
  readonly retracted: boolean;
  /** How many times this id changed before. */
  readonly revision: number;
  /** Why this revision was issued; new for the first. */
  readonly reason: string;
  /** Effective time of the record that caused this revision. Milliseconds since the epoch. */
  readonly known_at: number;
  /** Source records this record rests on. Not part of the compared content of a row. */
  readonly inputs: readonly InputRef[];
}

/** What a leg did to its position, by size before and after. */
export type RelationshipType = 'opened' | 'increased' | 'decreased' | 'closed' | 'reversed' | 'unknown';

/** Why a link is believed, strongest first. */
export type Evidence = 'exact' | 'interval' | 'fills_only' | 'inferred' | 'ambiguous' | 'unattributed' | 'unknown';

/** What a link was derived from. */
export type LinkSource = 'execution' | 'order' | 'position' | 'unknown';

/** One independent check of a link. */
export interface EvidenceCheck {
  /** size, closed_size, exec_pnl, position_value or cum_realised_pnl. */
  readonly name: string;
  /** What the exchange said. */
  readonly expected: Decimal;
  /** What was derived. */
  readonly actual: Decimal;
  /** Whether they agree within the tolerance. */
  readonly agrees: boolean;
}

/** One row of the exchange's private position stream: the full state of one book. */
export interface PositionUpdate {
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index of the book: 0 one-way, 1 long leg, 2 short leg. */
  readonly position_idx: number;
  /** Side of the position; None when flat. */
  readonly side: Side;
  /** Signed size: positive long, negative short, 0 flat. */
  readonly size: Decimal;
  /** Average entry price as shown; 0 when flat. */
  readonly entry_price: Decimal | null;
  /** Decimals the exchange showed in entryPrice: its last unit bounds the error of the shown price. */
  readonly entry_price_decimals: number;
  /** Value at entry: quote coin, inverse contracts base coin. */
  readonly position_value: Decimal | null;
  /** Mark price when pushed. */
  readonly mark_price: Decimal | null;
  /** Unrealised result when pushed. */
  readonly unrealised_pnl: Decimal | null;
  /** Realised result of the current holding, fees and funding included. */
  readonly cur_realised_pnl: Decimal | null;
  /** Realised result of all time, fees and funding included. */
  readonly cum_realised_pnl: Decimal | null;
  /** Leverage. Null in portfolio margin. */
  readonly leverage: Decimal | null;
  /** Liquidation price estimate. */
  readonly liq_price: Decimal | null;
  /** Take profit price. */
  readonly take_profit: Decimal | null;
  /** Stop loss price. */
  readonly stop_loss: Decimal | null;
  /** Trailing stop distance. */
  readonly trailing_stop: Decimal | null;
  /** Normal, Liq or Adl. Empty if not told. */
  readonly position_status: string;
  /** createdTime: first position ever on the asset. Milliseconds since the epoch. */
  readonly created_at: number;
  /** updatedTime: stands still on pushes that change nothing. Milliseconds since the epoch. */
  readonly updated_at: number;
  /** Cross sequence; -1 means never traded. Null where the exchange sent none. */
  readonly seq: number | null;
  /** Where the record came from: the private stream, the exchange's history, or its transaction log. */
  readonly source: RecordSource;
  /** When the gateway received the frame, on the exchange's clock. Milliseconds since the epoch. */
  readonly received_at: number;
  /** Id of the frame it came in. Not unique. */
  readonly envelope_id: string | null;
  /** creationTime of the frame. Milliseconds since the epoch. */
  readonly envelope_created_at: number;
  /** Index of the row in the frame's data array, from 0. */
  readonly frame_index: number;
}

/** An immutable, additive change of one signal's result in one cycle. */
export interface PredictionDelta {
  /** UUIDv5 of the link or cash event, signal, kind and a number; of a reversal that of the delta and reverse. */
  readonly id: string;
  /** Signal. Null is the unattributed bucket. */
  readonly signal_id: string | null;
  /** Cycle. */
  readonly position_id: string;
  /** Account the stream belongs to. */
  readonly account: string;
  /** Product category: linear, inverse, spot or option. */
  readonly category: string;
  /** Symbol, such as BTCUSDT. The record key starts with it. */
  readonly asset: string;
  /** Position index of the book: 0 one-way, 1 long leg, 2 short leg. */
  readonly position_idx: number;
  /** Side of the position. */
  readonly side: Side;
  /** Kind. */
  readonly kind: DeltaKind;
  /** Quantity, negative on a reversal. */
  readonly quantity: Decimal;
  /** Price. Null where none is known. */
  readonly price: Decimal | null;
  /** Notional at that price: entry value of an entry, exit value of an exit; negative on a reversal. */
  readonly value: Decimal;
  /** Gross result. Null if the lot's cost is not known. */
  readonly realized_pnl: Decimal | null;
  /** Fee: positive is paid. */
  readonly fee: Decimal;
  /** Funding and settlement: positive is paid. */
  readonly funding: Decimal;
  /** Signal of the closing order. */
  readonly exit_signal_id: string | null;
  /** Cause of an exit: user, take_profit, stop_loss, trailing_stop, liquidation, adl, settlement, ... */
  readonly exit_reason: string | null;
  /** Link it belongs to. Null for a cash event. */
  readonly link_id: string | null;
  /** Cash event it belongs to. Null for a link. */
  readonly cash_id: string | null;
  /** Delta this one takes back. Null otherwise. */
  readonly reverses: string | null;
  /** Cross sequence of its cause. */
  readonly seq: number | null;
  /** Time of its cause on the exchange's clock. Milliseconds since the epoch. */
  readonly executed_at: number;
  /** Effective time of the record that caused it. Milliseconds since the epoch. */
  readonly known_at: number;
}

/** Kind of delta. */
export type DeltaKind = 'entry' | 'exit' | 'fee' | 'funding' | 'residual' | 'unknown';

/** Promise of a topic partition: nothing at or before this event time is still to come. What breaks it is late, never lost. */
export interface Watermark {
  /** Event time up to which the partition is complete. Milliseconds since the epoch. */
  readonly watermark_at: number;
}

/** Every record that a topic can carry, by its name. */
export interface RecordTypes {
  readonly BookDigest: BookDigest;
  readonly CashEvent: CashEvent;
  readonly Execution: Execution;
  readonly ExecutionAnomaly: ExecutionAnomaly;
  readonly Fill: Fill;
  readonly Order: Order;
  readonly OrderUpdate: OrderUpdate;
  readonly Portfolio: Portfolio;
  readonly Position: Position;
  readonly PositionCycle: PositionCycle;
  readonly PositionDiscrepancy: PositionDiscrepancy;
  readonly PositionOrder: PositionOrder;
  readonly PositionUpdate: PositionUpdate;
  readonly PredictionDelta: PredictionDelta;
  readonly Watermark: Watermark;
}

export type RecordName = keyof RecordTypes;

export const RECORD_NAMES: readonly RecordName[] = [
  'BookDigest',
  'CashEvent',
  'Execution',
  'ExecutionAnomaly',
  'Fill',
  'Order',
  'OrderUpdate',
  'Portfolio',
  'Position',
  'PositionCycle',
  'PositionDiscrepancy',
  'PositionOrder',
  'PositionUpdate',
  'PredictionDelta',
  'Watermark',
];
