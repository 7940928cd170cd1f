import { StateReader, type StateWriter } from '../domain/state-bytes.js';
import type { DiscrepancyCause } from '../domain/records.js';
import type { BookState, Cycle } from './book-state.js';
import { newBookState } from './book-state.js';
import type { DerivedDiscrepancy } from './derived-rows.js';
import type { FillItem } from './evidence-item.js';
import { readCash, readFill, readMaybeText, writeCash, writeFill, writeMaybeText } from './input-bytes.js';
import type { IssuedGap } from './interval-plan.js';
import { type IssuedHistory, newIssuedHistory } from './issuer.js';
import { readBound, readItem, writeBound, writeItem } from './item-bytes.js';
import { type LinkerOptions, Market } from './market.js';

/*
 * A market as it is kept in the changelog: its evidence, the state at the horizon, and how often ids were issued.
 * Everything else is derived again from these.
 */

const VERSION = 2;

function writeCycle(writer: StateWriter, cycle: Cycle | null): void {
  writer.flag(cycle !== null);
  if (cycle === null) return;
  writer.text(cycle.positionId);
  writer.flag(cycle.direction === 1);
  writer.decimal(cycle.maxSize);
  writer.decimal(cycle.cumBefore);
  writer.decimal(cycle.realizedPnl);
  writer.decimal(cycle.fees);
  writer.decimal(cycle.funding);
  writer.count(cycle.openedAt);
  writer.count(cycle.closedAt);
  writer.decimal(cycle.exitQuantity);
  writer.decimal(cycle.exitValue);
  writeBound(writer, cycle.firstSeq);
  writeBound(writer, cycle.lastSeq);
  writer.count(cycle.verifiedToSeq);
  writer.count(cycle.contaminated.length);
  for (const signal of cycle.contaminated) writer.text(signal);
  writer.count(cycle.approximations);
}

function readCycle(reader: StateReader): Cycle | null {
  if (!reader.flag()) return null;
  return {
    positionId: reader.text(), direction: reader.flag() ? 1 : -1, maxSize: reader.decimal(), cumBefore: reader.maybeDecimal(), realizedPnl: reader.maybeDecimal(),
    fees: reader.decimal(), funding: reader.decimal(), openedAt: reader.count(), closedAt: reader.maybeCount(), exitQuantity: reader.decimal(),
    exitValue: reader.decimal(), firstSeq: readBound(reader), lastSeq: readBound(reader), verifiedToSeq: reader.count(),
    contaminated: readMany(reader, () => reader.text()), approximations: reader.count(),
  };
}

function readMany<T>(reader: StateReader, read: () => T): T[] {
  const values: T[] = [];
  for (let left = reader.count(); left > 0; left--) values.push(read());
  return values;
}

function writeState(writer: StateWriter, state: BookState): void {
  writer.flag(state.started);
  writeBound(writer, state.startedAt);
  writer.decimal(state.size);
  writer.decimal(state.cost);
  writer.decimal(state.cum);
  writer.count(state.eventsSinceCum);
  writer.flag(state.shown !== null);
  if (state.shown !== null) {
    writer.count(state.shown.seq);
    writer.decimal(state.shown.size);
    writer.decimal(state.shown.cumRealisedPnl);
    writer.decimal(state.shown.positionValue);
    writer.decimal(state.shown.entryPrice);
    writer.count(state.shown.entryPriceDecimals);
  }
  writer.count(state.lots.length);
  for (const lot of state.lots) {
    writeMaybeText(writer, lot.signalId);
    writer.decimal(lot.quantity);
    writer.decimal(lot.cost);
  }
  writeCycle(writer, state.cycle);
  writeCycle(writer, state.lastCycle);
  writeBound(writer, state.openingSeq);
  writer.count(state.openingCount);
  writer.count(state.moved.length);
  for (const part of state.moved) {
    writer.text(part.fillId);
    writeBound(writer, part.fillSeq);
    writer.decimal(part.quantity);
    writer.decimal(part.value);
    writer.decimal(part.fee);
  }
  writer.count(state.deferred.length);
  for (const fill of state.deferred) writeItem(writer, fill);
  writer.decimal(state.attributed);
  writer.decimal(state.startCum);
  writer.decimal(state.toleranceSinceStart);
}

