import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableFormat } from '../config/options.js';
import { addConservation } from '../position-linker/conservation.js';
import { PositionLinker } from '../position-linker/position-linker.js';
import type { TableRows } from '../replay/memory-tables.js';
import { replayCapture, type ReplayResult } from '../replay/replay.js';
import type { Processor, Topology } from '../runtime/processor.js';
import { csvText, ndjsonText } from '../table-sinks/table-files.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { isAccountName } from '../ws-gateway/frame-parser.js';
import { defineCommand, UsageError, type Command } from './command.js';
import { replayJson, replayText } from './replay-summary.js';
import { PIPELINE_OPTIONS, settingsOf, topologies } from './role-table.js';

/** `replay`: the whole pipeline without servers. */
export const replayCommands: readonly Command[] = [
  defineCommand({
    path: ['replay'],
    summary: 'run a recorded session through the pipeline without servers',
    details:
      'The same gateway, roles, bytes and tables as with a broker, a registry and a database, on a log in memory. ' +
      'Prints what came out; --out writes one file a table. Nothing is kept between two runs.',
    options: ['capture', 'account', 'continues', 'out', 'format', 'json', 'partitions', 'skewAllowanceMs', ...PIPELINE_OPTIONS],
    async run({ options, stdout }) {
      const { account, out, format } = options;
      if (account !== null && !isAccountName(account)) throw new UsageError(`--account ${account}: at most 64 characters, without spaces and |`);
      const startedMs = performance.now();
      const linkers: PositionLinker[] = [];
      const result = await replayCapture(
        { path: options.capture },
        {
          ...options,
          partitions: options.partitions ?? declaredTopics()[0]?.partitions ?? 1,
          topologies: topologies(options).map((topology) =>
            watched(topology, (processor) => {
              if (processor instanceof PositionLinker) linkers.push(processor);
            }),
          ),
          settings: settingsOf(options),
        },
      );
      const files = out === null ? [] : await writeFiles(result, out, format);
      const skipped = linkers.reduce((sum, { counters }) => sum + counters.skippedCategories, 0);
      const summary = { result, capture: options.capture, policy: options.policy, seconds: (performance.now() - startedMs) / 1_000, skippedByLinker: skipped, conservation: addConservation(linkers.map(({ conservation }) => conservation)), files };
      stdout(options.json ? replayJson(summary) : replayText(summary));
      return 0;
    },
  }),
];

function watched(topology: Topology, onProcessor: (processor: Processor) => void): Topology {
  return {
    ...topology,
    createProcessor: () => {
      const processor = topology.createProcessor();
      onProcessor(processor);
      return processor;
    },
  };
}

async function writeFiles({ tables }: ReplayResult, folder: string, format: TableFormat): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const { table, rows } of tables as readonly TableRows[]) {
    const file = join(folder, `${table.name}.${format}`);
    await writeFile(file, format === 'csv' ? csvText(table, rows) : ndjsonText(table, rows));
    files.push(file);
  }
  return files;
}
