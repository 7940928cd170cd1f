import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseDecimal, type Decimal } from '../../src/domain/decimal.js';
import type { Execution, OrderUpdate, Side } from '../../src/domain/records.js';

/** Capture rows as source records, as far as these tests need the gateway's work. */
export type SourceRow = { readonly type: 'OrderUpdate'; readonly value: OrderUpdate } | { readonly type: 'Execution'; readonly value: Execution };

export interface Arrival {
  readonly receivedAt: number;
  readonly rows: readonly SourceRow[];
}

type Wire = Record<string, string | number | boolean | readonly Wire[] | undefined>;
type Frame = { topic: string; id?: string; creationTime: number; data: Wire[] };

function unzipped(path: string): string {
  return gunzipSync(readFileSync(new URL(path, import.meta.url))).toString('utf8');
}

/** A fill as the truth of a capture tells it: amounts are fractions. */
export interface TrueFill {
  readonly exec_id: string;
  readonly order_id: string;
  readonly symbol: string;
  readonly side: Side;
  readonly qty: string;
  readonly price: string;
  readonly fee: string;
  readonly seq: number;
  readonly signal: string | null;
  readonly visible: boolean;
}

export function captureTruth(name: string): { readonly fills: readonly TrueFill[]; readonly funding: readonly unknown[] } {
  return JSON.parse(unzipped(`../captures/${name}/truth.json.gz`)) as { fills: TrueFill[]; funding: unknown[] };
}

export function captureArrivals(name: string): Arrival[] {
  return unzipped(`../captures/${name}/frames.jsonl.gz`)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { receivedAt: number; frame: Frame })
    .map(({ receivedAt, frame }) => ({ receivedAt, rows: rowsOf(frame, receivedAt) }));
}

function rowsOf(frame: Frame, receivedAt: number): SourceRow[] {
  if (frame.topic === 'order') return frame.data.map((row, index) => ({ type: 'OrderUpdate', value: orderUpdate(frame, row, index, receivedAt) }));
  if (frame.topic === 'execution') return frame.data.map((row, index) => ({ type: 'Execution', value: execution(frame, row, index, receivedAt) }));
  return [];
}

function envelope(frame: Frame, index: number, receivedAt: number) {
  return {
    received_at: receivedAt,
    envelope_id: frame.id ?? null,
    envelope_created_at: frame.creationTime,
    frame_index: index,
    source: 'stream' as const,
  };
}

function text(value: Wire[string]): string {
  return value === undefined ? '' : String(value);
}

function amount(value: Wire[string]): Decimal {
  return text(value) === '' ? 0n : parseDecimal(text(value));
}

function maybeAmount(value: Wire[string]): Decimal | null {
  return text(value) === '' ? null : parseDecimal(text(value));
}

function side(value: Wire[string]): Side {
  return value === 'Buy' || value === 'Sell' ? value : 'None';
}

function orderUpdate(frame: Frame, row: Wire, index: number, receivedAt: number): OrderUpdate {
  const seq = /_(\d+)$/.exec(frame.id ?? '')?.[1];
  return {
    account: 'test',
    category: text(row['category']),
    asset: text(row['symbol']),
    order_id: text(row['orderId']),
    order_link_id: text(row['orderLinkId']),
    parent_order_link_id: text(row['parentOrderLinkId']),
    side: side(row['side']),
    position_idx: row['positionIdx'] === undefined ? null : Number(row['positionIdx']),
    order_type: text(row['orderType']),
    order_status: text(row['orderStatus']),
    create_type: text(row['createType']),
    cancel_type: text(row['cancelType']),
    reject_reason: text(row['rejectReason']),
    stop_order_type: text(row['stopOrderType']),
    time_in_force: text(row['timeInForce']),
    reduce_only: row['reduceOnly'] === true,
    close_on_trigger: row['closeOnTrigger'] === true,
    price: maybeAmount(row['price']),
    quantity: amount(row['qty']),
    average_price: maybeAmount(row['avgPrice']),
    leaves_quantity: maybeAmount(row['leavesQty']),
    cumulative_quantity: amount(row['cumExecQty']),
    cumulative_value: amount(row['cumExecValue']),
    cumulative_fee: amount(row['cumExecFee']),
    closed_pnl: maybeAmount(row['closedPnl']),
    trigger_price: maybeAmount(row['triggerPrice']),
    take_profit: maybeAmount(row['takeProfit']),
    stop_loss: maybeAmount(row['stopLoss']),
    created_at: Number(row['createdTime']),
    updated_at: Number(row['updatedTime']),
    seq: seq === undefined ? null : Number(seq),
    ...envelope(frame, index, receivedAt),
  };
}

function execution(frame: Frame, row: Wire, index: number, receivedAt: number): Execution {
  const extra = Array.isArray(row['extraFees']) ? (row['extraFees'] as readonly Wire[]) : [];
  return {
    account: 'test',
    category: text(row['category']),
    asset: text(row['symbol']),
    exec_id: text(row['execId']),
    order_id: text(row['orderId']),
    order_link_id: text(row['orderLinkId']),
    side: side(row['side']),
    exec_type: text(row['execType']),
    create_type: text(row['createType']),
    quantity: amount(row['execQty']),
    price: amount(row['execPrice']),
    value: amount(row['execValue']),
    fee: amount(row['execFee']),
    fee_currency: text(row['feeCurrency']),
    extra_fees: extra.map((fee) => ({ coin: text(fee['feeCoin']), fee_type: text(fee['feeType']), fee: amount(fee['fee']) })),
    closed_size: maybeAmount(row['closedSize']),
    exec_pnl: maybeAmount(row['execPnl']),
    leaves_quantity: maybeAmount(row['leavesQty']),
    order_quantity: maybeAmount(row['orderQty']),
    is_maker: row['isMaker'] === undefined ? null : row['isMaker'] === true,
    seq: Number(row['seq'] ?? -1) < 0 ? null : Number(row['seq']),
    executed_at: Number(row['execTime']),
    ...envelope(frame, index, receivedAt),
  };
}
