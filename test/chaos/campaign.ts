import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { groupId } from '../../src/config/namespace.js';
import { outsideDir } from '../../src/stack/embedded-postgres.js';
import { stackPaths } from '../../src/stack/paths.js';
import { listTransactions } from '../kafka/kafka-tools.js';
import { Random } from '../simulator/random.js';
import { FAULT_KINDS, ROLE_NAMES, type FaultKind, type World } from './fault-kinds.js';
import { HostileWriter } from './hostile.js';
import { judge, type Verdict } from './judge.js';
import { PIPELINE } from './oracle.js';
import { Load } from './load.js';
import { goneOf, RoleFleet, startCommand } from './role-fleet.js';
import { Servers } from './servers.js';

export interface CampaignOptions {
  /** How many, or for how long faults go on. */
  readonly faults: number;
  readonly minutes: number | null;
  readonly seed: number;
  readonly brokers: number;
  readonly dir: string;
  readonly kinds: readonly string[] | null;
  /** Correction horizon of the roles; as by default where it is not given. */
  readonly horizonMs?: number;
  /** Pauses between faults, times this. */
  readonly gapFactor: number;
  /** Keeps servers' data and logs. */
  readonly isKept: boolean;
  /** Called every so often while load and faults go on. */
  readonly watch?: { readonly everyMs: number; look(world: World): Promise<void> };
  readonly say: (line: string) => void;
}

export interface CampaignReport extends Verdict {
  readonly injected: ReadonlyMap<string, number>;
  /** How processes ended by themselves: those started while a server was down do. */
  readonly exits: ReadonlyMap<string, number>;
  readonly seconds: number;
}

const NAMESPACE = 'chaos';
const PARTITIONS = 3;
const SESSION_TIMEOUT_MS = 4_000;
const SPEED = 6;
const AT_ONCE = 5;
const LONGEST_GAP_MS = 1_000;
const DRAIN_MS = 300_000;
const DRAIN_ATTEMPTS = 3;
const DRAIN_PAUSE_MS = 10_000;
const START_MS = 120_000;

interface PlannedFault {
  readonly kind: FaultKind;
  readonly random: Random;
  readonly gapMs: number;
}

/** Which fault comes when, from the seed alone: first each kind once, then by weight, without end. */
export function* planOf(seed: number, kinds: readonly FaultKind[]): Generator<PlannedFault, never> {
  const random = new Random(seed, 77);
  const first = random.shuffle([...kinds]);
  const bag = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  for (let index = 0; ; index++) yield { kind: first[index] ?? random.pick(bag), random: new Random(seed, 1_000 + index), gapMs: random.int(0, LONGEST_GAP_MS) };
}

/** Load, faults, an end in order, and the judge. Throws where no verdict could be reached. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { dir, seed, brokers, say, horizonMs = PIPELINE.horizonMs } = options;
  const startedMs = Date.now();
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  say(`seed ${seed}; starting ${brokers} broker${brokers > 1 ? 's' : ''}, registry and database`);
  const servers = await Servers.start({ dir, brokers });
  const faulty = { ...servers.faulty, POSITION_LINKER_NAMESPACE: NAMESPACE, POSITION_LINKER_LOG_LEVEL: 'warn', POSITION_LINKER_HORIZON_MS: String(horizonMs) };
  const fleet = new RoleFleet({ ...faulty, POSITION_LINKER_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS), POSITION_LINKER_COMMIT_INTERVAL_MS: '50' }, dir);
  const load = new Load({ seed, dir, env: faulty, speed: SPEED, pieceSeconds: 4 });
  const hostile: HostileWriter[] = [];
  // Whoever ends this process early must not leave servers behind.
  const endProcesses = (): void => {
    fleet.destroy();
    load.destroy();
  };
  const atExit = (): void => {
    endProcesses();
    servers.destroy();
  };
  process.once('exit', atExit);
  try {
    await command(['setup', '--partitions', String(PARTITIONS), ...(brokers > 1 ? ['--environment', 'production'] : [])], { ...faulty, ...servers.direct }, dir);
    for (const role of ROLE_NAMES) fleet.keep(role);
    load.start();
    await running(servers.kafka.direct, ROLE_NAMES.map((role) => groupId(NAMESPACE, role)));
    hostile.push(new HostileWriter(servers.kafka.direct, NAMESPACE, PARTITIONS, new Random(seed, 5)));
    const world: World = { servers, fleet, load, namespace: NAMESPACE, sessionTimeoutMs: SESSION_TIMEOUT_MS };
    const watching = watch(options, world);
    const injected = await inject(options, world, startedMs).finally(watching.stop);
    say(`the faults are over; the rest of the session, then the drain`);
    await Promise.all(hostile.map((writer) => writer.close()));
    for (const proxy of servers.proxies) proxy.heal();
    await load.finish();
    await startedAgain(['run', 'all', '--drain'], { ...faulty, POSITION_LINKER_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS) }, dir, say).catch(async (error: unknown) => {
      for (const [id, state] of await listTransactions(servers.kafka.direct)) if (state !== 'CompleteCommit' && state !== 'CompleteAbort') say(`${id}: ${state}`);
      throw error;
    });
    await fleet.stop(30_000);
    const verdict = await judge({ addresses: servers.direct, namespace: NAMESPACE, partitions: PARTITIONS, horizonMs, lines: load.lines(), say });
    const problems = [...fleet.problems, ...verdict.problems];
    say('rebuild of all tables from the log');
    await command(['rebuild'], { ...faulty, ...servers.direct }, dir).catch((error: Error) => problems.push(error.message));
    say('verify: every invariant, book by book');
    await command(['verify'], { ...faulty, ...servers.direct }, dir).catch((error: Error) => problems.push(error.message));
    return { ...verdict, problems, injected, exits: fleet.exits, seconds: (Date.now() - startedMs) / 1_000 };
  } finally {
    endProcesses();
    process.removeListener('exit', atExit);
    await servers.close();
    if (!options.isKept) for (const folder of [dir, outsideDir(stackPaths(dir))]) rmSync(folder, { recursive: true, force: true });
  }
}

function watch({ watch: watcher }: CampaignOptions, world: World): { readonly stop: () => Promise<void> } {
  if (watcher === undefined) return { stop: async () => undefined };
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await watcher.look(world);
      await pause(watcher.everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Injects until so many faults have hit something, or until the time is over. */
