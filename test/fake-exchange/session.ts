import { simulate } from '../simulator/simulate.js';
import type { SimulationOptions } from '../simulator/options.js';
import type { Truth } from '../truth/truth.js';

export type Row = Record<string, unknown>;

/** One frame of the private stream at the time the exchange sends it. */
export interface SentFrame {
  readonly atMs: number;
  readonly account: number;
  readonly text: string;
}

/** A row as REST shows it from some time on. */
export interface ShownRow {
  readonly atMs: number;
  readonly row: Row;
}

/** What one account's REST endpoints can show, each list by time. */
export interface AccountHistory {
  /** By order id. */
  readonly orders: Map<string, ShownRow[]>;
  readonly executions: ShownRow[];
  /** By symbol and position index. */
  readonly positions: Map<string, ShownRow[]>;
  readonly transactions: ShownRow[];
}

export interface ExchangeSession {
  readonly frames: readonly SentFrame[];
  readonly accounts: readonly AccountHistory[];
  readonly truth: Truth;
  readonly endMs: number;
}

interface CaptureLine {
  readonly receivedAt: number;
  readonly account?: string;
  readonly frame: { readonly topic: string; readonly data: readonly Row[] };
}

/** A simulated session as an exchange has it: nothing is lost on the way, so the truth is all that happened. */
export function sessionOf(options: SimulationOptions): ExchangeSession {
  const { lines, truth } = simulate(options);
  const accounts: AccountHistory[] = Array.from({ length: options.accounts ?? 1 }, () => ({ orders: new Map(), executions: [], positions: new Map(), transactions: [] }));
  const frames: SentFrame[] = [];
  for (const line of lines) {
    const { receivedAt, account, frame } = JSON.parse(line) as CaptureLine;
    const index = account === undefined ? 0 : Number(account.split('-')[1]) - 1;
    frames.push({ atMs: receivedAt, account: index, text: JSON.stringify(frame) });
    for (const row of frame.data) remember(accounts[index]!, frame.topic, row, receivedAt);
  }
  return { frames, accounts, truth, endMs: frames.at(-1)?.atMs ?? 0 };
}

function remember(account: AccountHistory, topic: string, row: Row, atMs: number): void {
  if (topic === 'order') append(account.orders, String(row['orderId']), { atMs, row });
  if (topic === 'position') append(account.positions, `${String(row['symbol'])}|${String(row['positionIdx'])}`, { atMs, row });
  if (topic !== 'execution') return;
  // REST does not show the profit of an execution.
  const { execPnl: _, ...shown } = row;
  account.executions.push({ atMs, row: shown });
  if (row['execType'] === 'Funding') account.transactions.push({ atMs, row: fundingTransaction(row) });
}

function append(map: Map<string, ShownRow[]>, key: string, shown: ShownRow): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [shown]);
  else known.push(shown);
}

/** Funding in the transaction log has the opposite sign of an execution's fee. */
function fundingTransaction(row: Row): Row {
  const fee = String(row['execFee']);
  const funding = fee.startsWith('-') ? fee.slice(1) : fee === '0' ? fee : `-${fee}`;
  return {
    id: `tl_${String(row['execId'])}`, symbol: row['symbol'], category: row['category'], side: row['side'], transactionTime: row['execTime'], type: 'SETTLEMENT',
    qty: row['execQty'], size: row['execQty'], currency: row['feeCurrency'], tradePrice: row['execPrice'], funding, fee: '0', cashFlow: '0', change: funding,
    cashBalance: '1000', feeRate: row['feeRate'], bonusChange: '', tradeId: row['execId'], orderId: row['orderId'], orderLinkId: '',
  };
}
