import { expect } from 'chai';
import { Cluster } from '../../src/kafka/cluster.js';
import { RecordRefusedError, TransientError } from '../../src/kafka/errors.js';
import { IdempotentProducer } from '../../src/kafka/idempotent-producer.js';
import { encodeBatches, PartitionSequences } from '../../src/kafka/produce.js';
import { produceRequest } from '../../src/kafka/protocol/record-requests.js';
import { APIS } from '../../src/kafka/protocol/request.js';
import { initProducerIdRequest } from '../../src/kafka/protocol/transaction-requests.js';
import { FaultProxy } from './fault-proxy.js';
import { committedValues, LiveKafka, outgoing } from './live.js';

describe('writing without transactions', function () {
  this.timeout(60_000);
  const kafka = new LiveKafka();
  const log = kafka.log();
  after(() => kafka.cleanUp());

  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`);

  it('keeps the order of calls that overlap', async () => {
    const topic = await kafka.topic(2);
    const writer = log.sourceWriter();
    await Promise.all(numbers(0, 50).map((value, i) => writer.send([outgoing(topic, i % 2, value)])));
    expect(await committedValues(log, topic, 0)).to.deep.equal(numbers(0, 50).filter((_, i) => i % 2 === 0));
    await writer.send([]);
  });

  for (const cut of ['before-request', 'before-answer'] as const) {
    it(`loses and doubles nothing where the connection is cut ${cut}`, async () => {
      const topic = await kafka.topic(3);
      const proxy = new FaultProxy();
      for (const broker of kafka.brokers) await proxy.open({ host: broker.split(':')[0]!, port: Number(broker.split(':')[1]) });
      const flaky = kafka.log({ reach: proxy.reach });
      try {
        const writer = flaky.sourceWriter();
        for (let i = 0; i < 40; i++) {
          if (i % 8 === 5) proxy.arm(APIS.produce.key, cut);
          await writer.send([0, 1, 2].flatMap((partition) => [outgoing(topic, partition, `${2 * i}`), outgoing(topic, partition, `${2 * i + 1}`)]));
        }
        expect(proxy.cuts).to.equal(5);
        for (const partition of [0, 1, 2]) expect(await committedValues(log, topic, partition)).to.deep.equal(numbers(0, 80));
      } finally {
        await flaky.close();
        await proxy.close();
      }
    });
  }

  it('rejects a record the broker does not take, and goes on', async () => {
    const topic = await kafka.topic(1, { 'max.message.bytes': '100000' });
    const writer = log.sourceWriter();
    const refused = await writer.send([outgoing(topic, 0, 'x'.repeat(200_000))]).then(() => null, (error: unknown) => error);
    expect(refused).to.be.instanceOf(RecordRefusedError);
    await writer.send([outgoing(topic, 0, 'small')]);
    expect(await committedValues(log, topic)).to.deep.equal(['small']);
  });

  it('writes more than a batch of each partition in one call, in order', async () => {
    const topic = await kafka.topic(2);
    const values = numbers(0, 300).map((value) => `${value} ${'z'.repeat(9_990)}`);
    await log.sourceWriter().send(values.map((value, i) => outgoing(topic, i % 2, value)));
    expect(await committedValues(log, topic, 1)).to.deep.equal(values.filter((_, i) => i % 2 === 1));
  });

  it('gives up when nothing answers within the time to deliver', async () => {
    const cluster = new Cluster({ brokers: ['127.0.0.1:1'], clientId: 'test', lookupTimeoutMs: 300 });
    const writer = new IdempotentProducer(cluster, { lane: 'write', deliveryTimeoutMs: 500 });
    const error = await writer.send([outgoing('nowhere', 0, 'x')]).then(() => null, (reason: unknown) => reason);
    expect(error).to.be.instanceOf(TransientError);
    cluster.close();
  });

  it('numbers records past 2^31 as the broker expects', async () => {
    const topic = await kafka.topic(1);
    const cluster = new Cluster({ brokers: kafka.brokers, clientId: 'test' });
    const identity = await cluster.requestAny(initProducerIdRequest(null, 1_000));
    const sequences = new PartitionSequences(0x7fffffff - 3);
    const leader = await cluster.leader(topic, 0);
    for (let from = 0; from < 12; from += 3) {
      const records = numbers(from, from + 3).map((value) => outgoing(topic, 0, value));
      const [batch] = encodeBatches({ topic, partition: 0, records }, identity, sequences, false);
      const [answer] = await cluster.request(leader, 'write', produceRequest(null, [batch!], 5_000));
      expect(answer!.errorCode).to.equal(0);
    }
    cluster.close();
    expect(await committedValues(log, topic)).to.deep.equal(numbers(0, 12));
  });
});
