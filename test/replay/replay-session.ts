import { settingsOf, topologies, type PipelineOptions } from '../../src/cli/role-table.js';
import { DEFAULT_SIGNAL_PATTERN } from '../../src/domain/signal.js';
import type { CaptureInput } from '../../src/replay/capture-source.js';
import type { TableRows } from '../../src/replay/memory-tables.js';
import { openLocalCodec, replayCapture, type ReplayOptions, type ReplayResult } from '../../src/replay/replay.js';
import type { Row, Tables } from '../truth/rows.js';

export const DEFAULTS: PipelineOptions = { policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000, signalPattern: DEFAULT_SIGNAL_PATTERN };

const codec = openLocalCodec();

/** A session through the whole pipeline in memory, with the defaults of the command line. */
export async function replaySession(input: CaptureInput, changes: Partial<ReplayOptions & PipelineOptions> = {}): Promise<ReplayResult> {
  const options = { ...DEFAULTS, ...changes };
  return replayCapture(input, {
    account: null,
    partitions: 3,
    skewAllowanceMs: 500,
    continues: false,
    topologies: topologies(options),
    settings: settingsOf(options),
    codec: await codec,
    ...options,
  });
}

/** Rows as the judge reads them: plain objects by column. */
export function tablesOf(result: ReplayResult): Tables {
  const byName = Object.fromEntries(result.tables.map((table) => [(table.table as { readonly name: string }).name, rowsOf(table)]));
  return byName as unknown as Tables;
}

function rowsOf({ table, rows }: TableRows): readonly Row[] {
  const { columns } = table as unknown as { readonly columns: readonly { readonly name: string }[] };
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, position) => [name, row[position]])));
}

/** The tables without what tells of a row's history: equal for every order of arrival of the same events. */
export function finalRows(result: ReplayResult): Readonly<Record<string, readonly string[]>> {
  const history = new Set(['revision', 'reason', 'known_at', 'version', 'inputs', 'tally']);
  return Object.fromEntries(
    result.tables.map((table) => {
      const lines = rowsOf(table).map((row) => JSON.stringify(Object.entries(row).filter(([name]) => !history.has(name)), (_name, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)));
      return [(table.table as { readonly name: string }).name, lines];
    }),
  );
}
