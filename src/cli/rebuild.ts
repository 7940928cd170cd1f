import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { GuidedError } from '../config/guided-error.js';
import { databaseSchema } from '../config/namespace.js';
import { BROKER_OPTIONS, OPTIONS, type Options } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { partitionOf } from '../kafka/partitioner.js';
import { openDatabase } from '../postgres/database.js';
import { requireMigrated } from '../postgres/migrate.js';
import { readPipelineSettings } from '../postgres/pipeline-settings.js';
import { Progress } from '../rebuild/progress.js';
import { rebuild } from '../rebuild/rebuild.js';
import { sourceRanges } from '../rebuild/source-ranges.js';
import { threadRunner } from '../rebuild/thread-runner.js';
import { SOURCE_TOPICS } from '../ws-gateway/gateway.js';
import { defineCommand, UsageError, type Command, type CommandContext } from './command.js';
import { rebuildJson, rebuildText } from './rebuild-report.js';
import { openRunner, type RunnerSettings } from './rebuild-runner.js';
import { PIPELINE_OPTIONS, type PipelineOptions } from './role-table.js';

const EQUAL = 0;
const DIFFERENT = 3;
/** Fewer records are done before a thread is up. */
const RECORDS_WORTH_THREADS = 30_000;
const MEBIBYTE = 1024 * 1024;

const REBUILD_OPTIONS = [
  'swap', 'asset', 'threads', 'limit', 'json', ...PIPELINE_OPTIONS, 'namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl',
] as const;

type RebuildContext = CommandContext<(typeof REBUILD_OPTIONS)[number]>;

/** `rebuild`: the tables anew from the source topics, beside the running service, compared with the live ones. */
export const rebuildCommands: readonly Command[] = [
  defineCommand({
    path: ['rebuild'],
    summary: 'make the tables anew from the log, compare, and swap on demand',
    details:
      'Reads the source topics from the first record on, runs the same roles in this process, loads what they make into a schema of its own, and compares it with the live tables ' +
      'at the point of the log where these stand: by a digest per table and book, then row by row. Joins no group, moves no offset, writes to no topic; roles may run meanwhile. ' +
      'With --swap the rebuilt tables take the place of the live ones in one transaction, if they differ; running sinks go on from there. ' +
      'Settings are those stored with the tables. An interrupted rebuild goes on where it was when it is started again. ' +
      '--limit is the number of differing rows told per table. ' +
      'Exit codes: 0 equal, 3 different (swapped or not), 1 failed, 2 called wrongly.',
    options: REBUILD_OPTIONS,
    run: (context) => runRebuild(context),
  }),
];

async function runRebuild(context: RebuildContext): Promise<number> {
  const { options, stdout, stderr, signal } = context;
  const { namespace, databaseUrl, registryUrl, asset } = options;
  if (options.swap && asset !== null) throw new UsageError('--swap replaces whole tables: it does not go with --asset');
  const schema = databaseSchema(namespace);
  const pipeline = await storedSettings(options, schema);
  const brokers = Object.fromEntries(BROKER_OPTIONS.map((name) => [name, options[name]])) as RunnerSettings['brokers'];
  const { KafkaLog } = await import('../kafka/kafka-log.js');
  const log = new KafkaLog({ ...clusterAccess(options), clientId: 'position-linker-rebuild' });
  try {
    const partitions = await log.partitionCount(sourceName(options, SOURCE_TOPICS[0] as string));
    const { ranges } = await sourceRanges({ log, namespace, topics: SOURCE_TOPICS, from: 'first', to: null, untilMs: null });
    const records = ranges.flat().reduce((sum, { from, until }) => sum + until - from, 0);
    const runners = Math.min(options.threads ?? (records < RECORDS_WORTH_THREADS ? 1 : availableParallelism()), Math.max(1, ranges.length));
    const report = await rebuild({
      databaseUrl, schema, runners, signal,
      identity: JSON.stringify({ pipeline, version: programVersion() }),
      ranges: async () => (await sourceRanges({ log, namespace, topics: SOURCE_TOPICS, from: 'first', to: null, untilMs: null })).ranges,
      only: asset === null ? null : { asset, partition: partitionOf(asset, partitions) },
      start: (shadow) => startRunner({ pipeline, brokers, registryUrl, databaseUrl, namespace, shadow }, runners),
      isSwapWanted: options.swap,
      shown: options.limit,
      progress: (total) => new Progress({ total, isTerminal: process.stderr.isTTY === true, write: stderr, now: () => performance.now() }),
    });
    const peakMb = process.resourceUsage().maxRSS / 1024;
    stdout(options.json ? rebuildJson(report, pipeline, peakMb) : rebuildText(report, peakMb));
    return report.isEqual ? EQUAL : DIFFERENT;
  } catch (error) {
    if (signal.aborted) throw new GuidedError('stopped before the end; the live tables are untouched', 'start it again: partitions that were done are kept', { cause: error });
    throw error;
  } finally {
    await log.close();
  }
}

function sourceName({ namespace }: Pick<Options, 'namespace'>, topic: string): string {
  return namespace === null ? topic : `${namespace}.${topic}`;
}

/** One runner works in this thread; of several each has its own. */
async function startRunner(settings: RunnerSettings, runners: number): ReturnType<typeof openRunner> {
  if (runners === 1) return openRunner(settings);
  const file = new URL(import.meta.url.endsWith('.ts') ? './rebuild-thread.ts' : './rebuild-thread.js', import.meta.url);
  return threadRunner(file, settings, Math.floor(totalmem() / MEBIBYTE / (runners + 1)));
}

/** The settings the live tables were made with; those of this start where none are stored yet. */
async function storedSettings(options: PipelineOptions & Pick<Options, 'databaseUrl'>, schema: string): Promise<PipelineOptions> {
  const database = openDatabase({ databaseUrl: options.databaseUrl, schema, applicationName: 'position-linker rebuild' });
  try {
    await requireMigrated(database, schema);
    const stored = await readPipelineSettings(database);
    return Object.fromEntries(PIPELINE_OPTIONS.map((name) => {
      const text = stored[name];
      return [name, text === undefined ? options[name] : OPTIONS[name].parse(text)];
    })) as unknown as PipelineOptions;
  } finally {
    await database.close();
  }
}

/** A half-done rebuild of another version is not gone on with. */
function programVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
