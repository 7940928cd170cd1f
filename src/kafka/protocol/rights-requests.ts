import { WireWriter } from '../wire.js';
import { APIS, type KafkaRequest } from './request.js';

/** Bits of what the asking principal may do; null where the broker does not say. */
export type RightBits = number | null;

/** The number by which a broker says that it says nothing. */
const UNSAID = -2_147_483_648;

function readBits(bits: number): RightBits {
  return bits === UNSAID ? null : bits;
}

export interface TopicRights {
  readonly errorCode: number;
  readonly topic: string;
  readonly partitions: number;
  readonly rights: RightBits;
}

/** Topics, their sizes, and what the asking principal may do with them. Creates none. */
export function topicRightsRequest(topics: readonly string[]): KafkaRequest<readonly TopicRights[]> {
  const writer = new WireWriter();
  writer.array(topics, (topic) => writer.string(topic)).boolean(false).boolean(false).boolean(true);
  return {
    api: APIS.metadataWithRights,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32(); // throttle time
      reader.array(() => {
        reader.int32(); // broker
        reader.string(); // host
        reader.int32(); // port
        reader.nullableString(); // rack
      });
      reader.nullableString(); // cluster id
      reader.int32(); // controller
      return reader.array(() => {
        const errorCode = reader.int16();
        const topic = reader.string();
        reader.boolean(); // internal
        const partitions = reader.array(() => {
          reader.int16(); // error
          for (let i = 0; i < 3; i++) reader.int32(); // partition, leader, its epoch
          for (let i = 0; i < 3; i++) reader.array(() => reader.int32()); // replicas, in sync, offline
        });
        return { errorCode, topic, partitions: partitions.length, rights: readBits(reader.int32()) };
      });
    },
  };
}

/** What the asking principal may do with a group; the group need not exist. */
export function groupRightsRequest(groupId: string): KafkaRequest<{ readonly errorCode: number; readonly rights: RightBits }> {
  const writer = new WireWriter();
  writer.array([groupId], (id) => writer.string(id)).boolean(true);
  return {
    api: APIS.describeGroups,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      const [group] = reader.array(() => {
        const errorCode = reader.int16();
        for (let i = 0; i < 4; i++) reader.nullableString(); // id, state, kind of protocol, protocol
        reader.array(() => {
          for (let i = 0; i < 3; i++) reader.nullableString(); // member, client, host
          reader.bytes(); // metadata
          reader.bytes(); // assignment
        });
        return { errorCode, rights: readBits(reader.int32()) };
      });
      return group ?? { errorCode: -1, rights: null };
    },
  };
}
