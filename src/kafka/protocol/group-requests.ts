import { WireReader, WireWriter } from '../wire.js';
import { APIS, type KafkaRequest } from './request.js';

export const PROTOCOL_TYPE = 'consumer';

export interface JoinRequest {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty on the first join; the broker answers with the id to use. */
  readonly memberId: string;
  readonly protocolName: string;
  readonly metadata: Buffer;
}

export interface JoinAnswer {
  readonly errorCode: number;
  readonly generation: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[];
}

export function joinGroupRequest(join: JoinRequest): KafkaRequest<JoinAnswer> {
  const writer = new WireWriter().string(join.groupId).int32(join.sessionTimeoutMs).int32(join.rebalanceTimeoutMs);
  writer.string(join.memberId).string(null).string(PROTOCOL_TYPE);
  writer.array([join], ({ protocolName, metadata }) => writer.string(protocolName).bytes(metadata));
  return {
    api: APIS.joinGroup,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      const errorCode = reader.int16();
      const generation = reader.int32();
      reader.nullableString(); // protocol chosen: there is one
      const leaderId = reader.string();
      const memberId = reader.string();
      const members = reader.array(() => {
        const id = reader.string();
        reader.nullableString();
        return { memberId: id, metadata: reader.bytes() };
      });
      return { errorCode, generation, leaderId, memberId, members };
    },
  };
}

export interface Membership {
  readonly groupId: string;
  readonly generation: number;
  readonly memberId: string;
}

export function syncGroupRequest(
  member: Membership,
  assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[],
): KafkaRequest<{ errorCode: number; assignment: Buffer }> {
  const writer = new WireWriter().string(member.groupId).int32(member.generation).string(member.memberId).string(null);
  writer.array(assignments, ({ memberId, assignment }) => writer.string(memberId).bytes(assignment));
  return {
    api: APIS.syncGroup,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return { errorCode: reader.int16(), assignment: reader.bytes() };
    },
  };
}

export function heartbeatRequest(member: Membership): KafkaRequest<{ errorCode: number }> {
  return {
    api: APIS.heartbeat,
    body: [new WireWriter().string(member.groupId).int32(member.generation).string(member.memberId).string(null).take()],
    decode: (reader) => {
      reader.int32();
      return { errorCode: reader.int16() };
    },
  };
}

export function leaveGroupRequest(groupId: string, memberId: string): KafkaRequest<{ errorCode: number }> {
  const writer = new WireWriter().string(groupId);
  writer.array([memberId], (id) => writer.string(id).string(null));
  return {
    api: APIS.leaveGroup,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return { errorCode: reader.int16() };
    },
  };
}

/** What a member tells the leader when it joins. */
export interface MemberMetadata {
  readonly topics: readonly string[];
  readonly userData: Buffer;
}

const CONSUMER_PROTOCOL_VERSION = 0;

export function encodeMemberMetadata({ topics, userData }: MemberMetadata): Buffer {
  const writer = new WireWriter().int16(CONSUMER_PROTOCOL_VERSION);
  return writer.array(topics, (topic) => writer.string(topic)).bytes(userData).take();
}

export function decodeMemberMetadata(bytes: Buffer): MemberMetadata {
  const reader = new WireReader(bytes);
  reader.int16();
  return { topics: reader.array(() => reader.string()), userData: reader.bytes() };
}

/** In the layout every Kafka tool reads, so that `kafka-consumer-groups --describe` shows who owns what. */
export function encodeMemberAssignment(topics: readonly string[], partitions: readonly number[]): Buffer {
  const writer = new WireWriter().int16(CONSUMER_PROTOCOL_VERSION);
  writer.array(partitions.length === 0 ? [] : topics, (topic) => {
    writer.string(topic).array(partitions, (partition) => writer.int32(partition));
  });
  return writer.bytes(Buffer.alloc(0)).take();
}

/** The partition numbers assigned, ascending; the same of every topic. */
export function decodeMemberAssignment(bytes: Buffer): number[] {
  if (bytes.length === 0) return [];
  const reader = new WireReader(bytes);
  reader.int16();
  const partitions = new Set<number>();
  reader.array(() => {
    reader.string();
    for (const partition of reader.array(() => reader.int32())) partitions.add(partition);
  });
  return [...partitions].sort((a, b) => a - b);
}
