import type { Fill, PositionUpdate } from '../domain/records.js';
import { scalarText } from '../postgres/cell-text.js';
import { keyText, type Cell, type Table } from '../postgres/table.js';
import type { Findings } from './breach.js';
import { checkResults, resultKey, type DeltaSums } from './delta-checks.js';
import type { BookEvidence, BookName, CycleRow, DiscrepancyRow, LinkRow, MarketEvidence, OrderRow, PositionRow, ResultRow, UpdatePoint } from './evidence.js';
import { grouped } from './grouping.js';
import { JUDGED, type StoredRow, type TableSnapshot } from './table-snapshot.js';
import { bookKey, inMarket, type TopicState } from './topic-state.js';

export interface PartitionSettings {
  readonly partition: number;
  readonly policy: string;
  readonly joinWindowMs: number;
}

/** Everything of one partition that is judged, as of the ends of its topics. */
export interface PartitionEvidence {
  readonly books: readonly BookEvidence[];
  readonly markets: readonly MarketEvidence[];
  /** Position updates and fills whose window has not passed: they are left out. */
  readonly waiting: number;
}

/**
 * Compares each row with the last record of its key, and brings the tables forward to the ends of the topics: tables follow
 * their topics each at its own pace, and only at one common point do rows of different tables have to agree. What a table has
 * not taken in yet comes from the topic; everything else is judged as the table has it.
 */
export function partitionEvidence({ rows, offsets }: TableSnapshot, state: TopicState, settings: PartitionSettings, findings: Findings): PartitionEvidence {
  const { partition } = settings;
  const followed = (sink: string, topic: string): number => offsets.find((offset) => offset.sink === sink && offset.topic === topic && offset.partition === partition)?.nextOffset ?? 0;
  const forward = new Map<string, object[]>();
  for (const { table, topic } of JUDGED) {
    const stored = rows.get(table.name) ?? [];
    const next = followed(table.name, topic);
    forward.set(table.name, state.latest.has(table.name) ? broughtForward(table, stored, state, next, findings) : results(table, stored, state, next, findings));
  }
  for (const delta of state.unpaired) {
    findings.check(false, () => ({
      book: delta, message: delta.reverses === null ? `delta ${delta.id} was issued twice` : `delta ${delta.id} takes back ${delta.reverses}, which is not there`, expected: delta.reverses, actual: null,
      witness: { source: 'position-linker.prediction_deltas', row: delta },
    }), 'link_deltas');
  }
  return judged(forward, state, settings);
}

function broughtForward(table: Table<never>, stored: readonly StoredRow[], state: TopicState, nextOffset: number, findings: Findings): object[] {
  const latest = state.latest.get(table.name) as NonNullable<ReturnType<TopicState['latest']['get']>>;
  const found: object[] = [];
  const seen = new Set<string>();
  for (const row of stored) {
    const key = keyText(table.key.map((position) => row.cells[position] as Cell));
    const record = latest.get(key);
    if (record !== undefined && record.offset >= nextOffset) continue;
    seen.add(key);
    const witness = { source: table.name, row: rowObject(table, row.cells) };
    const differing = record === undefined || record.isGone ? null : table.columns.filter((_column, index) => !sameCell(row.cells[index] as Cell, record.cells[index] as Cell)).map(({ name }) => name);
    findings.check(row.unreadable.length === 0 && differing?.length === 0, () => ({
      book: witness.row as BookName,
      message: differing === null ? `${table.name} ${key}: no record of its topic says so` : `${table.name} ${key}: ${differing.join(', ')} ${differing.length === 1 ? 'is' : 'are'} not what its last record says`,
      expected: record === undefined || record.isGone ? null : textOf(table, record.cells, differing ?? []),
      actual: textOf(table, row.cells, differing ?? []),
      witness,
    }), 'rows');
    if (row.unreadable.length === 0) found.push(witness.row);
  }
  for (const [key, record] of latest) {
    if (record.isGone || seen.has(key)) continue;
    const row = rowObject(table, record.cells);
    if (record.offset >= nextOffset) {
      found.push(row);
      continue;
    }
    findings.check(false, () => ({
      book: row as BookName, message: `${table.name} ${key}: the row is missing`, expected: key, actual: null, witness: { source: `the topic of ${table.name}, offset ${record.offset}`, row },
    }), 'rows');
  }
  return found;
}

