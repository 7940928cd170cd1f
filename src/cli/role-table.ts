import type { RecordCodec } from '../avro/record-codec.js';
import { databaseSchema, deadLetterTopic, type Namespace } from '../config/namespace.js';
import type { Logger } from '../config/log.js';
import type { Options } from '../config/options.js';
import type { Log } from '../kafka/log.js';
import { bookDigestsTopology } from '../book-digests/topology.js';
import { modelService } from '../model-service/results-sink.js';
import { orderManagerTopology } from '../order-manager/topology.js';
import { positionLinkerTopology } from '../position-linker/topology.js';
import { positionManagerTopology } from '../position-manager/topology.js';
import type { SinkRole } from '../postgres/sink.js';
import type { DrainStage } from '../runtime/drain.js';
import type { Topology } from '../runtime/processor.js';
import { roleDrain } from '../runtime/role-drain.js';
import { RoleRunner, type RoleOutcome } from '../runtime/role-runner.js';
import type { Settings } from '../runtime/task-state.js';
import { digestSink, tableSinks } from '../table-sinks/table-sinks.js';
import type { TopicDeclaration } from '../topic-apply/topics-file.js';

/** Options that results depend on: stored with the state at the first start. */
export const PIPELINE_OPTIONS = ['policy', 'joinWindowMs', 'horizonMs', 'horizonEvents', 'signalPattern'] as const;

export type PipelineOptions = Pick<Options, (typeof PIPELINE_OPTIONS)[number]>;

export function settingsOf(options: PipelineOptions): Settings {
  return Object.fromEntries(PIPELINE_OPTIONS.map((name) => [name, options[name]]));
}

/** The roles between topics, each after those whose topics it reads. */
export function topologies({ policy, joinWindowMs, horizonMs, horizonEvents, signalPattern }: PipelineOptions): readonly Topology[] {
  return [
    orderManagerTopology({ joinWindowMs, horizonMs, signalPattern }),
    positionManagerTopology,
    positionLinkerTopology({ policy, joinWindowMs, horizonMs, horizonEvents }),
  ];
}

/** The roles that end in tables. */
export const SINKS: readonly SinkRole[] = [modelService, tableSinks];

/** Everything a process needs to run roles. */
export interface RoleShell {
  readonly log: Log;
  readonly codec: RecordCodec;
  readonly namespace: Namespace;
  readonly logger: Logger;
  readonly options: PipelineOptions & Pick<Options, 'databaseUrl' | 'commitIntervalMs' | 'sessionTimeoutMs'>;
}

/** One role of a process: nothing is opened before `start` or `stage`. */
export interface Role {
  readonly name: string;
  /** Topics by their bare names. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Topics it needs besides: its changelog. */
  readonly changelog: string | null;
  start(shell: RoleShell): Promise<RunningRole>;
  stage(shell: RoleShell): Promise<OpenStage>;
}

export interface RunningRole {
  readonly name: string;
  readonly finished: Promise<RoleOutcome>;
  stop(): void;
  /** After `finished`. */
  close(): Promise<void>;
}

export interface OpenStage {
  readonly stage: DrainStage;
  close(): Promise<void>;
}

/** All roles but the gateway, each after those whose topics it reads. */
export function roleTable(options: PipelineOptions): readonly Role[] {
  return [...topologies(options).map(topicRole), ...SINKS.map(tableRole)];
}

/** Roles that are run only where they are named: nothing else waits for them. */
export function extraRoles({ horizonMs }: PipelineOptions): readonly Role[] {
  return [topicRole(bookDigestsTopology({ horizonMs })), tableRole(digestSink)];
}

export const EXTRA_ROLE_NAMES: readonly string[] = ['book-digests', digestSink.role];

export const ROLE_NAMES: readonly string[] = ['order-manager', 'position-manager', 'position-linker', 'model-service', 'table-sinks'];

/** The roles named and all those whose work they wait for. */
export function withUpstream(roles: readonly Role[], names: readonly string[]): readonly Role[] {
  const wanted = new Set(names);
  for (const role of [...roles].reverse()) {
    if (!wanted.has(role.name)) continue;
    for (const other of roles) if (other.outputs.some((topic) => role.inputs.includes(topic))) wanted.add(other.name);
  }
  return roles.filter(({ name }) => wanted.has(name));
}

/** The topics that these roles read or write, dead letters included. */
export function topicsOf(roles: readonly Role[], declarations: readonly TopicDeclaration[]): readonly TopicDeclaration[] {
  const needed = new Set(roles.flatMap(({ inputs, outputs, changelog }) => [...inputs, ...inputs.map(deadLetterTopic), ...outputs, ...(changelog === null ? [] : [changelog])]));
  const found = declarations.filter(({ name }) => needed.has(name));
  const missing = [...needed].filter((name) => !found.some((declaration) => declaration.name === name));
  if (missing.length > 0) throw new Error(`topics.yaml does not declare ${missing.join(', ')}`);
  return found;
}

function topicRole(topology: Topology): Role {
  return {
    name: topology.role,
    inputs: topology.inputs,
    outputs: [...topology.outputs, ...topology.compactedOutputs],
    changelog: topology.changelog,
    start: async ({ log, codec, namespace, logger, options }) => {
      const { commitIntervalMs, sessionTimeoutMs } = options;
      const runner = new RoleRunner({ topology, log, codec, namespace, settings: settingsOf(options), commitIntervalMs, sessionTimeoutMs, logger });
      runner.start();
      return { name: topology.role, finished: runner.finished, stop: () => runner.stop(), close: async () => undefined };
    },
    stage: async ({ log, codec, namespace }) => ({ stage: roleDrain({ topology, log, codec, namespace }), close: async () => undefined }),
  };
}

function tableRole(sink: SinkRole): Role {
  return {
    name: sink.role,
    inputs: [...new Set(sink.inputs.map(({ topic }) => topic))],
    outputs: [],
    changelog: null,
    start: async ({ log, codec, namespace, logger, options }) => {
      const { commitIntervalMs, sessionTimeoutMs, databaseUrl } = options;
      // Loaded here because processes without a sink need no database client.
      const [{ openDatabase }, { SinkRunner }] = await Promise.all([import('../postgres/database.js'), import('../postgres/sink-runner.js')]);
      const database = openDatabase({ databaseUrl, schema: databaseSchema(namespace), commitsEarly: true });
      const runner = new SinkRunner({ sink, log, codec, database, namespace, settings: settingsOf(options), commitIntervalMs, sessionTimeoutMs, logger });
      runner.start();
      return { name: sink.role, finished: runner.finished, stop: () => runner.stop(), close: () => database.close() };
    },
    stage: async ({ log, codec, namespace, options }) => {
      const [{ openDatabase }, { sinkDrain }] = await Promise.all([import('../postgres/database.js'), import('../postgres/sink-drain.js')]);
      const database = openDatabase({ databaseUrl: options.databaseUrl, schema: databaseSchema(namespace) });
      return { stage: sinkDrain({ sink, log, codec, database, namespace }), close: () => database.close() };
    },
  };
}
