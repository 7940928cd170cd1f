import kafkajs, { type Admin, type Kafka as KafkaClient, type SASLOptions } from 'kafkajs';
import { errorName, NO_ERROR, UNKNOWN_TOPIC_OR_PARTITION } from './broker-errors.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { classify, closedHint, ConfigurationError, LogError } from './errors.js';
import { knownEverywhere } from './everywhere.js';
import { earliestOffsets } from './offsets.js';
import { describeTopicConfigsRequest, setTopicConfigsRequest } from './protocol/admin-requests.js';
import { metadataRequest } from './protocol/cluster-requests.js';

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs;

export interface TopicSettings {
  readonly topic: string;
  readonly partitions: number;
  /** -1 takes the broker's default. */
  readonly replicationFactor: number;
  /** Topic configuration, names and values as Kafka writes them. */
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicDescription {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Only what is set on the topic itself, not defaults. */
  readonly configs: Readonly<Record<string, string>>;
  /** What the broker's defaults say where the topic says nothing, of the settings that decide what is kept. */
  readonly defaults: Readonly<Record<string, string>>;
}

/** What else decides whether topics can be made. */
export interface ClusterFacts {
  readonly clusterId: string;
  readonly brokers: number;
  readonly defaults: Readonly<Record<string, string>>;
}

const DECIDING = ['retention.ms', 'retention.bytes', 'cleanup.policy', 'min.insync.replicas'];

const RIGHTS = 'whoever keeps topics needs Create, Describe, DescribeConfigs and AlterConfigs on them, Alter to give one more partitions, and Describe and DescribeConfigs on the cluster';

/** Where a configuration value comes from, in DescribeConfigs answers: 1 is the topic itself. */
const SET_ON_TOPIC = 1;

/** kafkajs's own client, for what is administered and not in a hurry. */
export function kafkaClient(options: Pick<ClusterOptions, 'brokers' | 'clientId' | 'ssl' | 'sasl'>): KafkaClient {
  return new Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    ...(options.ssl !== undefined && { ssl: options.ssl }),
    ...(options.sasl !== undefined && { sasl: options.sasl as SASLOptions }),
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: { retries: 6, initialRetryTime: 100 },
    logLevel: logLevel.NOTHING,
  });
}

/** Topics: create, describe, change, delete. Connects when first used; `close` when done. */
export class TopicAdmin {
  readonly #admin: Admin;
  readonly #cluster: Cluster;
  readonly #options: Pick<ClusterOptions, 'ssl' | 'sasl'>;
  #connected: Promise<void> | null = null;

  constructor(options: Pick<ClusterOptions, 'brokers' | 'clientId' | 'ssl' | 'sasl'>) {
    this.#options = options;
    this.#admin = kafkaClient(options).admin();
    this.#cluster = new Cluster(options);
  }

