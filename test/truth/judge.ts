import { asFirstShown } from './begin.js';
import { bookKey, casesOf, type BookCase } from './cases.js';
import { compareCycles, cycleCases } from './compare-cycles.js';
import { compareLegs } from './compare-legs.js';
import { compareDiscrepancies, compareOrders, comparePositions } from './compare-rest.js';
import { compareResults } from './compare-results.js';
import { compareTotals } from './compare-totals.js';
import { isPlaceKnown, vagueCycles } from './knowable.js';
import type { Policy } from './lots.js';
import { text, whole, type Row, type Tables } from './rows.js';
import { foldBest } from './sequence.js';
import { groupBy, toldFills } from './told.js';
import type { Truth } from './truth.js';

export interface JudgeOptions {
  policy: Policy;
  /**
   * `fill`: every fill must be linked by its execution. `order-message`: where executions are lost, fills known only by their
   * order's totals may stand for one or more consecutive ones.
   */
  grain?: 'fill' | 'order-message';
}

/**
 * Compares the tables a pipeline ended with to the truth of its session, and says each difference in a sentence; none is
 * equal. Accepts whatever no observer can tell: another sequence of the orders of one seq where no check tells, fees inside
 * a merged fill, the split of a hidden trade's money, and what happened untold before a book's first record: that is in its start.
 */
export function judge(tables: Tables, truth: Truth, options: JudgeOptions): string[] {
  const several = truth.books.some((book) => book.account !== undefined);
  const accountOf = (row: Row) => (several ? (text(row, 'account') ?? '') : '');
  const keyOf = (row: Row) => bookKey(accountOf(row), text(row, 'asset') ?? '', whole(row, 'position_idx') ?? 0);
  const links = groupBy(tables.position_orders, keyOf);
  const cycles = groupBy(tables.position_cycles, keyOf);
  const results = groupBy(tables.prediction_trading_results, (row) => text(row, 'position_id') ?? '');
  const discrepancies = groupBy(tables.position_discrepancies ?? [], keyOf);
  const lossy = (truth.stats['dropped'] ?? 0) > 0;
  const differences: string[] = [];
  const judged = new Set<string>();
  const cases = casesOf(truth);
  const bookTables = (book: BookCase): string[] => {
    const rows = links.get(book.key) ?? [];
    const ownCycles = cycles.get(book.key) ?? [];
    const told = toldFills(book, rows);
    if (!isPlaceKnown(book)) return compareTotals(book, options.policy, told.fills, rows, ownCycles, results, discrepancies.get(book.key) ?? []);
    const found = [...told.differences];
    if ((options.grain ?? 'fill') === 'fill') {
      for (const fill of told.fills) if (fill.kind === 'order') found.push(`${book.key}: execution ${fill.execId} is missing, its order's totals stand for it`);
    }
    const folded = foldBest(book, told.fills);
    const positions = new Map<string, string>();
    found.push(...compareLegs(book, told.start, folded, positions));
    const exactness = cycleCases(book, folded, options.policy, vagueCycles(book, folded));
    const earned = folded.fold.results[options.policy];
    found.push(...compareCycles(book, exactness, ownCycles, positions, earned, folded.fold.cost));
    const ofBook = [...new Set([...positions.values(), ...ownCycles.map((row) => text(row, 'position_id') ?? '')])];
    found.push(...compareResults(book, exactness, earned, ofBook.flatMap((id) => results.get(id) ?? []), positions));
    for (const id of ofBook) judged.add(id);
    if (tables.position_discrepancies) found.push(...compareDiscrepancies(truth, book, discrepancies.get(book.key) ?? []));
    return found;
  };
  for (const book of cases.values()) {
    for (const row of cycles.get(book.key) ?? []) judged.add(text(row, 'position_id') ?? '');
    const found = bookTables(book);
    const shown = found.length === 0 ? null : asFirstShown(book);
    differences.push(...(shown === null ? found : bookTables(shown)));
  }
  for (const key of new Set([...links.keys(), ...cycles.keys()])) if (!cases.has(key)) differences.push(`${key}: has rows, and is no book of the session`);
  for (const id of results.keys()) if (!judged.has(id)) differences.push(`results are there for position ${id}, which is no cycle`);
  if (tables.positions && !lossy) differences.push(...comparePositions(truth, tables.positions, accountOf));
  if (tables.orders) differences.push(...compareOrders(truth, tables.orders, !lossy));
  return differences;
}
