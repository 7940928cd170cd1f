import { setTimeout as sleep } from 'node:timers/promises';
import { brokerError, disposition, NO_ERROR, UNKNOWN_TOPIC_OR_PARTITION } from './broker-errors.js';
import { BrokerConnection, type ConnectionSettings } from './connection.js';
import { closedHint, ConfigurationError, TransientError } from './errors.js';
import { findCoordinatorRequest, metadataRequest, type CoordinatorKind, type MetadataAnswer } from './protocol/cluster-requests.js';
import type { KafkaRequest } from './protocol/request.js';

export interface ClusterOptions extends Omit<ConnectionSettings, 'connectTimeoutMs' | 'requestTimeoutMs'> {
  /** `host:port` of any brokers; the rest of the cluster is found from them. */
  readonly brokers: readonly string[];
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** How long to keep looking for a topic, a leader or a coordinator before giving up. */
  readonly lookupTimeoutMs?: number;
  /** Where to really connect for an address the cluster tells: for port forwards and tunnels. */
  readonly reach?: (address: Address) => Address;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 500;

/**
 * The brokers, who leads and coordinates what, and connections to them. One per process.
 *
 * A broker works off one connection's requests one after the other, so a request that waits (a fetch for data, a join
 * for the other members, a produce for its replicas) holds up all behind it. Connections are therefore opened per
 * broker and *lane*, a free name: callers that may wait for each other take different lanes.
 */
export class Cluster {
  readonly #settings: ConnectionSettings;
  readonly #bootstrap: readonly Address[];
  readonly #lookupTimeoutMs: number;
  readonly #reach: (address: Address) => Address;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #brokers = new Map<number, Address>();
  readonly #leaders = new Map<string, readonly number[]>();
  readonly #coordinators = new Map<string, number>();
  readonly #wantedTopics = new Set<string>();
  #lastRefresh: Promise<void> = Promise.resolve();
  #nextRefresh: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: ClusterOptions) {
    if (options.brokers.length === 0) throw new ConfigurationError('no broker address given: set KAFKA_BROKERS to host:port');
    this.#settings = { ...options, connectTimeoutMs: options.connectTimeoutMs ?? 5_000, requestTimeoutMs: options.requestTimeoutMs ?? 30_000 };
    this.#lookupTimeoutMs = options.lookupTimeoutMs ?? 30_000;
    this.#reach = options.reach ?? ((address) => address);
    this.#bootstrap = options.brokers.map(parseAddress);
  }

  knownLeader(topic: string, partition: number): number | null {
    const known = this.#leaders.get(topic)?.[partition];
    return known !== undefined && known >= 0 ? known : null;
  }

