import type { RecordCodec } from '../avro/record-codec.js';
import { GuidedError } from '../config/guided-error.js';
import { topicName, type Namespace } from '../config/namespace.js';
import type { BrokerOptions, Options } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { ConfigurationError } from '../kafka/errors.js';
import type { Log } from '../kafka/log.js';
import { openCodec } from '../schema-registry/open-codec.js';

/** Topics that are not there are said so soon. */
const LOOKUP_TIMEOUT_MS = 5_000;

export interface OpenPipeline {
  readonly log: Log;
  /** Reads every record of ours, and writes none. */
  readonly codec: RecordCodec;
  readonly partitions: number;
  close(): Promise<void>;
}

/** The topics of a pipeline, for a command that only reads. Throws GuidedError where they are not set up. */
export async function openPipeline(options: BrokerOptions & Pick<Options, 'namespace' | 'registryUrl'>, topics: readonly string[]): Promise<OpenPipeline> {
  // The client of the broker takes longer to load than the rest; help and wrong usage need none of it.
  const { KafkaLog } = await import('../kafka/kafka-log.js');
  const log = new KafkaLog({ ...clusterAccess(options), clientId: 'position-linker', lookupTimeoutMs: LOOKUP_TIMEOUT_MS });
  try {
    const partitions = await partitionsOf(log, options.namespace, topics);
    const codec = await openCodec({ registryUrl: options.registryUrl, namespace: options.namespace, topics: [] });
    return { log, codec, partitions, close: () => log.close() };
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function partitionsOf(log: Log, namespace: Namespace, topics: readonly string[]): Promise<number> {
  try {
    const counts = await Promise.all(topics.map((topic) => log.partitionCount(topicName(namespace, topic))));
    if (new Set(counts).size > 1) throw new GuidedError(`${topics.join(', ')} differ in partitions: ${counts.join(', ')}`, 'use a namespace of its own, or delete these topics and set up again');
    return counts[0] as number;
  } catch (error) {
    if (error instanceof ConfigurationError) throw new GuidedError('the topics are not there', 'run `position-linker setup` with the same namespace first', { cause: error });
    throw error;
  }
}
