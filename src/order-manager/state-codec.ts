import type { Execution, Side } from '../domain/records.js';
import type { ExecutionContent } from './execution-content.js';
import { newEntry, settle, type ExecutionEntry, type MarketTerms, type Variant } from './execution-entry.js';
import type { Mark, OrderBody } from './order-body.js';
import type { OrderContent } from './order-content.js';
import { newPart } from './order-step.js';
import { StateReader, StateWriter } from '../domain/state-bytes.js';

/** First byte of every entry; a reader refuses others. */
export const STATE_VERSION = 1;

const SIDES: readonly Side[] = ['Buy', 'Sell', 'None'];
const SOURCES: readonly Execution['source'][] = ['stream', 'history', 'transaction_log', 'unknown'];

/** Texts that the exchange uses all the time, as one byte. New ones go to the end: their places are written. */
const WORDS: readonly string[] = [
  '', 'Trade', 'AdlTrade', 'BustTrade', 'Funding', 'Settle', 'CreateByUser', 'CreateByClosing', 'CreateByTakeProfit', 'CreateByStopLoss',
  'CreateByLiq', 'CreateByAdl_PassThrough', 'New', 'PartiallyFilled', 'Filled', 'Cancelled', 'Untriggered', 'Triggered', 'Deactivated',
  'Rejected', 'PartiallyFilledCanceled', 'UNKNOWN', 'CancelByUser', 'CancelByReduceOnly', 'EC_NoError', 'EC_PerCancelRequest', 'GTC', 'IOC',
  'FOK', 'PostOnly', 'RPI', 'Market', 'Limit', 'USDT', 'USDC', 'BTC', 'ETH', 'TakeProfit', 'StopLoss', 'TrailingStop', 'Stop',
  'EC_OrigClOrdIDDoesNotExist',
];
const PLACES: ReadonlyMap<string, number> = new Map(WORDS.map((word, place) => [word, place]));
const OTHER = 255;

function writeWord(w: StateWriter, text: string): void {
  const place = PLACES.get(text);
  w.byte(place ?? OTHER);
  if (place === undefined) w.text(text);
}

function readWord(r: StateReader): string {
  const place = r.byte();
  if (place === OTHER) return r.text();
  const word = WORDS[place];
  if (word === undefined) throw new RangeError(`order-manager state has word ${place}, which this program does not know: a newer one wrote it`);
  return word;
}

/** A text that is nearly always the one already known. */
function writeUsual(w: StateWriter, text: string, usual: string): void {
  w.flag(text === usual);
  if (text !== usual) w.text(text);
}

function readUsual(r: StateReader, usual: string): string {
  return r.flag() ? usual : r.text();
}

/** Opens an entry; throws on one of another version. */
export function readState(bytes: Uint8Array): StateReader {
  const reader = new StateReader(bytes);
  const version = reader.byte();
  if (version !== STATE_VERSION) {
    throw new Error(`order-manager state is of version ${version}, this program reads ${STATE_VERSION}: run the program that wrote it, or rebuild`);
  }
  return reader;
}

export function writeOrder(w: StateWriter, orderId: string, body: OrderBody): void {
  w.text(body.linkId);
  w.flag(body.latest !== null);
  if (body.latest !== null) writeOrderContent(w, body.latest, body.linkId);
  w.count(body.latestOffset);
  w.count(body.positionIdx);
  writeWord(w, body.createType);
  w.count(body.createdAt);
  w.count(body.labelOffset);
  w.byte(body.side === null ? SIDES.length : SIDES.indexOf(body.side));
  w.byte(body.mentionedSide === null ? SIDES.length : SIDES.indexOf(body.mentionedSide));
  w.count(body.marks.length);
  for (const mark of body.marks) writeMark(w, mark);
  w.count(body.pairTimes.length);
  for (let i = 0; i < body.pairTimes.length; i++) {
    w.count(body.pairTimes[i]!);
    w.count(body.pairSeqs[i]!);
  }
  w.count(body.executions.length);
  for (const entry of body.executions) writeEntry(w, entry, orderId, body.linkId);
  w.count(body.parts.length);
  for (const part of body.parts) {
    w.decimal(part.to);
    w.count(part.revision);
    w.flag(part.live);
  }
  w.count(body.revision);
}

