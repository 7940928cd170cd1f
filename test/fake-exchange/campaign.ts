import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';
import { readSourceTails } from '../../src/ws-gateway/source-tails.js';
import type { Servers } from '../chaos/servers.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';
import { readTables, run } from '../e2e/pipeline.js';
import { scenario } from '../simulator/scenarios.js';
import { Random } from '../simulator/random.js';
import { judge } from '../truth/judge.js';
import { FakeExchange } from './fake-exchange.js';
import { GatewayProcess } from './gateway-process.js';
import { sessionOf } from './session.js';

/** One thing that goes wrong; what it does to the exchange, or to the gateway. */
export const FAULTS = ['drop', 'close', 'silence', 'delay', 'duplicate', 'reorder', 'torn', 'refuse', 'expired', 'broken', 'limited', 'lag', 'clock', 'lost', 'asleep', 'kill', 'broker', 'both'] as const;
export type FaultName = (typeof FAULTS)[number];
/** These hold up the broker, and need one that nobody else uses. */
export const BROKER_FAULTS: readonly FaultName[] = ['broker', 'both'];

export interface CampaignOptions {
  readonly seed: number;
  readonly disconnects: number;
  /** Mean time between two of them. */
  readonly everyMs: number;
  /** In turn; default all. */
  readonly faults?: readonly FaultName[];
  readonly orders: number;
  readonly meanGapMs: number;
  readonly redundant?: boolean;
  /** Gateways at the same time. */
  readonly gateways?: number;
  readonly accounts?: number;
  /** With faults of the broker: servers of the campaign's own, which the environment names past their proxies. */
  readonly servers?: Servers;
  /** With faults of the broker: how long it is away at least; default two seconds. */
  readonly outageMs?: number;
  /** How long missing evidence is waited for; short for a short campaign. */
  readonly joinWindowMs?: number;
  readonly say?: (line: string) => void;
  readonly keep?: boolean;
}

export interface CampaignResult {
  readonly differences: readonly string[];
  /** Disconnects that hit a connection. */
  readonly hits: number;
  readonly connections: number;
  readonly kills: number;
  readonly unheard: number;
  readonly frames: number;
}

/** From the start of the gateway to the session's first frame. */
const START_MS = 4_000;
const PARTITIONS = 3;
const SWEEP_MS = 1_500;
const LONGEST_GAP_MS = 90_000;
/** For a connection to strike at. */
const LONGEST_WAIT_MS = 20_000;

