import { canonicalJson } from '../../src/domain/canonical-json.js';
import { abs } from '../../src/domain/decimal.js';
import type { Execution, OrderUpdate, PositionUpdate } from '../../src/domain/records.js';
import { naturalKey, uuidV5 } from '../../src/domain/uuid.js';
import { averagePriceOf } from './prices.js';
import type { Policy } from './account.js';
import { gather } from './evidence.js';
import { foldBook, type OracleBook } from './fold-book.js';

/** Source records of a session, in any order. */
export interface Sources {
  readonly orders: readonly OrderUpdate[];
  readonly executions: readonly Execution[];
  readonly updates: readonly PositionUpdate[];
}

/** Rows by their id, each as one text; the names of columns are those of the tables. */
export interface OracleRows {
  readonly links: Map<string, string>;
  readonly cycles: Map<string, string>;
  readonly sums: Map<string, string>;
  /** Discrepancies of size: book and seq to signed size. */
  readonly residuals: Map<string, string>;
}

/** A second, slow implementation: everything there is, sorted and folded once. */
export function oracle(sources: Sources, policy: Policy): OracleRows {
  const rows: OracleRows = { links: new Map(), cycles: new Map(), sums: new Map(), residuals: new Map() };
  const marketOf = (row: { account: string; category: string; asset: string }): string => naturalKey(row.account, row.category, row.asset);
  const all = [...sources.orders, ...sources.executions, ...sources.updates].filter((row) => row.category === 'linear' || row.category === 'inverse');
  for (const market of new Set(all.map(marketOf))) {
    const mine = <T extends { account: string; category: string; asset: string }>(some: readonly T[]): T[] => some.filter((row) => marketOf(row) === market);
    const known = gather(mine(sources.orders), mine(sources.executions), mine(sources.updates));
    for (const index of [0, 1, 2]) {
      const own = <T extends { positionIdx: number }>(some: readonly T[]): T[] => some.filter((one) => one.positionIdx === index).map((one) => ({ ...one }));
      const book = foldBook(known.category === 'inverse', policy, own(known.fills), own(known.cash), known.updates.filter((update) => update.position_idx === index));
      write(book, market, index, known.category === 'inverse', rows);
    }
  }
  return rows;
}

function write(book: OracleBook, market: string, index: number, inverse: boolean, rows: OracleRows): void {
  const bookName = naturalKey(market, index);
  const { account } = book;
  const positionIds = account.cycles.map((cycle) => uuidV5(naturalKey(bookName, cycle.firstSeq ?? 'start', cycle.n)));
  const idOf = (cycle: object): string => positionIds[account.cycles.indexOf(cycle as (typeof account.cycles)[number])]!;
  for (const { fill, seq, kind, evidence, at, leg } of book.links) {
    const id = kind === 'start' ? uuidV5(naturalKey(bookName, 'start'))
      : kind === 'residual' ? uuidV5(naturalKey(bookName, seq, leg.leg))
      : uuidV5(naturalKey(market, fill!.id, leg.leg));
    const price = fill === null ? null : fill.source === 'execution' ? fill.price : averagePriceOf(inverse, abs(leg.after - leg.before), leg.value);
    rows.links.set(id, canonicalJson({
      position_id: idOf(leg.cycle), position_idx: index, order_id: fill?.orderId ?? null, exec_id: fill?.execId ?? null, leg: leg.leg,
      side: leg.cycle.sign > 0n ? 'Buy' : 'Sell', relationship_type: leg.relationship, size_delta: leg.after - leg.before, size_before: leg.before,
      size_after: leg.after, execution_price: price, execution_fee: leg.fee, executed_at: at, seq, signal_id: fill?.signal ?? null, evidence,
      source: fill?.source ?? 'position',
    }));
  }
  account.cycles.forEach((cycle, i) => {
    const isOpen = cycle === account.cycle;
    rows.cycles.set(positionIds[i]!, canonicalJson({
      position_idx: index, side: cycle.sign > 0n ? 'Buy' : 'Sell', size: isOpen ? account.size : 0n, average_entry_price: isOpen ? account.averageEntry : null,
      max_size: cycle.maxSize, realized_pnl: cycle.realized, fees: cycle.fees, funding: cycle.funding, opened_at: cycle.openedAt, closed_at: cycle.closedAt,
      exit_price: averagePriceOf(inverse, cycle.exitQuantity, cycle.exitValue), first_seq: cycle.firstSeq, last_seq: cycle.lastSeq,
    }));
  });
  for (const [key, sum] of account.sums) {
    const [signal, cycle, kind] = key.split('|') as [string, string, string];
    if (Object.values(sum).some((value) => value !== 0n)) rows.sums.set(`${signal}|${positionIds[Number(cycle)]}|${kind}`, canonicalJson(sum));
  }
  for (const { cause, seq, size } of book.troubles) if (cause === 'size') rows.residuals.set(`${bookName}|${seq}`, canonicalJson(size));
}
