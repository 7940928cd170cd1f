import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { PlainLog } from './core-pipeline.js';

/** History and inputs are no part of what is compared. */
const HISTORY = new Set(['revision', 'reason', 'known_at', 'inputs', 'retracted', 'closed_at']);

function content(row: object): string {
  return canonicalJson(Object.fromEntries(Object.entries(row).filter(([name]) => !HISTORY.has(name))));
}

function live(log: PlainLog, topic: string, id: string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const record of log.of(topic)) {
    if (record.type === 'Watermark') continue;
    const row = record.value as unknown as Record<string, unknown>;
    if (row['retracted'] === true) rows.delete(row[id] as string);
    else if (row['status'] === 'explained') rows.delete(row[id] as string);
    else rows.set(row[id] as string, content(row['status'] === 'expired' ? { ...row, status: 'open' } : row));
  }
  return rows;
}

/** Sums of deltas per signal, cycle and kind: that is what is guaranteed of them. */
function sums(log: PlainLog): Map<string, string> {
  const totals = new Map<string, Record<string, bigint>>();
  for (const record of log.of('position-linker.prediction_deltas')) {
    if (record.type === 'Watermark') continue;
    const delta = record.value as unknown as Record<string, bigint | string | null>;
    const key = `${delta['signal_id'] ?? ''}|${delta['position_id']}|${delta['kind']}`;
    const total = totals.get(key) ?? { quantity: 0n, value: 0n, realized_pnl: 0n, fee: 0n, funding: 0n, unknown: 0n };
    const sign = delta['reverses'] === null ? 1n : -1n;
    for (const name of ['quantity', 'value', 'fee', 'funding']) total[name]! += delta[name] as bigint;
    if (delta['realized_pnl'] === null) total['unknown']! += sign;
    else total['realized_pnl']! += delta['realized_pnl'] as bigint;
    totals.set(key, total);
  }
  const rows = new Map<string, string>();
  for (const [key, total] of totals) if (Object.values(total).some((value) => value !== 0n)) rows.set(key, canonicalJson(total));
  return rows;
}

/** All live rows of the linker's outputs as text, by table and id. */
export function liveRows(log: PlainLog): Map<string, string> {
  const rows = new Map<string, string>();
  const add = (table: string, some: Map<string, string>): void => {
    for (const [id, text] of some) rows.set(`${table} ${id}`, text);
  };
  add('position_orders', live(log, 'position-linker.position_orders', 'id'));
  add('position_cycles', live(log, 'position-linker.position_cycles', 'position_id'));
  add('discrepancies', live(log, 'position-linker.discrepancies', 'id'));
  add('deltas', sums(log));
  return rows;
}

/** Differences of two sets of live rows, as text; empty if they are equal. */
export function differences(a: Map<string, string>, b: Map<string, string>): string[] {
  const found: string[] = [];
  for (const [id, row] of a) {
    const other = b.get(id);
    if (other === undefined) found.push(`only in the first: ${id} ${row}`);
    else if (other !== row) found.push(`${id}\n  ${row}\n  ${other}`);
  }
  for (const [id, row] of b) if (!a.has(id)) found.push(`only in the second: ${id} ${row}`);
  return found;
}
