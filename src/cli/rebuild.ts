import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { createLog } from '../config/log.js';
import { GuidedError } from '../config/guided-error.js';
import { databaseSchema, topicName } from '../config/namespace.js';
import { BROKER_OPTIONS, type BrokerOptions, type RangeBoundOption } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { LogError } from '../kafka/errors.js';
import type { Log } from '../kafka/log.js';
import { DatabaseError } from '../postgres/database-error.js';
import { partitionOf } from '../kafka/partitioner.js';
import type { JobRunner } from '../rebuild/job-pool.js';
import { Progress } from '../rebuild/progress.js';
import { compareRange } from '../rebuild/range-comparison.js';
import { rebuild } from '../rebuild/rebuild.js';
import { rangeRecords, sourceRanges } from '../rebuild/source-ranges.js';
import type { SourceRange } from '../rebuild/source-feed.js';
import { threadRunner } from '../rebuild/thread-runner.js';
import { compareVariant } from '../rebuild/variant.js';
import { whatIf } from '../rebuild/what-if.js';
import { abortAny } from '../runtime/abort-any.js';
import { drained } from '../runtime/drain.js';
import { openCodec } from '../schema-registry/open-codec.js';
import { SOURCE_TOPICS } from '../ws-gateway/gateway.js';
import { defineCommand, UsageError, type Command, type CommandContext } from './command.js';
import { rangeJson, rangeText, rebuildJson, rebuildText, variantJson, variantText, whatIfJson, whatIfText } from './rebuild-report.js';
import { openTableRunner, openWhatIfRunner, type RunnerSettings, type TableRunnerSettings, type WhatIfRunnerSettings } from './rebuild-runner.js';
import { imaginedSettings, storedSettings, withoutHorizon } from './rebuild-settings.js';
import { PIPELINE_OPTIONS, roleTable, type OpenStage, type PipelineOptions } from './role-table.js';

const EQUAL = 0;
const DIFFERENT = 3;
/** Fewer records are done before a thread is up. */
const RECORDS_WORTH_THREADS = 30_000;
const NOT_SWAPPED = '--swap replaces whole tables by what the whole log says: it does not go with a what-if, --no-horizon, --asset, --from or --to';
const AGAIN = 'start it again once the servers are well: partitions that were done are kept';
const MEBIBYTE = 1024 * 1024;

const REBUILD_OPTIONS = [
  'swap', 'atEnd', 'noHorizon', 'withoutSignal', 'withoutExternal', 'until', 'asset', 'from', 'to', 'threads', 'limit', 'json', ...PIPELINE_OPTIONS,
  'namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl',
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
      'What if, never swapped: --policy and the other settings with another value than stored, --without-signal, --without-external and --until tell how the results per signal would differ. ' +
      '--at-end compares and swaps at the end of the log, whatever rules made the live tables; the roles must have worked off the log and be stopped. ' +
      '--no-horizon tells what would change if evidence were never too late. With --from or --to only a stretch of the log is rebuilt: each book starts as one whose past is not known, and ' +
      'cycles that begin and end in it are compared. --asset rebuilds the partition of one asset and compares that asset. ' +
      '--limit is the number of differing rows or signals told. ' +
      'Exit codes: 0 equal, 3 different (swapped or not), 1 failed, 2 called wrongly.',
    options: REBUILD_OPTIONS,
    run: (context) => runRebuild(context),
  }),
];

/** What every form of it is made of. */
interface Work {
  readonly context: RebuildContext;
  readonly log: Log;
  readonly schema: string;
  /** As stored with the live tables. */
  readonly pipeline: PipelineOptions;
  readonly brokers: BrokerOptions;
  readonly runners: number;
  readonly only: { readonly partition: number; readonly asset: string } | null;
  readonly ranges: readonly (readonly SourceRange[])[];
  readonly progress: (total: number) => Progress;
}