/** One session through a gateway that is disconnected again and again; then the tables against the truth. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { seed, disconnects, everyMs, orders, meanGapMs, servers } = options;
  const say = options.say ?? (() => undefined);
  const faults = options.faults ?? FAULTS.filter((fault) => servers !== undefined || !BROKER_FAULTS.includes(fault));
  const joinWindowMs = options.joinWindowMs ?? 5_000;
  const random = new Random(seed, 424_242);
  const namespace = temporaryNamespace('gw');
  const folder = mkdtempSync(join(tmpdir(), 'position-linker-gateway-'));
  await run('setup', '--namespace', namespace, '--partitions', String(PARTITIONS));
  const startTimeMs = Date.now() + START_MS;
  const session = sessionOf({ ...scenario('active', seed, { orders, meanGapMs, accounts: options.accounts ?? 1 }), startTimeMs });
  const exchange = new FakeExchange({ session, seed });
  await exchange.start();
  const keyFile = join(folder, 'keys.json');
  writeFileSync(keyFile, JSON.stringify(exchange.accounts.map(({ key, secret }, index) => ({ account: `account-${index + 1}`, key, secret }))), { mode: 0o600 });
  const words = [
    'run', 'ws-gateway', '--namespace', namespace, '--spool-dir', join(folder, 'spool'), '--lookback-ms', '1000', '--settle-ms', '500', '--sweep-interval-ms', String(SWEEP_MS),
    '--join-window-ms', String(joinWindowMs), ...(options.redundant === true ? ['--redundant'] : []), ...(exchange.accounts.length > 1 ? ['--key-file', keyFile] : []),
  ];
  const launch = (): GatewayProcess => new GatewayProcess(exchange, words, servers?.faulty ?? {});
  const fleet = Array.from({ length: options.gateways ?? 1 }, launch);
  let kills = 0;
  let hits = 0;
  let said = '';
  const kill = async (): Promise<void> => {
    kills++;
    const index = random.int(0, fleet.length - 1);
    await fleet[index]!.stop('SIGKILL');
    said += fleet[index]!.text;
    fleet[index] = launch();
  };
  /** As a supervisor would: a gateway that could not start, because the broker was away, is started again. */
  const restart = (): void => {
    for (const [index, gateway] of fleet.entries()) {
      if (gateway.isRunning) continue;
      said += gateway.text;
      fleet[index] = launch();
    }
  };
  const supervise = async (forMs: number): Promise<void> => {
    for (const untilMs = Date.now() + forMs; Date.now() < untilMs; restart()) await pause(Math.min(1_000, Math.max(1, untilMs - Date.now())));
  };
  const plan = Array.from({ length: disconnects }, (_, index) => ({
    atMs: startTimeMs + Math.round(((session.endMs - startTimeMs) * random.int(2, 98)) / 100),
    fault: faults[index % faults.length] as FaultName, forMs: random.int(100, Math.max(200, everyMs)),
  })).sort((a, b) => a.atMs - b.atMs);
  say(`seed ${seed}: ${session.frames.length} frames in ${Math.round((session.endMs - startTimeMs) / 1_000)} s, ${disconnects} disconnects`);
  try {
    for (const { atMs, fault, forMs } of plan) {
      await pause(Math.max(0, atMs - Date.now()));
      for (let waitedMs = 0; exchange.stream.listeners(0) === 0 && waitedMs < LONGEST_WAIT_MS; waitedMs += 50) await pause(50);
      if (exchange.stream.listeners(0) > 0) hits++;
      if (fault === 'kill') await kill();
      else if (fault === 'asleep') await sleepFor(fleet[random.int(0, fleet.length - 1)]!, forMs);
      else if (BROKER_FAULTS.includes(fault)) {
        for (const proxy of servers?.brokerProxies ?? []) proxy.hold();
        const outageMs = (options.outageMs ?? 2_000) + forMs;
        // In the middle of it, so that frames arrive before and after, on the old connection and on the new one.
        await supervise(outageMs / 2);
        if (fault === 'both') await kill();
        else exchange.stream.drop();
        await supervise(outageMs / 2);
        for (const proxy of servers?.brokerProxies ?? []) proxy.heal();
        say(`broker away for ${Math.round(outageMs / 1_000)} s${fault === 'both' ? ', a gateway killed meanwhile' : ', every connection to the exchange dropped meanwhile'}`);
      } else strike(exchange, fault, forMs, random);
      restart();
    }
    exchange.faults.restLagMs = 0;
    exchange.faults.clockAheadMs = 0;
    await pause(Math.max(0, session.endMs - Date.now()));
    // Until no gap has been open for two looks at REST, and watermarks have passed everything by the join window: one that ran ahead
    // with the exchange's clock waits for that clock.
    const deadlineMs = Date.now() + LONGEST_GAP_MS;
    for (let quietMs = 0; quietMs < 2 * SWEEP_MS + 2_000 && Date.now() < deadlineMs; quietMs += 200) {
      await pause(200);
      if (fleet.some((gateway) => gateway.hasGap) || exchange.progress.sent < exchange.progress.of) quietMs = 0;
    }
    await haveBeenPassed(namespace, joinWindowMs, deadlineMs);
    for (const gateway of fleet) {
      const code = await gateway.stop();
      said += gateway.text;
      if (code !== 0) throw new Error(`the gateway ended with ${code}: ${gateway.text.slice(-2_000)}`);
    }
    for (const { key, secret } of exchange.accounts) if (said.includes(key) || said.includes(secret)) throw new Error('the gateway said a key or a secret');
    await run('run', 'all', '--drain', '--join-window-ms', String(joinWindowMs), '--namespace', namespace);
    const differences = judge(await readTables(namespace), session.truth, { policy: 'pro-rata' });
    say(`seed ${seed}: ${differences.length} differences, ${hits} disconnects hit one of ${exchange.stream.accepted} connections, ${exchange.unheard.length} of ${session.frames.length} frames unheard, ${kills} kills`);
    if (differences.length > 0) for (const gateway of fleet) say(gateway.lines.slice(-40).map((line) => JSON.stringify(line)).join('\n'));
    return { differences, hits, connections: exchange.stream.accepted, kills, unheard: exchange.unheard.length, frames: session.frames.length };
  } finally {
    for (const gateway of fleet) if (gateway.isRunning) await gateway.stop('SIGKILL');
    await exchange.stop();
    rmSync(folder, { recursive: true, force: true });
    if (options.keep === true) say(`kept: ${namespace}`);
    else await removeNamespace(stackEnvironment(), namespace);
  }
}

