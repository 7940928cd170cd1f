/*
 * The speed of everything, in one command: `scripts/bench --help`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stackUp } from '../src/stack/stack.js';
import type { StackAddresses } from '../src/stack/stack-addresses.js';
import { BenchNamespace, stackVariables } from './bench-namespace.js';
import { measureCommits, printCommits, type CommitCost } from './exactly-once.js';
import { median, printStages, reportOf, tenths, whole, type LatencyReport, type Run, type StageReport } from './report.js';
import { rebuildText, type RebuildRun } from './rebuild-report.js';
import { endStageProcesses, startStage, withServerCpu, type StageAnswer } from './stage-process.js';

const STAGES = ['decode', 'core', 'ceiling', 'linker', 'pipeline', 'latency', 'gateway', 'rebuild', 'exactly-once'] as const;
const HELP = `usage: scripts/bench [options]

Medians of several runs, each in a process of its own, cold. Uses the stack of the environment, or starts one.

  decode    source records that three earlier releases and this one wrote, read from offset 0; one core
  core      order-manager and position-linker on plain objects, no Kafka, no Avro; records a second of CPU time
  ceiling   bare consume and decode of the topics that the next two read
  linker    position-linker from its two input topics to its committed output topics, exactly once
  pipeline  a session from the ws-gateway topics to finished tables, all roles in one process
  latency   from input to readable link, at recorded pace
  gateway   the live gateway against an exchange of the tests: frames a second, frame to topic, frame to readable link
  rebuild   the source topics into fresh tables by the rebuild command, beside the same reading, decoding and copying with
            nothing between; a large one: --stages rebuild --partitions 12 --records 10000000 --runs 1
  exactly-once  what exactly once costs: throughput and latency at commit intervals of 20 ms, 100 ms, 1 s and 5 s, against
            the same roles without transactions; only where it is asked for, about ten minutes

  --quick              small sessions, about two minutes
  --stages a,b         only these
  --records N          records of the session in the topics
  --core-records N     records of the session of the core alone
  --assets N           default 200
  --partitions 1,4,12  the linker with each (a quarter of the records but for the last); pipeline and latency with the last
  --runs N             default 3
  --rate N             latency: records a second, default 2000
  --seconds N          latency: measured seconds of each run
  --threads N          rebuild: default 2
  --json               everything as JSON on standard output
`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false }, json: { type: 'boolean', default: false },
    stages: { type: 'string', default: STAGES.filter((stage) => stage !== 'exactly-once').join() }, records: { type: 'string' }, 'core-records': { type: 'string' }, assets: { type: 'string', default: '200' },
    partitions: { type: 'string' }, runs: { type: 'string', default: '3' }, rate: { type: 'string', default: '2000' }, seconds: { type: 'string' }, threads: { type: 'string', default: '2' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const stagesWanted = values.stages.split(',');
for (const stage of stagesWanted) if (!(STAGES as readonly string[]).includes(stage)) throw new Error(`--stages ${stage}: there are ${STAGES.join(', ')}`);
const wants = (stage: (typeof STAGES)[number]): boolean => stagesWanted.includes(stage);
const plan = {
  records: number('records', values.records, values.quick ? 40_000 : 1_000_000),
  coreRecords: number('core-records', values['core-records'], values.quick ? 60_000 : 1_000_000),
  assets: number('assets', values.assets, 200),
  partitions: (values.partitions ?? (values.quick ? '4' : '1,4,12')).split(',').map((text) => number('partitions', text, 12)),
  runs: number('runs', values.runs, 3),
  rate: number('rate', values.rate, 2_000),
  latencySeconds: number('seconds', values.seconds, values.quick ? 6 : 30),
  warmUpSeconds: values.quick ? 4 : 10,
  threads: number('threads', values.threads, 2),
};

function number(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} ${text} is not a whole number above 0`);
  return value;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const reports: StageReport[] = [];
const latencies: LatencyReport[] = [];
let commitCosts: readonly CommitCost[] = [];
/** Live memory of the cores, after a collection half way and at the end. */
const coreMemory: { readonly halfWayMb: number; readonly endMb: number }[] = [];
const gateways: { readonly paced: StageAnswer; readonly full: StageAnswer; readonly load: number }[] = [];
const rebuilds: RebuildRun[] = [];
const SOURCES = ['ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position'];
const LINKER_INPUTS = ['order-manager.order_events', 'ws-gateway.position'];
const ALL_ROLES = ['order-manager', 'position-manager', 'position-linker', 'model-service', 'table-sinks'];

