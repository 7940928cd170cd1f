import { expect } from 'chai';
import type { Cluster } from '../../src/kafka/cluster.js';
import { dispatchProduce } from '../../src/kafka/produce-dispatch.js';
import type { PartitionOutput } from '../../src/kafka/produce.js';
import type { KafkaRequest } from '../../src/kafka/protocol/request.js';

const NOT_LEADER = 6;
const NO_ERROR = 0;
const TOPIC = 't';

interface Sent {
  readonly broker: number;
  readonly partition: number;
  readonly bytes: string;
}

/** Brokers that lead partitions of one topic and note what they are sent. */
class Brokers {
  readonly sent: Sent[] = [];
  readonly appended: Sent[] = [];
  readonly #leaders: readonly number[];
  /** What clients believe until they ask. */
  #believed: readonly number[];

  constructor(believed: readonly number[], leaders: readonly number[]) {
    this.#believed = believed;
    this.#leaders = leaders;
  }

  get cluster(): Cluster {
    const fake = {
      leader: (_topic: string, partition: number) => Promise.resolve(this.#believed[partition]),
      refresh: () => {
        this.#believed = this.#leaders;
        return Promise.resolve();
      },
      connection: (broker: number) => Promise.resolve({ request: (request: KafkaRequest<unknown>) => Promise.resolve(this.#answer(broker, request.body)) }),
    };
    return fake as unknown as Cluster;
  }

  /** Before each batch stand the partition's number and the batch's length. */
  #answer(broker: number, body: readonly Buffer[]): object[] {
    return body.flatMap((bytes, index) => {
      const head = body[index - 1];
      if (index % 2 === 0 || head === undefined) return [];
      const one = { broker, partition: head.readInt32BE(head.length - 8), bytes: bytes.toString('hex') };
      this.sent.push(one);
      const isLeader = this.#leaders[one.partition] === broker;
      if (isLeader) this.appended.push(one);
      return [{ topic: TOPIC, partition: one.partition, errorCode: isLeader ? NO_ERROR : NOT_LEADER }];
    });
  }
}

async function dispatch(brokers: Brokers, partitions: readonly number[]): Promise<void> {
  let sequence = 0;
  const outputs: PartitionOutput[] = partitions.map((partition) => ({ topic: TOPIC, partition, records: [] }));
  const encode = ({ partition }: PartitionOutput) => [{ topic: TOPIC, partition, batch: Buffer.from(`p${partition} sequence ${sequence++}`), recordCount: 1 }];
  await Promise.all(await dispatchProduce(brokers.cluster, 'lane', 'id', 1_000, outputs, encode));
}

describe('batches of a transaction', () => {
  it('reach a partition whose leader moved onto a broker that had answered already', async () => {
    const brokers = new Brokers([1, 2], [1, 1]);
    await dispatch(brokers, [0, 1]);
    expect(brokers.appended.map(({ broker, partition }) => [broker, partition])).to.deep.equal([[1, 0], [1, 1]]);
  });

  it('that were appended are not sent again when another partition of their broker was refused', async () => {
    const brokers = new Brokers([1, 1, 2], [1, 2, 1]);
    await dispatch(brokers, [0, 1, 2]);
    expect(brokers.appended.map(({ partition }) => partition).sort()).to.deep.equal([0, 1, 2]);
    expect(brokers.sent.filter(({ partition }) => partition === 0)).to.have.length(1);
  });

  it('that were refused are sent again byte for byte, with the sequence they had', async () => {
    const brokers = new Brokers([1, 1], [2, 2]);
    await dispatch(brokers, [0, 1]);
    for (const partition of [0, 1]) {
      const [first, second, ...more] = brokers.sent.filter((one) => one.partition === partition);
      expect(second?.bytes).to.equal(first?.bytes);
      expect(more).to.deep.equal([]);
    }
  });
});