/** Reads into a fresh body; what follows from the rest (sums, parts, the row) is the caller's to compute again. */
export function readOrder(r: StateReader, orderId: string, body: OrderBody, terms: MarketTerms): void {
  body.linkId = r.text();
  if (r.flag()) body.latest = readOrderContent(r, body.linkId);
  body.latestOffset = r.count();
  body.positionIdx = r.maybeCount();
  body.createType = readWord(r);
  body.createdAt = r.maybeCount();
  body.labelOffset = r.count();
  body.side = SIDES[r.byte()] ?? null;
  body.mentionedSide = SIDES[r.byte()] ?? null;
  for (let n = r.count(); n > 0; n--) body.marks.push(readMark(r));
  for (let n = r.count(); n > 0; n--) {
    body.pairTimes.push(r.count());
    body.pairSeqs.push(r.count());
  }
  for (let n = r.count(); n > 0; n--) body.executions.push(readEntry(r, terms, orderId, body.linkId));
  for (let n = r.count(); n > 0; n--) {
    const to = r.decimal();
    const part = newPart({ to, from: 0n, value: 0n, fee: 0n, price: 0n, seq: null, seqAfter: null, executedAt: 0, executedAfter: null, firstSeen: false, offsets: [] });
    part.revision = r.count();
    part.live = r.flag();
    body.parts.push(part);
  }
  body.revision = r.count();
}

function writeMark(w: StateWriter, mark: Mark): void {
  w.decimal(mark.total);
  w.count(mark.seq);
  w.count(mark.atMs);
  w.decimal(mark.value);
  w.decimal(mark.fee);
  w.decimal(mark.averagePrice);
  w.count(mark.offset);
  w.count(mark.shownMs);
}

function readMark(r: StateReader): Mark {
  return {
    total: r.decimal(),
    seq: r.maybeCount(),
    atMs: r.count(),
    value: r.decimal(),
    fee: r.decimal(),
    averagePrice: r.maybeDecimal(),
    offset: r.count(),
    shownMs: r.count(),
  };
}

export function writeEntry(w: StateWriter, entry: ExecutionEntry, orderId: string, linkId: string): void {
  w.text(entry.execId);
  const rows: readonly Variant[] = entry.variants ?? [{ content: entry.content, offset: entry.offset }];
  w.count(rows.length);
  for (const row of rows) {
    writeExecution(w, row.content, orderId, linkId);
    w.count(row.offset);
  }
  w.count(entry.revision);
  w.count(entry.cashRevision);
  w.byte((entry.live ? 1 : 0) | (entry.conflictShown ? 2 : 0) | (entry.unknownShown ? 4 : 0));
}

export function readEntry(r: StateReader, terms: MarketTerms, orderId: string, linkId: string): ExecutionEntry {
  const execId = r.text();
  const rows: Variant[] = [];
  for (let n = r.count(); n > 0; n--) rows.push({ content: readExecution(r, orderId, linkId), offset: r.count() });
  const first = rows[0]!;
  const entry = newEntry(execId, first.content, first.offset, terms);
  if (rows.length > 1) settle(entry, rows, terms);
  entry.revision = r.count();
  entry.cashRevision = r.count();
  const flags = r.byte();
  entry.live = (flags & 1) !== 0;
  entry.conflictShown = (flags & 2) !== 0;
  entry.unknownShown = (flags & 4) !== 0;
  return entry;
}

