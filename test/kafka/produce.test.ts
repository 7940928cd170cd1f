import { expect } from 'chai';
import { decodeRecordBatches } from '../../src/kafka/batch-decoder.js';
import { encodeBatches, groupByPartition, packRequests, PartitionSequences } from '../../src/kafka/produce.js';
import { BASE_SEQUENCE_AT } from '../../src/kafka/record-batch.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';

const producer = { producerId: 5, producerEpoch: 1 };

function outgoing(topic: string, partition: number, value: string | number): OutgoingRecord {
  const bytes = typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value);
  return { topic, partition, timestampMs: 0, key: null, value: bytes };
}

describe('groupByPartition', () => {
  it('keeps the order within each partition', () => {
    const places = [['a', 0], ['b', 0], ['a', 0], ['a', 1], ['b', 0], ['a', 0]] as const;
    const grouped = groupByPartition(places.map(([topic, partition], i) => outgoing(topic, partition, `${i}`)));
    expect(grouped.map(({ topic, partition, records }) => [topic, partition, records.map(({ value }) => `${value}`)])).to.deep.equal([
      ['a', 0, ['0', '2', '5']],
      ['b', 0, ['1', '4']],
      ['a', 1, ['3']],
    ]);
  });
});

describe('PartitionSequences', () => {
  it('count each partition on its own', () => {
    const sequences = new PartitionSequences();
    expect([sequences.take('a', 0, 3), sequences.take('a', 0, 1), sequences.take('a', 1, 1), sequences.take('a', 0, 1)]).to.deep.equal([0, 3, 0, 4]);
  });

  it('go on from 0 after 2^31 - 1, inside a batch too', () => {
    const sequences = new PartitionSequences(0x7fffffff - 2);
    expect([sequences.take('a', 0, 2), sequences.take('a', 0, 3), sequences.take('a', 0, 1)]).to.deep.equal([0x7fffffff - 2, 0x7fffffff, 2]);
    const exact = new PartitionSequences(0x7fffffff);
    expect([exact.take('a', 0, 1), exact.take('a', 0, 1)]).to.deep.equal([0x7fffffff, 0]);
  });
});

describe('encodeBatches', () => {
  it('cuts a partition into batches brokers accept, in sequence', () => {
    const records = Array.from({ length: 250 }, () => outgoing('a', 0, 10_000));
    const batches = encodeBatches({ topic: 'a', partition: 0, records }, producer, new PartitionSequences(), true);
    expect(batches.length).to.be.greaterThan(2);
    let sequence = 0;
    for (const { batch, recordCount } of batches) {
      expect(batch.length).to.be.below(1_000_000);
      expect(batch.readInt32BE(BASE_SEQUENCE_AT)).to.equal(sequence);
      const [decoded] = [...decodeRecordBatches(batch, 'a', 0)];
      expect(decoded).to.include({ recordCount, producerId: 5, producerEpoch: 1, isTransactional: true });
      sequence += recordCount;
    }
    expect(sequence).to.equal(250);
  });

  it('leaves a record larger than a batch alone in its batch', () => {
    const records = [outgoing('a', 0, 10), outgoing('a', 0, 3_000_000), outgoing('a', 0, 10)];
    const batches = encodeBatches({ topic: 'a', partition: 0, records }, producer, new PartitionSequences(), true);
    expect(batches.map(({ recordCount }) => recordCount)).to.deep.equal([1, 1, 1]);
  });
});

describe('packRequests', () => {
  const batch = (partition: number, bytes: number, nth: number) => ({ topic: 'a', partition, recordCount: nth, batch: Buffer.alloc(bytes) });

  it('puts one batch of a partition into a request at most, in order', () => {
    const requests = packRequests([[batch(0, 10, 1), batch(0, 10, 2), batch(0, 10, 3)], [batch(1, 10, 1)], []]);
    expect(requests.map((request) => request.map(({ partition, recordCount }) => [partition, recordCount]))).to.deep.equal([
      [[0, 1], [1, 1]],
      [[0, 2]],
      [[0, 3]],
    ]);
  });

  it('keeps requests below the limit', () => {
    const requests = packRequests(Array.from({ length: 12 }, (_, partition) => [batch(partition, 900_000, 1)]));
    expect(requests.map((request) => request.length)).to.deep.equal([8, 4]);
  });
});