/** Resolves once the watermarks of every partition have passed its records by the join window. */
async function haveBeenPassed(namespace: string, joinWindowMs: number, deadlineMs: number): Promise<void> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = stackEnvironment();
  const log = new KafkaLog({ brokers: KAFKA_BROKERS.split(','), clientId: 'campaign' });
  try {
    const codec = await openCodec({ registryUrl: SCHEMA_REGISTRY_URL, namespace, topics: declaredTopics() });
    for (;;) {
      const tails = (await readSourceTails(log, codec, namespace, PARTITIONS)).flat();
      if (tails.every(({ highestWatermarkMs, effectiveMs }) => effectiveMs === null || (highestWatermarkMs ?? 0) >= effectiveMs + joinWindowMs)) return;
      if (Date.now() > deadlineMs) throw new Error(`watermarks have not passed what the gateway wrote: ${JSON.stringify(tails)}`);
      await pause(500);
    }
  } finally {
    await log.close();
  }
}

/** A process that stands still does not hear what the exchange says, and is cut off meanwhile. */
async function sleepFor(gateway: GatewayProcess, forMs: number): Promise<void> {
  gateway.signal('SIGSTOP');
  await pause(forMs);
  gateway.signal('SIGCONT');
}

/** Every fault ends in a disconnect, so that it is seen from both sides. */
function strike(exchange: FakeExchange, fault: FaultName, forMs: number, random: Random): void {
  const untilMs = Date.now() + forMs;
  const { faults, stream } = exchange;
  const drop = (): void => stream.drop();
  switch (fault) {
    case 'drop': return drop();
    case 'close': return stream.close();
    case 'silence': return stream.silence();
    case 'torn': return exchange.tear();
    case 'delay':
      faults.delayedUntilMs = untilMs;
      break;
    case 'duplicate':
      faults.duplicateUntilMs = untilMs;
      break;
    case 'reorder':
      faults.reorderUntilMs = untilMs;
      break;
    case 'refuse':
      faults.refuseUntilMs = untilMs;
      return drop();
    case 'expired':
      faults.expiredUntilMs = untilMs;
      return drop();
    case 'broken':
      faults.brokenUntilMs = untilMs;
      return drop();
    case 'limited':
      faults.limitedUntilMs = untilMs;
      return drop();
    case 'lag':
      faults.restLagMs = random.int(100, 3_000);
      return drop();
    case 'clock':
      faults.clockAheadMs = faults.clockAheadMs === 0 ? random.int(-20_000, 20_000) : 0;
      return drop();
    case 'lost':
      for (let i = 0; i < 5; i++) faults.lostFrames.add(exchange.progress.sent + random.int(0, 40));
      return;
    case 'kill':
    case 'asleep':
    case 'broker':
    case 'both':
      return;
  }
  setTimeout(drop, forMs);
}
