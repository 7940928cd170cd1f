import type { Order, PositionCycle, PositionDiscrepancy, PositionOrder, PredictionDelta } from '../../src/domain/records.js';
import { judge, type JudgeOptions } from '../truth/judge.js';
import { tablesOfRecords } from '../truth/tables-of-records.js';
import type { Truth } from '../truth/truth.js';
import { linkCapture, type PlainLog } from './core-pipeline.js';

function recordsOf<T>(log: PlainLog, topic: string, type: string): T[] {
  return log.of(topic).filter((record) => record.type === type).map((record) => record.value as T);
}

/** Runs a session through the cores and says how what comes out differs from its truth; nothing is equal. */
export function judgeSession(lines: readonly string[], truth: Truth, options: JudgeOptions): string[] {
  const { log } = linkCapture(lines, { policy: options.policy });
  const tables = tablesOfRecords({
    links: recordsOf<PositionOrder>(log, 'position-linker.position_orders', 'PositionOrder'),
    cycles: recordsOf<PositionCycle>(log, 'position-linker.position_cycles', 'PositionCycle'),
    deltas: recordsOf<PredictionDelta>(log, 'position-linker.prediction_deltas', 'PredictionDelta'),
    discrepancies: recordsOf<PositionDiscrepancy>(log, 'position-linker.discrepancies', 'PositionDiscrepancy'),
    orders: recordsOf<Order>(log, 'order-manager.order_events', 'Order'),
  });
  return judge(tables, truth, options);
}