function readState(reader: StateReader, positionIdx: number): BookState {
  const state = newBookState();
  state.started = reader.flag();
  state.startedAt = readBound(reader);
  state.size = reader.decimal();
  state.cost = reader.maybeDecimal();
  state.cum = reader.maybeDecimal();
  state.eventsSinceCum = reader.count();
  if (reader.flag()) {
    state.shown = {
      seq: reader.count(), size: reader.decimal(), cumRealisedPnl: reader.maybeDecimal(), positionValue: reader.maybeDecimal(),
      entryPrice: reader.maybeDecimal(), entryPriceDecimals: reader.count(),
    };
  }
  state.lots = readMany(reader, () => ({ signalId: readMaybeText(reader), quantity: reader.decimal(), cost: reader.maybeDecimal() }));
  state.cycle = readCycle(reader);
  state.lastCycle = readCycle(reader);
  state.openingSeq = readBound(reader);
  state.openingCount = reader.count();
  state.moved = readMany(reader, () => ({
    fillId: reader.text(), fillSeq: readBound(reader), quantity: reader.decimal(), value: reader.decimal(), fee: reader.decimal(),
  }));
  state.deferred = readMany(reader, () => readItem(reader, positionIdx) as FillItem);
  state.attributed = reader.maybeDecimal();
  state.startCum = reader.maybeDecimal();
  state.toleranceSinceStart = reader.decimal();
  return state;
}

const STATUSES = ['open', 'explained', 'expired'] as const;

function writeHistory(writer: StateWriter, history: IssuedHistory): void {
  for (const revisions of [history.links, history.cycles]) {
    writer.count(revisions.size);
    for (const [id, { revision, seq }] of revisions) {
      writer.text(id);
      writer.count(revision);
      writeBound(writer, seq);
    }
  }
  writer.count(history.deltas.size);
  for (const [base, { issued, live, seq }] of history.deltas) {
    writer.text(base);
    writer.count(issued);
    writer.flag(live);
    writeBound(writer, seq);
  }
  writer.count(history.discrepancies.size);
  for (const { row, revision, status } of history.discrepancies.values()) {
    writer.count(revision);
    writer.byte(STATUSES.indexOf(status));
    writeDiscrepancy(writer, row);
  }
}

function writeDiscrepancy(writer: StateWriter, row: DerivedDiscrepancy): void {
  writer.text(row.id);
  writer.text(row.cause);
  writeBound(writer, row.firstSeq);
  writeBound(writer, row.lastSeq);
  writer.decimal(row.size);
  writer.decimal(row.money);
  writeMaybeText(writer, row.execId);
  writeMaybeText(writer, row.orderId);
  writeMaybeText(writer, row.positionId);
  writer.text(row.evidence);
  writer.count(row.openedAt);
}

function readHistory(reader: StateReader): IssuedHistory {
  const history = newIssuedHistory();
  for (const revisions of [history.links, history.cycles]) {
    readMany(reader, () => revisions.set(reader.text(), { revision: reader.count(), seq: readBound(reader) }));
  }
  readMany(reader, () => history.deltas.set(reader.text(), { issued: reader.count(), live: reader.flag(), seq: readBound(reader) }));
  readMany(reader, () => {
    const revision = reader.count();
    const status = STATUSES[reader.byte()]!;
    const row: DerivedDiscrepancy = {
      id: reader.text(), cause: reader.text() as DiscrepancyCause, firstSeq: readBound(reader), lastSeq: readBound(reader), size: reader.maybeDecimal(),
      money: reader.maybeDecimal(), execId: readMaybeText(reader), orderId: readMaybeText(reader), positionId: readMaybeText(reader),
      evidence: reader.text(), openedAt: reader.count(),
    };
    history.discrepancies.set(row.id, { row, revision, status });
  });
  return history;
}

function writeGaps(writer: StateWriter, gaps: ReadonlyMap<number, IssuedGap>): void {
  writer.count(gaps.size);
  for (const [seq, { startsFlat, taken, leftOut, isDeferred, updatedAt }] of gaps) {
    writer.count(seq);
    writer.count(updatedAt);
    writer.flag(startsFlat);
    writer.count(taken.length);
    for (const { fillId, quantity } of taken) {
      writer.text(fillId);
      writer.decimal(quantity);
    }
    writer.count(leftOut.length);
    for (const fillId of leftOut) writer.text(fillId);
    writer.flag(isDeferred);
  }
}