  async topicNames(): Promise<string[]> {
    return (await this.#use((admin) => admin.listTopics())).sort();
  }

  async clusterFacts(): Promise<ClusterFacts> {
    const { brokers, clusterId, controller } = await this.#use((admin) => admin.describeCluster());
    const broker = String(controller ?? brokers[0]?.nodeId ?? '');
    const resources = [{ type: ConfigResourceTypes.BROKER, name: broker, configNames: ['min.insync.replicas'] }];
    const configs = await this.#use((admin) => admin.describeConfigs({ includeSynonyms: false, resources }));
    const entries = configs.resources[0]?.configEntries ?? [];
    return { clusterId, brokers: brokers.length, defaults: Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue])) };
  }

  /** Of the topics asked for, those that exist. */
  async describe(topics: readonly string[]): Promise<TopicDescription[]> {
    const existing = new Set(await this.topicNames());
    const wanted = topics.filter((topic) => existing.has(topic));
    if (wanted.length === 0) return [];
    const metadata = await this.#use((admin) => admin.fetchTopicMetadata({ topics: wanted }));
    const configs = await this.#use((admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: wanted.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
      }),
    );
    return wanted.map((topic) => {
      const { partitions } = metadata.topics.find(({ name }) => name === topic)!;
      const entries = configs.resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
      return {
        topic,
        partitions: partitions.length,
        replicationFactor: partitions[0]?.replicas.length ?? 0,
        configs: Object.fromEntries(
          entries.filter(({ configSource }) => Number(configSource) === SET_ON_TOPIC).map((entry) => [entry.configName, entry.configValue]),
        ),
        defaults: Object.fromEntries(
          entries.filter(({ configName, configSource }) => DECIDING.includes(configName) && Number(configSource) !== SET_ON_TOPIC).map((entry) => [entry.configName, entry.configValue]),
        ),
      };
    });
  }

  /**
   * Resolves when every partition has a leader that answers. Topics that exist already are left as they are. The waiting
   * is done here: kafkajs takes the moment before a broker has heard of the new topic for an error.
   */
  async create(topics: readonly TopicSettings[]): Promise<void> {
    if (topics.length === 0) return;
    await this.#use((admin) =>
      admin.createTopics({
        waitForLeaders: false,
        topics: topics.map(({ topic, partitions, replicationFactor, configs }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        })),
      }),
    );
    for (const { topic } of topics) {
      const count = await this.#cluster.partitionCount(topic);
      await earliestOffsets(this.#cluster, Array.from({ length: count }, (_, partition) => ({ topic, partition })));
    }
    const names = topics.map(({ topic }) => topic);
    await knownEverywhere(this.#cluster, metadataRequest(names), (answer) => answer.topics.every(({ errorCode }) => errorCode === NO_ERROR));
  }

  /** More partitions; resolves when each has a leader. */
  async grow(topic: string, partitions: number): Promise<void> {
    await this.#use((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }));
    await this.#cluster.refresh([topic]);
    await earliestOffsets(this.#cluster, Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
    await knownEverywhere(this.#cluster, metadataRequest([topic]), (answer) => (answer.topics[0]?.partitions.length ?? 0) >= partitions);
  }

  /**
   * Sets the given values and keeps all others that are set on the topic. The request that kafkajs knows replaces everything,
   * and merging here could write back what another broker has not heard of yet; so this sends the one that sets single values.
   * Resolves when every broker says them.
   */
  async mergeConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const [answer] = await this.#cluster.requestAny(setTopicConfigsRequest(topic, configs));
    const { errorCode, errorMessage } = answer ?? { errorCode: -1, errorMessage: null };
    if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) throw new ConfigurationError(`topic ${topic} does not exist; create it first`);
    if (errorCode !== NO_ERROR) throw new ConfigurationError(`the settings of ${topic} could not be changed: ${errorName(errorCode)}${errorMessage === null ? '' : `: ${errorMessage}`}`);
    const wanted = Object.entries(configs);
    await knownEverywhere(this.#cluster, describeTopicConfigsRequest([topic]), ([found]) => wanted.every(([name, value]) => found?.values.get(name) === value));
  }

  /** Topics that do not exist are passed over. */
  async delete(topics: readonly string[]): Promise<void> {
    const existing = new Set(await this.topicNames());
    const present = topics.filter((topic) => existing.has(topic));
    if (present.length > 0) await this.#use((admin) => admin.deleteTopics({ topics: present }));
  }

  async deleteGroups(groupIds: readonly string[]): Promise<void> {
    if (groupIds.length > 0) await this.#use((admin) => admin.deleteGroups([...groupIds]));
  }

  async close(): Promise<void> {
    this.#cluster.close();
    if (this.#connected !== null) await this.#admin.disconnect();
  }

  async #use<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.#connected ??= this.#admin.connect().catch((error: unknown) => {
        this.#connected = null;
        throw error;
      });
      await this.#connected;
      return await work(this.#admin);
    } catch (error) {
      throw explain(error, this.#options);
    }
  }
}

/** kafkajs hides what went wrong with each topic inside an aggregate error. */
function explain(error: unknown, options: Pick<ClusterOptions, 'ssl' | 'sasl'>): Error {
  const parts = (error as { errors?: unknown }).errors;
  const isFinal = (error as { retriable?: unknown }).retriable === false;
  if (Array.isArray(parts) && parts.length > 0) {
    const listed = parts.map((part: { topic?: string; message?: string }) => `${part.topic ?? '?'}: ${part.message ?? part}`);
    return new ConfigurationError(`topics could not be administered: ${listed.join('; ')}`, { cause: error });
  }
  const { type } = error as { type?: unknown };
  const text = error instanceof Error ? error.message : String(error);
  if (typeof type === 'string' && type.endsWith('AUTHORIZATION_FAILED')) {
    return new ConfigurationError(`topics could not be administered: ${text}: ${RIGHTS}`, { cause: error, isUnauthorized: true });
  }
  const message = `${text}${closedHint(error, options)}`;
  if (isFinal && type !== undefined) {
    return new ConfigurationError(`topics could not be administered: ${message}`, { cause: error });
  }
  return classify(error instanceof LogError ? error : new Error(message, { cause: error }), 'topics could not be administered');
}