/** Rows of results: compared with the sums of their deltas where these have not moved on. */
function results(table: Table<never>, stored: readonly StoredRow[], state: TopicState, nextOffset: number, findings: Findings): object[] {
  const rows = stored.filter(({ unreadable }) => unreadable.length === 0).map(({ cells }) => rowObject(table, cells) as ResultRow);
  const isBehind = (key: string): boolean => (state.lastDelta.get(key) ?? -1) >= nextOffset;
  const kept = rows.filter((row) => !isBehind(resultKey(row)));
  checkResults(kept, new Map([...state.sums].filter(([key]) => !isBehind(key))), findings);
  const moved = [...state.sums].filter(([key, sum]) => isBehind(key) && sum.live > 0).map(([, sum]) => resultOf(sum, state));
  return [...kept, ...moved];
}

function resultOf(sum: DeltaSums, state: TopicState): ResultRow {
  const { account, category, asset, position_idx, signal_id, position_id } = sum;
  const open = sum.entryQuantity - sum.exitQuantity;
  const realized = sum.unknown > 0 ? null : sum.realizedPnl;
  return {
    account, category, asset, position_idx, signal_id, position_id, direction: state.sides.get(position_id) === 'Sell' ? 'short' : 'long', entry_quantity: sum.entryQuantity, exit_quantity: sum.exitQuantity,
    realized_pnl: realized, fees: sum.fees, funding: sum.funding, net_pnl: realized === null ? null : realized - sum.fees - sum.funding, open_quantity: open, is_closed: open === 0n,
  };
}

function judged(forward: ReadonlyMap<string, readonly object[]>, state: TopicState, { policy, joinWindowMs }: PartitionSettings): PartitionEvidence {
  const of = <T>(table: string): readonly T[] => (forward.get(table) ?? []) as readonly T[];
  const links = grouped(of<LinkRow>('position_orders'), bookKey);
  const cycles = grouped(of<CycleRow>('position_cycles'), bookKey);
  const resultRows = grouped(of<ResultRow>('prediction_trading_results'), bookKey);
  const positions = new Map(of<PositionRow>('positions').filter(isContract).map((row) => [bookKey(row), row]));
  const discrepancies = of<DiscrepancyRow>('position_discrepancies');
  const byBook = grouped(discrepancies, (row) => bookKey({ ...row, position_idx: row.position_idx ?? 0 }));
  const deltas = grouped(state.deltas.values(), bookKey);
  // While a later record may still change what was decided before, only what is older is certain.
  const marginMs = state.latestMs + joinWindowMs <= state.watermarkMs ? joinWindowMs : 2 * joinWindowMs;
  const cashOf = grouped([...state.cash.values()].filter(({ value, effectiveMs }) => !value.retracted || effectiveMs + marginMs > state.watermarkMs), ({ value }) => inMarket(value, ''));
  const isSettled = (effectiveMs: number): boolean => effectiveMs + marginMs <= state.watermarkMs;
  const unsettled = [
    ...[...state.fills.values()].map(({ value, effectiveMs }) => ({ value, effectiveMs, atMs: value.executed_at })),
    ...[...state.cash.values()].map(({ value, effectiveMs }) => ({ value, effectiveMs, atMs: value.occurred_at })),
  ].filter(({ effectiveMs }) => !isSettled(effectiveMs));
  const unsettledOf = grouped(unsettled, ({ value }) => inMarket(value, ''));
  const waitingFrom = new Map<string, number>();
  const names = new Set([...links.keys(), ...cycles.keys(), ...resultRows.keys(), ...positions.keys(), ...byBook.keys(), ...deltas.keys(), ...state.updates.keys()]);
  const books = [...names].sort().map((name): BookEvidence => {
    const [account, category, asset, position_idx] = JSON.parse(name) as [string, string, string, number];
    const own = byBook.get(name) ?? [];
    const late = new Set(own.filter(({ cause }) => cause === 'late_beyond_horizon').map(({ first_seq }) => first_seq));
    const told = [...(state.updates.get(name)?.values() ?? [])].filter(({ value }) => !late.has(value.seq));
    const ownUnsettled = (unsettledOf.get(inMarket({ account, category, asset }, '')) ?? []).filter(({ value }) => value.position_idx === null || value.position_idx === position_idx);
    const waitsFrom = firstWaitingSeq(told, [...ownUnsettled, ...told.filter(({ effectiveMs }) => !isSettled(effectiveMs)).map(({ value }) => ({ value, atMs: value.updated_at }))]);
    waitingFrom.set(name, waitsFrom);
    const updates = told
      .map(({ value }): UpdatePoint => ({ update: value as UpdatePoint['update'], isSettled: (value.seq as number) < waitsFrom }))
      .sort((a, b) => a.update.seq - b.update.seq);
    return {
      book: { account, category, asset, position_idx }, policy, links: links.get(name) ?? [], cycles: cycles.get(name) ?? [], results: resultRows.get(name) ?? [],
      position: positions.get(name) ?? null, discrepancies: own, deltas: deltas.get(name) ?? [], updates,
      cashIds: new Set((cashOf.get(inMarket({ account, category, asset }, '')) ?? []).map(({ value }) => value.cash_id)),
    };
  });
  const times = [...state.fills.values(), ...[...state.updates.values()].flatMap((bySeq) => [...bySeq.values()])];
  const waiting = times.filter(({ effectiveMs }) => !isSettled(effectiveMs)).length;
  return { books, waiting, markets: marketsOf(of<OrderRow>('orders'), of<LinkRow>('position_orders'), discrepancies, state, isSettled, waitingFrom) };
}

