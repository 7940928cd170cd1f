import { formatDecimal, type Decimal } from '../../src/domain/decimal.js';
import type { PositionCycle, PositionDiscrepancy, PositionOrder, PredictionDelta } from '../../src/domain/records.js';
import type { LinkerOptions } from '../../src/position-linker/market.js';
import { executionRow, orderRow, positionRow, type WireRow } from '../ws-gateway/exchange-rows.js';
import { linkCapture } from './core-pipeline.js';

export const T0 = 1_767_225_600_000;

/** One frame of a small session; `at` is milliseconds after its beginning, `late` how much later than that it came. */
export interface Told {
  readonly topic: 'order' | 'execution' | 'position';
  readonly at: number;
  readonly seq: number;
  readonly rows: readonly WireRow[];
  readonly late?: number;
}

/** An order message with this much executed, all at one price. */
export function order(at: number, seq: number, orderId: string, changes: WireRow = {}, late = 0): Told {
  const row = orderRow({
    orderId, orderLinkId: `signal-${orderId}_1`, qty: '1', cumExecQty: '0', cumExecValue: '0', cumExecFee: '0', leavesQty: '1', avgPrice: '',
    orderStatus: 'New', createdTime: String(T0), updatedTime: String(T0 + at), ...changes,
  });
  return { topic: 'order', at, seq, rows: [row], late };
}

/** An execution of one order, which it fills unless `leavesQty` says otherwise. */
export function fill(at: number, seq: number, execId: string, orderId: string, side: 'Buy' | 'Sell', quantity: string, price: string, changes: WireRow = {}, late = 0): Told {
  const row = executionRow({
    execId, orderId, orderLinkId: `signal-${orderId}_1`, side, execQty: quantity, execPrice: price, execValue: '0', execFee: '0', orderQty: quantity,
    leavesQty: '0', closedSize: '', execPnl: '', seq, execTime: String(T0 + at), ...changes,
  });
  return { topic: 'execution', at, seq, rows: [row], late };
}

/** A position record: signed size, value at entry, all-time realised result. */
export function position(at: number, seq: number | string, size: number, value: string, cum: string, changes: WireRow = {}, late = 0): Told {
  const row = positionRow({
    side: size > 0 ? 'Buy' : size < 0 ? 'Sell' : '', size: String(Math.abs(size)), entryPrice: size === 0 ? '0' : String(Number(value) / Math.abs(size)),
    positionValue: value, cumRealisedPnl: cum, curRealisedPnl: '0', updatedTime: String(T0 + at), seq, ...changes,
  });
  return { topic: 'position', at, seq: Number(seq), rows: [row], late };
}

/** Several messages in one frame. */
export function together(...told: readonly Told[]): Told {
  return { ...told[0]!, rows: told.flatMap(({ rows }) => rows) };
}

function lineOf({ topic, at, seq, rows, late }: Told): { receivedAt: number; line: string } {
  const receivedAt = T0 + at + 5 + (late ?? 0);
  const id = topic === 'position' ? `70001_position_${T0 + at}` : `70001_SOLUSDT_${seq}`;
  return { receivedAt, line: JSON.stringify({ receivedAt, frame: { topic, id, creationTime: T0 + at + 2, data: rows } }) };
}

export interface Outcome {
  /** Live links in the sequence of their cycle: label, from, to, price, fill, evidence. */
  readonly links: string[];
  readonly rows: PositionOrder[];
  readonly cycles: PositionCycle[];
  /** Cause and size of what is open. */
  readonly open: string[];
  /** Per signal and kind: quantity, gross result, fee, funding. */
  readonly sums: Record<string, string>;
  readonly deadLetters: string[];
}

function number(value: Decimal | null): string {
  return value === null ? '?' : formatDecimal(value);
}

/** Runs a small session through the cores and tells in short what came of it. */
export function tell(story: readonly Told[], options: Partial<LinkerOptions> = {}): Outcome {
  const lines = story.map(lineOf).sort((a, b) => a.receivedAt - b.receivedAt).map(({ line }) => line);
  const { log, deadLetters } = linkCapture(lines, options);
  const values = <T>(topic: string): T[] => log.of(topic).filter(({ type }) => type !== 'Watermark').map(({ value }) => value as T);
  const links = new Map<string, PositionOrder>();
  for (const row of values<PositionOrder>('position-linker.position_orders')) {
    if (row.retracted) links.delete(row.id);
    else links.set(row.id, row);
  }
  const cycles = new Map<string, PositionCycle>();
  for (const row of values<PositionCycle>('position-linker.position_cycles')) {
    if (row.retracted) cycles.delete(row.position_id);
    else cycles.set(row.position_id, row);
  }
  const discrepancies = new Map<string, PositionDiscrepancy>();
  for (const row of values<PositionDiscrepancy>('position-linker.discrepancies')) discrepancies.set(row.id, row);
  const totals = new Map<string, [Decimal, Decimal | null, Decimal, Decimal]>();
  for (const row of values<PredictionDelta>('position-linker.prediction_deltas')) {
    const key = `${row.signal_id ?? '-'} ${row.kind}`;
    const [quantity, realized, fee, funding] = totals.get(key) ?? [0n, 0n, 0n, 0n];
    totals.set(key, [quantity + row.quantity, realized === null || row.realized_pnl === null ? null : realized + row.realized_pnl, fee + row.fee, funding + row.funding]);
  }
  const rows = [...links.values()].sort((a, b) => a.position_idx - b.position_idx || (a.seq ?? -1) - (b.seq ?? -1) || a.executed_at - b.executed_at || a.leg - b.leg);
  return {
    rows, deadLetters, cycles: [...cycles.values()],
    links: rows.map((row) => `${row.relationship_type} ${number(row.size_before)}→${number(row.size_after)} @${number(row.execution_price)} ${row.exec_id ?? row.order_id ?? '-'} ${row.evidence}`),
    open: [...discrepancies.values()].filter(({ status }) => status === 'open').map(({ cause, size }) => `${cause} ${number(size)}`).sort(),
    sums: Object.fromEntries([...totals].filter(([, total]) => total.some((one) => one !== 0n)).map(([key, total]) => [key, total.map(number).join(' ')])),
  };
}
