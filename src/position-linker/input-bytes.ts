import type { CashEvent, ExecutionAnomaly, Fill, InputRef, Order, PositionUpdate, Side } from '../domain/records.js';
import type { StateReader, StateWriter } from '../domain/state-bytes.js';
import { ORDER_TOPIC, EXECUTION_TOPIC, POSITION_TOPIC } from './input-topic.js';

/*
 * Inputs of the linker as it keeps them in its changelog: the fields its rules read, and no others. Whatever is read back
 * leads to the same rows; fields that no rule reads come back empty.
 */

const SIDES: readonly Side[] = ['None', 'Buy', 'Sell'];
const TOPICS: readonly string[] = [ORDER_TOPIC, EXECUTION_TOPIC, POSITION_TOPIC];
/** Partition numbers and offsets are written as they are; a topic not listed above by its name. */
const OTHER_TOPIC = TOPICS.length;

export function writeRefs(writer: StateWriter, refs: readonly InputRef[]): void {
  writer.count(refs.length);
  for (const ref of refs) {
    const topic = TOPICS.indexOf(ref.topic);
    writer.byte(topic < 0 ? OTHER_TOPIC : topic);
    if (topic < 0) writer.text(ref.topic);
    writer.count(ref.partition);
    writer.count(ref.offset);
  }
}

export function readRefs(reader: StateReader): InputRef[] {
  const refs: InputRef[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const topic = reader.byte();
    const name = topic === OTHER_TOPIC ? reader.text() : TOPICS[topic]!;
    refs.push({ topic: name, partition: reader.count(), offset: reader.count() });
  }
  return refs;
}

export function writeMaybeText(writer: StateWriter, value: string | null): void {
  writer.flag(value !== null);
  if (value !== null) writer.text(value);
}

export function readMaybeText(reader: StateReader): string | null {
  return reader.flag() ? reader.text() : null;
}

function writeSide(writer: StateWriter, side: Side): void {
  writer.byte(SIDES.indexOf(side));
}

function readSide(reader: StateReader): Side {
  return SIDES[reader.byte()]!;
}

/** The market a record belongs to is known from where it is kept. */
export interface MarketName {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
}

export function writeOrder(writer: StateWriter, order: Order): void {
  writer.count(order.message_seq);
  writer.count(order.message_at);
  writer.count(order.position_idx);
}

/** What the linker reads of an order row. */
export type OrderMark = Pick<Order, 'message_seq' | 'message_at' | 'position_idx'>;

export function readOrder(reader: StateReader): OrderMark {
  return { message_seq: reader.maybeCount(), message_at: reader.maybeCount(), position_idx: reader.maybeCount() };
}

export function writeFill(writer: StateWriter, fill: Fill): void {
  writer.count(fill.position_idx);
  writer.text(fill.fill_id);
  writer.flag(fill.source === 'order');
  writer.flag(fill.retracted);
  writer.text(fill.order_id);
  writeMaybeText(writer, fill.signal_id);
  writeSide(writer, fill.side);
  writer.decimal(fill.quantity);
  writer.decimal(fill.price);
  writer.decimal(fill.value);
  writer.decimal(fill.fee);
  writer.decimal(fill.closed_size);
  writer.decimal(fill.exec_pnl);
  writer.decimal(fill.leaves_quantity);
  writer.text(fill.exec_type);
  writer.text(fill.create_type);
  writer.count(fill.seq);
  writer.count(fill.executed_at);
  if (fill.source === 'order') {
    writer.count(fill.seq_after);
    writer.count(fill.executed_after);
    writer.decimal(fill.from_quantity);
    writer.decimal(fill.to_quantity);
    writer.flag(fill.first_seen);
  }
  writeRefs(writer, fill.inputs);
}

