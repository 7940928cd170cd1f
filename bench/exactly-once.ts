import { BenchNamespace, stackVariables } from './bench-namespace.js';
import { printTable } from './rate.js';
import { median, whole } from './report.js';
import { endStageProcesses, startStage, type StageAnswer } from './stage-process.js';
import type { StackAddresses } from '../src/stack/stack-addresses.js';

const MODES = ['exactly-once', 'at-least-once'] as const;
export const COMMIT_INTERVALS_MS = [20, 100, 1_000, 5_000] as const;
const JOINING = ['order-manager', 'position-linker'];

/** What one way of committing costs: throughput of the linker, and latency from input to readable link at a fixed rate. */
export interface CommitCost {
  readonly mode: (typeof MODES)[number];
  readonly commitIntervalMs: number;
  readonly recordsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly latencyRecordsPerSecond: number;
}

export interface CommitCostPlan {
  readonly records: number;
  readonly assets: number;
  readonly partitions: number;
  readonly runs: number;
  readonly rate: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly say: (line: string) => void;
}

/** Every way of committing in turn, round after round, so that none of them has the machine at its best hour. */
export async function measureCommits(stack: StackAddresses, plan: CommitCostPlan, clear: (namespace: BenchNamespace) => Promise<void>): Promise<readonly CommitCost[]> {
  const ways = MODES.flatMap((mode) => COMMIT_INTERVALS_MS.map((commitIntervalMs) => ({ mode, commitIntervalMs })));
  const rates = await throughput(stack, plan, ways, clear);
  const costs: CommitCost[] = [];
  for (const [index, way] of ways.entries()) {
    const namespace = new BenchNamespace(stack, plan.partitions);
    try {
      costs.push({ ...way, recordsPerSecond: median(rates[index] ?? []), ...(await latency(stack, plan, namespace, way)) });
    } finally {
      endStageProcesses();
      await clear(namespace);
    }
  }
  return costs;
}

type Way = Pick<CommitCost, 'mode' | 'commitIntervalMs'>;

function wayArguments({ mode, commitIntervalMs }: Way): string[] {
  return ['--mode', mode, '--commit-interval-ms', String(commitIntervalMs)];
}

async function throughput(stack: StackAddresses, plan: CommitCostPlan, ways: readonly Way[], clear: (namespace: BenchNamespace) => Promise<void>): Promise<number[][]> {
  const { records: wanted, assets, partitions, runs, say } = plan;
  const variables = stackVariables(stack);
  const namespace = new BenchNamespace(stack, partitions);
  const stage = (file: string, ...args: string[]): Promise<StageAnswer> => startStage(`stages/${file}`, ['--namespace', namespace.name, ...args], variables).answer;
  const rates: number[][] = ways.map(() => []);
  try {
    await namespace.setUp();
    await stage('ingest.ts', '--partitions', String(partitions), '--records', String(wanted), '--assets', String(assets));
    await stage('topic-roles.ts', '--mode', 'exactly-once', '--commit-interval-ms', '100', '--drain', 'order-manager');
    const { records } = await stage('consume.ts', 'order-manager.order_events', 'ws-gateway.position');
    for (let round = 1; round <= runs; round++) {
      for (const [index, way] of ways.entries()) {
        await namespace.reset(['position-linker']);
        const { seconds } = await stage('topic-roles.ts', ...wayArguments(way), '--drain', 'position-linker');
        const rate = Number(records) / Number(seconds);
        rates[index]?.push(rate);
        say(`${way.mode}, commits every ${way.commitIntervalMs} ms, round ${round} of ${runs}: ${whole(rate)} records/s`);
      }
    }
  } finally {
    endStageProcesses();
    await clear(namespace);
  }
  return rates;
}

async function latency(stack: StackAddresses, plan: CommitCostPlan, namespace: BenchNamespace, way: Way): Promise<Pick<CommitCost, 'p50Ms' | 'p99Ms' | 'latencyRecordsPerSecond'>> {
  const { assets, partitions, rate, seconds, warmUpSeconds, say } = plan;
  const variables = stackVariables(stack);
  await namespace.setUp();
  const roles = startStage('stages/topic-roles.ts', ['--namespace', namespace.name, ...wayArguments(way), ...JOINING], variables);
  const args = ['--partitions', String(partitions), '--assets', String(assets), '--rate', String(rate), '--seconds', String(seconds), '--warm-up-seconds', String(warmUpSeconds)];
  const found = await startStage('stages/latency.ts', ['--namespace', namespace.name, ...args], variables).answer;
  roles.stop();
  await roles.answer;
  const [p50Ms, p99Ms] = [found['p50Ms'] as number | null, found['p99Ms'] as number | null];
  say(`${way.mode}, commits every ${way.commitIntervalMs} ms: p50 ${whole(p50Ms)} ms, p99 ${whole(p99Ms)} ms`);
  return { p50Ms, p99Ms, latencyRecordsPerSecond: Number(found['recordsPerSecond']) };
}

export function printCommits(costs: readonly CommitCost[]): void {
  console.log('\ncost of exactly-once: position-linker, inputs to outputs that can be read; latency at a fixed rate, input to readable link');
  printTable([
    ['commits every', 'exactly once: records/s', 'p50 ms', 'p99 ms', 'at least once: records/s', 'p50 ms', 'p99 ms', 'exactly / at least'],
    ...COMMIT_INTERVALS_MS.map((commitIntervalMs) => {
      const of = (mode: CommitCost['mode']): CommitCost | undefined => costs.find((cost) => cost.mode === mode && cost.commitIntervalMs === commitIntervalMs);
      const [once, least] = [of('exactly-once'), of('at-least-once')];
      const cells = [once, least].flatMap((cost) => [whole(cost?.recordsPerSecond ?? null), whole(cost?.p50Ms ?? null), whole(cost?.p99Ms ?? null)]);
      return [`${commitIntervalMs} ms`, ...cells, `${(((once?.recordsPerSecond ?? 0) / (least?.recordsPerSecond ?? 1)) * 100).toFixed(0)} %`];
    }),
  ]);
}
