import type { StateReader, StateWriter } from '../domain/state-bytes.js';
import { type FillItem, type Item, hashOfId, inputsOfUpdate } from './evidence-item.js';
import { readMaybeText, readRefs, writeMaybeText, writeRefs } from './input-bytes.js';

/* One piece of evidence as bytes: in the changelog, and in the archive of its book. */

export function writeBound(writer: StateWriter, value: number | null): void {
  writer.byte(value === null ? 0 : value === Number.NEGATIVE_INFINITY ? 1 : value === Number.POSITIVE_INFINITY ? 2 : 3);
  if (value !== null && Number.isFinite(value)) writer.count(value);
}

export function readBound(reader: StateReader): number | null {
  const tag = reader.byte();
  return tag === 0 ? null : tag === 1 ? Number.NEGATIVE_INFINITY : tag === 2 ? Number.POSITIVE_INFINITY : reader.count();
}

const KINDS = ['fill', 'cash', 'update'] as const;

export function writeItem(writer: StateWriter, item: Item): void {
  writer.byte(KINDS.indexOf(item.kind));
  writeBound(writer, item.seq);
  writer.count(item.effectiveMs);
  writer.flag(item.settled);
  writer.flag(item.dying);
  writeRefs(writer, item.kind === 'update' ? inputsOfUpdate(item) : item.inputs);
  if (item.kind === 'fill') writeFillItem(writer, item);
  else if (item.kind === 'cash') {
    writer.text(item.cashId);
    writer.decimal(item.amount);
    writer.count(item.occurredAt);
    writer.flag(item.dated);
    writer.flag(item.beforeFills);
  } else {
    writer.decimal(item.size);
    writer.decimal(item.entryPrice);
    writer.count(item.entryPriceDecimals);
    writer.decimal(item.positionValue);
    writer.decimal(item.cumRealisedPnl);
    writer.count(item.updatedAt);
    writer.count(item.pushedAt);
  }
}

function writeFillItem(writer: StateWriter, item: FillItem): void {
  writer.text(item.fillId);
  writer.flag(item.source === 'order');
  writer.text(item.orderId);
  writer.flag(item.direction === 1);
  writer.decimal(item.quantity);
  writer.decimal(item.value);
  writer.decimal(item.price);
  writer.decimal(item.fee);
  writer.decimal(item.closedSize);
  writer.decimal(item.execPnl);
  writer.decimal(item.leavesQuantity);
  writer.decimal(item.fromQuantity);
  writer.decimal(item.toQuantity);
  writer.count(item.seqAfter);
  writer.count(item.executedAfter);
  writer.count(item.executedAt);
  writeMaybeText(writer, item.signalId);
  writer.text(item.exitReason);
  writer.flag(item.firstSeen);
  writer.flag(item.dated);
  writer.flag(item.taken);
}

export function readItem(reader: StateReader, positionIdx: number): Item {
  const kind = KINDS[reader.byte()]!;
  const seq = readBound(reader);
  const effectiveMs = reader.count();
  const settled = reader.flag();
  const dying = reader.flag();
  const inputs = readRefs(reader);
  if (kind === 'fill') return readFillItem(reader, { positionIdx, seq, effectiveMs, settled, dying, inputs });
  if (kind === 'cash') {
    const cashId = reader.text();
    return {
      kind, positionIdx, seq, effectiveMs, settled, dying, inputs, cashId, idHash: hashOfId('cash', cashId), amount: reader.decimal(), occurredAt: reader.count(),
      dated: reader.flag(), beforeFills: reader.flag(),
    };
  }
  return {
    kind, positionIdx, seq: seq!, effectiveMs, partition: inputs[0]!.partition, offset: inputs[0]!.offset, settled, dying, size: reader.decimal(), entryPrice: reader.maybeDecimal(), entryPriceDecimals: reader.count(),
    positionValue: reader.maybeDecimal(), cumRealisedPnl: reader.maybeDecimal(), updatedAt: reader.count(), pushedAt: reader.count(),
  };
}

function readFillItem(reader: StateReader, base: Pick<FillItem, 'positionIdx' | 'seq' | 'effectiveMs' | 'settled' | 'dying' | 'inputs'>): FillItem {
  const fillId = reader.text();
  const isOrder = reader.flag();
  return {
    kind: 'fill', positionIdx: base.positionIdx, seq: base.seq, effectiveMs: base.effectiveMs, settled: base.settled, dying: base.dying,
    inputs: base.inputs, fillId, idHash: hashOfId('fill', fillId), source: isOrder ? 'order' : 'execution', execId: isOrder ? null : fillId, orderId: reader.text(),
    direction: reader.flag() ? 1 : -1, quantity: reader.decimal(), value: reader.decimal(), price: reader.decimal(), fee: reader.decimal(),
    closedSize: reader.maybeDecimal(), execPnl: reader.maybeDecimal(), leavesQuantity: reader.maybeDecimal(), fromQuantity: reader.maybeDecimal(),
    toQuantity: reader.maybeDecimal(), seqAfter: reader.maybeCount(), executedAfter: reader.maybeCount(), executedAt: reader.count(),
    signalId: readMaybeText(reader), exitReason: reader.text(), firstSeen: reader.flag(), dated: reader.flag(),
    taken: reader.flag(),
  };
}