function readGaps(reader: StateReader): Map<number, IssuedGap> {
  return new Map(readMany(reader, () => [reader.count(), {
    updatedAt: reader.count(), startsFlat: reader.flag(), taken: readMany(reader, () => ({ fillId: reader.text(), quantity: reader.decimal() })),
    leftOut: readMany(reader, () => reader.text()), isDeferred: reader.flag(),
  }]));
}

/** Writes all of a market that cannot be derived again. */
export function writeMarket(writer: StateWriter, market: Market): Uint8Array {
  writer.start(VERSION);
  writer.text(market.account);
  writer.text(market.category);
  writer.text(market.asset);
  writer.count(market.clock.length);
  for (let i = 0; i < market.clock.length; i++) {
    const { atMs, seq } = market.clock.pairAt(i);
    writer.count(atMs);
    writer.count(seq);
  }
  writer.count(market.mode.changes.length);
  for (const change of market.mode.changes) {
    writer.count(change.first);
    writer.flag(change.hedge);
  }
  writeBound(writer, market.highestDatedSeq);
  writer.count(market.books.size);
  for (const [positionIdx, entry] of market.books) {
    writer.count(positionIdx);
    writeMaybeText(writer, entry.reason);
    writeHistory(writer, entry.issuer.history);
    const { book } = entry;
    writeBound(writer, book.base.seq);
    writeState(writer, book.base.state);
    const { archive, items, issuedLength } = book.evidence;
    writer.count(issuedLength);
    writeBound(writer, book.dirtySeq);
    writeBound(writer, book.dirtyToSeq);
    writeBound(writer, book.dirtySinceMs);
    writeBound(writer, book.nextHorizonMs);
    writeGaps(writer, book.gaps);
    writer.count(archive.length + items.length);
    archive.writeTo(writer);
    for (const item of items) writeItem(writer, item);
  }
  writer.count(market.inferred.size);
  for (const entry of market.inferred.values()) {
    writer.flag(entry.kind === 'fill');
    writer.flag(entry.item !== null);
    writer.count(entry.effectiveMs);
    if (entry.kind === 'fill') writeFill(writer, entry.record);
    else writeCash(writer, entry.record);
  }
  return writer.finish();
}

/** Reads a market back. Throws Error on a version this program does not know. */
export function readMarket(bytes: Uint8Array, options: LinkerOptions): Market {
  const reader = new StateReader(bytes);
  const version = reader.byte();
  if (version !== VERSION) throw new Error(`position-linker state has version ${version}, this program knows ${VERSION}: start a newer one, or rebuild`);
  const name = { account: reader.text(), category: reader.text(), asset: reader.text() };
  const market = new Market(name.account, name.category, name.asset, options);
  readMany(reader, () => market.clock.restore(reader.count(), reader.count()));
  readMany(reader, () => market.mode.changes.push({ first: reader.count(), hedge: reader.flag() }));
  market.highestDatedSeq = readBound(reader)!;
  readMany(reader, () => {
    const positionIdx = reader.count();
    const entry = market.entry(positionIdx);
    entry.reason = readMaybeText(reader);
    entry.issuer.history = readHistory(reader);
    const { book } = entry;
    book.base = { seq: readBound(reader)!, state: readState(reader, positionIdx) };
    const tipIndex = reader.count();
    book.dirtySeq = readBound(reader);
    book.dirtyToSeq = readBound(reader)!;
    book.dirtySinceMs = readBound(reader)!;
    book.nextHorizonMs = readBound(reader)!;
    book.gaps = readGaps(reader);
    book.evidence.restore(readMany(reader, () => readItem(reader, positionIdx)), tipIndex);
    book.rebuild();
  });
  readMany(reader, () => {
    const isFill = reader.flag();
    const isPlaced = reader.flag();
    const effectiveMs = reader.count();
    if (isFill) market.restoreInferredFill(readFill(reader, name), effectiveMs, isPlaced);
    else market.restoreInferredCash(readCash(reader, name), effectiveMs, isPlaced);
  });
  return market;
}
