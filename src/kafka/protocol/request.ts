import type { WireReader, WireWriter } from '../wire.js';

/**
 * One request of Kafka's protocol in one fixed version, and how its answer reads. `body` is what follows the request
 * header; large bodies come in several pieces so that record bytes are never copied.
 */
export interface KafkaRequest<Answer> {
  readonly api: Api;
  readonly body: readonly Buffer[];
  readonly decode: (reader: WireReader) => Answer;
}

export interface Api {
  readonly key: number;
  readonly version: number;
  readonly name: string;
}

/** Every request that roles send, with the version this project speaks; brokers are checked for them when first connected. */
export const APIS = {
  produce: { key: 0, version: 7, name: 'Produce' },
  fetch: { key: 1, version: 11, name: 'Fetch' },
  listOffsets: { key: 2, version: 3, name: 'ListOffsets' },
  metadata: { key: 3, version: 6, name: 'Metadata' },
  metadataWithRights: { key: 3, version: 8, name: 'Metadata' },
  offsetFetch: { key: 9, version: 7, name: 'OffsetFetch' },
  findCoordinator: { key: 10, version: 2, name: 'FindCoordinator' },
  joinGroup: { key: 11, version: 5, name: 'JoinGroup' },
  heartbeat: { key: 12, version: 3, name: 'Heartbeat' },
  leaveGroup: { key: 13, version: 3, name: 'LeaveGroup' },
  syncGroup: { key: 14, version: 3, name: 'SyncGroup' },
  describeGroups: { key: 15, version: 3, name: 'DescribeGroups' },
  apiVersions: { key: 18, version: 2, name: 'ApiVersions' },
  initProducerId: { key: 22, version: 1, name: 'InitProducerId' },
  addPartitionsToTxn: { key: 24, version: 1, name: 'AddPartitionsToTxn' },
  addOffsetsToTxn: { key: 25, version: 1, name: 'AddOffsetsToTxn' },
  endTxn: { key: 26, version: 1, name: 'EndTxn' },
  txnOffsetCommit: { key: 28, version: 2, name: 'TxnOffsetCommit' },
  describeTransactions: { key: 65, version: 0, name: 'DescribeTransactions' },
} as const satisfies Record<string, Api>;

/** Those of commands that administer; a broker that keeps them from everybody can still be worked with. */
export const ADMIN_APIS = {
  describeAcls: { key: 29, version: 1, name: 'DescribeAcls' },
  describeConfigs: { key: 32, version: 1, name: 'DescribeConfigs' },
  incrementalAlterConfigs: { key: 44, version: 0, name: 'IncrementalAlterConfigs' },
} as const satisfies Record<string, Api>;

export interface PartitionError {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

/** The shape topics and partitions take nearly everywhere: an array of topics, each with an array of partitions. */
export function writeByTopic<T extends { readonly topic: string }>(
  writer: WireWriter,
  items: readonly T[],
  write: (item: T) => void,
): void {
  const byTopic = new Map<string, T[]>();
  for (const item of items) {
    const sameTopic = byTopic.get(item.topic);
    if (sameTopic === undefined) byTopic.set(item.topic, [item]);
    else sameTopic.push(item);
  }
  writer.array([...byTopic], ([topic, sameTopic]) => {
    writer.string(topic).array(sameTopic, write);
  });
}

export function readByTopic<T>(reader: WireReader, read: (topic: string) => T): T[] {
  return reader
    .array(() => {
      const topic = reader.string();
      return reader.array(() => read(topic));
    })
    .flat();
}

export function readPartitionErrors(reader: WireReader): PartitionError[] {
  return readByTopic(reader, (topic) => ({ topic, partition: reader.int32(), errorCode: reader.int16() }));
}
