import { naturalKey } from '../domain/uuid.js';
import type { Emitter, MergedRecord, Processor, StateChange } from '../runtime/processor.js';
import { bookStateOf, isLater, positionRow, sameRow } from './book-state.js';
import { decodeMarketState, encodeMarketState, type MarketState } from './market-state.js';
import { portfolioRow, samePortfolio } from './portfolio.js';

export const POSITIONS_TOPIC = 'position-manager.positions';
export const PORTFOLIO_TOPIC = 'position-manager.portfolio';

/**
 * Keeps the latest state of every book, and the totals of its market, from position updates only. An update that is not
 * later than the latest changes nothing; one that says the same again is remembered but not issued.
 */
export class PositionManager implements Processor {
  readonly #markets = new Map<string, MarketState>();
  readonly #changed = new Set<string>();
  readonly #keepsChanges: boolean;

  /** Without `keepsChanges` takeChanges has nothing to tell: for runs whose state nobody stores. */
  constructor(keepsChanges = true) {
    this.#keepsChanges = keepsChanges;
  }

  process(record: MergedRecord, emitter: Emitter): void {
    if (record.type !== 'PositionUpdate') {
      emitter.deadLetter('UnexpectedRecord', `${record.type} is no record of ${record.topic}`);
      return;
    }
    const update = record.value;
    const key = naturalKey(update.asset, update.account, update.category);
    const known = this.#markets.get(key);
    const next = bookStateOf(update);
    const book = known?.books.get(next.positionIdx);
    if (book !== undefined && !isLater(next, book.state)) return;
    if (this.#keepsChanges) this.#changed.add(key);
    if (book !== undefined && sameRow(next, book.state)) {
      book.state = next;
      return;
    }
    const market = known ?? this.#open(key, update);
    const before = portfolioRow(market.market, states(market), 0);
    const version = book === undefined ? 0 : book.version + 1;
    market.books.set(next.positionIdx, { state: next, version });
    emitter.emit(POSITIONS_TOPIC, naturalKey(key, next.positionIdx), 'Position', positionRow(market.market, next, version), record.effectiveMs);
    const portfolio = portfolioRow(market.market, states(market), market.portfolioVersion);
    if (market.portfolioVersion > 0 && samePortfolio(before, portfolio)) return;
    market.portfolioVersion++;
    emitter.emit(PORTFOLIO_TOPIC, key, 'Portfolio', portfolio, record.effectiveMs);
  }

  /** Nothing waits for a watermark here. */
  advance(watermarkMs: number): number {
    return watermarkMs;
  }

  takeChanges(): StateChange[] {
    const changes: StateChange[] = [];
    for (const key of this.#changed) {
      const market = this.#markets.get(key);
      if (market !== undefined) changes.push({ key, value: encodeMarketState(market) });
    }
    this.#changed.clear();
    return changes;
  }

  restore(key: string, value: Uint8Array): void {
    this.#markets.set(key, decodeMarketState(value));
  }

  finishRestore(): void {}

  #open(key: string, update: { readonly account: string; readonly category: string; readonly asset: string }): MarketState {
    const market: MarketState = {
      market: { account: update.account, category: update.category, asset: update.asset },
      books: new Map(),
      portfolioVersion: 0,
    };
    this.#markets.set(key, market);
    return market;
  }
}

function* states(market: MarketState) {
  for (const book of market.books.values()) yield book.state;
}
