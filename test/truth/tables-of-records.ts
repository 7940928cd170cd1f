import type { Order, Position, PositionCycle, PositionDiscrepancy, PositionOrder, PredictionDelta } from '../../src/domain/records.js';
import { ResultTable } from '../../src/model-service/result-table.js';
import type { Row, Tables } from './rows.js';

/** What the topics of a run hold, per topic in the order of the log. A topic that is not given makes no table. */
export interface RunRecords {
  links: readonly PositionOrder[];
  cycles: readonly PositionCycle[];
  deltas: readonly PredictionDelta[];
  discrepancies?: readonly PositionDiscrepancy[];
  orders?: readonly Order[];
  positions?: readonly Position[];
}

/** The tables those records end in: the newest of each id, without the retracted; results as the model-service adds them up. */
export function tablesOfRecords(records: RunRecords): Tables {
  const results = new ResultTable({ startsEmpty: true });
  for (const delta of records.deltas) results.apply(delta);
  for (const cycle of records.cycles) results.applyCycle(cycle);
  const rows = results.takeChangedRows().flatMap((change) => (change.kind === 'upsert' ? [{ ...change.row } as Row] : []));
  return {
    position_orders: newest(records.links, (link) => link.id),
    position_cycles: newest(records.cycles, (cycle) => cycle.position_id),
    prediction_trading_results: rows,
    ...(records.discrepancies ? { position_discrepancies: newest(records.discrepancies, (one) => one.id) } : {}),
    ...(records.orders ? { orders: newest(records.orders, (order) => `${order.account}|${order.category}|${order.order_id}`) } : {}),
    ...(records.positions ? { positions: newest(records.positions, (one) => `${one.account}|${one.category}|${one.asset}|${one.position_idx}`) } : {}),
  };
}

function newest<T extends object>(records: readonly T[], id: (record: T) => string): Row[] {
  const live = new Map<string, Row>();
  for (const record of records) {
    const row = { ...record } as Row;
    if (row['retracted'] === true) live.delete(id(record));
    else live.set(id(record), row);
  }
  return [...live.values()];
}
