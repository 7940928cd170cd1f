/** Rows worded as the exchange words them; each test changes what it is about. */
export type WireRow = Record<string, unknown>;

export const SEQ = 5_000_000_017;
export const CREATED_MS = 1_767_225_600_300;

export function orderRow(changes: WireRow = {}): WireRow {
  return {
    category: 'linear',
    symbol: 'SOLUSDT',
    orderId: 'order-1',
    orderLinkId: 'signal-a_1',
    side: 'Buy',
    positionIdx: 0,
    orderStatus: 'PartiallyFilled',
    createType: 'CreateByUser',
    cancelType: 'UNKNOWN',
    rejectReason: 'EC_NoError',
    timeInForce: 'GTC',
    price: '150.5',
    qty: '3',
    avgPrice: '150.25',
    leavesQty: '1',
    cumExecQty: '2',
    cumExecValue: '300.5',
    cumExecFee: '0.16527500',
    closedPnl: '0',
    orderType: 'Limit',
    stopOrderType: '',
    triggerPrice: '',
    takeProfit: '',
    stopLoss: '0',
    reduceOnly: false,
    closeOnTrigger: false,
    createdTime: '1767225600000',
    updatedTime: '1767225600290',
    ...changes,
  };
}

export function executionRow(changes: WireRow = {}): WireRow {
  return {
    category: 'linear',
    symbol: 'SOLUSDT',
    orderId: 'order-1',
    orderLinkId: 'signal-a_1',
    side: 'Buy',
    execId: 'exec-1',
    execType: 'Trade',
    execQty: '2',
    execPrice: '150.25',
    execValue: '300.5',
    execFee: '0.165275',
    feeCurrency: 'USDT',
    extraFees: '',
    closedSize: '0',
    execPnl: '0',
    leavesQty: '1',
    orderQty: '3',
    createType: 'CreateByUser',
    isMaker: true,
    seq: SEQ,
    execTime: '1767225600290',
    ...changes,
  };
}

export function positionRow(changes: WireRow = {}): WireRow {
  return {
    category: 'linear',
    symbol: 'SOLUSDT',
    positionIdx: 0,
    side: 'Sell',
    size: '2',
    entryPrice: '150.2500',
    positionValue: '300.5',
    markPrice: '150.3',
    unrealisedPnl: '-0.1',
    curRealisedPnl: '-0.165275',
    cumRealisedPnl: '12.5',
    leverage: '',
    liqPrice: '',
    takeProfit: '0',
    stopLoss: '',
    trailingStop: '0',
    positionStatus: 'Normal',
    createdTime: '1700000000000',
    updatedTime: '1767225600290',
    seq: SEQ,
    ...changes,
  };
}

export function frameOf(topic: string, rows: unknown, changes: WireRow = {}): WireRow {
  const stream = topic.split('.')[0];
  const id = stream === 'position' ? `70001_position_${CREATED_MS}` : `70001_SOLUSDT_${SEQ}`;
  return { topic, id, creationTime: CREATED_MS, data: rows, ...changes };
}

/** A capture line. */
export function captureLine(receivedAt: number, frame: unknown, changes: WireRow = {}): string {
  return JSON.stringify({ receivedAt, frame, ...changes });
}
