import { isRow, type Row } from '../exchange-fields.js';

/*
 * What REST shows, worded as a frame of the private stream, so that one parser, one spool and one record serve both. The source
 * of such a frame says where it came from.
 */

export type HistoryStream = 'order' | 'execution' | 'position';

/** Rows a frame holds at most. */
export const FRAME_ROWS = 50;

/** The text of a frame with these rows; `shownMs` is the exchange's time of the answer. */
export function historyFrame(stream: HistoryStream, category: string, shownMs: number, rows: readonly Row[]): string {
  return JSON.stringify({ topic: `${stream}.${category}`, creationTime: Math.floor(shownMs), data: rows });
}

/** Sorts by a time field, oldest first; rows of one time keep the order in which the exchange, newest first, is turned round. */
export function oldestFirst(rows: readonly Row[], field: string): Row[] {
  return [...rows].reverse().map((row, index) => ({ row, index, timeMs: Number(row[field]) })).sort((a, b) => a.timeMs - b.timeMs || a.index - b.index).map(({ row }) => row);
}

/**
 * A settlement row of the transaction log as rows of the execution stream: its funding, whose sign is turned round, and its
 * session profit of contracts that settle every eight hours. Rows without money give none.
 */
export function settlementRows(transaction: unknown): Row[] {
  if (!isRow(transaction)) return [];
  const shared = {
    symbol: transaction['symbol'], side: transaction['side'], orderId: transaction['orderId'] || `log-${String(transaction['id'])}`, orderLinkId: '', execQty: transaction['qty'], execPrice: transaction['tradePrice'],
    execTime: transaction['transactionTime'], feeCurrency: transaction['currency'], extraFees: '',
  };
  const rows: Row[] = [];
  const id = String(transaction['id']);
  if (!isNothing(transaction['funding'])) rows.push({ ...shared, execId: `log-${id}`, execType: 'Funding', execFee: negated(String(transaction['funding'])) });
  if (!isNothing(transaction['cashFlow'])) rows.push({ ...shared, execId: `log-${id}-settled`, execType: 'SessionSettlement', execFee: negated(String(transaction['cashFlow'])) });
  return rows;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || Number(value) === 0;
}

function negated(text: string): string {
  return text.startsWith('-') ? text.slice(1) : `-${text}`;
}
