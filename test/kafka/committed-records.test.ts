import { expect } from 'chai';
import { committedRecords } from '../../src/kafka/committed-records.js';
import type { AbortedTransaction } from '../../src/kafka/protocol/record-requests.js';
import { marker, plainBatch, record, transactionalBatch } from './batches.js';

function values(batches: readonly Buffer[], aborted: readonly AbortedTransaction[], fromOffset = 0): (string | undefined)[] {
  const { records } = committedRecords({ topic: 't', partition: 0, fromOffset, bytes: Buffer.concat(batches), aborted });
  return records.map(({ value }) => value?.toString());
}

describe('committed records', () => {
  it('are those of committed transactions and of no transaction', () => {
    const batches = [
      plainBatch(0, ['plain']),
      transactionalBatch(1, 7, [record('aborted')]),
      transactionalBatch(2, 8, [record('committed')]),
      marker(3, 7, 'abort'),
      marker(4, 8, 'commit'),
      transactionalBatch(5, 7, [record('later')]),
      marker(6, 7, 'commit'),
    ];
    expect(values(batches, [{ producerId: 7, firstOffset: 1 }])).to.deep.equal(['plain', 'committed', 'later']);
  });

  it('when the broker lists transactions in the order of their abort markers, not of their beginnings', () => {
    const batches = [
      transactionalBatch(0, 1, [record('of 1')]),
      transactionalBatch(1, 2, [record('of 2')]),
      marker(2, 2, 'abort'),
      marker(3, 1, 'abort'),
    ];
    const byMarker = [{ producerId: 2, firstOffset: 1 }, { producerId: 1, firstOffset: 0 }];
    expect(values(batches, byMarker)).to.deep.equal([]);
  });

  it('when many aborted transactions are open where the fetch begins', () => {
    const producers = Array.from({ length: 20 }, (_, i) => i + 1);
    // The transaction that began last writes first.
    const batches = [
      ...[...producers].reverse().map((producerId, i) => transactionalBatch(100 + i, producerId, [record(`of ${producerId}`)])),
      ...producers.map((producerId, i) => marker(120 + i, producerId, 'abort')),
    ];
    const aborted = producers.map((producerId) => ({ producerId, firstOffset: producerId }));
    expect(values(batches, aborted, 100)).to.deep.equal([]);
  });

  it('when the key of a record looks like an abort marker', () => {
    const lookalike = { ...record('second'), key: Buffer.alloc(4) };
    const batches = [
      transactionalBatch(0, 1, [lookalike]),
      transactionalBatch(1, 1, [record('third')]),
      marker(2, 1, 'abort'),
      transactionalBatch(3, 1, [lookalike]),
      marker(4, 1, 'commit'),
    ];
    expect(values(batches, [{ producerId: 1, firstOffset: 0 }])).to.deep.equal(['second']);
  });

  it('when one producer aborts twice in an answer, and commits between', () => {
    const batches = [
      transactionalBatch(0, 1, [record('a')]),
      marker(1, 1, 'abort'),
      transactionalBatch(2, 1, [record('b')]),
      marker(3, 1, 'commit'),
      transactionalBatch(4, 1, [record('c')]),
      marker(5, 1, 'abort'),
    ];
    const aborted = [{ producerId: 1, firstOffset: 0 }, { producerId: 1, firstOffset: 4 }];
    expect(values(batches, aborted)).to.deep.equal(['b']);
  });

  it('leave the position past markers and aborted records', () => {
    const bytes = Buffer.concat([transactionalBatch(10, 1, [record('a'), record('b')]), marker(12, 1, 'abort')]);
    const aborted = [{ producerId: 1, firstOffset: 10 }];
    expect(committedRecords({ topic: 't', partition: 0, fromOffset: 11, bytes, aborted })).to.deep.equal({ records: [], nextOffset: 13 });
    expect(committedRecords({ topic: 't', partition: 0, fromOffset: 11, bytes: Buffer.alloc(0), aborted }).nextOffset).to.equal(11);
  });
});
