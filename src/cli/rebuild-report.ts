import { formatDecimal, type Decimal } from '../domain/decimal.js';
import type { RowDifference, TableComparison } from '../rebuild/comparison.js';
import type { RebuildReport } from '../rebuild/rebuild.js';
import type { RangeReport } from '../rebuild/range-comparison.js';
import type { SignalView } from '../rebuild/signal-results.js';
import type { VariantReport } from '../rebuild/variant.js';
import type { WhatIfReport } from '../rebuild/what-if.js';
import { shownNumber } from './show-cells.js';
import { textTable, type TextColumn } from './text-table.js';

/** Characters of a cell that are shown. */
const SHOWN_CHARACTERS = 60;
/** Differences of a table that are printed; --json has as many as --limit says. */
const PRINTED_DIFFERENCES = 10;

const COLUMNS: readonly TextColumn[] = [
  { heading: 'table', align: 'left' },
  { heading: 'live rows', align: 'right' },
  { heading: 'rebuilt', align: 'right' },
  { heading: 'changed', align: 'right' },
  { heading: 'missing', align: 'right' },
  { heading: 'added', align: 'right' },
  { heading: 'books', align: 'right' },
  { heading: 'digest', align: 'left' },
];

function digestCell({ isEqual, live, rebuilt }: TableComparison): string {
  if (isEqual) return live;
  return live === rebuilt ? `${live}, equal but for history` : `live ${live}, rebuilt ${rebuilt}`;
}

export function tablesText(tables: readonly TableComparison[]): string {
  const rows = tables.map((table) => [
    table.table, String(table.liveRows), String(table.rebuiltRows), String(table.changed), String(table.missing), String(table.added), String(table.books.length), digestCell(table),
  ]);
  const differences = tables.flatMap((table) => {
    const lines = table.differences.slice(0, PRINTED_DIFFERENCES).map(differenceText);
    const more = table.changed + table.missing + table.added - lines.length;
    return more > 0 ? [...lines, `${table.table}: ${more} more rows differ`] : lines;
  });
  return `${textTable(COLUMNS, rows)}${differences.map((line) => `${line}\n`).join('')}`;
}

function shown(cell: string | null): string {
  if (cell === null) return 'null';
  return cell.length > SHOWN_CHARACTERS ? `${cell.slice(0, SHOWN_CHARACTERS)}…` : cell;
}

