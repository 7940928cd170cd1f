import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { warmCoordinators } from '../kafka/broker-probe.js';
import { artefactFolder } from './artefacts.js';
import type { EmbeddedPiece } from './embedded-piece.js';
import { addressList } from './health.js';
import { lastLines, runCommand } from './run-command.js';
import { StackError } from './stack-error.js';
import { requireJava } from './toolchain.js';

/**
 * `server.properties` of a one-node broker that is its own KRaft controller. Beyond what one node needs:
 * few partitions of the internal topics (a quick start); record times of the exchange's clock taken as they are, however old
 * or wrong; short sessions allowed, so that a test need not wait for a dead member; abandoned transactions aborted soon.
 */
export function serverProperties(dataDir: string, brokerPort: number, controllerPort: number): string {
  const broker = `PLAINTEXT://127.0.0.1:${brokerPort}`;
  const controller = `CONTROLLER://127.0.0.1:${controllerPort}`;
  const settings: Readonly<Record<string, string | number | boolean>> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: `${broker},${controller}`,
    'advertised.listeners': `${broker},${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataDir,
    'auto.create.topics.enable': false,
    // Rules of access can be made and read; who comes without a name, and here all do, may do everything.
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'log.message.timestamp.before.max.ms': '9223372036854775807',
    'log.message.timestamp.after.max.ms': '9223372036854775807',
    'log.segment.delete.delay.ms': 5000,
    'log.cleaner.dedupe.buffer.size': 33_554_432,
    'message.max.bytes': 10_485_760,
    'replica.fetch.max.bytes': 10_485_760,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/**
 * 16 random bytes in URL-safe base64, what `kafka-storage random-uuid` prints. Like there none begins with a dash, which on a
 * command line would make it an option.
 */
export function freshKafkaId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

export const embeddedKafka: EmbeddedPiece = {
  name: 'kafka',
  portNames: ['kafka', 'kafkaController'],
  folder: (paths) => paths.kafkaDir,
  markers: (paths) => [join(paths.kafkaDir, 'server.properties')],
  address: (_paths, ports) => `127.0.0.1:${ports['kafka']}`,

  async prepare(paths, ports, options) {
    const java = await requireJava(options);
    const classPath = join(await artefactFolder('kafka', paths, options), '*');
    const properties = join(paths.kafkaDir, 'server.properties');
    const dataDir = join(paths.kafkaDir, 'data');
    writeFileSync(properties, serverProperties(dataDir, ports['kafka'] ?? 0, ports['kafkaController'] ?? 0));
    if (!existsSync(join(dataDir, 'meta.properties'))) {
      const clusterId = freshKafkaId();
      const format = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '--standalone', '-t', clusterId, '-c', properties];
      const run = await runCommand(java.executable, format, { env: options.env, signal: options.signal });
      if (run.code !== 0) {
        throw new StackError(`the broker's data folder could not be formatted:\n${lastLines(run.output, 8)}`, 'run `stack down --volumes`, then `stack up`');
      }
    }
    const log = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true', "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS"];
    return {
      program: java.executable,
      args: ['-Xms256m', '-Xmx1g', '-XX:MaxGCPauseMillis=20', ...log, '-cp', classPath, 'kafka.Kafka', properties],
      env: options.env,
    };
  },

  afterStart: (address) => warmCoordinators(addressList(address), 20_000),

  stopSteps: [
    { signal: 'SIGTERM', waitMs: 20_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ],
};
