const BY_CREATE_TYPE: Readonly<Record<string, string>> = {
  CreateByUser: 'user', CreateByClosing: 'user', CreateByTakeProfit: 'take_profit', CreateByPartialTakeProfit: 'take_profit',
  CreateByStopLoss: 'stop_loss', CreateByPartialStopLoss: 'stop_loss', CreateByStopOrder: 'stop_order', CreateByTrailingStop: 'trailing_stop',
  CreateByTrailingProfit: 'trailing_stop', CreateByLiq: 'liquidation', CreateByTakeOver_PassThrough: 'liquidation',
  CreateByAdl_PassThrough: 'adl', CreateBySettle: 'settlement', CreateByAdminClosing: 'admin', CreateByBlock_PassThrough: 'block_trade',
  CreateByBlockTradeMovePosition_PassThrough: 'move_position', CreateByFutureSpread: 'future_spread',
};

const BY_EXEC_TYPE: Readonly<Record<string, string>> = {
  AdlTrade: 'adl', BustTrade: 'liquidation', Settle: 'settlement', Delivery: 'settlement', BlockTrade: 'block_trade',
  MovePosition: 'move_position', FutureSpread: 'future_spread', CorporateAction: 'corporate_action',
};

/** Why a fill closed a position: by who made the order, else by the execution type. 'other' for makers not listed here. */
export function exitReason(createType: string, execType: string): string {
  const byType = BY_EXEC_TYPE[execType];
  if (byType !== undefined) return byType;
  if (createType === '') return 'unknown';
  return BY_CREATE_TYPE[createType] ?? 'other';
}
