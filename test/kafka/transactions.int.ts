import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import kafkajs from 'kafkajs';
import { FencedError, LogError, RecordRefusedError, TransientError } from '../../src/kafka/errors.js';
import type { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { TaskWriter } from '../../src/kafka/log.js';
import { APIS } from '../../src/kafka/protocol/request.js';
import { FaultProxy, type Cut } from './fault-proxy.js';
import { committedValues, LiveKafka, outgoing, until } from './live.js';

describe('transactions on a broker', function () {
  this.timeout(180_000);
  const kafka = new LiveKafka();
  const log = kafka.log();
  after(() => kafka.cleanUp());

  async function writer(id = kafka.name('writer'), from: KafkaLog = log): Promise<TaskWriter> {
    const made = from.writer(id);
    await made.init();
    return made;
  }

  it('commit records of several partitions and offsets together', async () => {
    const [out, input, group] = [await kafka.topic(3), await kafka.topic(1), kafka.name('group')];
    const task = await writer();
    await task.send([0, 1, 2].map((partition) => outgoing(out, partition, `first ${partition}`)));
    await task.send([outgoing(out, 1, 'second')]);
    expect(await committedValues(log, out, 1)).to.deep.equal([]);
    expect(await log.committedOffsets(group, [{ topic: input, partition: 0 }])).to.deep.equal([{ topic: input, partition: 0, offset: null }]);

    await task.commit(group, [{ topic: input, partition: 0, offset: 17 }]);
    expect(await committedValues(log, out, 1, 2)).to.deep.equal(['first 1', 'second']);
    expect(await committedValues(log, out, 2, 1)).to.deep.equal(['first 2']);
    expect(await log.committedOffsets(group, [{ topic: input, partition: 0 }])).to.deep.equal([{ topic: input, partition: 0, offset: 17 }]);
  });

  it('commit offsets alone, and nothing at all', async () => {
    const [input, group] = [await kafka.topic(1), kafka.name('group')];
    const task = await writer();
    await task.commit(group, []);
    await task.commit(group, [{ topic: input, partition: 0, offset: 3 }]);
    expect((await log.committedOffsets(group, [{ topic: input, partition: 0 }]))[0]!.offset).to.equal(3);
  });

  it('keep the order of sends that overlap, and commit only what is acknowledged', async () => {
    const out = await kafka.topic(2);
    const task = await writer();
    for (let round = 0; round < 5; round++) {
      const sends = Array.from({ length: 20 }, (_, i) => task.send([outgoing(out, i % 2, `${round}.${i}`)]));
      await task.commit('', []);
      await Promise.all(sends);
    }
    const even = Array.from({ length: 5 }, (_, round) => Array.from({ length: 10 }, (_, i) => `${round}.${2 * i}`)).flat();
    expect(await committedValues(log, out, 0, 50)).to.deep.equal(even);
  });

  it('that are aborted leave nothing, and the writer goes on', async () => {
    const out = await kafka.topic(1);
    const task = await writer();
    await task.send([outgoing(out, 0, 'dropped')]);
    await task.abort();
    await task.send([outgoing(out, 0, 'kept')]);
    await task.commit('', []);
    await task.abort();
    expect(await committedValues(log, out, 0, 1)).to.deep.equal(['kept']);
  });

  it('begin with a look at the last one where the coordinator was lost meanwhile: a broker that was killed may have forgotten to mark it', async () => {
    const out = await kafka.topic(1);
    const proxy = new FaultProxy();
    for (const broker of kafka.brokers) await proxy.open({ host: broker.split(':')[0]!, port: Number(broker.split(':')[1]) });
    const task = await writer(kafka.name('writer'), kafka.log({ reach: proxy.reach }));
    try {
      await task.send([outgoing(out, 0, 'first')]);
      await task.commit('', []);
      await task.send([outgoing(out, 0, 'second')]);
      await task.commit('', []);
      proxy.cutAll();
      // Until this process has heard of it.
      await pause(500);
      await failsWith(TransientError, task.send([outgoing(out, 0, 'too soon')]), 'whether it is marked everywhere has to be looked at');
      await task.init();
      await task.send([outgoing(out, 0, 'third')]);
      await task.commit('', []);
      expect(await committedValues(log, out, 0, 3)).to.deep.equal(['first', 'second', 'third']);
    } finally {
      await task.close();
      await proxy.close();
    }
  });

  it('of a writer that was succeeded are refused, and what it left open is gone', async () => {
    const [out, input, group, id] = [await kafka.topic(1), await kafka.topic(1), kafka.name('group'), kafka.name('writer')];
    const zombie = await writer(id);
    await zombie.send([outgoing(out, 0, 'by the zombie')]);
    const successor = await writer(id);
    await failsWith(FencedError, zombie.commit(group, [{ topic: input, partition: 0, offset: 9 }]));
    await failsWith(FencedError, zombie.send([outgoing(out, 0, 'by the zombie again')]));
    await successor.send([outgoing(out, 0, 'by the successor')]);
    await successor.commit(group, [{ topic: input, partition: 0, offset: 1 }]);
    await failsWith(FencedError, zombie.commit(group, [{ topic: input, partition: 0, offset: 9 }]));
    expect(await committedValues(log, out, 0, 1)).to.deep.equal(['by the successor']);
    expect((await log.committedOffsets(group, [{ topic: input, partition: 0 }]))[0]!.offset).to.equal(1);
  });

  it('of a writer that is closed do not hold up readers until they time out', async () => {
    const out = await kafka.topic(1);
    const task = await writer();
    await task.send([outgoing(out, 0, 'given up')]);
    await task.close();
    await until('the end of the transaction', async () => (await log.lastStableOffsets([{ topic: out, partition: 0 }]))[0]!.offset === 2, 5_000);
    expect(await committedValues(log, out)).to.deep.equal([]);
    await failsWith(TransientError, task.send([outgoing(out, 0, 'x')]));
  });

  it('with a record the broker does not take fail for good, and nothing of them stays', async () => {
    const out = await kafka.topic(1, { 'max.message.bytes': '100000' });
    const task = await writer();
    const sent = task.send([outgoing(out, 0, 'small'), outgoing(out, 0, 'x'.repeat(200_000))]);
    await failsWith(RecordRefusedError, sent);
    await failsWith(RecordRefusedError, task.commit('', []));
    await task.abort();
    expect(await committedValues(log, out)).to.deep.equal([]);
  });

  it('of 5 MB records and of many batches arrive whole', async () => {
    const out = await kafka.topic(2, { 'max.message.bytes': '10000000' });
    const task = await writer();
    const large = 'x'.repeat(5_000_000);
    await task.send([outgoing(out, 0, large), ...Array.from({ length: 400 }, (_, i) => outgoing(out, 1, `${i} ${'y'.repeat(9_990)}`))]);
    await task.commit('', []);
    expect(await committedValues(log, out, 0, 1)).to.deep.equal([large]);
    expect((await committedValues(log, out, 1, 400)).map((value) => Number.parseInt(value, 10))).to.deep.equal(Array.from({ length: 400 }, (_, i) => i));
  });

  it('follow each other at once, which the broker refuses at first, without loss', async () => {
    const [out, input, group] = [await kafka.topic(1), await kafka.topic(1), kafka.name('group')];
    const task = await writer();
    const count = 500;
    const startMs = performance.now();
    for (let i = 0; i < count; i++) {
      const sent = task.send([outgoing(out, 0, `${i}`)]);
      await task.commit(group, [{ topic: input, partition: 0, offset: i + 1 }]);
      await sent;
    }
    const perSecond = (count * 1000) / (performance.now() - startMs);
    console.log(`      ${perSecond.toFixed(0)} transactions/s of one record and offsets, one writer`);
    expect(await committedValues(log, out, 0, count)).to.deep.equal(Array.from({ length: count }, (_, i) => `${i}`));
    expect((await log.committedOffsets(group, [{ topic: input, partition: 0 }]))[0]!.offset).to.equal(count);
    expect(perSecond).to.be.greaterThan(20);
  });

  it('of many writers at once do not wait for each other', async () => {
    const out = await kafka.topic(12);
    const tasks = await Promise.all(Array.from({ length: 12 }, () => writer()));
    const startMs = performance.now();
    await Promise.all(
      tasks.map(async (task, partition) => {
        for (let i = 0; i < 50; i++) {
          const sent = task.send([outgoing(out, partition, `${i}`)]);
          await task.commit('', []);
          await sent;
        }
      }),
    );
    console.log(`      ${((12 * 50 * 1000) / (performance.now() - startMs)).toFixed(0)} transactions/s of twelve writers`);
    for (const partition of tasks.keys()) expect(await committedValues(log, out, partition, 50)).to.have.length(50);
  });

  it('are read alike by kafkajs', async () => {
    const out = await kafka.topic(1);
    const task = await writer();
    const expected: string[] = [];
    for (let i = 0; i < 20; i++) {
      await task.send([outgoing(out, 0, `${i}`, `key ${i}`), { ...outgoing(out, 0, `${i} with headers`), headers: [['h', Buffer.from('v')]] }]);
      if (i % 3 === 1) {
        await task.abort();
      } else {
        await task.commit('', []);
        expected.push(`${i}`, `${i} with headers`);
      }
    }
    expect(await committedValues(log, out, 0, expected.length)).to.deep.equal(expected);

    const client = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const consumer = client.consumer({ groupId: kafka.name('group'), maxWaitTimeInMs: 200 });
    const seen: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: out, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => void seen.push(message.value!.toString()) });
    await until('kafkajs having read all', () => seen.length >= expected.length);
    await consumer.disconnect();
    expect(seen).to.deep.equal(expected);
  });

  describe('cut off', () => {
    const steps = ['addPartitionsToTxn', 'produce', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn', 'initProducerId', 'findCoordinator', 'metadata'] as const;
    for (const step of steps) {
      for (const cut of ['before-request', 'before-answer'] as const) {
        it(`at ${APIS[step].name}, ${cut}, lose and double nothing`, () => survives(step, cut));
      }
    }

    /** A task that copies the numbers 0..59 in transactions of four, starting over from the committed offset on errors. */
    async function survives(step: (typeof steps)[number], cut: Cut): Promise<void> {
      const [out, input, group, id] = [await kafka.topic(2), await kafka.topic(1), kafka.name('group'), kafka.name('writer')];
      const proxy = new FaultProxy();
      for (const broker of kafka.brokers) await proxy.open({ host: broker.split(':')[0]!, port: Number(broker.split(':')[1]) });
      const flaky = kafka.log({ reach: proxy.reach });
      try {
        const total = 60;
        let restarts = 0;
        for (let position = 0, armedAt = 0; position < total; ) {
          try {
            const task = await writer(id, flaky);
            position = (await flaky.committedOffsets(group, [{ topic: input, partition: 0 }]))[0]!.offset ?? 0;
            while (position < total) {
              if (armedAt <= position && (position === 20 || position === 40)) {
                armedAt = position + 1;
                proxy.arm(APIS[step].key, cut);
                if (step === 'initProducerId') await task.abort().then(() => task.send([outgoing(out, 0, 'dropped')])).then(() => task.abort());
                if (step === 'findCoordinator' || step === 'metadata') throw new TransientError('a new connection to the cluster is made');
              }
              const sends = [0, 1, 2, 3].map((i) => task.send([outgoing(out, i % 2, `${position + i}`)]));
              sends.forEach((sent) => sent.catch(() => {}));
              await task.commit(group, [{ topic: input, partition: 0, offset: position + 4 }]);
              position += 4;
            }
          } catch (error) {
            expect(error).to.be.instanceOf(LogError);
            restarts++;
            expect(restarts, String(error)).to.be.below(20);
          }
        }
        const numbers = (await Promise.all([0, 1].map((partition) => committedValues(log, out, partition, total / 2)))).map((values) => values.map(Number));
        expect(numbers[0]).to.deep.equal(Array.from({ length: total / 2 }, (_, i) => 2 * i));
        expect(numbers[1]).to.deep.equal(Array.from({ length: total / 2 }, (_, i) => 2 * i + 1));
        if (step !== 'metadata' && step !== 'findCoordinator') expect(proxy.cuts).to.equal(2);
      } finally {
        await flaky.close();
        await proxy.close();
      }
    }
  });
});

async function failsWith(kind: new (...args: never[]) => LogError, promise: Promise<unknown>, words = ''): Promise<void> {
  const outcome = await promise.then(() => null, (error: unknown) => error);
  expect(outcome).to.be.instanceOf(kind);
  expect((outcome as Error).message).to.include(words);
}
