import type { RecordName, RecordTypes } from '../domain/records.js';
import type { Cell, Table } from '../postgres/table.js';
import { bookDigestsTable } from './tables/book-digests.js';
import { ordersTable } from './tables/orders.js';
import { portfolioTable } from './tables/portfolio.js';
import { positionCyclesTable } from './tables/position-cycles.js';
import { positionDiscrepanciesTable } from './tables/position-discrepancies.js';
import { positionOrdersTable } from './tables/position-orders.js';
import { positionsTable } from './tables/positions.js';

/** One topic whose records of one kind are the rows of one table: the newest record of a key is its row. */
export interface RowSource<N extends RecordName = RecordName> {
  readonly topic: string;
  readonly record: N;
  readonly table: Table<RecordTypes[N]>;
  /** Fields of a record that tell which row it is about, and whether it takes it away. */
  readonly decidedBy: readonly (keyof RecordTypes[N] & string)[];
  /** Whether a record takes its row away. */
  isRetracted(record: RecordTypes[N]): boolean;
  /** Row key of a tombstone's record key; null where it is none. Not there: the topic has no tombstones. */
  readonly tombstoneKey?: (recordKey: string) => readonly Cell[] | null;
}

const never = (): boolean => false;

// Keys of compacted topics are asset|account|category|…; an account may hold a bar, asset and category never do.
function bookKey(recordKey: string): readonly Cell[] | null {
  const match = /^([^|]+)\|(.*)\|([^|]+)\|(\d{1,9})$/s.exec(recordKey);
  return match === null ? null : [match[1] as string, match[2] as string, match[3] as string, Number(match[4])];
}

function marketKey(recordKey: string): readonly Cell[] | null {
  const match = /^([^|]+)\|(.*)\|([^|]+)$/s.exec(recordKey);
  return match === null ? null : [match[1] as string, match[2] as string, match[3] as string];
}

function source<N extends RecordName>(spec: RowSource<N>): RowSource {
  return spec as unknown as RowSource;
}

/** Every table that follows a single topic. */
export const ROW_SOURCES: readonly RowSource[] = [
  source({ topic: 'order-manager.order_events', record: 'Order', table: ordersTable, decidedBy: ['order_id', 'asset', 'category', 'account'], isRetracted: never }),
  source({ topic: 'position-manager.positions', record: 'Position', table: positionsTable, decidedBy: ['asset', 'account', 'category', 'position_idx'], isRetracted: never, tombstoneKey: bookKey }),
  source({ topic: 'position-manager.portfolio', record: 'Portfolio', table: portfolioTable, decidedBy: ['asset', 'account', 'category'], isRetracted: never, tombstoneKey: marketKey }),
  source({ topic: 'position-linker.position_orders', record: 'PositionOrder', table: positionOrdersTable, decidedBy: ['id', 'retracted'], isRetracted: ({ retracted }) => retracted }),
  source({ topic: 'position-linker.position_cycles', record: 'PositionCycle', table: positionCyclesTable, decidedBy: ['position_id', 'retracted'], isRetracted: ({ retracted }) => retracted }),
  source({ topic: 'position-linker.discrepancies', record: 'PositionDiscrepancy', table: positionDiscrepanciesTable, decidedBy: ['id', 'retracted'], isRetracted: ({ retracted }) => retracted }),
];

/** Digests have a sink of their own: whoever does not want them need not run it. */
export const DIGEST_SOURCE: RowSource = source({ topic: 'book-digests.digests', record: 'BookDigest', table: bookDigestsTable, decidedBy: ['asset', 'account', 'category', 'position_idx', 'period_at'], isRetracted: never });