/**
 * From which seq on a book may still wait; infinite if nothing does. What the linker has not decided holds up all of its interval,
 * and what comes after. What has no seq is after the last update that is older.
 */
function firstWaitingSeq(
  updates: readonly { readonly value: PositionUpdate }[], unsettled: readonly { readonly value: { readonly seq: number | null }; readonly atMs: number }[],
): number {
  let waitsFrom = Number.POSITIVE_INFINITY;
  for (const { value, atMs } of unsettled) {
    let before = Number.NEGATIVE_INFINITY;
    for (const { value: update } of updates) {
      const isBefore = value.seq === null ? update.updated_at < atMs : (update.seq as number) < value.seq;
      if (isBefore) before = Math.max(before, update.seq as number);
    }
    waitsFrom = Math.min(waitsFrom, before + 1);
  }
  return waitsFrom;
}

function marketsOf(
  orders: readonly OrderRow[], links: readonly LinkRow[], discrepancies: readonly DiscrepancyRow[], state: TopicState, isSettled: (effectiveMs: number) => boolean,
  waitingFrom: ReadonlyMap<string, number>,
): MarketEvidence[] {
  const marketOf = (row: { readonly account: string; readonly category: string; readonly asset: string }): string => inMarket(row, '');
  const ordersOf = grouped(orders, marketOf);
  const linksOf = grouped(links, marketOf);
  const discrepanciesOf = grouped(discrepancies, marketOf);
  const fillsOf = grouped([...state.fills.values()], ({ value }) => marketOf(value));
  return [...new Set([...ordersOf.keys(), ...linksOf.keys(), ...fillsOf.keys()])].sort().map((name) => {
    const [account, category, asset] = JSON.parse(name) as [string, string, string];
    const isHeldUp = ({ seq, position_idx }: Fill): boolean => (position_idx === null ? [0, 1, 2] : [position_idx]).some((index) => {
      const waitsFrom = waitingFrom.get(bookKey({ account, category, asset, position_idx: index })) ?? Number.POSITIVE_INFINITY;
      // Without a seq it may stand beside anything that came later.
      return waitsFrom < (seq ?? Number.POSITIVE_INFINITY) || waitsFrom === seq;
    });
    const fills = (fillsOf.get(name) ?? []).map(({ value, effectiveMs }) => ({ fill: value, isSettled: isSettled(effectiveMs) && !isHeldUp(value) }));
    const heldUp = new Set(fills.filter(({ isSettled }) => !isSettled).map(({ fill }) => fill.order_id));
    const own = ordersOf.get(name) ?? [];
    const nameOf = ({ order_id }: { readonly order_id: string }): string => inMarket({ account, category, asset }, order_id);
    return {
      account, category, asset, orders: own, fills, links: linksOf.get(name) ?? [], discrepancies: discrepanciesOf.get(name) ?? [],
      unsettledOrders: new Set(own.filter((order) => heldUp.has(order.order_id) || !isSettled(state.touchedOrders.get(nameOf(order)) ?? -1)).map(({ order_id }) => order_id)),
      retoldOrders: new Set(own.filter((order) => state.retoldOrders.has(nameOf(order))).map(({ order_id }) => order_id)),
    };
  });
}

function isContract({ category }: { readonly category: string }): boolean {
  return category === 'linear' || category === 'inverse';
}

function rowObject(table: Table<never>, cells: readonly Cell[]): object {
  return Object.fromEntries(table.columns.map(({ name }, index) => [name, cells[index] ?? null]));
}

function sameCell(a: Cell, b: Cell): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));
}

function textOf(table: Table<never>, cells: readonly Cell[], columns: readonly string[]): string {
  return columns.map((name) => `${name} ${cellText(table, cells, name)}`).join(', ');
}

function cellText(table: Table<never>, cells: readonly Cell[], name: string): string {
  const index = table.columns.findIndex((column) => column.name === name);
  const cell = cells[index] ?? null;
  if (cell === null) return 'null';
  return typeof cell === 'object' ? JSON.stringify(cell) : scalarText(table.columns[index]!.type, cell as Exclude<Cell, null | readonly string[]>);
}
