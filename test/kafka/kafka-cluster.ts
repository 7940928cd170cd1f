import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { probeBrokers, warmCoordinators } from '../../src/kafka/broker-probe.js';
import { artefactFolder } from '../../src/stack/artefacts.js';
import { freshKafkaId, serverProperties } from '../../src/stack/embedded-kafka.js';
import { freePort } from '../../src/stack/free-port.js';
import { packageRoot, stackPaths, type StackPaths } from '../../src/stack/paths.js';
import { runCommand } from '../../src/stack/run-command.js';
import { requireJava, type ToolchainOptions } from '../../src/stack/toolchain.js';

export interface KafkaClusterOptions {
  /** Folder of its data and logs; removed by whoever made it. */
  readonly dir: string;
  /** 1, or 3: then every topic and transaction has three replicas, of which two must have a record. */
  readonly count: number;
  /** Ports that brokers tell clients of the second listener, by broker from 0: where somebody stands in between. */
  readonly toldPorts?: readonly number[];
  readonly heapMb?: number;
  /** The second listener asks who is there, over TLS, and rules of access decide; on the first one everybody is master. */
  readonly security?: { readonly users: Readonly<Record<string, string>> };
}

interface Broker {
  readonly id: number;
  readonly direct: number;
  readonly told: number;
  readonly controller: number;
  child: ChildProcess | null;
}

/** A busy machine takes long to start a JVM. */
const READY_MS = 300_000;
const JVM = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true'];

/**
 * Brokers as processes of this one, each its own controller too, to be killed and started again at will. They have two
 * listeners: `direct` for the judge and the brokers themselves, and one whose clients are sent to `toldPorts`.
 */
