import { defineTable, fields } from '../postgres/table.js';
import type { ResultRow, StoredCycle } from './result-table.js';

/** A row of results with what the model-service needs to go on from it. */
export interface ResultRecord extends ResultRow {
  /** JSON text, see tally.ts. */
  readonly tally: string;
}

const of = fields<ResultRecord>();

/** One row for each signal and cycle. */
export const predictionTradingResultsTable = defineTable<ResultRecord>({
  name: 'prediction_trading_results',
  key: ['position_id', 'signal_id'],
  nullableKey: true,
  columns: [
    ...of('text', 'signal_id'),
    ...of('uuid', 'position_id'),
    ...of('text', 'asset', 'direction'),
    ...of('numeric', 'entry_quantity', 'entry_price'),
    ...of('timestamptz', 'entry_at'),
    ...of('numeric', 'exit_quantity', 'exit_price'),
    ...of('timestamptz', 'exit_at'),
    ...of('numeric', 'realized_pnl', 'fees', 'funding', 'net_pnl', 'open_quantity'),
    ...of('boolean', 'is_closed', 'is_contaminated'),
    ...of('text[]', 'exit_signal_ids', 'exit_reasons'),
    ...of('bigint', 'final_to_seq'),
    ...of('text', 'account', 'category'),
    ...of('integer', 'position_idx'),
    { name: 'tally', type: 'jsonb', isInternal: true, cell: (record) => record.tally },
  ],
});

/** What each cycle says about its rows; memory of the model-service only. */
export const predictionCyclesTable = defineTable<StoredCycle>({
  name: 'prediction_cycles',
  key: ['position_id'],
  columns: [
    { name: 'position_id', type: 'uuid', cell: (cycle) => cycle.positionId },
    { name: 'contaminated_signal_ids', type: 'text[]', cell: (cycle) => cycle.contaminatedSignalIds },
    { name: 'final_to_seq', type: 'bigint', cell: (cycle) => cycle.finalToSeq },
  ],
});
