import type { RestClientV5 } from 'bybit-api';
import { isRow, type Row } from '../exchange-fields.js';
import type { TimeWindow } from './backfill-plan.js';
import type { RestAnswer, RestClient } from './rest-client.js';

/** Categories whose history is fetched. */
export type HistoryCategory = 'linear' | 'inverse' | 'spot' | 'option';

/** Rows, newest first as the exchange gives them, and its time when it gave the last page. */
export interface HistoryRows {
  readonly rows: readonly Row[];
  readonly shownMs: number;
}

/** Linear contracts settle in one of these; the exchange wants to be told which. */
const LINEAR_COINS = ['USDT', 'USDC'] as const;

/** The questions that a backfill asks, all their pages. */
export class History {
  readonly #rest: RestClient;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  async openOrders(category: HistoryCategory): Promise<HistoryRows> {
    return joined(await Promise.all(coinsOf(category).map((coin) => this.#pages('open orders', (client, cursor) => client.getActiveOrders({ category, limit: 50, openOnly: 0, ...coin, ...cursor })))));
  }

  orders(category: HistoryCategory, window: TimeWindow): Promise<HistoryRows> {
    return this.#pages('order history', (client, cursor) => client.getHistoricOrders({ category, ...times(window), limit: 50, ...cursor }));
  }

  /** One order, open or not; without rows if the exchange no longer has it. */
  async order(category: HistoryCategory, orderId: string): Promise<HistoryRows> {
    const past = await this.#pages('an order', (client) => client.getHistoricOrders({ category, orderId }));
    if (past.rows.length > 0) return past;
    return this.#pages('an open order', (client) => client.getActiveOrders({ category, orderId, ...coinsOf(category)[0] }));
  }

  executions(category: HistoryCategory, window: TimeWindow): Promise<HistoryRows> {
    return this.#pages('executions', (client, cursor) => client.getExecutionList({ category, ...times(window), limit: 100, ...cursor }));
  }

  /** Open positions of the category. */
  async positions(category: 'linear' | 'inverse'): Promise<HistoryRows> {
    return joined(await Promise.all(coinsOf(category).map((coin) => this.#pages('positions', (client, cursor) => client.getPositionInfo({ category, limit: 200, ...coin, ...cursor })))));
  }

  /** The positions of one symbol, flat ones too. */
  positionsOf(category: 'linear' | 'inverse', symbol: string): Promise<HistoryRows> {
    return this.#pages('positions of a symbol', (client) => client.getPositionInfo({ category, symbol }));
  }

  settlements(category: 'linear' | 'inverse', window: TimeWindow): Promise<HistoryRows> {
    return this.#pages('transaction log', (client, cursor) => client.getTransactionLog({ accountType: 'UNIFIED', category, type: 'SETTLEMENT', ...times(window), limit: 50, ...cursor }));
  }

  async #pages(what: string, request: (client: RestClientV5, cursor: { readonly cursor?: string }) => Promise<unknown>): Promise<HistoryRows> {
    const rows: Row[] = [];
    let cursor = '';
    for (;;) {
      const answer: RestAnswer = await this.#rest.ask(what, (client) => request(client, cursor === '' ? {} : { cursor }));
      const list = answer.result['list'];
      if (Array.isArray(list)) for (const row of list) if (isRow(row)) rows.push(row);
      const next = answer.result['nextPageCursor'];
      // The last page of some endpoints repeats its cursor.
      if (typeof next !== 'string' || next === '' || next === cursor || !Array.isArray(list) || list.length === 0) return { rows, shownMs: answer.shownMs };
      cursor = next;
    }
  }
}

function coinsOf(category: HistoryCategory): readonly { readonly settleCoin?: string }[] {
  return category === 'linear' ? LINEAR_COINS.map((settleCoin) => ({ settleCoin })) : [{}];
}

function times({ fromMs, toMs }: TimeWindow): { readonly startTime: number; readonly endTime: number } {
  return { startTime: Math.floor(fromMs), endTime: Math.ceil(toMs) };
}

function joined(parts: readonly HistoryRows[]): HistoryRows {
  return { rows: parts.flatMap(({ rows }) => rows), shownMs: Math.min(...parts.map(({ shownMs }) => shownMs)) };
}