export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  readonly #paths: StackPaths;
  readonly #tools: ToolchainOptions;
  readonly #brokers: Broker[] = [];
  #java = '';
  #classPath = '';

  private constructor(options: KafkaClusterOptions) {
    this.#options = options;
    this.#paths = stackPaths(options.dir, downloads());
    this.#tools = { env: process.env, say: () => undefined, signal: undefined };
  }

  /** Formatted and running; ready to serve. */
  static async start(options: KafkaClusterOptions): Promise<KafkaCluster> {
    const cluster = new KafkaCluster(options);
    await cluster.#prepare();
    for (const { id } of cluster.#brokers) cluster.launch(id);
    await cluster.ready();
    await warmCoordinators(cluster.direct, READY_MS);
    return cluster;
  }

  /** Addresses past whoever stands in between. */
  get direct(): string[] {
    return this.#brokers.map(({ direct }) => `127.0.0.1:${direct}`);
  }

  /** Where the second listener of each broker really is. */
  get secondListeners(): readonly number[] {
    return this.#brokers.map(({ id }) => this.#second.get(id) ?? 0);
  }

  /** File with the certificate of a secured second listener. */
  get authorityFile(): string {
    return join(this.#options.dir, 'authority.pem');
  }

  get ids(): readonly number[] {
    return this.#brokers.map(({ id }) => id);
  }

  readonly #second = new Map<number, number>();

  isRunning(id: number): boolean {
    return this.#broker(id).child !== null;
  }

  /** kill -9; resolves when it is gone. */
  async kill(id: number): Promise<void> {
    const { child } = this.#broker(id);
    if (child === null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Starts a broker that does not run; `ready` says when it serves. */
  launch(id: number): void {
    const broker = this.#broker(id);
    if (broker.child !== null) return;
    const output = openSync(join(this.#folder(id), 'server.log'), 'a');
    const args = [`-Xmx${this.#options.heapMb ?? 512}m`, ...JVM, '-cp', this.#classPath, 'kafka.Kafka', this.#properties(id)];
    const child = spawn(this.#java, args, { stdio: ['ignore', output, output] });
    closeSync(output);
    broker.child = child;
    child.once('exit', () => {
      if (broker.child === child) broker.child = null;
    });
  }

  /** Resolves when every broker that was launched answers. */
  async ready(): Promise<void> {
    for (const broker of this.#brokers) {
      for (const deadlineMs = Date.now() + READY_MS; broker.child !== null; await pause(100)) {
        try {
          await probeBrokers([`127.0.0.1:${broker.direct}`], 3_000);
          break;
        } catch (error) {
          if (Date.now() > deadlineMs) throw new Error(`broker ${broker.id} does not answer; see ${this.#folder(broker.id)}/server.log`, { cause: error });
        }
      }
      if (broker.child === null) throw new Error(`broker ${broker.id} ended by itself; see ${this.#folder(broker.id)}/server.log`);
    }
  }

  /** Ends all of them at once: what they hold is not wanted any more. */
  async close(): Promise<void> {
    await Promise.all(this.#brokers.map(({ id }) => this.kill(id)));
  }

  /** The same without waiting, for the last moment of this process. */
  destroy(): void {
    for (const { child } of this.#brokers) child?.kill('SIGKILL');
  }

  async #prepare(): Promise<void> {
    const java = await requireJava(this.#tools);
    this.#java = java.executable;
    this.#classPath = join(await artefactFolder('kafka', this.#paths, this.#tools), '*');
    const taken = new Set<number>();
    const port = async (): Promise<number> => {
      const free = await freePort(undefined, taken);
      taken.add(free);
      return free;
    };
    for (let id = 1; id <= this.#options.count; id++) {
      const second = await port();
      this.#second.set(id, second);
      this.#brokers.push({ id, direct: await port(), told: this.#options.toldPorts?.[id - 1] ?? second, controller: await port(), child: null });
    }
    mkdirSync(this.#options.dir, { recursive: true });
    if (this.#options.security !== undefined) await makeCertificate(this.#options.dir, java.home);
    const clusterId = freshKafkaId();
    for (const { id } of this.#brokers) {
      mkdirSync(this.#folder(id), { recursive: true });
      writeFileSync(this.#properties(id), this.#settings(id));
      if (existsSync(join(this.#folder(id), 'data', 'meta.properties'))) throw new Error(`${this.#folder(id)} holds another cluster`);
    }
    const [first, ...others] = this.#brokers.map(({ id }) => id) as [number, ...number[]];
    const users = Object.entries(this.#options.security?.users ?? {}).flatMap(([name, password]) => ['256', '512'].flatMap((bits) => ['--add-scram', `SCRAM-SHA-${bits}=[name=${name},password=${password}]`]));
    const format = ['-cp', this.#classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', this.#properties(first), ...users];
    const run = await runCommand(this.#java, format, { env: process.env });
    if (run.code !== 0) throw new Error(`broker ${first} could not be formatted:\n${run.output}`);
    for (const id of others) this.#formatLike(first, id);
  }

  /** The folders of two fresh brokers differ in two ids; a JVM for each would cost more than all the rest. */
  #formatLike(first: number, id: number): void {
    const [from, to] = [first, id].map((one) => join(this.#folder(one), 'data')) as [string, string];
    cpSync(from, to, { recursive: true });
    const meta = join(to, 'meta.properties');
    const text = readFileSync(meta, 'utf8');
    writeFileSync(meta, text.replace(/^node\.id=.*$/m, `node.id=${id}`).replace(/^directory\.id=.*$/m, `directory.id=${freshKafkaId()}`));
  }

  #settings(id: number): string {
    const { direct, told, controller } = this.#broker(id);
    const { count } = this.#options;
    const copies = Math.min(3, count);
    const needed = copies > 1 ? 2 : 1;
    const voters = this.#brokers.map((broker) => `${broker.id}@127.0.0.1:${broker.controller}`).join(',');
    const settings: Readonly<Record<string, string | number>> = {
      'node.id': id,
      'controller.quorum.bootstrap.servers': '',
      'controller.quorum.voters': voters,
      listeners: `DIRECT://127.0.0.1:${direct},CLIENTS://127.0.0.1:${this.#second.get(id)},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `DIRECT://127.0.0.1:${direct},CLIENTS://127.0.0.1:${told}`,
      'listener.security.protocol.map': 'DIRECT:PLAINTEXT,CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'DIRECT',
      'default.replication.factor': copies,
      'min.insync.replicas': needed,
      'offsets.topic.replication.factor': copies,
      'transaction.state.log.replication.factor': copies,
      'transaction.state.log.min.isr': needed,
      'share.coordinator.state.topic.replication.factor': copies,
      'share.coordinator.state.topic.min.isr': needed,
      // One that was killed is given up, and taken back, soon.
      'broker.session.timeout.ms': 3_000,
      'broker.heartbeat.interval.ms': 500,
      'replica.lag.time.max.ms': 5_000,
      'controller.quorum.fetch.timeout.ms': 1_500,
      'controller.quorum.election.timeout.ms': 800,
      ...(this.#options.security === undefined ? {} : securitySettings(this.#options.dir, this.#options.security.users)),
    };
    // Of two lines for one setting the later one counts.
    const common = serverProperties(join(this.#folder(id), 'data'), direct, controller).split('\n').filter((line) => !line.startsWith('controller.quorum.'));
    return [...common, ...Object.entries(settings).filter(([, value]) => value !== '').map(([name, value]) => `${name}=${value}`), ''].join('\n');
  }

  #broker(id: number): Broker {
    const broker = this.#brokers.find((one) => one.id === id);
    if (broker === undefined) throw new Error(`there is no broker ${id}`);
    return broker;
  }

  #folder(id: number): string {
    return join(this.#options.dir, `broker-${id}`);
  }

  #properties(id: number): string {
    return join(this.#folder(id), 'server.properties');
  }
}

const KEYSTORE_PASSWORD = 'no-secret';

function securitySettings(dir: string, users: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const plainUsers = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`).join(' ');
  return {
    'listener.security.protocol.map': 'DIRECT:PLAINTEXT,CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512,SCRAM-SHA-256,PLAIN',
    'listener.name.clients.scram-sha-256.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'listener.name.clients.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'listener.name.clients.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers};`,
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': join(dir, 'brokers.p12'),
    'ssl.keystore.password': KEYSTORE_PASSWORD,
  };
}

/** One key for all brokers, and its certificate, which signs itself, as `authority.pem`. */
async function makeCertificate(dir: string, javaHome: string): Promise<void> {
  const store = ['-keystore', join(dir, 'brokers.p12'), '-storetype', 'PKCS12', '-storepass', KEYSTORE_PASSWORD, '-alias', 'brokers'];
  for (const args of [
    ['-genkeypair', ...store, '-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=brokers', '-ext', 'san=ip:127.0.0.1,dns:localhost', '-validity', '30'],
    ['-exportcert', '-rfc', ...store, '-file', join(dir, 'authority.pem')],
  ]) {
    const run = await runCommand(join(javaHome, 'bin', 'keytool'), args, { env: process.env });
    if (run.code !== 0) throw new Error(`the brokers' certificate could not be made:\n${run.output}`);
  }
}

/** Downloads are shared with the stack that the environment names, else with the one of the checkout. */
export function downloads(): Readonly<Record<string, string | undefined>> {
  const { POSITION_LINKER_DOWNLOADS_DIR: named, POSITION_LINKER_STACK_DIR: stack } = process.env;
  return { POSITION_LINKER_DOWNLOADS_DIR: named ?? join(stack ?? join(packageRoot, '.stack'), 'downloads') };
}
