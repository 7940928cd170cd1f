import { setTimeout as pause } from 'node:timers/promises';
import { groupId, topicName } from '../../src/config/namespace.js';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { GroupMember } from '../../src/kafka/log.js';
import type { Random } from '../simulator/random.js';
import type { Load } from './load.js';
import { COMPACTED_TOPICS, EVENT_TOPICS, TOPOLOGIES } from './oracle.js';
import type { ChaosProxy, CutWhen } from './proxy.js';
import type { RoleFleet } from './role-fleet.js';
import type { Servers } from './servers.js';

/** Everything that faults are done to. */
export interface World {
  readonly servers: Servers;
  readonly fleet: RoleFleet;
  readonly load: Load;
  readonly namespace: string;
  readonly sessionTimeoutMs: number;
}

export interface FaultKind {
  readonly name: string;
  /** How often it is picked, compared with the others. */
  readonly weight: number;
  /** Two faults of one resource are never under way at a time. */
  readonly resource: string | null;
  /** Resolves when it is over with what exactly was done, or null where nothing was there to be hit; throws only where the campaign itself fails. */
  inject(world: World, random: Random): Promise<string | null>;
}

const ROLES: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(TOPOLOGIES.map(({ role, inputs }) => [role, inputs])),
  'model-service': ['position-linker.prediction_deltas', 'position-linker.position_cycles'],
  'table-sinks': ['order-manager.order_events', 'position-manager.positions', 'position-manager.portfolio', 'position-linker.position_orders', 'position-linker.position_cycles', 'position-linker.discrepancies'],
};
export const ROLE_NAMES = Object.keys(ROLES);

/** Requests between whose steps a commit, a rebalance or a restore can be cut. */
const APIS: Readonly<Record<string, number>> = {
  Produce: 0, Fetch: 1, ListOffsets: 2, Metadata: 3, OffsetFetch: 9, FindCoordinator: 10, JoinGroup: 11, Heartbeat: 12, SyncGroup: 14,
  InitProducerId: 22, AddPartitionsToTxn: 24, AddOffsetsToTxn: 25, EndTxn: 26, TxnOffsetCommit: 28,
};
const TXN_APIS = ['Produce', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'EndTxn', 'TxnOffsetCommit', 'InitProducerId'];
const ARMED_MS = 4_000;

/** ErrorResponse of a server whose disk is full, as it is sent before it ends the connection: severity, code, message. */
const DISK_FULL = errorResponse('FATAL', '53100', 'could not extend file: No space left on device');

