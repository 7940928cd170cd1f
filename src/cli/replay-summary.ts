import { formatDecimal } from '../domain/decimal.js';
import type { Policy } from '../config/options.js';
import type { Cell } from '../postgres/table.js';
import type { TableRows } from '../replay/memory-tables.js';
import type { Conservation } from '../position-linker/conservation.js';
import type { ReplayResult } from '../replay/replay.js';
import { SOURCE_TOPICS } from '../ws-gateway/gateway.js';
import { isoTime } from './ingest-summary.js';

export interface ReplaySummary {
  readonly result: ReplayResult;
  readonly capture: string;
  readonly policy: Policy;
  readonly seconds: number;
  /** Records of categories the linker does not take. */
  readonly skippedByLinker: number;
  /** How well the linker's results added up, update by update. */
  readonly conservation: Conservation;
  readonly files: readonly string[];
}

/** Lines for a person. */
export function replayText({ result, policy, seconds, skippedByLinker, conservation, files }: ReplaySummary): string {
  const { counts, heldRecords, deadLetters, reconciliation } = result;
  const records = SOURCE_TOPICS.map((topic) => `${counts.records[topic]} ${topic}`).join(', ');
  const lines = [
    `${counts.frames} frames from ${isoTime(counts.firstReceivedMs)} to ${isoTime(counts.lastReceivedMs)}, in ${seconds.toFixed(2)} s`,
    `records: ${records}`,
    `bad lines and rows: ${counted(counts.rejected)}`,
    `tables: ${[...rowCounts(result)].map(([name, count]) => `${name} ${count}`).join(', ')}`,
    `links by evidence: ${counted(tally(tableNamed(result, 'position_orders'), 'evidence'))}`,
    `discrepancies: ${counted(tally(tableNamed(result, 'position_discrepancies'), 'cause', 'status'))}`,
  ];
  if (skippedByLinker > 0) lines.push(`records of other categories, which the linker skips: ${skippedByLinker}`);
  for (const [topic, count] of Object.entries(deadLetters)) lines.push(`dead letters of ${topic}: ${count}`);
  for (const { coin, results, exchange, books, unknownBooks } of reconciliation) {
    const unknown = unknownBooks === 0 ? '' : `, ${unknownBooks} left out, since what they cost at the start is not known`;
    lines.push(`${policy} results of ${books} books in ${coin}: ${formatDecimal(results)}, the exchange says ${formatDecimal(exchange)}, difference ${formatDecimal(results - exchange)}${unknown}`);
  }
  lines.push(`conservation: ${conservation.checks} checks, ${conservation.breaches} breaches, largest error ${conservation.largestErrorPerTolerance.toFixed(3)} of the tolerance`);
  if (policy === 'fifo' && hasOpenCycle(result)) lines.push('the exchange counts by average cost: under fifo, books that are open differ by what their lots do');
  lines.push(`records that wait for a watermark: ${heldRecords}`);
  for (const file of files) lines.push(`wrote ${file}`);
  return `${lines.join('\n')}\n`;
}

export function replayJson({ result, capture, policy, seconds, skippedByLinker, conservation, files }: ReplaySummary): string {
  const { counts, heldRecords, deadLetters, reconciliation } = result;
  return `${JSON.stringify({
    capture,
    policy,
    seconds,
    frames: counts.frames,
    firstReceivedAt: counts.firstReceivedMs,
    lastReceivedAt: counts.lastReceivedMs,
    records: counts.records,
    watermarks: counts.watermarks,
    rejected: Object.fromEntries(counts.rejected),
    gatewayDeadLetters: counts.deadLetters,
    deadLetters,
    tables: Object.fromEntries(rowCounts(result)),
    evidence: Object.fromEntries(tally(tableNamed(result, 'position_orders'), 'evidence')),
    discrepancies: Object.fromEntries(tally(tableNamed(result, 'position_discrepancies'), 'cause', 'status')),
    skippedByLinker,
    conservation,
    reconciliation: reconciliation.map(({ coin, results, exchange, books, unknownBooks }) => ({
      coin,
      results: formatDecimal(results),
      exchange: formatDecimal(exchange),
      difference: formatDecimal(results - exchange),
      books,
      unknownBooks,
    })),
    heldRecords,
    files,
  })}\n`;
}

function tableNamed({ tables }: ReplayResult, name: string): TableRows {
  const found = tables.find(({ table }) => table.name === name);
  if (found === undefined) throw new Error(`there is no table ${name}`);
  return found;
}

function rowCounts({ tables }: ReplayResult): ReadonlyMap<string, number> {
  return new Map(tables.map(({ table, rows }) => [table.name, rows.length]));
}

/** Rows by the text of these columns. */
function tally({ table, rows }: TableRows, ...names: readonly string[]): ReadonlyMap<string, number> {
  const positions = names.map((name) => table.columns.findIndex((column) => column.name === name));
  const counts = new Map<string, number>();
  for (const row of rows) {
    const text = positions.map((position) => String(row[position] as Cell)).join(' ');
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function counted(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? 'none' : [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

function hasOpenCycle(result: ReplayResult): boolean {
  return [...tally(tableNamed(result, 'position_cycles'), 'closed_at').keys()].includes('null');
}