/** One differing row in a line. */
export function differenceText({ table, kind, book, key, columns, isHistoryOnly }: RowDifference): string {
  const name = Object.entries(key).map(([column, cell]) => `${column} ${shown(cell)}`).join(', ');
  const place = `${table}, ${book === '' ? '' : `book ${book}, `}${name}`;
  if (kind === 'missing') return `${place}: missing in the live table`;
  if (kind === 'added') return `${place}: in the live table, but not in what the log says`;
  const cells = Object.entries(columns).map(([column, { live, rebuilt }]) => `${column} is ${shown(live)}, the log says ${shown(rebuilt)}`);
  return `${place}: ${cells.join('; ')}${isHistoryOnly ? ' (history only)' : ''}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function rebuildText(report: RebuildReport, peakMemoryMb: number): string {
  const { records, partitions, resumed, rows, seconds, threadSeconds, shortfalls, tables, isEqual, isSwapped } = report;
  const rate = seconds.load === 0 ? 0 : records / seconds.load;
  const spent = `roles ${threadSeconds.roles.toFixed(1)} s, waiting for the log ${threadSeconds.waitingForLog.toFixed(1)} s, copy ${threadSeconds.copy.toFixed(1)} s (all threads); indexes ${seconds.indexes.toFixed(1)} s, compare ${seconds.compare.toFixed(1)} s`;
  const lines = [
    `${whole(records)} source records of ${partitions} ${partitions === 1 ? 'partition' : 'partitions'} into ${whole(rows)} rows in ${seconds.total.toFixed(1)} s, ${whole(rate)} records/s, peak memory ${whole(peakMemoryMb)} MB`,
    spent,
    ...(resumed === 0 ? [] : [`${resumed} of the partitions had been done by an earlier run`]),
  ];
  const short = shortfalls.map(({ sink, topic, partition, live, rebuilt }) => `${sink} took in ${live} records of ${topic}/${partition}, the log gives ${rebuilt}\n`);
  return `${lines.map((line) => `${line}\n`).join('')}\n${tablesText(tables)}${short.join('')}\n${verdict(isEqual, isSwapped)}\n`;
}

function verdict(isEqual: boolean, isSwapped: boolean): string {
  if (isEqual) return 'equal: the live tables are what the log says';
  if (isSwapped) return 'different, and swapped: the live tables are now what the log says';
  return 'different: run it again with --swap to put the rebuilt tables in the place of the live ones';
}

export function rebuildJson(report: RebuildReport, settings: object, peakMemoryMb: number): string {
  return json({ kind: 'rebuild', equal: report.isEqual, swapped: report.isSwapped, settings, ...report, peakMemoryMb: Math.round(peakMemoryMb) });
}

export function variantText({ isEqual, records, tables, deadLetters, seconds }: VariantReport): string {
  const late = deadLetters.was - deadLetters.would;
  const verdictText = isEqual
    ? 'nothing changes: no evidence came later than the correction horizon allows, or none that mattered'
    : 'different: this is what the horizon left out (live: with the horizon, rebuilt: without); the live tables stay as they are';
  return (
    `without the correction horizon: ${whole(records)} source records in ${seconds.toFixed(1)} s; ${late} records that were too late are taken in\n\n` +
    `${tablesText(tables)}\n${verdictText}\n`
  );
}

export function variantJson(report: VariantReport, settings: object): string {
  return json({ kind: 'no-horizon', equal: report.isEqual, swapped: false, settings, ...report });
}

export function rangeText({ isEqual, records, cycles, tables, seconds }: RangeReport): string {
  return (
    `a stretch of the log: ${whole(records)} source records in ${seconds.toFixed(1)} s. Each book starts as one whose past is not known; compared are the ` +
    `${cycles.compared} of ${cycles.rebuilt} cycles that begin and end in it\n\n${tablesText(tables)}\n` +
    `${isEqual ? 'equal: as far as this stretch of the log tells' : 'different: a rebuild of the whole log tells more'}\n`
  );
}

export function rangeJson(report: RangeReport, settings: object): string {
  return json({ kind: 'range', equal: report.isEqual, swapped: false, settings, ...report });
}

const SIGNAL_COLUMNS: readonly TextColumn[] = [
  { heading: 'signal', align: 'left' },
  { heading: 'coin', align: 'left' },
  { heading: 'net before', align: 'right' },
  { heading: 'net after', align: 'right' },
  { heading: 'difference', align: 'right' },
  { heading: 'gross', align: 'right' },
  { heading: 'fees', align: 'right' },
  { heading: 'funding', align: 'right' },
];

const UNATTRIBUTED = 'unattributed';

function amount(value: Decimal | null): string {
  return value === null ? 'not known' : shownNumber(formatDecimal(value));
}

function changeCells(before: SignalView, after: SignalView): string[] {
  const minus = (a: Decimal | null, b: Decimal | null): Decimal | null => (a === null || b === null ? null : a - b);
  return [amount(before.net), amount(after.net), ...[minus(after.net, before.net), minus(after.realized, before.realized), minus(after.fees, before.fees), minus(after.funding, before.funding)].map(amount)];
}

export function whatIfText({ records, signals, differences, totals, seconds }: WhatIfReport, label: string, limit: number): string {
  const rows = differences.slice(0, limit).map(({ signalId, coin, before, after }) => [signalId ?? UNATTRIBUTED, coin, ...changeCells(before, after)]);
  const sums = totals.map(({ coin, before, after }) => ['all', coin, ...changeCells(before, after)]);
  const more = differences.length > limit ? `the largest ${limit} of ${differences.length} differences; --limit N shows more\n` : '';
  return (
    `what if: ${label}\nnothing of this is stored; ${whole(records)} source records in ${seconds.toFixed(1)} s\n\n` +
    `${textTable(SIGNAL_COLUMNS, [...rows, ...sums])}${more}\n` +
    `${differences.length === 0 ? 'no signal would have had other results' : `${differences.length} of ${signals} signals would have had other results (gross, fees and funding: the differences)`}\n`
  );
}

export function whatIfJson(report: WhatIfReport, label: string, limit: number): string {
  return json({ kind: 'what-if', label, equal: report.differences.length === 0, swapped: false, ...report, differences: report.differences.slice(0, limit), differing: report.differences.length });
}

/** Amounts as exact text. */
function json(value: object): string {
  return `${JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? formatDecimal(member) : member), 2)}\n`;
}