function writeExecution(w: StateWriter, row: ExecutionContent, orderId: string, linkId: string): void {
  writeUsual(w, row.order_id, orderId);
  writeUsual(w, row.order_link_id, linkId);
  w.byte(SIDES.indexOf(row.side));
  writeWord(w, row.exec_type);
  writeWord(w, row.create_type);
  w.decimal(row.quantity);
  w.decimal(row.price);
  w.decimal(row.value);
  w.decimal(row.fee);
  writeWord(w, row.fee_currency);
  w.count(row.extra_fees.length);
  for (const extra of row.extra_fees) {
    w.text(extra.coin);
    w.text(extra.fee_type);
    w.decimal(extra.fee);
  }
  w.decimal(row.closed_size);
  w.decimal(row.exec_pnl);
  w.decimal(row.leaves_quantity);
  w.decimal(row.order_quantity);
  w.byte(row.is_maker === null ? 2 : row.is_maker ? 1 : 0);
  w.count(row.seq);
  w.count(row.executed_at);
  w.byte(SOURCES.indexOf(row.source));
}

function readExecution(r: StateReader, orderId: string, linkId: string): ExecutionContent {
  return {
    order_id: readUsual(r, orderId),
    order_link_id: readUsual(r, linkId),
    side: SIDES[r.byte()]!,
    exec_type: readWord(r),
    create_type: readWord(r),
    quantity: r.decimal(),
    price: r.decimal(),
    value: r.decimal(),
    fee: r.decimal(),
    fee_currency: readWord(r),
    extra_fees: Array.from({ length: r.count() }, () => ({ coin: r.text(), fee_type: r.text(), fee: r.decimal() })),
    closed_size: r.maybeDecimal(),
    exec_pnl: r.maybeDecimal(),
    leaves_quantity: r.maybeDecimal(),
    order_quantity: r.maybeDecimal(),
    is_maker: [false, true, null][r.byte()]!,
    seq: r.maybeCount(),
    executed_at: r.count(),
    source: SOURCES[r.byte()]!,
  };
}

function writeOrderContent(w: StateWriter, row: OrderContent, linkId: string): void {
  writeUsual(w, row.order_link_id, linkId);
  w.byte(SIDES.indexOf(row.side));
  w.count(row.position_idx);
  writeWord(w, row.order_type);
  writeWord(w, row.order_status);
  writeWord(w, row.create_type);
  writeWord(w, row.cancel_type);
  writeWord(w, row.reject_reason);
  writeWord(w, row.stop_order_type);
  writeWord(w, row.time_in_force);
  w.byte((row.reduce_only ? 1 : 0) | (row.close_on_trigger ? 2 : 0));
  w.decimal(row.price);
  w.decimal(row.quantity);
  w.decimal(row.average_price);
  w.decimal(row.leaves_quantity);
  w.decimal(row.cumulative_quantity);
  w.decimal(row.cumulative_value);
  w.decimal(row.cumulative_fee);
  w.decimal(row.closed_pnl);
  w.decimal(row.trigger_price);
  w.decimal(row.take_profit);
  w.decimal(row.stop_loss);
  w.count(row.created_at);
  w.count(row.updated_at);
  w.count(row.seq);
}

function readOrderContent(r: StateReader, linkId: string): OrderContent {
  const order_link_id = readUsual(r, linkId);
  const side = SIDES[r.byte()]!;
  const position_idx = r.maybeCount();
  const order_type = readWord(r);
  const order_status = readWord(r);
  const create_type = readWord(r);
  const cancel_type = readWord(r);
  const reject_reason = readWord(r);
  const stop_order_type = readWord(r);
  const time_in_force = readWord(r);
  const flags = r.byte();
  return {
    order_link_id,
    side,
    position_idx,
    order_type,
    order_status,
    create_type,
    cancel_type,
    reject_reason,
    stop_order_type,
    time_in_force,
    reduce_only: (flags & 1) !== 0,
    close_on_trigger: (flags & 2) !== 0,
    price: r.maybeDecimal(),
    quantity: r.decimal(),
    average_price: r.maybeDecimal(),
    leaves_quantity: r.maybeDecimal(),
    cumulative_quantity: r.decimal(),
    cumulative_value: r.decimal(),
    cumulative_fee: r.decimal(),
    closed_pnl: r.maybeDecimal(),
    trigger_price: r.maybeDecimal(),
    take_profit: r.maybeDecimal(),
    stop_loss: r.maybeDecimal(),
    created_at: r.count(),
    updated_at: r.count(),
    seq: r.maybeCount(),
  };
}
