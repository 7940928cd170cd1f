import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { PlainLog } from '../position-linker/core-pipeline.js';
import type { OracleRows, Sources } from './oracle.js';

/** The source records of a log, watermarks left out. */
export function sourcesOf(log: PlainLog): Sources {
  const values = (topic: string): never[] => log.of(topic).filter(({ type }) => type !== 'Watermark').map(({ value }) => value as never);
  return { orders: values('ws-gateway.order'), executions: values('ws-gateway.execution'), updates: values('ws-gateway.position') };
}

const LINK = ['position_id', 'position_idx', 'order_id', 'exec_id', 'leg', 'side', 'relationship_type', 'size_delta', 'size_before', 'size_after',
  'execution_price', 'execution_fee', 'executed_at', 'seq', 'signal_id', 'evidence', 'source'];
const CYCLE = ['position_idx', 'side', 'size', 'average_entry_price', 'max_size', 'realized_pnl', 'fees', 'funding', 'opened_at', 'closed_at', 'exit_price',
  'first_seq', 'last_seq'];

type Row = Record<string, string | number | bigint | boolean | null>;

function rowsOf(log: PlainLog, topic: string): Row[] {
  return log.of(topic).filter(({ type }) => type !== 'Watermark').map(({ value }) => value as unknown as Row);
}

function live(log: PlainLog, topic: string, id: string, columns: readonly string[]): Map<string, string> {
  const rows = new Map<string, string>();
  for (const row of rowsOf(log, topic)) {
    if (row['retracted'] === true) rows.delete(row[id] as string);
    else rows.set(row[id] as string, canonicalJson(Object.fromEntries(columns.map((column) => [column, row[column]]))));
  }
  return rows;
}

/** The linker's live rows in the columns that the oracle knows. */
export function rowsOfLog(log: PlainLog): OracleRows {
  const totals = new Map<string, Record<string, bigint>>();
  for (const delta of rowsOf(log, 'position-linker.prediction_deltas')) {
    const key = `${delta['signal_id'] ?? ''}|${delta['position_id']}|${delta['kind']}`;
    const total = totals.get(key) ?? { quantity: 0n, value: 0n, realized: 0n, fee: 0n, funding: 0n };
    for (const name of ['quantity', 'value', 'fee', 'funding'] as const) total[name]! += delta[name] as bigint;
    total['realized']! += (delta['realized_pnl'] ?? 0n) as bigint;
    totals.set(key, total);
  }
  const sums = new Map<string, string>();
  for (const [key, total] of totals) if (Object.values(total).some((value) => value !== 0n)) sums.set(key, canonicalJson(total));
  const residuals = new Map<string, string>();
  for (const row of rowsOf(log, 'position-linker.discrepancies')) {
    // Whether a fill is missing or somebody else traded, the streams do not say: both are a size that nothing explains.
    if (row['cause'] !== 'fill_missing' && row['cause'] !== 'external_change') continue;
    const key = `${row['account']}|${row['category']}|${row['asset']}|${row['position_idx']}|${row['last_seq']}`;
    if (row['status'] === 'explained') residuals.delete(key);
    else residuals.set(key, canonicalJson(row['size']!));
  }
  return { links: live(log, 'position-linker.position_orders', 'id', LINK), cycles: live(log, 'position-linker.position_cycles', 'position_id', CYCLE), sums, residuals };
}

/** What differs, column by column; empty where all is equal. */
export function differing(expected: OracleRows, actual: OracleRows): string[] {
  const found: string[] = [];
  for (const table of ['links', 'cycles', 'sums', 'residuals'] as const) {
    for (const [id, row] of expected[table]) {
      const other = actual[table].get(id);
      if (other === row) continue;
      found.push(other === undefined ? `${table} ${id} is missing: ${row}` : `${table} ${id}: ${columnsThatDiffer(row, other)}`);
    }
    for (const [id, row] of actual[table]) if (!expected[table].has(id)) found.push(`${table} ${id} should not be there: ${row}`);
  }
  return found;
}

function columnsThatDiffer(a: string, b: string): string {
  const [expected, actual] = [JSON.parse(a), JSON.parse(b)] as [unknown, unknown];
  if (typeof expected !== 'object' || expected === null) return `should be ${a}, is ${b}`;
  return Object.entries(expected)
    .map(([column, value]) => [column, value, (actual as Record<string, unknown>)[column]] as const)
    .filter(([, value, other]) => value !== other)
    .map(([column, value, other]) => `${column} should be ${String(value)}, is ${String(other)}`)
    .join('; ');
}
