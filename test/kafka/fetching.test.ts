import { expect } from 'chai';
import type { Cluster } from '../../src/kafka/cluster.js';
import { CorruptBatchError, StateLostError, TransientError } from '../../src/kafka/errors.js';
import { PartitionFetcher } from '../../src/kafka/fetcher.js';
import type { FetchedPartition } from '../../src/kafka/log.js';
import type { FetchAnswer, FetchAnswerPartition } from '../../src/kafka/protocol/record-requests.js';
import type { KafkaRequest } from '../../src/kafka/protocol/request.js';
import { readRange } from '../../src/kafka/read-range.js';
import { WireReader } from '../../src/kafka/wire.js';
import { plainBatch } from './batches.js';

interface Asked {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

type Answering = (asked: readonly Asked[]) => Promise<readonly Partial<FetchAnswerPartition>[]> | readonly Partial<FetchAnswerPartition>[];

/** A cluster of one broker that answers fetches by a function, and knows offsets 0 to `end` of everything. */
function clusterOf(answering: Answering, end = 1_000): { cluster: Cluster; asked: Asked[][]; refreshes: () => number } {
  const asked: Asked[][] = [];
  let refreshes = 0;
  const stub = {
    knownLeader: () => 1,
    leader: async () => 1,
    refresh: async () => void refreshes++,
    closeLane: () => {},
    request: async (_node: number, _lane: string, request: KafkaRequest<unknown>): Promise<unknown> => {
      if (request.api.name === 'ListOffsets') {
        const [place] = positionsOf(request, 5);
        const isEarliest = request.body[0]!.readInt32BE(request.body[0]!.length - 4) === -2;
        return [{ ...place, errorCode: 0, offset: isEarliest ? 0 : end }];
      }
      const positions = positionsOf(request, 25);
      asked.push(positions);
      await new Promise((resolve) => setImmediate(resolve));
      const partitions = (await answering(positions)).map((partition) => ({
        errorCode: 0,
        highWatermark: end,
        lastStableOffset: end,
        logStartOffset: 0,
        aborted: [],
        records: Buffer.alloc(0),
        ...partition,
      }));
      return { errorCode: 0, partitions } as FetchAnswer;
    },
  };
  return { cluster: stub as unknown as Cluster, asked, refreshes: () => refreshes };
}

function positionsOf({ body, api }: KafkaRequest<unknown>, head: number): Asked[] {
  const reader = new WireReader(body[0]!.subarray(head));
  return reader
    .array(() => {
      const topic = reader.string();
      return reader.array(() => {
        const partition = reader.int32();
        if (api.name === 'ListOffsets') return { topic, partition, offset: reader.int64() };
        reader.int32();
        const offset = reader.int64();
        reader.int64();
        reader.int32();
        return { topic, partition, offset };
      });
    })
    .flat();
}

const never = new Promise<never>(() => {});
const place = { topic: 't', partition: 0 };

describe('the fetcher', () => {
  const readers: PartitionFetcher[] = [];
  afterEach(() => Promise.all(readers.splice(0).map((reader) => reader.close())));

  function reader(answering: Answering, options: object = {}): { reader: PartitionFetcher; asked: Asked[][]; refreshes: () => number } {
    const { cluster, asked, refreshes } = clusterOf(answering);
    const made = new PartitionFetcher(cluster, { lane: 'x', ...options });
    readers.push(made);
    return { reader: made, asked, refreshes };
  }

  it('goes on after the last stable offset when the broker has nothing up to there', async () => {
    const { reader: fetcher } = reader(([first]) => (first!.offset < 1_000 ? [{ ...place }] : never));
    fetcher.assign([{ ...place, offset: 7 }]);
    const [fetched] = await fetcher.poll(1_000);
    expect(fetched).to.include({ nextOffset: 1_000 }).and.property('records').to.deep.equal([]);
  });

  it('stays where it is when another partition may have taken all the room', async () => {
    let isFirst = true;
    const { reader: fetcher, asked } = reader(() => {
      if (!isFirst) return never;
      isFirst = false;
      return [{ ...place, partition: 1, records: plainBatch(0, ['a']) }, { ...place }];
    });
    fetcher.assign([{ ...place, offset: 0 }, { ...place, partition: 1, offset: 0 }]);
    const fetched = await fetcher.poll(500);
    expect(fetched.map(({ partition, nextOffset }) => [partition, nextOffset])).to.deep.equal([[1, 1]]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked[1]!.find(({ partition }) => partition === 0)!.offset).to.equal(0);
  });

  it('asks for each partition first at times', async () => {
    const { reader: fetcher, asked } = reader((positions) =>
      positions.map(({ topic, partition, offset }) => ({ topic, partition, records: plainBatch(offset, ['a']) })), { bufferBytes: 1 });
    fetcher.assign([0, 1, 2].map((partition) => ({ ...place, partition, offset: 0 })));
    for (let i = 0; i < 30; i++) await fetcher.poll(100);
    expect(new Set(asked.filter((positions) => positions.length === 3).map(([first]) => first!.partition))).to.deep.equal(new Set([0, 1, 2]));
  });

  it('does not fetch on while enough is buffered', async () => {
    const batch = (offset: number): Buffer => plainBatch(offset, ['x'.repeat(1_000)]);
    const { reader: fetcher, asked } = reader(([first]) => [{ ...place, records: batch(first!.offset) }], { bufferBytes: 5_000 });
    fetcher.assign([{ ...place, offset: 0 }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked.length).to.equal(5);
    expect((await fetcher.poll(100))[0]!.nextOffset).to.equal(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked.length).to.equal(6);
  });

  it('forgets an answer to a position it was moved from', async () => {
    let release: (answer: Partial<FetchAnswerPartition>[]) => void = () => {};
    const { reader: fetcher } = reader(([first]) => {
      if (first!.offset === 50) return new Promise((resolve) => (release = resolve));
      return first!.offset === 0 ? [{ ...place, records: plainBatch(0, ['new']) }] : never;
    });
    fetcher.assign([{ ...place, offset: 50 }]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    fetcher.assign([{ ...place, offset: 0 }]);
    const [fetched] = await fetcher.poll(500);
    expect(fetched!.nextOffset).to.equal(1);
    release([{ ...place, records: plainBatch(50, ['old']) }]);
    expect(await fetcher.poll(30)).to.deep.equal([]);
  });

  it('tells of each broken partition once, and hands out the others', async () => {
    const corrupt = plainBatch(0, ['a']);
    corrupt[66]! ^= 1;
    const { reader: fetcher } = reader((positions) =>
      positions.some(({ offset }) => offset > 0)
        ? never
        : [
            { ...place, records: corrupt },
            { ...place, partition: 1, errorCode: 1 },
            { ...place, partition: 2, records: plainBatch(0, ['good']) },
          ]);
    fetcher.assign([0, 1, 2].map((partition) => ({ ...place, partition, offset: 0 })));
    const errors: unknown[] = [];
    const fetched: FetchedPartition[] = [];
    for (let i = 0; i < 4; i++) {
      await fetcher.poll(30).then((more) => fetched.push(...more), (error) => errors.push(error));
    }
    expect(errors.map((error) => (error as Error).constructor)).to.have.members([CorruptBatchError, StateLostError]);
    expect(fetched.map(({ partition }) => partition)).to.deep.equal([2]);
  });

  it('asks again, with fresh metadata, where a broker refuses or fails', async () => {
    let attempts = 0;
    const warnings: string[] = [];
    const { reader: fetcher, refreshes } = reader(
      ([first]) => {
        attempts++;
        if (attempts === 1) return [{ ...place, errorCode: 6 }];
        if (attempts === 2) throw new TransientError('connection lost');
        return first!.offset === 0 ? [{ ...place, records: plainBatch(0, ['a']) }] : never;
      },
      { onWarning: (message: string) => warnings.push(message) },
    );
    fetcher.assign([{ ...place, offset: 0 }]);
    expect((await fetcher.poll(2_000))[0]!.records).to.have.length(1);
    expect(refreshes()).to.equal(2);
    expect(warnings).to.have.length(2);
  });
});

describe('a range read', () => {
  async function read(answering: Answering, range: { from: number | 'earliest'; until: number | 'lastStable' }, end = 10): Promise<[number[], number][]> {
    const { cluster } = clusterOf(answering, end);
    const chunks: [number[], number][] = [];
    for await (const { records, nextOffset } of readRange(cluster, 'x', { ...place, ...range })) {
      chunks.push([records.map(({ offset }) => offset), nextOffset]);
    }
    return chunks;
  }

  it('ends where nothing is left below the last stable offset', async () => {
    const answering: Answering = ([first]) => [{ ...place, records: first!.offset < 2 ? plainBatch(first!.offset, ['a', 'b']) : Buffer.alloc(0) }];
    expect(await read(answering, { from: 'earliest', until: 'lastStable' })).to.deep.equal([[[0, 1], 2], [[], 10]]);
  });

  it('leaves out what lies beyond the end wanted, or before the beginning', async () => {
    const answering: Answering = () => [{ ...place, records: plainBatch(0, ['a', 'b', 'c', 'd', 'e']) }];
    expect(await read(answering, { from: 1, until: 3 })).to.deep.equal([[[1, 2], 3]]);
    expect(await read(answering, { from: 3, until: 3 })).to.deep.equal([]);
  });

  it('repeats what was refused', async () => {
    let attempts = 0;
    const answering: Answering = () => (attempts++ === 0 ? [{ ...place, errorCode: 6 }] : [{ ...place, records: plainBatch(0, ['a']) }]);
    expect(await read(answering, { from: 0, until: 1 })).to.deep.equal([[[0], 1]]);
  });
});