export function readFill(reader: StateReader, market: MarketName): Fill {
  const position_idx = reader.maybeCount();
  const fill_id = reader.text();
  const isOrder = reader.flag();
  // In the order it was written; a spread here would cost more than all the reading.
  return {
    account: market.account, category: market.category, asset: market.asset, position_idx, fill_id, source: isOrder ? 'order' : 'execution',
    exec_id: isOrder ? null : fill_id, order_link_id: '', other_fees: '', is_maker: null, revision: 0, retracted: reader.flag(),
    order_id: reader.text(), signal_id: readMaybeText(reader), side: readSide(reader), quantity: reader.decimal(), price: reader.decimal(),
    value: reader.decimal(), fee: reader.decimal(), closed_size: reader.maybeDecimal(), exec_pnl: reader.maybeDecimal(),
    leaves_quantity: reader.maybeDecimal(), exec_type: reader.text(), create_type: reader.text(), seq: reader.maybeCount(),
    executed_at: reader.count(), seq_after: isOrder ? reader.maybeCount() : null, executed_after: isOrder ? reader.maybeCount() : null,
    from_quantity: isOrder ? reader.maybeDecimal() : null, to_quantity: isOrder ? reader.maybeDecimal() : null,
    first_seen: isOrder ? reader.flag() : false, inputs: readRefs(reader),
  };
}

export function writeCash(writer: StateWriter, cash: CashEvent): void {
  writer.count(cash.position_idx);
  writer.text(cash.cash_id);
  writer.flag(cash.retracted);
  writeSide(writer, cash.side);
  writer.decimal(cash.amount);
  writer.count(cash.seq);
  writer.count(cash.occurred_at);
  writeRefs(writer, cash.inputs);
}

export function readCash(reader: StateReader, market: MarketName): CashEvent {
  return {
    ...market, kind: 'funding', currency: '', source: 'execution', revision: 0, position_idx: reader.maybeCount(), cash_id: reader.text(),
    retracted: reader.flag(), side: readSide(reader), amount: reader.decimal(), seq: reader.maybeCount(), occurred_at: reader.count(),
    inputs: readRefs(reader),
  };
}

export function writeAnomaly(writer: StateWriter, anomaly: ExecutionAnomaly): void {
  writer.count(anomaly.position_idx);
  writer.flag(anomaly.cause === 'conflict');
  writer.text(anomaly.exec_id);
  writer.text(anomaly.order_id);
  writeSide(writer, anomaly.side);
  writer.decimal(anomaly.quantity);
  writer.count(anomaly.seq);
  writer.count(anomaly.occurred_at);
  writer.text(anomaly.detail);
  writer.flag(anomaly.retracted);
}

export function readAnomaly(reader: StateReader, market: MarketName): ExecutionAnomaly {
  return {
    ...market, position_idx: reader.maybeCount(), cause: reader.flag() ? 'conflict' : 'unknown_exec_type', exec_id: reader.text(),
    order_id: reader.text(), side: readSide(reader), quantity: reader.decimal(), seq: reader.maybeCount(), occurred_at: reader.count(),
    detail: reader.text(), retracted: reader.flag(), inputs: [],
  };
}

/** What the linker reads of a position update. */
export type PositionMark = Pick<
  PositionUpdate, 'position_idx' | 'seq' | 'size' | 'entry_price' | 'entry_price_decimals' | 'position_value' | 'cum_realised_pnl' | 'updated_at' | 'envelope_created_at'
>;

export function writePosition(writer: StateWriter, update: PositionMark): void {
  writer.count(update.position_idx);
  // Never traded is -1, which a count takes for null; such an update is told by the flag.
  writer.flag(update.seq === -1);
  writer.count(update.seq);
  writer.decimal(update.size);
  writer.decimal(update.entry_price);
  writer.count(update.entry_price_decimals);
  writer.decimal(update.position_value);
  writer.decimal(update.cum_realised_pnl);
  writer.count(update.updated_at);
  writer.count(update.envelope_created_at);
}

export function readPosition(reader: StateReader): PositionMark {
  const position_idx = reader.count();
  const neverTraded = reader.flag();
  const seq = reader.maybeCount();
  return {
    position_idx, seq: neverTraded ? -1 : seq, size: reader.decimal(), entry_price: reader.maybeDecimal(), entry_price_decimals: reader.count(),
    position_value: reader.maybeDecimal(), cum_realised_pnl: reader.maybeDecimal(), updated_at: reader.count(), envelope_created_at: reader.count(),
  };
}