async function runRebuild(context: RebuildContext): Promise<number> {
  const { options, flags, stderr, signal } = context;
  const { namespace, asset, from, to, noHorizon, withoutSignal, withoutExternal, until } = options;
  const isRange = from !== null || to !== null;
  const isImagined = withoutSignal !== null || withoutExternal || until !== null;
  if (options.swap && (isImagined || noHorizon || isRange || asset !== null)) throw new UsageError(NOT_SWAPPED);
  const schema = databaseSchema(namespace);
  const pipeline = await storedSettings(options, schema);
  const { imagined, changed } = imaginedSettings(pipeline, options, flags);
  const isWhatIf = changed.length > 0 || isImagined;
  if (options.atEnd && (isWhatIf || noHorizon || isRange || asset !== null)) throw new UsageError('--at-end is about the whole log: it does not go with a what-if, --no-horizon, --asset, --from or --to');
  if (noHorizon && isWhatIf) throw new UsageError('--no-horizon and a what-if are two questions: ask one at a time');
  if (options.swap && isWhatIf) throw new UsageError(NOT_SWAPPED);
  // The client of the broker takes longer to load than the rest.
  const { KafkaLog } = await import('../kafka/kafka-log.js');
  const log = new KafkaLog({ ...clusterAccess(options), clientId: 'position-linker-rebuild' });
  try {
    const ranges = await rangesOf(context, log);
    const work: Work = {
      context, log, schema, pipeline, ranges,
      brokers: Object.fromEntries(BROKER_OPTIONS.map((name) => [name, options[name]])) as unknown as BrokerOptions,
      runners: Math.min(options.threads ?? (rangeRecords(ranges.flat()) < RECORDS_WORTH_THREADS ? 1 : availableParallelism()), Math.max(1, ranges.length)),
      only: asset === null ? null : { asset, partition: partitionOf(asset, await log.partitionCount(topicName(namespace, SOURCE_TOPICS[0] as string))) },
      progress: (total) => new Progress({ total, isTerminal: process.stderr.isTTY === true, write: stderr, now: () => performance.now() }),
    };
    if (isWhatIf) return await runWhatIf(work, imagined, changed);
    if (noHorizon) return await runVariant(work, withoutHorizon(pipeline));
    return isRange ? await runRange(work) : await runWhole(work);
  } catch (error) {
    if (signal.aborted) throw new GuidedError('stopped before the end; the live tables are untouched', AGAIN, { cause: error });
    if (error instanceof LogError || error instanceof DatabaseError) throw new GuidedError('the rebuild did not come to its end', AGAIN, { cause: error });
    throw error;
  } finally {
    await log.close();
  }
}

async function runWhole({ context, log, schema, pipeline, brokers, runners, ranges, only, progress }: Work): Promise<number> {
  const { options, stdout, signal } = context;
  if (options.atEnd) await requireDrained(context, log, pipeline);
  const report = await rebuild({
    databaseUrl: options.databaseUrl, schema, runners, signal, only, progress,
    identity: JSON.stringify({ pipeline, version: programVersion() }),
    // Read again, for the live tables may have gone on until their point was taken.
    ranges: () => rangesOf(context, log),
    partitionOf: (asset) => partitionOf(asset, ranges.length),
    start: (shadow) => tableRunner(context, brokers, pipeline, shadow, runners),
    isSwapWanted: options.swap,
    isAtEnd: options.atEnd,
    shown: options.limit,
  });
  stdout(options.json ? rebuildJson(report, pipeline, peakMemoryMb()) : rebuildText(report, peakMemoryMb()));
  return report.isEqual ? EQUAL : DIFFERENT;
}

/** Time in which roles that have nothing to do are seen to have nothing to do. */
const DRAINED_WITHIN_MS = 15_000;

/** Throws GuidedError while roles or sinks have not done what the source topics hold. */
async function requireDrained({ options, signal }: RebuildContext, log: Log, pipeline: PipelineOptions): Promise<void> {
  const { namespace, registryUrl, databaseUrl } = options;
  const codec = await openCodec({ registryUrl, namespace, topics: [] });
  const shell = { log, codec, namespace, logger: createLog('silent', {}), options: { ...pipeline, databaseUrl, commitIntervalMs: 0, sessionTimeoutMs: 0 } };
  const stages: OpenStage[] = [];
  try {
    for (const role of roleTable(pipeline)) stages.push(await role.stage(shell));
    const drain = await drained({ log, stages: stages.map(({ stage }) => stage), signal: abortAny([signal, AbortSignal.timeout(DRAINED_WITHIN_MS)]) });
    if (drain === null) throw new GuidedError('the roles have not worked off the log, so the live tables do not stand at its end', 'run `position-linker run all --drain`, stop all roles, then try again');
  } finally {
    for (const stage of stages) await stage.close();
  }
}

