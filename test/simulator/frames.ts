import type { Book } from './book.js';
import { decimalText, money8 } from './fixed.js';
import { lotsText, ticksText, type Instrument } from './instrument.js';

/** A working or finished order. Quantities in lots, prices in ticks, fees in units of 1e-8. */
export interface Order {
  readonly orderId: string;
  readonly linkId: string;
  readonly signal: string | null;
  readonly side: 'Buy' | 'Sell';
  readonly index: 0 | 1 | 2;
  readonly lots: number;
  readonly limitTicks: number;
  readonly market: boolean;
  readonly createType: string;
  readonly execType: string;
  readonly hidden: boolean;
  readonly createdAt: number;
  filledLots: number;
  filledValue: bigint;
  feeUnits: bigint;
}

export interface Outcome {
  status: 'New' | 'PartiallyFilled' | 'Filled' | 'Cancelled';
  cancelType: string;
  rejectReason: string;
}

export const OPEN = { cancelType: 'UNKNOWN', rejectReason: 'EC_NoError' };
export const CANCELLED: Outcome = { status: 'Cancelled', cancelType: 'CancelByUser', rejectReason: 'EC_PerCancelRequest' };
/** A cancel that came after the last fill: the exchange repeats `Filled`. */
export const TOO_LATE: Outcome = { status: 'Filled', cancelType: 'CancelByUser', rejectReason: 'EC_OrigClOrdIDDoesNotExist' };

export function orderRow(on: Instrument, order: Order, outcome: Outcome, updatedAt: number, averagePrice: string): string {
  const left = outcome.status === 'Cancelled' ? 0 : order.lots - order.filledLots;
  const fee = decimalText(order.feeUnits, 8);
  const price = ticksText(on, order.limitTicks);
  const external = order.createType !== 'CreateByUser';
  return `{"category":"${on.category}","symbol":"${on.symbol}","orderId":"${order.orderId}","orderLinkId":"${order.linkId}","blockTradeId":"","side":"${order.side}","positionIdx":${order.index},"orderStatus":"${outcome.status}","cancelType":"${outcome.cancelType}","rejectReason":"${outcome.rejectReason}","timeInForce":"${order.market ? 'IOC' : 'GTC'}","isLeverage":"","price":"${price}","qty":"${lotsText(on, order.lots)}","avgPrice":"${averagePrice}","leavesQty":"${lotsText(on, left)}","leavesValue":"0","cumExecQty":"${lotsText(on, order.filledLots)}","cumExecValue":"${money8(order.filledValue)}","cumExecFee":"${fee}","orderType":"${order.market ? 'Market' : 'Limit'}","stopOrderType":"","orderIv":"","triggerPrice":"","takeProfit":"","stopLoss":"","triggerBy":"","tpTriggerBy":"","slTriggerBy":"","triggerDirection":0,"placeType":"","lastPriceOnCreated":"${price}","closeOnTrigger":${external},"reduceOnly":${external},"smpGroup":0,"smpType":"None","smpOrderId":"","slLimitPrice":"0","tpLimitPrice":"0","tpslMode":"UNKNOWN","createType":"${order.createType}","marketUnit":"","createdTime":"${order.createdAt}","updatedTime":"${updatedAt}","feeCurrency":"","closedPnl":"0","slippageTolerance":"0","slippageToleranceType":"UNKNOWN","cumFeeDetail":${order.filledLots > 0 ? `{"${on.coin}":"${fee}"}` : '{}'}}`;
}

export interface ExecutionRow {
  orderId: string;
  linkId: string;
  orderPrice: string;
  orderQuantity: string;
  orderType: string;
  createType: string;
  execId: string;
  execType: string;
  side: 'Buy' | 'Sell';
  price: string;
  quantity: string;
  value: string;
  fee: string;
  feeRate: string;
  leaves: string;
  closedSize: string;
  pnl: string;
  time: number;
  maker: boolean;
  /** -1 where the exchange gives none. */
  seq: number;
  markPrice: string;
  /** JSON of the list of taxes. */
  extraFees: string;
}

export function executionRow(on: Instrument, row: ExecutionRow): string {
  return `{"category":"${on.category}","symbol":"${on.symbol}","closedSize":"${row.closedSize}","execFee":"${row.fee}","execId":"${row.execId}","execPrice":"${row.price}","execQty":"${row.quantity}","execType":"${row.execType}","execValue":"${row.value}","feeRate":"${row.feeRate}","tradeIv":"","markIv":"","blockTradeId":"","markPrice":"${row.markPrice}","indexPrice":"","underlyingPrice":"","leavesQty":"${row.leaves}","orderId":"${row.orderId}","orderLinkId":"${row.linkId}","orderPrice":"${row.orderPrice}","orderQty":"${row.orderQuantity}","orderType":"${row.orderType}","stopOrderType":"UNKNOWN","side":"${row.side}","execTime":"${row.time}","isLeverage":"0","isMaker":${row.maker},"seq":${row.seq},"marketUnit":"","execPnl":"${row.pnl}","createType":"${row.createType}","feeCurrency":"${on.coin}","extraFees":${row.extraFees}}`;
}

/** A position row; `seq` as it is to be written, since the exchange writes "-1" as text too. */
export function positionRow(on: Instrument, book: Book, seq: string, markTicks: number, createdAt: number): string {
  const side = book.size > 0 ? 'Buy' : book.size < 0 ? 'Sell' : '';
  return `{"positionIdx":${book.index},"tradeMode":0,"riskId":1,"riskLimitValue":"2000000","symbol":"${on.symbol}","side":"${side}","size":"${lotsText(on, Math.abs(book.size))}","entryPrice":"${money8(book.averageEntry)}","sessionAvgPrice":"","leverage":"10","positionValue":"${money8(book.cost)}","positionBalance":"0","markPrice":"${ticksText(on, markTicks)}","positionIM":"0","positionMM":"0","positionIMByMp":"0","positionMMByMp":"0","takeProfit":"0","stopLoss":"0","trailingStop":"0","unrealisedPnl":"0","cumRealisedPnl":"${money8(book.cumRealised)}","curRealisedPnl":"${money8(book.curRealised)}","createdTime":"${createdAt}","updatedTime":"${book.updatedAt}","tpslMode":"Full","liqPrice":"","bustPrice":"","category":"${on.category}","positionStatus":"Normal","adlRankIndicator":0,"autoAddMargin":0,"leverageSysUpdatedTime":"","mmrSysUpdatedTime":"","seq":${seq},"isReduceOnly":false}`;
}

/** One message of a private stream before delivery. */
export interface Message {
  readonly topic: 'order' | 'execution' | 'position';
  /** Its creationTime, milliseconds. */
  readonly at: number;
  readonly account: number;
  readonly symbol: string;
  /** The frame as JSON. */
  readonly frame: string;
  /** Ids of the fills an execution message tells of. */
  readonly execIds?: readonly string[];
  /** Orders whose link id the rows show. */
  readonly names?: readonly string[];
  /** The order and total an order message tells of. */
  readonly told?: { readonly orderId: string; readonly lots: number };
  /** The position message's seqs, one a leg. */
  readonly seqs?: readonly number[];
}

export function orderFrame(id: string, at: number, rows: string): string {
  return `{"topic":"order","id":"${id}","creationTime":${at},"data":[${rows}]}`;
}

export function executionFrame(id: string, at: number, rows: string): string {
  return `{"topic":"execution","id":"${id}","creationTime":${at},"data":[${rows}]}`;
}

export function positionFrame(id: string, at: number, rows: string): string {
  return `{"id":"${id}","topic":"position","creationTime":${at},"data":[${rows}]}`;
}
