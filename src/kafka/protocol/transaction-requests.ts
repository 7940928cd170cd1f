import type { TopicPartition, TopicPartitionOffset } from '../log.js';
import { WireWriter, type WireReader } from '../wire.js';
import { APIS, readPartitionErrors, writeByTopic, type KafkaRequest, type PartitionError } from './request.js';

/** Who writes: the id pair the broker gave out; a newer epoch of the same transactional id fences all older ones. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** With a transactional id: fences earlier holders and aborts what they left open. */
export function initProducerIdRequest(
  transactionalId: string | null,
  transactionTimeoutMs: number,
): KafkaRequest<{ errorCode: number } & ProducerIdentity> {
  return {
    api: APIS.initProducerId,
    body: [new WireWriter().string(transactionalId).int32(transactionTimeoutMs).take()],
    decode: (reader) => {
      reader.int32();
      return { errorCode: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
    },
  };
}

function transactionHeader(transactionalId: string, producer: ProducerIdentity): WireWriter {
  return new WireWriter().string(transactionalId).int64(producer.producerId).int16(producer.producerEpoch);
}

function readErrorCode(reader: WireReader): { errorCode: number } {
  reader.int32();
  return { errorCode: reader.int16() };
}

export function addPartitionsToTxnRequest(
  transactionalId: string,
  producer: ProducerIdentity,
  partitions: readonly TopicPartition[],
): KafkaRequest<PartitionError[]> {
  const writer = transactionHeader(transactionalId, producer);
  writeByTopic(writer, partitions, ({ partition }) => writer.int32(partition));
  return {
    api: APIS.addPartitionsToTxn,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return readPartitionErrors(reader);
    },
  };
}

export function addOffsetsToTxnRequest(
  transactionalId: string,
  producer: ProducerIdentity,
  groupId: string,
): KafkaRequest<{ errorCode: number }> {
  return {
    api: APIS.addOffsetsToTxn,
    body: [transactionHeader(transactionalId, producer).string(groupId).take()],
    decode: readErrorCode,
  };
}

export function txnOffsetCommitRequest(
  transactionalId: string,
  groupId: string,
  producer: ProducerIdentity,
  offsets: readonly TopicPartitionOffset[],
): KafkaRequest<PartitionError[]> {
  const writer = new WireWriter().string(transactionalId).string(groupId);
  writer.int64(producer.producerId).int16(producer.producerEpoch);
  writeByTopic(writer, offsets, ({ partition, offset }) => writer.int32(partition).int64(offset).int32(-1).string(null));
  return {
    api: APIS.txnOffsetCommit,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return readPartitionErrors(reader);
    },
  };
}

export function endTxnRequest(
  transactionalId: string,
  producer: ProducerIdentity,
  isCommit: boolean,
): KafkaRequest<{ errorCode: number }> {
  return {
    api: APIS.endTxn,
    body: [transactionHeader(transactionalId, producer).boolean(isCommit).take()],
    decode: readErrorCode,
  };
}
