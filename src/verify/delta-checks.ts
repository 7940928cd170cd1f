import { abs, type Decimal } from '../domain/decimal.js';
import { shown, type Findings } from './breach.js';
import type { BookEvidence, BookName, Delta, LinkRow, ResultRow } from './evidence.js';
import { grouped } from './grouping.js';

/** What deltas add up to. */
export interface DeltaSums extends BookName {
  readonly signal_id: string | null;
  readonly position_id: string;
  /** Deltas less those taken back. */
  live: number;
  entryQuantity: Decimal;
  exitQuantity: Decimal;
  realizedPnl: Decimal;
  /** Live deltas whose gross result is not known. */
  unknown: number;
  fees: Decimal;
  funding: Decimal;
}

export function resultKey(row: { readonly position_id: string; readonly signal_id: string | null }): string {
  return `${row.position_id}|${row.signal_id ?? ''}`;
}

/** Adds a delta to the sums of its signal and cycle; a reversal carries negative amounts, so all just adds. */
export function addDelta(sums: Map<string, DeltaSums>, delta: Delta): void {
  const key = resultKey(delta);
  let sum = sums.get(key);
  if (sum === undefined) {
    const { account, category, asset, position_idx, signal_id, position_id } = delta;
    sum = { account, category, asset, position_idx, signal_id, position_id, live: 0, entryQuantity: 0n, exitQuantity: 0n, realizedPnl: 0n, unknown: 0, fees: 0n, funding: 0n };
    sums.set(key, sum);
  }
  const count = delta.reverses === null ? 1 : -1;
  sum.live += count;
  if (delta.kind === 'entry') sum.entryQuantity += delta.quantity;
  else if (delta.kind === 'exit' || delta.kind === 'residual') sum.exitQuantity += delta.quantity;
  if (delta.realized_pnl === null) sum.unknown += count;
  else sum.realizedPnl += delta.realized_pnl;
  sum.fees += delta.fee;
  sum.funding += delta.funding;
}

/** Rows of results against the sums of their deltas, at one and the same point of the topics. */
export function checkResults(rows: readonly ResultRow[], sums: ReadonlyMap<string, DeltaSums>, findings: Findings): void {
  const found = new Set<string>();
  for (const row of rows) {
    found.add(resultKey(row));
    checkResult(row, sums.get(resultKey(row)), findings);
  }
  for (const [key, sum] of sums) {
    findings.check(sum.live === 0 || found.has(key), () => ({
      book: sum, message: `${nameOf(sum)} has deltas and no row`, expected: `${sum.live} deltas`, actual: null, witness: { source: 'position-linker.prediction_deltas', row: sum },
    }), 'results');
  }
}

function nameOf({ signal_id, position_id }: { readonly signal_id: string | null; readonly position_id: string }): string {
  return `the result of ${signal_id === null ? 'the unattributed bucket' : `signal ${signal_id}`} in cycle ${position_id}`;
}

function checkResult(row: ResultRow, sum: DeltaSums | undefined, findings: Findings): void {
  const witness = { source: 'prediction_trading_results', row };
  const isBacked = findings.check(sum !== undefined && sum.live > 0, () => ({ book: row, message: `${nameOf(row)} has no deltas`, expected: null, actual: null, witness }), 'results');
  if (!isBacked || sum === undefined) return;
  const realized = sum.unknown > 0 ? null : sum.realizedPnl;
  const columns: readonly (readonly [string, Decimal | null, Decimal | null])[] = [
    ['entry_quantity', row.entry_quantity, sum.entryQuantity],
    ['exit_quantity', row.exit_quantity, sum.exitQuantity],
    ['open_quantity', row.open_quantity, sum.entryQuantity - sum.exitQuantity],
    ['realized_pnl', row.realized_pnl, realized],
    ['fees', row.fees, sum.fees],
    ['funding', row.funding, sum.funding],
    ['net_pnl', row.net_pnl, realized === null ? null : realized - sum.fees - sum.funding],
  ];
  const isClosed = sum.entryQuantity > 0n && sum.entryQuantity === sum.exitQuantity;
  findings.check(row.is_closed === isClosed, () => ({ book: row, message: `${nameOf(row)}: is_closed is not what its deltas add up to`, expected: String(isClosed), actual: String(row.is_closed), witness }), 'results');
  for (const [column, actual, expected] of columns) findings.equal('results', row, actual, expected, `${nameOf(row)}: ${column} is not what its deltas add up to`, witness);
}