async function repeated<T>(what: string, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 1; i <= plan.runs; i++) {
    say(`${what}, run ${i} of ${plan.runs} (load ${tenths(loadavg()[0] ?? 0)})`);
    results.push(await run());
  }
  return results;
}

async function measureDecoding(): Promise<void> {
  const answers = await repeated('decode', () => startStage('older-versions.ts', ['--records', String(plan.coreRecords), '--runs', '3', '--json'], {}).answer);
  reports.push(reportOf('decode: four schema versions in turns', null, answers.map((answer) => runOf(answer, Number(answer['records']))), null));
}

/** The collector's own threads would be other cores; and its heap may grow to twice what is live, not to four times as much. */
const ONE_CORE = ['--single-threaded-gc', '--heap-growing-percent=100'];
const CORE_FIGURES = [['core: order-manager', 'order_manager_records_per_cpu_second'], ['core: position-linker', 'position_linker_records_per_cpu_second'], ['core: both', 'both_records_per_cpu_second']] as const;

/** Alone, as a rebuild runs them; and with the bytes of their state for the changelog, as tasks do. */
async function measureCore(): Promise<void> {
  const measured = async (...flags: string[]): Promise<StageAnswer[]> =>
    repeated(['core', ...flags].join(' '), () => startStage('core.ts', ['--records', String(plan.coreRecords), '--assets', String(plan.assets), '--runs', '1', '--json', ...flags], {}, ONE_CORE).answer);
  const answers = await measured();
  for (const answer of answers) coreMemory.push({ halfWayMb: Number(answer['live_half_way_mb']), endMb: Number(answer['live_mb']) });
  reportCore(CORE_FIGURES, answers);
  reportCore([['core: both, and changelog bytes', 'both_records_per_cpu_second']], await measured('--changelog'));
}

function reportCore(figures: readonly (readonly [string, string])[], answers: readonly StageAnswer[]): void {
  for (const [stage, field] of figures) {
    const runs = answers.map((answer) => ({ ...runOf(answer, plan.coreRecords), seconds: plan.coreRecords / Number(answer[field]), cpuSeconds: plan.coreRecords / Number(answer[field]), peakRssMb: Number(answer['peak_rss_mb']) }));
    reports.push(reportOf(stage, null, runs, null));
  }
}

function runOf(answer: StageAnswer, records: number, servers: { readonly brokerCpuSeconds: number | null; readonly databaseCpuSeconds: number | null } = { brokerCpuSeconds: null, databaseCpuSeconds: null }): Run {
  const { brokerCpuSeconds, databaseCpuSeconds } = servers;
  return { records, seconds: Number(answer['seconds']), cpuSeconds: Number(answer['cpuSeconds']), brokerCpuSeconds, databaseCpuSeconds, peakRssMb: Number(answer['peakRssMb']), load: loadavg()[0] ?? 0 };
}

/** One namespace with a session in its source topics, and everything that is measured on it. */
class Bench {
  readonly #namespace: BenchNamespace;
  readonly #variables: Record<string, string>;
  readonly #ports: { readonly broker: number; readonly database: number };

  constructor(namespace: BenchNamespace, stack: StackAddresses) {
    this.#namespace = namespace;
    this.#variables = stackVariables(stack);
    this.#ports = { broker: Number(stack.kafkaBrokers[0]?.split(':').at(-1)), database: Number(new URL(stack.databaseUrl).port || 5432) };
  }