async function inject(options: CampaignOptions, world: World, startedMs: number): Promise<ReadonlyMap<string, number>> {
  const { faults, minutes, seed, kinds, say } = options;
  const plan = planOf(seed, FAULT_KINDS.filter(({ name }) => kinds === null || kinds.includes(name)));
  const injected = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  const busy = new Set<string>();
  const failures: unknown[] = [];
  let hits = 0;
  /** Nothing was there to be hit; they come again. */
  const missed: PlannedFault[] = [];
  const begin = ({ kind, random }: PlannedFault): void => {
    if (kind.resource !== null) busy.add(kind.resource);
    const work = kind.inject(world, random).then(
      (what) => {
        if (what === null) {
          missed.push({ kind, random, gapMs: LONGEST_GAP_MS });
          return;
        }
        injected.set(kind.name, (injected.get(kind.name) ?? 0) + 1);
        say(`${((Date.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${String(++hits).padStart(3)}${minutes === null ? `/${faults}` : ''}  ${kind.name}: ${what}`);
      },
      (error: unknown) => void failures.push(error),
    ).finally(() => {
      underWay.delete(work);
      if (kind.resource !== null) busy.delete(kind.resource);
    });
    underWay.add(work);
  };
  const endMs = minutes === null ? Infinity : Date.now() + minutes * 60_000;
  const most = minutes === null ? faults : Infinity;
  while (failures.length === 0 && Date.now() < endMs) {
    while (underWay.size > 0 && hits + underWay.size >= most) await Promise.race(underWay);
    if (hits >= most) break;
    const next = missed.shift() ?? plan.next().value;
    await pause(next.gapMs * options.gapFactor);
    while (underWay.size >= AT_ONCE || (next.kind.resource !== null && busy.has(next.kind.resource))) await Promise.race(underWay);
    begin(next);
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return injected;
}

/** Resolves when every group has a member: before, there is nothing to be hit. */
async function running(brokers: readonly string[], groups: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    for (const endMs = Date.now() + START_MS; Date.now() < endMs; await pause(250)) {
      const described = await admin.describeGroups([...groups]).catch(() => ({ groups: [] }));
      if (described.groups.length === groups.length && described.groups.every(({ state, members }) => state === 'Stable' && members.length > 0)) return;
    }
  } finally {
    await admin.disconnect();
  }
}

/** As a supervisor would: a broker that was killed last may not answer everything yet when the command begins. */
async function startedAgain(words: readonly string[], env: Readonly<Record<string, string>>, dir: string, say: (line: string) => void): Promise<void> {
  for (let left = DRAIN_ATTEMPTS - 1; left > 0; left--) {
    try {
      await command(words, env, dir);
      return;
    } catch (error) {
      say(`${(error as Error).message.slice(-600)}\n${words.join(' ')} is started again`);
      await pause(DRAIN_PAUSE_MS);
    }
  }
  await command(words, env, dir);
}

async function command(words: readonly string[], env: Readonly<Record<string, string>>, dir: string): Promise<void> {
  const child = startCommand(words, env, `${dir}/commands.log`);
  const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN_MS);
  const code = await goneOf(child);
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code ?? 'a signal'}:\n${readFileSync(`${dir}/commands.log`, 'utf8').slice(-2_000)}`);
}
