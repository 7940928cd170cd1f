import type { Decimal } from '../domain/decimal.js';
import type { BookState, Market } from './book-state.js';

/** All books of one market, with how many rows were issued of each and of the portfolio. */
export interface MarketState {
  readonly market: Market;
  /** By position index. */
  readonly books: Map<number, { state: BookState; version: number }>;
  portfolioVersion: number;
}

type Stored = readonly [version: number, account: string, category: string, asset: string, portfolioVersion: number, ...books: StoredBook[]];
type StoredBook = readonly (number | string | null)[];

/** Version of what the position-manager keeps in its changelog. */
export const STATE_VERSION = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function text(value: Decimal | null): string | null {
  return value === null ? null : value.toString();
}

/** Changelog entry: JSON with a version first; decimals as text in units of 10^-18. */
export function encodeMarketState({ market, books, portfolioVersion }: MarketState): Uint8Array {
  const stored: Stored = [
    STATE_VERSION,
    market.account,
    market.category,
    market.asset,
    portfolioVersion,
    ...[...books.values()]
      .sort((a, b) => a.state.positionIdx - b.state.positionIdx)
      .map(({ state, version }): StoredBook => [
        version,
        state.positionIdx,
        state.seq,
        state.updatedMs,
        state.createdMs,
        text(state.size),
        text(state.entryPrice),
        text(state.positionValue),
        text(state.markPrice),
        text(state.unrealisedPnl),
        text(state.curRealisedPnl),
        text(state.cumRealisedPnl),
        text(state.leverage),
        text(state.liqPrice),
        text(state.takeProfit),
        text(state.stopLoss),
      ]),
  ];
  return encoder.encode(JSON.stringify(stored));
}

/** Reads what encodeMarketState wrote; throws on another version. */
export function decodeMarketState(bytes: Uint8Array): MarketState {
  const [version, account, category, asset, portfolioVersion, ...books] = JSON.parse(decoder.decode(bytes)) as Stored;
  if (version !== STATE_VERSION) throw new Error(`state of position-manager has version ${version}, this program reads ${STATE_VERSION}: rebuild the state`);
  const state: MarketState = { market: { account, category, asset }, books: new Map(), portfolioVersion };
  for (const book of books) {
    const number = (index: number): number => Number(book[index]);
    const decimal = (index: number): Decimal | null => (typeof book[index] === 'string' ? BigInt(book[index]) : null);
    state.books.set(number(1), {
      version: number(0),
      state: {
        positionIdx: number(1),
        seq: number(2),
        updatedMs: number(3),
        createdMs: number(4),
        size: decimal(5) ?? 0n,
        entryPrice: decimal(6),
        positionValue: decimal(7),
        markPrice: decimal(8),
        unrealisedPnl: decimal(9),
        curRealisedPnl: decimal(10),
        cumRealisedPnl: decimal(11),
        leverage: decimal(12),
        liqPrice: decimal(13),
        takeProfit: decimal(14),
        stopLoss: decimal(15),
      },
    });
  }
  return state;
}
