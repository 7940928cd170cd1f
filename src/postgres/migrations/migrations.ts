import { tables } from './0001-tables.js';
import { views } from './0002-views.js';
import { cycleStart } from './0003-cycle-start.js';
import { bookDigests } from './0004-book-digests.js';
import type { Migration } from './migration.js';

/** In order of their versions. Append only. */
export const MIGRATIONS: readonly Migration[] = [tables, views, cycleStart, bookDigests];