  async all(isLast: boolean): Promise<void> {
    const { partitions } = this.#namespace;
    const withPipeline = wants('pipeline') && isLast;
    const withRebuild = wants('rebuild') && isLast;
    if (!wants('linker') && !wants('ceiling') && !withPipeline && !withRebuild) return;
    await this.#namespace.setUp();
    const wanted = isLast ? plan.records : Math.ceil(plan.records / 4);
    say(`${wanted} records into ${partitions} partitions`);
    const { records } = await this.#stage('ingest.ts', '--partitions', String(partitions), '--records', String(wanted), '--assets', String(plan.assets));
    let sourceCeiling: StageReport | null = null;
    if (isLast && (wants('ceiling') || withPipeline)) {
      sourceCeiling = await this.#ceiling('ceiling: consume + decode ws-gateway.*', SOURCES);
      if (wants('ceiling')) reports.push(sourceCeiling);
    }
    if (withRebuild) await this.#rebuild();
    if (withPipeline) await this.#pipeline(Number(records), sourceCeiling);
    if (!wants('linker')) return;
    if (!withPipeline) {
      say('order-manager, so that the linker has its input');
      await this.#stage('roles.ts', '--drain', 'order-manager');
    }
    await this.#linker();
  }

  async #pipeline(records: number, ceiling: StageReport | null): Promise<void> {
    const runs = await repeated(`pipeline, ${this.#namespace.partitions} partitions`, async () => {
      await this.#namespace.reset(ALL_ROLES);
      return this.#measured(records, 'roles.ts', '--drain', 'all');
    });
    reports.push(reportOf('pipeline: ws-gateway.* to tables', this.#namespace.partitions, runs, ceiling?.recordsPerSecond ?? null));
    const apart = await repeated(`pipeline in two processes, ${this.#namespace.partitions} partitions`, async () => {
      await this.#namespace.reset(ALL_ROLES);
      // What joins the streams in one, what keeps tables in the other.
      return this.#inTwoProcesses(records, ['order-manager', 'position-linker'], ['position-manager', 'model-service', 'table-sinks']);
    });
    reports.push(reportOf('pipeline, roles in two processes', this.#namespace.partitions, apart, ceiling?.recordsPerSecond ?? null));
  }

  /** Some roles in one process until those in another have ended, when all is done. */
  async #inTwoProcesses(records: number, others: readonly string[], drained: readonly string[]): Promise<Run> {
    const { result, ...servers } = await withServerCpu(this.#ports, async () => {
      const beside = startStage('stages/roles.ts', ['--namespace', this.#namespace.name, ...others], this.#variables);
      const main = await this.#stage('roles.ts', '--drain', ...drained);
      beside.stop();
      const ended = await beside.answer;
      return {
        ...main,
        cpuSeconds: Number(main['cpuSeconds']) + Number(ended['cpuSeconds']),
        peakRssMb: Number(main['peakRssMb']) + Number(ended['peakRssMb']),
      };
    });
    return this.#told(runOf(result, records, servers));
  }

  /** Load and ceiling in turns, so that what else the machine does meets both. */
  async #rebuild(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'bench-rebuild-'));
    const stage = (what: string): Promise<StageAnswer> => this.#stage('rebuild.ts', '--threads', String(plan.threads), '--files', folder, what);
    try {
      const pairs = await repeated(`rebuild, ${this.#namespace.partitions} partitions, ${plan.threads} threads`, async () => {
        const { result: load, ...servers } = await withServerCpu(this.#ports, () => stage('load'));
        const ceiling = await stage('ceiling');
        rebuilds.push({ load, ceiling });
        return { load: this.#told(runOf(load, Number(load['records']), servers)), ceiling: runOf(ceiling, Number(ceiling['records'])) };
      });
      const ceiling = reportOf(`ceiling: read, decode, copy; ${plan.threads} threads`, this.#namespace.partitions, pairs.map((pair) => pair.ceiling), null);
      reports.push(ceiling, reportOf(`rebuild: ws-gateway.* to tables, ${plan.threads} threads`, this.#namespace.partitions, pairs.map((pair) => pair.load), ceiling.recordsPerSecond));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  async #linker(): Promise<void> {
    const ceiling = await this.#ceiling('ceiling: consume + decode linker inputs', LINKER_INPUTS);
    if (wants('ceiling')) reports.push(ceiling);
    const runs = await repeated(`linker, ${this.#namespace.partitions} partitions`, async () => {
      await this.#namespace.reset(['position-linker']);
      return this.#measured(ceiling.records, 'roles.ts', '--drain', 'position-linker');
    });
    reports.push(reportOf('position-linker: inputs to committed outputs', this.#namespace.partitions, runs, ceiling.recordsPerSecond));
    if (this.#namespace.partitions === 1) return;
    const apart = await repeated(`linker in two processes, ${this.#namespace.partitions} partitions`, async () => {
      await this.#namespace.reset(['position-linker']);
      return this.#inTwoProcesses(ceiling.records, ['position-linker'], ['position-linker']);
    });
    reports.push(reportOf('position-linker in two processes', this.#namespace.partitions, apart, ceiling.recordsPerSecond));
  }

  async #ceiling(stage: string, topics: readonly string[]): Promise<StageReport> {
    const runs = await repeated(stage, async () => {
      const { result, ...servers } = await withServerCpu(this.#ports, () => this.#stage('consume.ts', ...topics));
      return runOf(result, Number(result['records']), servers);
    });
    return reportOf(stage, this.#namespace.partitions, runs, null);
  }

  /** Its own topics must be empty: the place of a record in the log is told by counting. */
  async latency(): Promise<void> {
    const { partitions } = this.#namespace;
    await this.#namespace.setUp();
    const roles = startStage('stages/roles.ts', ['--namespace', this.#namespace.name, 'all'], this.#variables);
    const { result, ...servers } = await withServerCpu(this.#ports, () =>
      this.#stage('latency.ts', '--partitions', String(partitions), '--assets', String(plan.assets), '--rate', String(plan.rate), '--seconds', String(plan.latencySeconds), '--warm-up-seconds', String(plan.warmUpSeconds)));
    roles.stop();
    const { cpuSeconds, peakRssMb } = await roles.answer;
    latencies.push({ ...(result as unknown as LatencyReport), partitions, load: loadavg()[0] ?? 0, rolesCpuSeconds: cpuSeconds, rolesPeakRssMb: peakRssMb, ...servers });
  }

  /** The live gateway with all roles in another process: at 500 frames a second (580 records), and at ten times that. */
  async gateway(): Promise<void> {
    const paced = await this.#besideRoles('--rate', '580', '--seconds', String(plan.latencySeconds), '--links');
    await this.#namespace.clear();
    const full = await this.#besideRoles('--rate', '9000', '--seconds', String(Math.min(plan.latencySeconds, 15)));
    gateways.push({ paced, full, load: loadavg()[0] ?? 0 });
  }

  async #besideRoles(...words: string[]): Promise<StageAnswer> {
    const { partitions, name } = this.#namespace;
    await this.#namespace.setUp();
    const roles = startStage('stages/roles.ts', ['--namespace', name, 'all'], this.#variables);
    const answer = await this.#stage('gateway.ts', '--partitions', String(partitions), '--assets', String(plan.assets), ...words);
    roles.stop();
    await roles.answer;
    return answer;
  }

  #stage(file: string, ...args: string[]): Promise<StageAnswer> {
    return startStage(`stages/${file}`, ['--namespace', this.#namespace.name, ...args], this.#variables).answer;
  }

  async #measured(records: number, file: string, ...args: string[]): Promise<Run> {
    const { result, ...servers } = await withServerCpu(this.#ports, () => this.#stage(file, ...args));
    return this.#told(runOf(result, records, servers));
  }

  #told(run: Run): Run {
    say(`  ${whole(run.records / run.seconds)} records/s, ${tenths(run.cpuSeconds)} s CPU, broker ${tenths(run.brokerCpuSeconds)}, database ${tenths(run.databaseCpuSeconds)}; peak ${whole(run.peakRssMb)} MB`);
    return run;
  }
}

async function withNamespace(stack: StackAddresses, partitions: number, work: (bench: Bench) => Promise<void>): Promise<void> {
  const namespace = new BenchNamespace(stack, partitions);
  try {
    await work(new Bench(namespace, stack));
  } finally {
    endStageProcesses();
    await clearPatiently(namespace);
  }
}

/** A group whose member was just ended keeps it for a while. */
async function clearPatiently(namespace: BenchNamespace): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await namespace.clear();
      return;
    } catch (error) {
      if (attempt === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

function print(startedLoad: readonly number[]): void {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version, loadAtStart: startedLoad, loadAtEnd: loadavg() };
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ plan, machine, stages: reports, coreMemory, latency: latencies, gateway: gateways, rebuild: rebuilds, exactlyOnce: commitCosts }, null, 2)}\n`);
    return;
  }
  console.log(`${machine.cpus} × ${machine.model}, node ${machine.node}; load ${startedLoad.map(tenths).join(' ')} at the start, ${machine.loadAtEnd.map(tenths).join(' ')} at the end`);
  console.log('Records/s are medians. Those of the core are per CPU second of the role, memory that of the whole bench process; all others per second of the clock.\n');
  printStages(reports);
  printGateways();
  if (coreMemory.length > 0) {
    const live = (field: 'halfWayMb' | 'endMb'): string => whole(median(coreMemory.map((run) => run[field])));
    console.log(`\ncore: live memory after a collection ${live('halfWayMb')} MB half way, ${live('endMb')} MB at the end, simulator included; horizon 1,000 events a book`);
  }
  if (commitCosts.length > 0) printCommits(commitCosts);
  for (const run of rebuilds) console.log(`\n${rebuildText(run)}`);
  if (latencies.length === 0) return;
  const of = (field: 'p50Ms' | 'p99Ms' | 'maxMs'): string => whole(median(latencies.map((run) => run[field] ?? Number.NaN)));
  console.log(`\nlatency, input to readable link (read committed), ${whole(median(latencies.map((run) => run.recordsPerSecond)))} records/s, commits every 100 ms: p50 ${of('p50Ms')} ms, p99 ${of('p99Ms')} ms, max ${of('maxMs')} ms`);
  console.log(`  nothing subtracted: watermarks stay 500 ms behind (the skew allowance); ${whole(median(latencies.map((run) => run.links)))} links a run, ${latencies.length} runs; p99 of each ${latencies.map((run) => whole(run.p99Ms)).join(', ')} ms`);
}

function printGateways(): void {
  if (gateways.length === 0) return;
  const of = (run: 'paced' | 'full', field: string): string => whole(median(gateways.map((each) => Number(each[run][field]))));
  console.log(`\ngateway, received to acknowledged in its topic: p50 ${of('paced', 'topicP50Ms')} ms, p99 ${of('paced', 'topicP99Ms')} ms at ${of('paced', 'framesPerSecond')} frames/s`);
  console.log(`gateway, received to readable link: p50 ${of('paced', 'linkP50Ms')} ms, p99 ${of('paced', 'linkP99Ms')} ms, ${of('paced', 'links')} links; nothing subtracted`);
  console.log(`gateway, as many frames as come: ${of('full', 'framesPerSecond')} frames/s in ${tenths(median(gateways.map((each) => Number(each.full['cpuSeconds']))))} s CPU, received to acknowledged p50 ${of('full', 'topicP50Ms')} ms, p99 ${of('full', 'topicP99Ms')} ms; all roles in another process; ${gateways.length} runs`);
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, endStageProcesses);
const startedLoad = loadavg();
if (wants('decode')) await measureDecoding();
if (wants('core')) await measureCore();
if (stagesWanted.some((stage) => stage !== 'core' && stage !== 'decode' && stage !== 'gateway')) {
  const stack = await stackUp({ say });
  for (const [index, partitions] of plan.partitions.entries()) await withNamespace(stack, partitions, (bench) => bench.all(index === plan.partitions.length - 1));
  if (wants('exactly-once')) {
    // The longest interval has to come several times into what is measured.
    const seconds = Math.max(plan.latencySeconds, values.quick ? 12 : 20);
    commitCosts = await measureCommits(stack, { ...plan, partitions: plan.partitions.at(-1) ?? 12, seconds, say }, clearPatiently);
  }
  if (wants('latency')) await repeated(`latency, ${plan.latencySeconds} s`, () => withNamespace(stack, plan.partitions.at(-1) ?? 12, (bench) => bench.latency()));
}
if (wants('gateway')) {
  const stack = await stackUp({ say });
  await repeated('gateway', () => withNamespace(stack, plan.partitions.at(-1) ?? 12, (bench) => bench.gateway()));
}
print(startedLoad);
process.exit(0);