  /** The broker to ask about a partition, from what is known; looks it up where nothing is. */
  async leader(topic: string, partition: number): Promise<number> {
    const known = this.knownLeader(topic, partition);
    if (known !== null) return known;
    return this.#lookUp(`the leader of ${topic}-${partition}`, async () => {
      await this.refresh([topic]);
      const leaders = this.#leaders.get(topic);
      if (leaders !== undefined && partition >= leaders.length) {
        throw new ConfigurationError(`${topic} has ${leaders.length} partitions, there is no number ${partition}`, { topic, partition });
      }
      const leader = leaders?.[partition] ?? -1;
      return leader >= 0 ? leader : null;
    });
  }

  async partitionCount(topic: string): Promise<number> {
    const known = this.#leaders.get(topic);
    if (known !== undefined) return known.length;
    return this.#lookUp(`topic ${topic}`, async () => {
      await this.refresh([topic]);
      return this.#leaders.get(topic)?.length ?? null;
    });
  }

  /** After a broker said it does not lead (any more). Reads what is true after the call; calls that wait share a request. */
  refresh(topics: readonly string[] = []): Promise<void> {
    for (const topic of topics) this.#wantedTopics.add(topic);
    this.#nextRefresh ??= this.#lastRefresh.then(() => {
      this.#nextRefresh = null;
      const refresh = this.#refresh([...new Set([...this.#leaders.keys(), ...this.#wantedTopics])]);
      this.#wantedTopics.clear();
      this.#lastRefresh = refresh.catch(() => {});
      return refresh;
    });
    return this.#nextRefresh;
  }

  /** Of the brokers that the cluster counts as there. */
  async brokerIds(): Promise<readonly number[]> {
    await this.refresh();
    return [...this.#brokers.keys()];
  }

  async coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const id = `${kind} ${key}`;
    const known = this.#coordinators.get(id);
    if (known !== undefined) return known;
    const nodeId = await this.#lookUp(`the coordinator of ${kind} ${key}`, async () => {
      const found = await this.requestAny(findCoordinatorRequest(kind, key));
      if (found.errorCode === NO_ERROR) {
        this.#brokers.set(found.nodeId, { host: found.host, port: found.port });
        return found.nodeId;
      }
      if (disposition(found.errorCode) === 'configuration') throw brokerError(found.errorCode, `looking for the coordinator of ${kind} ${key}`);
      return null;
    });
    this.#coordinators.set(id, nodeId);
    return nodeId;
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`);
  }

  async request<Answer>(nodeId: number, lane: string, request: KafkaRequest<Answer>, timeoutMs?: number): Promise<Answer> {
    const connection = await this.connection(nodeId, lane);
    return connection.request(request, timeoutMs);
  }

  /** For callers to whom the order of several requests matters: requests of one connection leave in the order of the calls. */
  async connection(nodeId: number, lane: string): Promise<BrokerConnection> {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) throw new TransientError(`broker ${nodeId} is not known (any more)`);
    return this.#connect(address, lane);
  }

  /** Asks any broker that answers: those known first, then the ones given at the start. */
  async requestAny<Answer>(request: KafkaRequest<Answer>): Promise<Answer> {
    let lastError: unknown = null;
    for (const address of [...this.#brokers.values(), ...this.#bootstrap]) {
      try {
        const connection = await this.#connect(address, 'control');
        return await connection.request(request);
      } catch (error) {
        if (error instanceof ConfigurationError) throw error;
        lastError = error;
      }
    }
    throw new TransientError(`none of the brokers ${this.#bootstrap.map(({ host, port }) => `${host}:${port}`).join(', ')} answers${closedHint(lastError, this.#settings)}`, {
      cause: lastError,
    });
  }

  /** Closes the lane's connections to all brokers; what is under way on them is rejected. */
  closeLane(lane: string): void {
    for (const [key, connection] of this.#connections) {
      if (key.endsWith(`/${lane}`)) {
        this.#connections.delete(key);
        connection.then((open) => open.close(), () => {});
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.then((open) => open.close(), () => {});
    this.#connections.clear();
  }

  async #connect(address: Address, lane: string): Promise<BrokerConnection> {
    const key = `${address.host}:${address.port}/${lane}`;
    for (;;) {
      if (this.#isClosed) throw new TransientError('the connection to the cluster is closed');
      const existing = this.#connections.get(key);
      if (existing === undefined) break;
      const connection = await existing;
      if (connection.isUsable) return connection;
      if (this.#connections.get(key) === existing) this.#connections.delete(key);
    }
    const { host, port } = this.#reach(address);
    const opening = BrokerConnection.open(host, port, this.#settings);
    this.#connections.set(key, opening);
    opening.catch(() => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    });
    return opening;
  }

  async #refresh(topics: readonly string[]): Promise<void> {
    const answer = await this.requestAny(metadataRequest(topics));
    if (answer.brokers.length > 0) this.#brokers.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    for (const topic of answer.topics) this.#learn(topic);
  }

  #learn({ topic, errorCode, partitions }: MetadataAnswer['topics'][number]): void {
    if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
      this.#leaders.delete(topic);
      return;
    }
    if (errorCode !== NO_ERROR && disposition(errorCode) === 'configuration') throw brokerError(errorCode, 'reading metadata', { topic });
    if (errorCode !== NO_ERROR) return;
    const leaders = new Array<number>(partitions.length).fill(-1);
    for (const { partition, leader } of partitions) leaders[partition] = leader;
    this.#leaders.set(topic, leaders);
  }

  /** Repeats a look-up until it finds something; brokers may be starting, topics fresh, leaders being elected. */
  async #lookUp<T>(what: string, find: () => Promise<T | null>): Promise<T> {
    const deadline = Date.now() + this.#lookupTimeoutMs;
    let lastError: unknown;
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
      try {
        const found = await find();
        if (found !== null) return found;
        lastError = undefined;
      } catch (error) {
        if (!(error instanceof TransientError) || this.#isClosed) throw error;
        lastError = error;
      }
      if (Date.now() + backoffMs > deadline) {
        if (lastError !== undefined) throw new TransientError(`${what} was not found within ${this.#lookupTimeoutMs} ms`, { cause: lastError });
        throw new ConfigurationError(`${what} does not exist or is not available; create topics first, then start the roles`);
      }
      await sleep(backoffMs);
    }
  }
}

function parseAddress(address: string): Address {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(address.trim());
  if (match === null) throw new ConfigurationError(`broker address "${address}" is not host:port`);
  return { host: (match[1] ?? match[2])!, port: Number(match[3]) };
}
