import { isRow, type Row } from '../exchange-fields.js';
import { parseFrame, type SourceRecord } from '../frame-parser.js';
import type { RecordSource } from '../../domain/records.js';
import { ListedPositions, type AccountBooks } from './account-books.js';
import { planBackfill, type BackfillPlan, type TimeWindow } from './backfill-plan.js';
import type { History, HistoryCategory, HistoryRows } from './history.js';
import { FRAME_ROWS, historyFrame, oldestFirst, settlementRows, type HistoryStream } from './history-frame.js';
import type { SeenRows } from './seen-rows.js';

/** Orders asked for one by one in a pass, at most. */
const MOST_SINGLE_ORDERS = 500;

export interface BackfillOptions {
  readonly account: string;
  readonly history: History;
  readonly categories: readonly HistoryCategory[];
  readonly hasSettlements: boolean;
  readonly seen: SeenRows;
  readonly books: AccountBooks;
  /** Exchange time. */
  readonly nowMs: () => number;
  /** Takes a frame made of history. */
  readonly push: (frame: string, source: RecordSource) => void;
}

/** Rows written in a pass: those the topics had not. */
export interface BackfillCounts {
  orders: number;
  executions: number;
  settlements: number;
  positions: number;
  readonly plan: BackfillPlan;
}

/** Fetches what happened in a time and pushes what is new of it, oldest first: orders, executions, settlements, then positions. */
export class Backfill {
  readonly #options: BackfillOptions;

  constructor(options: BackfillOptions) {
    this.#options = options;
  }

  async pass(sinceMs: number, overlapMs: number): Promise<BackfillCounts> {
    const plan = planBackfill(sinceMs, this.#options.nowMs(), overlapMs);
    const counts: BackfillCounts = { orders: 0, executions: 0, settlements: 0, positions: 0, plan };
    const assets = new Map<HistoryCategory, Set<string>>();
    for (const [index, window] of plan.windows.entries()) {
      for (const category of this.#options.categories) await this.#window(category, window, index === plan.windows.length - 1, counts, assets);
    }
    for (const category of this.#options.categories) {
      if (category !== 'linear' && category !== 'inverse') continue;
      counts.positions += await this.#positions(category, assets.get(category) ?? new Set());
    }
    if (plan.beyond !== null) this.#nameHole(plan.beyond, assets);
    return counts;
  }

  async #window(category: HistoryCategory, window: TimeWindow, isLast: boolean, counts: BackfillCounts, assets: Map<HistoryCategory, Set<string>>): Promise<void> {
    const { history, books, hasSettlements } = this.#options;
    const isContract = category === 'linear' || category === 'inverse';
    // Executions first: an order that was asked for after them holds at least what they say.
    const executions = await history.executions(category, window);
    const settlements = isContract && hasSettlements ? await history.settlements(category, window) : null;
    const past = await history.orders(category, window);
    const open = isLast ? await history.openOrders(category) : null;
    const orders = [...past.rows, ...(open?.rows ?? [])];
    const named = new Set(orders.map((row) => row['orderId']));
    const wanted = new Set<string>();
    for (const row of executions.rows) if (isFillOfOrder(row) && !named.has(row['orderId'])) wanted.add(String(row['orderId']));
    if (isLast) for (const orderId of books.openOrders(category)) if (!named.has(orderId)) wanted.add(orderId);
    for (const orderId of [...wanted].slice(0, MOST_SINGLE_ORDERS)) orders.push(...(await history.order(category, orderId)).rows);
    const touched = assets.get(category) ?? new Set<string>();
    for (const row of [...orders, ...executions.rows]) if (typeof row['symbol'] === 'string') touched.add(row['symbol']);
    assets.set(category, touched);
    counts.orders += this.#pushNew('order', category, past.shownMs, oldestFirst(orders, 'updatedTime'), 'history');
    counts.executions += this.#pushNew('execution', category, executions.shownMs, oldestFirst(executions.rows, 'execTime'), 'history');
    if (settlements !== null) counts.settlements += this.#pushNew('execution', category, settlements.shownMs, oldestFirst(settlements.rows.flatMap(settlementRows), 'execTime'), 'transaction_log');
  }

  /** Open positions, and those of assets that may have gone flat. */
  async #positions(category: 'linear' | 'inverse', touched: ReadonlySet<string>): Promise<number> {
    const { history, books } = this.#options;
    const open = await history.positions(category);
    const listed = new ListedPositions();
    for (const row of open.rows) listed.add(String(row['symbol']), Number(row['positionIdx']));
    const answers: HistoryRows[] = [open];
    const asked = new Set([...touched].filter((asset) => !listed.hasAll(asset)).concat(books.assetsToAsk(category, listed)));
    for (const asset of asked) answers.push(await history.positionsOf(category, asset));
    let count = 0;
    for (const { rows, shownMs } of answers) count += this.#pushNew('position', category, shownMs, rows.filter((row) => Number(row['updatedTime']) > 0), 'history');
    return count;
  }

  #pushNew(stream: HistoryStream, category: HistoryCategory, shownMs: number, rows: readonly Row[], source: RecordSource): number {
    const { push, nowMs, account } = this.#options;
    const receivedAtMs = Math.floor(nowMs());
    const atMs = Number.isFinite(shownMs) ? Math.floor(shownMs) : receivedAtMs;
    const fresh = rows.filter((row) => {
      const [parsed] = parseFrame({ topic: `${stream}.${category}`, creationTime: atMs, data: [row] }, { account, receivedAtMs, source });
      // What cannot be read is pushed, so that it ends as a dead letter where a person sees it.
      return parsed === undefined || parsed.kind === 'rejected' || this.#isNews(parsed);
    });
    for (let from = 0; from < fresh.length; from += FRAME_ROWS) push(historyFrame(stream, category, atMs, fresh.slice(from, from + FRAME_ROWS)), source);
    return fresh.length;
  }

  #isNews(record: SourceRecord): boolean {
    return record.type === 'PositionUpdate' ? this.#options.books.isNews(record.value) : !this.#options.seen.has(record);
  }

  /**
   * A time of which the exchange keeps nothing becomes a row of a type that no fill has in every asset that is known: the
   * pipeline makes a named discrepancy of it.
   */
  #nameHole({ fromMs, toMs }: TimeWindow, assets: ReadonlyMap<HistoryCategory, ReadonlySet<string>>): void {
    const id = `history-gap-${Math.floor(fromMs)}-${Math.floor(toMs)}`;
    for (const [category, symbols] of assets) {
      const rows = [...symbols].map((symbol) => ({
        symbol, orderId: id, orderLinkId: '', side: 'Buy', execId: id, execType: 'HistoryGap', execQty: '0', execPrice: '0', execFee: '0', execTime: String(Math.floor(toMs)),
      }));
      if (rows.length > 0) this.#options.push(historyFrame('execution', category, this.#options.nowMs(), rows), 'history');
    }
  }
}

function isFillOfOrder(row: Row): boolean {
  return isRow(row) && row['execType'] !== 'Funding' && typeof row['orderId'] === 'string' && row['orderId'] !== '';
}
