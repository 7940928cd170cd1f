import type { Migration } from './migration.js';

/** The exchange's realised result of all time just before each cycle: what a book's results are compared from. */
export const cycleStart: Migration = {
  version: 3,
  name: 'cycle-start',
  sql: 'ALTER TABLE position_cycles ADD COLUMN cum_realised_pnl_before numeric',
};