/** Links, cycles and deltas against each other. */
export function checkDeltas({ book, links, cycles, results, deltas, discrepancies, cashIds }: BookEvidence, findings: Findings): void {
  const byLink = new Map<string, Delta[]>(links.map((link) => [link.id, []]));
  const known = new Set(cycles.map((cycle) => cycle.position_id));
  // Money that no row shows is booked under the discrepancy that names it.
  const named = new Set(discrepancies.map(({ id }) => id));
  for (const delta of deltas) {
    const witness = { source: 'position-linker.prediction_deltas', row: delta };
    findings.check(known.has(delta.position_id), () => ({ book, message: `delta ${delta.id} belongs to cycle ${delta.position_id}, which is not there`, expected: delta.position_id, actual: null, witness }), 'link_deltas');
    const own = delta.link_id === null ? undefined : byLink.get(delta.link_id);
    const isOfCash = delta.link_id === null && delta.cash_id !== null && (cashIds.has(delta.cash_id) || named.has(delta.cash_id));
    findings.check(own !== undefined || isOfCash, () => ({
      book, message: delta.link_id === null ? `delta ${delta.id} belongs to cash event ${delta.cash_id}, which is not there` : `delta ${delta.id} belongs to link ${delta.link_id}, which is not there`,
      expected: delta.link_id ?? delta.cash_id, actual: null, witness,
    }), 'link_deltas');
    own?.push(delta);
  }
  for (const link of links) checkLinkDeltas(link, byLink.get(link.id) ?? [], findings);
  const byCycle = grouped(deltas, (delta) => delta.position_id);
  const resultsOf = grouped(results, (row) => row.position_id);
  for (const cycle of cycles) {
    const witness = { source: 'position_cycles', row: cycle };
    const name = `cycle ${cycle.position_id}`;
    const mine = byCycle.get(cycle.position_id) ?? [];
    const sum = (amountOf: (delta: Delta) => Decimal): Decimal => mine.reduce((total, delta) => total + amountOf(delta), 0n);
    const realized = mine.some((delta) => delta.realized_pnl === null) ? null : sum((delta) => delta.realized_pnl ?? 0n);
    findings.equal('cycle_sums', cycle, cycle.realized_pnl, realized, `${name}: realized_pnl is not what its deltas add up to`, witness);
    findings.equal('cycle_sums', cycle, cycle.fees, sum((delta) => delta.fee), `${name}: fees are not what its deltas add up to`, witness);
    findings.equal('cycle_sums', cycle, cycle.funding, sum((delta) => delta.funding), `${name}: funding is not what its deltas add up to`, witness);
    const open = resultsOf.get(cycle.position_id) ?? [];
    findings.equal('lots', cycle, open.reduce((total, row) => total + row.open_quantity, 0n), abs(cycle.size), `${name}: open quantities of its signals do not add up to its size`, witness);
    for (const row of open) {
      findings.check(row.direction === (cycle.side === 'Sell' ? 'short' : 'long') && row.open_quantity >= 0n, () => ({
        book: cycle, message: `${nameOf(row)} is ${row.direction} with ${shown(row.open_quantity)} open, the cycle is ${cycle.side}`, expected: cycle.side, actual: row.direction,
        witness: { source: 'prediction_trading_results', row },
      }), 'lots');
    }
  }
}

function checkLinkDeltas(link: LinkRow, deltas: readonly Delta[], findings: Findings): void {
  const witness = { source: 'position_orders', row: link };
  const opens = link.relationship_type === 'opened' || link.relationship_type === 'increased';
  const quantity = deltas.filter((delta) => (opens ? delta.kind === 'entry' : delta.kind === 'exit' || delta.kind === 'residual')).reduce((total, delta) => total + delta.quantity, 0n);
  findings.equal('link_deltas', link, quantity, abs(link.size_delta), `link ${link.id}: quantities of its deltas do not add up to its change`, witness);
  findings.equal('link_deltas', link, deltas.reduce((total, delta) => total + delta.fee, 0n), link.execution_fee, `link ${link.id}: fees of its deltas do not add up to its own`, witness);
  const stray = deltas.find((delta) => delta.position_id !== link.position_id || (delta.kind === 'entry' && delta.signal_id !== link.signal_id));
  findings.check(stray === undefined, () => ({
    book: link, message: `delta ${stray?.id} is of another cycle or signal than link ${link.id}`, expected: link.signal_id, actual: stray?.signal_id ?? null,
    witness: { source: 'position-linker.prediction_deltas', row: stray as Delta },
  }), 'link_deltas');
}
