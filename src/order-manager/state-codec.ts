import { readExecution, readOrderContent, readWord, SIDES, writeExecution, writeOrderContent, writeWord } from './content-codec.js';
import { newEntry, settle, type ExecutionEntry, type MarketTerms, type Variant } from './execution-entry.js';
import { SEGMENT_FACTS, segmentsOf, type Mark, type OrderBody } from './order-body.js';
import { newPart } from './order-step.js';
import { StateReader, StateWriter } from '../domain/state-bytes.js';

/** First byte of every entry; a reader refuses others. */
export const STATE_VERSION = 2;

/** Opens an entry; throws on one of another version. */
export function readState(bytes: Uint8Array): StateReader {
  const reader = new StateReader(bytes);
  const version = reader.byte();
  if (version !== STATE_VERSION) {
    throw new Error(`order-manager state is of version ${version}, this program reads ${STATE_VERSION}: run the program that wrote it, or rebuild`);
  }
  return reader;
}

/** The head of an order and its first segment of facts. */
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
  w.count(body.parts.length);
  for (const part of body.parts) {
    w.decimal(part.to);
    w.count(part.revision);
    w.flag(part.live);
  }
  w.count(body.revision);
  w.count(segmentsOf(body));
  writeFacts(w, orderId, body, 0);
}

/** One segment of each list of facts. */
export function writeFacts(w: StateWriter, orderId: string, body: OrderBody, segment: number): void {
  const from = segment * SEGMENT_FACTS;
  const marks = Math.min(body.marks.length, from + SEGMENT_FACTS);
  w.count(Math.max(0, marks - from));
  for (let i = from; i < marks; i++) writeMark(w, body.marks[i]!);
  const pairs = Math.min(body.pairTimes.length, from + SEGMENT_FACTS);
  w.count(Math.max(0, pairs - from));
  for (let i = from; i < pairs; i++) {
    w.count(body.pairTimes[i]!);
    w.count(body.pairSeqs[i]!);
  }
  const executions = Math.min(body.executions.length, from + SEGMENT_FACTS);
  w.count(Math.max(0, executions - from));
  for (let i = from; i < executions; i++) writeEntry(w, body.executions[i]!, orderId, body.linkId);
}

/** Appends a segment; they must come in their order. */
export function readFacts(r: StateReader, orderId: string, body: OrderBody, terms: MarketTerms): void {
  for (let n = r.count(); n > 0; n--) body.marks.push(readMark(r));
  for (let n = r.count(); n > 0; n--) {
    body.pairTimes.push(r.count());
    body.pairSeqs.push(r.count());
  }
  for (let n = r.count(); n > 0; n--) body.executions.push(readEntry(r, terms, orderId, body.linkId));
}

/** Reads the head and the first segment into a fresh body; what follows from the rest (sums, parts, the row) is the caller's to compute again. */
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
  for (let n = r.count(); n > 0; n--) {
    const to = r.decimal();
    const part = newPart({ to, from: 0n, value: 0n, fee: 0n, price: 0n, leaves: null, seq: null, seqAfter: null, executedAt: 0, executedAfter: null, firstSeen: false, offsets: [] });
    part.revision = r.count();
    part.live = r.flag();
    body.parts.push(part);
  }
  body.revision = r.count();
  body.writtenSegments = r.count();
  readFacts(r, orderId, body, terms);
}

function writeMark(w: StateWriter, mark: Mark): void {
  w.decimal(mark.total);
  w.count(mark.seq);
  w.count(mark.atMs);
  w.decimal(mark.value);
  w.decimal(mark.fee);
  w.decimal(mark.averagePrice);
  w.decimal(mark.orderQuantity);
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
    orderQuantity: r.decimal(),
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

