import { abs } from '../domain/decimal.js';
import type { Portfolio } from '../domain/records.js';
import type { BookState, Market } from './book-state.js';

/** Totals over the books of a market; amounts the exchange did not tell count as 0. */
export function portfolioRow(market: Market, books: Iterable<BookState>, version: number): Portfolio {
  let netSize = 0n;
  let grossSize = 0n;
  let positionValue = 0n;
  let unrealisedPnl = 0n;
  let curRealisedPnl = 0n;
  let cumRealisedPnl = 0n;
  let openBooks = 0;
  let updatedMs = 0;
  for (const book of books) {
    netSize += book.size;
    grossSize += abs(book.size);
    positionValue += book.positionValue ?? 0n;
    unrealisedPnl += book.unrealisedPnl ?? 0n;
    curRealisedPnl += book.curRealisedPnl ?? 0n;
    cumRealisedPnl += book.cumRealisedPnl ?? 0n;
    if (book.size !== 0n) openBooks++;
    updatedMs = Math.max(updatedMs, book.updatedMs);
  }
  return {
    account: market.account,
    category: market.category,
    asset: market.asset,
    net_size: netSize,
    gross_size: grossSize,
    position_value: positionValue,
    unrealised_pnl: unrealisedPnl,
    cur_realised_pnl: curRealisedPnl,
    cum_realised_pnl: cumRealisedPnl,
    open_books: openBooks,
    updated_at: updatedMs,
    version,
  };
}

/** Whether both rows say the same, their versions aside. */
export function samePortfolio(a: Portfolio, b: Portfolio): boolean {
  return (
    a.net_size === b.net_size &&
    a.gross_size === b.gross_size &&
    a.position_value === b.position_value &&
    a.unrealised_pnl === b.unrealised_pnl &&
    a.cur_realised_pnl === b.cur_realised_pnl &&
    a.cum_realised_pnl === b.cum_realised_pnl &&
    a.open_books === b.open_books &&
    a.updated_at === b.updated_at
  );
}
