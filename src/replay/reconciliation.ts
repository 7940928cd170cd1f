import type { Decimal } from '../domain/decimal.js';
import type { PositionUpdate, PredictionDelta } from '../domain/records.js';
import { settleCoin } from '../domain/settle-coin.js';
import { naturalKey } from '../domain/uuid.js';

/** Results and the exchange's own figure over the same stretch of a session, in one settle coin. */
export interface CoinReconciliation {
  readonly coin: string;
  /** Σ (realized − fees − funding) of all signals and of what belongs to none. */
  readonly results: Decimal;
  /** Σ over books of the change of cumRealisedPnl. */
  readonly exchange: Decimal;
  readonly books: number;
  /** Books left out: the cost of their start is not known. */
  readonly unknownBooks: number;
}

interface Book {
  readonly coin: string;
  first: { readonly seq: number; readonly cumulative: Decimal };
  last: { readonly seq: number; readonly cumulative: Decimal };
}

interface Amount {
  readonly seq: number | null;
  /** Null where the result is not known. */
  readonly net: Decimal | null;
}

/**
 * Whether the results add up to what the exchange says. Compared is, book by book, the stretch between its first and its last
 * position update, since what cumRealisedPnl was before the first is not known. Under fifo an open book may differ: the exchange
 * counts by average cost.
 */
export class Reconciliation {
  private readonly books = new Map<string, Book>();
  private readonly amounts = new Map<string, Amount[]>();

  update(update: PositionUpdate): void {
    const { seq, cum_realised_pnl: cumulative } = update;
    if (seq === null || cumulative === null || (update.category !== 'linear' && update.category !== 'inverse')) return;
    const key = bookKey(update);
    const point = { seq, cumulative };
    const book = this.books.get(key);
    if (book === undefined) this.books.set(key, { coin: settleCoin(update.category, update.asset), first: point, last: point });
    else if (seq < book.first.seq) book.first = point;
    else if (seq >= book.last.seq) book.last = point;
  }

  delta(delta: PredictionDelta): void {
    const key = bookKey(delta);
    const amounts = this.amounts.get(key) ?? [];
    if (amounts.length === 0) this.amounts.set(key, amounts);
    amounts.push({ seq: delta.seq, net: delta.realized_pnl === null ? null : delta.realized_pnl - delta.fee - delta.funding });
  }

  byCoin(): readonly CoinReconciliation[] {
    const coins = new Map<string, { -readonly [K in keyof CoinReconciliation]: CoinReconciliation[K] }>();
    for (const [key, book] of this.books) {
      let coin = coins.get(book.coin);
      if (coin === undefined) coins.set(book.coin, (coin = { coin: book.coin, results: 0n, exchange: 0n, books: 0, unknownBooks: 0 }));
      const within = (this.amounts.get(key) ?? []).filter(({ seq }) => seq !== null && seq > book.first.seq && seq <= book.last.seq);
      if (within.some(({ net }) => net === null)) {
        coin.unknownBooks++;
        continue;
      }
      coin.books++;
      for (const { net } of within) coin.results += net as Decimal;
      coin.exchange += book.last.cumulative - book.first.cumulative;
    }
    return [...coins.values()].sort((a, b) => (a.coin < b.coin ? -1 : 1));
  }
}

function bookKey(of: { readonly account: string; readonly category: string; readonly asset: string; readonly position_idx: number }): string {
  return naturalKey(of.account, of.category, of.asset, of.position_idx);
}
