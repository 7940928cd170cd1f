import type { SinkRole } from '../postgres/sink.js';
import { DIGEST_SOURCE, ROW_SOURCES } from './row-sources.js';
import { RowTask } from './row-task.js';

/** The tables that hold records of a topic as they are. */
export const tableSinks: SinkRole = {
  role: 'table-sinks',
  inputs: ROW_SOURCES.map(({ topic, table }) => ({ topic, sink: table.name })),
  createTask: (codec, stored) => new RowTask(codec, ROW_SOURCES, stored),
};

/** The table of digests. */
export const digestSink: SinkRole = {
  role: 'book-digests-table',
  inputs: [{ topic: DIGEST_SOURCE.topic, sink: DIGEST_SOURCE.table.name }],
  createTask: (codec, stored) => new RowTask(codec, [DIGEST_SOURCE], stored),
};
