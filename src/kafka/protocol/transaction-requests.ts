import type { TopicPartition, TopicPartitionOffset } from '../log.js';
import { NO_ERROR } from '../broker-errors.js';
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

/** What the coordinator knows of the last transaction under an id; its state is the name Kafka gives it, such as `CompleteCommit`. */
export function describeTransactionRequest(transactionalId: string): KafkaRequest<{ errorCode: number; state: string | null }> {
  // A flexible version: the request's header ends with optional fields, and so does the answer's.
  const writer = new WireWriter().noTags();
  writer.compactArray([transactionalId], (id) => writer.compactString(id));
  return {
    api: APIS.describeTransactions,
    body: [writer.noTags().take()],
    decode: (reader) => {
      reader.tags();
      reader.int32();
      const [found] = reader.compactArray(() => {
        const errorCode = reader.int16();
        reader.compactNullableString();
        const state = reader.compactNullableString();
        reader.int32();
        reader.int64();
        reader.int64();
        reader.int16();
        reader.compactArray(() => {
          reader.compactNullableString();
          reader.compactArray(() => reader.int32());
          reader.tags();
        });
        reader.tags();
        return { errorCode, state };
      });
      return found ?? { errorCode: NO_ERROR, state: null };
    },
  };
}
