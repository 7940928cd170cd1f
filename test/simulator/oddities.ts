import type { Random } from './random.js';

/** A line that no reader can take for a record: each kind of damage a recording may have. */
export function unreadableLine(random: Random, line: string, receivedAt: number): string {
  const frame = (topic: string, row: string) => `{"receivedAt":${receivedAt},"frame":{"topic":"${topic}","id":"x","creationTime":${receivedAt},"data":[${row}]}}`;
  const execution = `"category":"linear","symbol":"BTCUSDT","orderId":"${random.uuid()}","orderLinkId":"","side":"Buy","execPrice":"100","execType":"Trade","execTime":"${receivedAt}","execFee":"0","leavesQty":"0","orderQty":"1","seq":7`;
  const position = `"category":"linear","symbol":"BTCUSDT","positionIdx":0,"side":"Buy","entryPrice":"100","positionValue":"100","cumRealisedPnl":"0","curRealisedPnl":"0","updatedTime":"${receivedAt}","createdTime":"1","seq":7`;
  switch (random.int(0, 8)) {
    case 0: return line.slice(0, random.int(1, line.length - 2));
    case 1: return 'not JSON at all';
    case 2: return '42';
    case 3: return `{"receivedAt":${receivedAt}}`;
    case 4: return frame('greeks', '{"baseCoin":"BTC"}');
    case 5: return frame('execution', `{${execution},"execId":"${random.uuid()}"}`);
    case 6: return frame('execution', `{${execution},"execId":"${random.uuid()}","execQty":"a lot"}`);
    case 7: return frame('execution', `{${execution},"execQty":"1"}`);
    default: return frame('position', `{${position},"size":"-1"}`);
  }
}

/** A row of a category the linker leaves alone: a spot order or an option position. */
export function foreignFrame(random: Random, at: number): string {
  if (random.chance(0.5)) {
    const id = `${random.int(1000000000, 1999999999)}${random.int(100000000, 999999999)}`;
    return `{"topic":"order","id":"900000001_22004_${random.int(1, 999999999)}","creationTime":${at},"data":[{"category":"spot","symbol":"BTCUSDT","orderId":"${id}","orderLinkId":"${id}1","blockTradeId":"","side":"Buy","positionIdx":0,"orderStatus":"Filled","cancelType":"UNKNOWN","rejectReason":"EC_NoError","timeInForce":"IOC","isLeverage":"0","price":"0","qty":"25.5","avgPrice":"2500","leavesQty":"0","leavesValue":"0","cumExecQty":"0.0102","cumExecValue":"25.5","cumExecFee":"0.0000102","orderType":"Market","stopOrderType":"","closeOnTrigger":false,"reduceOnly":false,"marketUnit":"quoteCoin","createdTime":"${at}","updatedTime":"${at}","feeCurrency":"BTC","cumFeeDetail":{"BTC":"0.0000102"}}]}`;
  }
  return `{"id":"900000001_position_${at}","topic":"position","creationTime":${at},"data":[{"positionIdx":0,"tradeMode":0,"riskId":0,"riskLimitValue":"","symbol":"BTC-27MAR26-90000-C","side":"Buy","size":"0.${random.int(1, 9)}","entryPrice":"125","sessionAvgPrice":"","leverage":"","positionValue":"12.5","positionBalance":"0","markPrice":"127","positionIM":"","positionMM":"","takeProfit":"0","stopLoss":"0","trailingStop":"0","unrealisedPnl":"0.2","cumRealisedPnl":"0","curRealisedPnl":"0","createdTime":"${at}","updatedTime":"${at}","tpslMode":"","liqPrice":"","bustPrice":"","category":"option","positionStatus":"Normal","adlRankIndicator":0,"autoAddMargin":0,"leverageSysUpdatedTime":"","mmrSysUpdatedTime":"","delta":"0.4","gamma":"0.00001","vega":"20","theta":"-30","seq":${random.int(1, 999999999)},"isReduceOnly":false}]}`;
}