async function runVariant({ context, schema, pipeline, brokers, runners, only, ranges, progress }: Work, other: PipelineOptions): Promise<number> {
  const { options, stdout, signal } = context;
  const report = await compareVariant({
    databaseUrl: options.databaseUrl, schema, ranges, only, runners, signal, progress, shown: options.limit,
    start: (side, shadow) => tableRunner(context, brokers, side === 'was' ? pipeline : other, shadow, runners),
  });
  stdout(options.json ? variantJson(report, pipeline) : variantText(report));
  return report.isEqual ? EQUAL : DIFFERENT;
}

async function runRange({ context, schema, pipeline, brokers, runners, only, ranges, progress }: Work): Promise<number> {
  const { options, stdout, signal } = context;
  const report = await compareRange({
    databaseUrl: options.databaseUrl, schema, ranges, only, runners, signal, progress, shown: options.limit, joinWindowMs: pipeline.joinWindowMs,
    start: (shadow) => tableRunner(context, brokers, pipeline, shadow, runners),
  });
  stdout(options.json ? rangeJson(report, pipeline) : rangeText(report));
  return report.isEqual ? EQUAL : DIFFERENT;
}

async function runWhatIf({ context, pipeline, brokers, runners, only, ranges, progress }: Work, imagined: PipelineOptions, changed: readonly (keyof PipelineOptions)[]): Promise<number> {
  const { options, stdout, signal } = context;
  const { withoutSignal, withoutExternal, until, namespace, registryUrl } = options;
  const report = await whatIf({
    ranges, only, runners, signal, progress,
    whatIf: { withoutSignal, withoutExternal, untilMs: until },
    start: () => whatIfRunner({ kind: 'what-if', pipeline, imagined, brokers, registryUrl, namespace }, runners),
  });
  const label = [
    ...changed.map((name) => `${name} ${imagined[name]} instead of ${pipeline[name]}`),
    ...(withoutSignal === null ? [] : [`without the orders of signal ${withoutSignal}`]),
    ...(withoutExternal ? ['without what nobody traded for a signal'] : []),
    ...(until === null ? [] : [`as the log stood at ${new Date(until).toISOString()}`]),
  ].join(', ');
  stdout(options.json ? whatIfJson(report, label, options.limit) : whatIfText(report, label, options.limit));
  return report.differences.length === 0 ? EQUAL : DIFFERENT;
}

async function rangesOf({ options }: RebuildContext, log: Log): Promise<readonly (readonly SourceRange[])[]> {
  const { namespace, from, to } = options;
  if (to?.kind === 'earliest') throw new UsageError('--to earliest would be nothing at all');
  const bound = (one: RangeBoundOption): Exclude<RangeBoundOption, { readonly kind: 'earliest' }> | 'whatever-is-there' => (one.kind === 'earliest' ? 'whatever-is-there' : one);
  const { ranges } = await sourceRanges({ log, namespace, topics: SOURCE_TOPICS, from: from === null ? 'first' : bound(from), to, untilMs: null });
  return ranges;
}

function tableRunner({ options }: RebuildContext, brokers: BrokerOptions, pipeline: PipelineOptions, shadow: string, runners: number): ReturnType<typeof openTableRunner> {
  const { registryUrl, databaseUrl, namespace } = options;
  const settings: TableRunnerSettings = { kind: 'tables', pipeline, brokers, registryUrl, databaseUrl, namespace, shadow };
  return runners === 1 ? openTableRunner(settings) : inThread(settings, runners);
}

function whatIfRunner(settings: WhatIfRunnerSettings, runners: number): ReturnType<typeof openWhatIfRunner> {
  return runners === 1 ? openWhatIfRunner(settings) : inThread(settings, runners);
}

/** One runner works in the program's own thread; of several each has one of its own. */
function inThread<J, R>(settings: RunnerSettings, runners: number): Promise<JobRunner<J, R>> {
  const file = new URL(import.meta.url.endsWith('.ts') ? './rebuild-thread.ts' : './rebuild-thread.js', import.meta.url);
  return threadRunner(file, settings, Math.floor(totalmem() / MEBIBYTE / (runners + 1)));
}

function peakMemoryMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** A half-done rebuild of another version is not gone on with. */
function programVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