function errorResponse(severity: string, code: string, message: string): Buffer {
  const fields = Buffer.from(`S${severity}\0V${severity}\0C${code}\0M${message}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Waits until a proxy has cut what it was armed for, or gives up; answers whether it did. */
async function untilCut(proxy: ChaosProxy, before: number): Promise<boolean> {
  for (const endMs = Date.now() + ARMED_MS; Date.now() < endMs; await pause(20)) if (proxy.cuts > before) return true;
  proxy.disarm();
  return proxy.cuts > before;
}

async function armed(proxy: ChaosProxy, arm: () => void, what: string): Promise<string | null> {
  const before = proxy.cuts;
  arm();
  return (await untilCut(proxy, before)) ? what : null;
}

export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: 'role killed',
    weight: 16,
    resource: null,
    async inject({ fleet, load }, random) {
      if (random.chance(0.15) && load.kill()) return 'ws-gateway';
      const running = fleet.instances;
      if (running.length === 0) return null;
      const victim = random.pick(running);
      await fleet.kill(victim);
      return `${victim.role} after ${Date.now() - victim.startedMs} ms`;
    },
  },
  {
    name: 'zombie',
    weight: 5,
    resource: 'zombie',
    async inject({ fleet, sessionTimeoutMs }, random) {
      const role = random.pick(ROLE_NAMES);
      const [victim] = fleet.instancesOf(role);
      if (victim === undefined) return null;
      const guest = fleet.guest(role);
      await pause(random.int(0, 1_500));
      const sleepMs = sessionTimeoutMs + random.int(800, 4_000);
      fleet.pause(victim);
      await pause(sleepMs);
      fleet.wake(victim);
      await pause(random.int(300, 2_000));
      await fleet.kill(random.pick([victim, guest]), random.pick(['SIGTERM', 'SIGKILL']));
      if (fleet.instancesOf(role).includes(guest)) await fleet.kill(guest, 'SIGTERM');
      return `${role} slept ${sleepMs} ms beside another`;
    },
  },
  {
    name: 'two in turn',
    weight: 6,
    resource: 'turns',
    async inject({ fleet }, random) {
      const role = random.pick(ROLE_NAMES);
      const times = random.int(1, 2);
      for (let i = 0; i < times; i++) {
        const guest = fleet.guest(role);
        await pause(random.int(1_500, 3_500));
        const [home] = fleet.instancesOf(role);
        if (home !== undefined) void fleet.kill(home, random.pick(['SIGTERM', 'SIGTERM', 'SIGKILL']));
        await pause(random.int(500, 2_000));
        await fleet.kill(guest, random.pick(['SIGTERM', 'SIGTERM', 'SIGKILL']));
      }
      return `${role}, ${times} times`;
    },
  },
  {
    name: 'rebalance storm',
    weight: 8,
    resource: 'storm',
    async inject({ servers, namespace, sessionTimeoutMs }, random) {
      const role = random.pick(ROLE_NAMES);
      const joins = random.int(2, 5);
      const log = new KafkaLog({ brokers: servers.direct.KAFKA_BROKERS.split(','), clientId: 'chaos-storm' });
      try {
        for (let i = 0; i < joins; i++) {
          const member: GroupMember = await log.join({
            groupId: groupId(namespace, role), topics: (ROLES[role] ?? []).map((topic) => topicName(namespace, topic)), sessionTimeoutMs,
            onAssignment: () => undefined, onFailure: () => undefined,
          });
          await pause(random.int(50, 700));
          await Promise.race([member.leave(), pause(2_000)]);
        }
      } finally {
        await log.close();
      }
      return `${joins} members joined and left ${role}`;
    },
  },
  {
    name: 'broker killed',
    weight: 4,
    resource: 'broker',
    async inject({ servers }, random) {
      const id = random.pick(servers.kafka.ids);
      await servers.kafka.kill(id);
      const downMs = random.int(0, 2_000);
      await pause(downMs);
      servers.kafka.launch(id);
      const startedMs = Date.now();
      await servers.kafka.ready();
      return `broker ${id}, ${downMs} ms down, back after ${Date.now() - startedMs} ms`;
    },
  },
  {
    name: 'broker connections cut',
    weight: 14,
    resource: null,
    async inject({ servers }, random) {
      const share = random.pick([0.1, 0.3, 1]);
      const cut = servers.brokerProxies.reduce((sum, proxy) => sum + proxy.cut(() => random.chance(share)), 0);
      return cut === 0 ? null : `${cut} connections`;
    },
  },
  {
    name: 'cut at a request',
    weight: 18,
    resource: 'armed broker',
    async inject({ servers }, random) {
      const name = random.chance(0.6) ? random.pick(TXN_APIS) : random.pick(Object.keys(APIS));
      const when: CutWhen = random.pick(['before', 'after']);
      const proxy = random.pick(servers.brokerProxies);
      return armed(proxy, () => proxy.arm({ kafkaApi: APIS[name] ?? 0 }, when), `${when} ${name}`);
    },
  },
  {
    name: 'broker slow',
    weight: 5,
    resource: 'broker pace',
    async inject({ servers }, random) {
      const delayMs = random.int(20, 400);
      const forMs = random.int(500, 2_500);
      for (const proxy of servers.brokerProxies) proxy.delayMs = delayMs;
      await pause(forMs);
      for (const proxy of servers.brokerProxies) proxy.delayMs = 0;
      return `${delayMs} ms later, for ${forMs} ms`;
    },
  },
  {
    name: 'broker silent',
    weight: 4,
    resource: 'broker pace',
    async inject({ servers, sessionTimeoutMs }, random) {
      const proxy = random.pick(servers.brokerProxies);
      const forMs = random.int(500, sessionTimeoutMs + 2_000);
      proxy.hold();
      await pause(forMs);
      proxy.release();
      return `nothing passed for ${forMs} ms`;
    },
  },
  {
    name: 'broker out of reach',
    weight: 4,
    resource: 'broker pace',
    async inject({ servers }, random) {
      const proxy = random.pick(servers.brokerProxies);
      const forMs = random.int(300, 3_000);
      proxy.isRefusing = true;
      proxy.cut(() => true);
      await pause(forMs);
      proxy.isRefusing = false;
      return `refused for ${forMs} ms`;
    },
  },
  {
    name: 'produce refused',
    weight: 4,
    resource: 'produce',
    async inject({ servers, namespace }, random) {
      const topic = random.pick([...EVENT_TOPICS, ...COMPACTED_TOPICS, ...TOPOLOGIES.map(({ changelog }) => changelog)]);
      const name = topicName(namespace, topic);
      const admin = new TopicAdmin({ brokers: servers.direct.KAFKA_BROKERS.split(','), clientId: 'chaos' });
      const forMs = random.int(500, 2_500);
      try {
        // More copies wanted than there are: every write is answered with NOT_ENOUGH_REPLICAS.
        await insisting(() => admin.mergeConfigs(name, { 'min.insync.replicas': String(servers.kafka.ids.length + 1) }));
        await pause(forMs);
      } finally {
        await insisting(() => admin.mergeConfigs(name, { 'min.insync.replicas': servers.kafka.ids.length > 1 ? '2' : '1' }));
        await admin.close();
      }
      return `${topic} for ${forMs} ms`;
    },
  },
  {
    name: 'database killed',
    weight: 4,
    resource: 'database',
    async inject({ servers }, random) {
      const downMs = random.int(0, 2_000);
      servers.postgres.kill();
      await pause(downMs);
      const startedMs = Date.now();
      await servers.postgres.start();
      servers.retarget();
      return `${downMs} ms down, back after ${Date.now() - startedMs} ms`;
    },
  },
  {
    name: 'database connection lost at its commit',
    weight: 10,
    resource: 'armed database',
    async inject({ servers: { postgresProxy } }, random) {
      const when: CutWhen = random.pick(['before', 'after']);
      return armed(postgresProxy, () => postgresProxy.arm({ text: 'COMMIT\0' }, when), `${when} COMMIT`);
    },
  },
  {
    name: 'database disk full',
    weight: 4,
    resource: 'armed database',
    async inject({ servers: { postgresProxy } }, random) {
      const text = random.pick(['COMMIT\0', 'INSERT INTO', 'UPDATE']);
      return armed(postgresProxy, () => postgresProxy.arm({ text }, DISK_FULL), `SQLSTATE 53100 instead of ${text.replace('\0', '')}`);
    },
  },
  {
    name: 'registry down',
    weight: 2,
    resource: 'registry',
    async inject({ servers, fleet }, random) {
      const isKilled = random.chance(0.4);
      const forMs = random.int(1_000, 3_000);
      if (isKilled) servers.registry.kill();
      servers.registryProxy.isRefusing = true;
      servers.registryProxy.cut(() => true);
      // Who starts now meets a registry that does not answer.
      const victim = random.pick(fleet.instances.length > 0 ? fleet.instances : [null]);
      if (victim !== null) void fleet.kill(victim);
      await pause(forMs);
      if (isKilled) await servers.registry.start();
      servers.retarget();
      servers.registryProxy.isRefusing = false;
      return `${isKilled ? 'killed' : 'out of reach'} for ${forMs} ms, ${victim?.role ?? 'nobody'} starting meanwhile`;
    },
  },
];

/** Repeats what fails while brokers are killed by other faults. */
async function insisting(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 600) throw error;
      await pause(500);
    }
  }
}
