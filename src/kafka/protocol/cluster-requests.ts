import type { TopicPartition, TopicPartitionOffset } from '../log.js';
import { WireWriter } from '../wire.js';
import { APIS, readByTopic, writeByTopic, type KafkaRequest, type PartitionError } from './request.js';

export interface ApiRange {
  readonly key: number;
  readonly min: number;
  readonly max: number;
}

export function apiVersionsRequest(): KafkaRequest<{ errorCode: number; ranges: ApiRange[] }> {
  return {
    api: APIS.apiVersions,
    body: [],
    decode: (reader) => ({
      errorCode: reader.int16(),
      ranges: reader.array(() => ({ key: reader.int16(), min: reader.int16(), max: reader.int16() })),
    }),
  };
}

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly {
    readonly errorCode: number;
    readonly topic: string;
    readonly partitions: readonly { readonly errorCode: number; readonly partition: number; readonly leader: number }[];
  }[];
}

/** Never creates a topic. An empty list asks for the brokers alone. */
export function metadataRequest(topics: readonly string[]): KafkaRequest<MetadataAnswer> {
  const writer = new WireWriter();
  writer.array(topics, (topic) => writer.string(topic)).boolean(false);
  return {
    api: APIS.metadata,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32(); // throttle time
      const brokers = reader.array(() => {
        const broker = { nodeId: reader.int32(), host: reader.string(), port: reader.int32() };
        reader.nullableString(); // rack
        return broker;
      });
      reader.nullableString(); // cluster id
      reader.int32(); // controller
      const topicList = reader.array(() => {
        const errorCode = reader.int16();
        const topic = reader.string();
        reader.boolean(); // internal
        const partitions = reader.array(() => {
          const partition = { errorCode: reader.int16(), partition: reader.int32(), leader: reader.int32() };
          for (let i = 0; i < 3; i++) reader.array(() => reader.int32()); // replicas, in sync, offline
          return partition;
        });
        return { errorCode, topic, partitions };
      });
      return { brokers, topics: topicList };
    },
  };
}

export type CoordinatorKind = 'group' | 'transaction';

export function findCoordinatorRequest(
  kind: CoordinatorKind,
  key: string,
): KafkaRequest<{ errorCode: number; nodeId: number; host: string; port: number }> {
  return {
    api: APIS.findCoordinator,
    body: [new WireWriter().string(key).int8(kind === 'group' ? 0 : 1).take()],
    decode: (reader) => {
      reader.int32();
      const errorCode = reader.int16();
      reader.nullableString();
      return { errorCode, nodeId: reader.int32(), host: reader.string(), port: reader.int32() };
    },
  };
}

/** `timestamp` values with a meaning of their own. */
export const LATEST = -1;
export const EARLIEST = -2;

/** With read_committed isolation `LATEST` is the last stable offset. Offset -1: no record that late. */
export function listOffsetsRequest(
  partitions: readonly TopicPartition[],
  timestamp: number,
  isCommittedOnly = true,
): KafkaRequest<(PartitionError & { readonly offset: number })[]> {
  const writer = new WireWriter();
  writer.int32(-1).int8(isCommittedOnly ? 1 : 0);
  writeByTopic(writer, partitions, ({ partition }) => writer.int32(partition).int64(timestamp));
  return {
    api: APIS.listOffsets,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return readByTopic(reader, (topic) => {
        const partition = reader.int32();
        const errorCode = reader.int16();
        reader.int64(); // timestamp found
        return { topic, partition, errorCode, offset: reader.int64() };
      });
    },
  };
}

/**
 * Offset -1: nothing committed. While the markers of a transaction with an offset of the group are still on their way,
 * the partition is answered with UNSTABLE_OFFSET_COMMIT rather than with the offset before it.
 */
export function offsetFetchRequest(
  groupId: string,
  partitions: readonly TopicPartition[],
): KafkaRequest<{ errorCode: number; partitions: (TopicPartitionOffset & PartitionError)[] }> {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  const writer = new WireWriter().noTags().compactString(groupId);
  writer.compactArray([...byTopic], ([topic, numbers]) => {
    writer.compactString(topic).compactArray(numbers, (partition) => writer.int32(partition)).noTags();
  });
  writer.boolean(true).noTags();
  return {
    api: APIS.offsetFetch,
    body: [writer.take()],
    decode: (reader) => {
      reader.tags();
      reader.int32();
      const found = reader.compactArray(() => {
        const topic = reader.compactNullableString() ?? '';
        const ofTopic = reader.compactArray(() => {
          const partition = reader.int32();
          const offset = reader.int64();
          reader.int32(); // leader epoch
          reader.compactNullableString(); // metadata
          const errorCode = reader.int16();
          reader.tags();
          return { topic, partition, offset, errorCode };
        });
        reader.tags();
        return ofTopic;
      });
      const errorCode = reader.int16();
      reader.tags();
      return { errorCode, partitions: found.flat() };
    },
  };
}
