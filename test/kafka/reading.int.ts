import { expect } from 'chai';
import kafkajs from 'kafkajs';
import { ConfigurationError, LogError, StateLostError } from '../../src/kafka/errors.js';
import { committedValues, LiveKafka, outgoing, pollRecords, pollTo, textOf, until } from './live.js';

describe('reading from a broker', function () {
  this.timeout(120_000);
  const kafka = new LiveKafka();
  const log = kafka.log();
  after(() => kafka.cleanUp());

  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`);

  it('gives every record once and in order, from the offsets assigned', async () => {
    const topic = await kafka.topic(3);
    await log.sourceWriter().send(numbers(0, 3_000).map((value, i) => outgoing(topic, i % 3, value)));
    const reader = log.reader();
    reader.assign([0, 1, 2].map((partition) => ({ topic, partition, offset: partition * 10 })));
    const records = await pollRecords(reader, 3_000 - 30);
    for (const partition of [0, 1, 2]) {
      const mine = records.filter((record) => record.partition === partition);
      expect(mine.map(({ offset }) => offset)).to.deep.equal(Array.from({ length: 1_000 - partition * 10 }, (_, i) => partition * 10 + i));
      expect(mine.every((record) => Number(textOf(record)) === record.offset * 3 + partition)).to.equal(true);
    }
    await reader.close();
  });

  it('hears of new records at once, also of partitions assigned while it waits', async () => {
    const [first, second] = [await kafka.topic(1), await kafka.topic(1)];
    const reader = log.reader();
    const writer = log.sourceWriter();
    await writer.send([outgoing(first, 0, 'warm'), outgoing(second, 0, 'warm')]);
    reader.assign([{ topic: first, partition: 0, offset: 0 }]);
    await pollRecords(reader, 1);
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      const polled = pollRecords(reader, 1);
      const startMs = performance.now();
      await writer.send([outgoing(first, 0, `${i}`)]);
      await polled;
      waits.push(performance.now() - startMs);
    }
    const startMs = performance.now();
    reader.assign([{ topic: second, partition: 0, offset: 0 }]);
    await pollRecords(reader, 1);
    const assignedMs = performance.now() - startMs;
    waits.sort((a, b) => a - b);
    console.log(`      produce to poll: median ${waits[10]!.toFixed(1)} ms, worst ${waits[19]!.toFixed(1)} ms; assign to poll: ${assignedMs.toFixed(1)} ms`);
    expect(waits[10]).to.be.below(100);
    expect(assignedMs).to.be.below(200);
    await reader.close();
  });

  it('keeps what is paused, drops what is revoked, moves what is assigned anew', async () => {
    const topic = await kafka.topic(2);
    await log.sourceWriter().send(numbers(0, 20).map((value, i) => outgoing(topic, i % 2, value)));
    const [zero, one] = [{ topic, partition: 0 }, { topic, partition: 1 }];
    const reader = log.reader();
    reader.pause([zero]); // not assigned yet: no effect
    reader.assign([{ ...zero, offset: 0 }, { ...one, offset: 0 }]);
    reader.pause([zero]);
    const fromOne = await pollRecords(reader, 10);
    expect(fromOne.every(({ partition }) => partition === 1)).to.equal(true);
    expect(await reader.poll(300)).to.deep.equal([]);
    reader.resume([zero]);
    expect((await pollRecords(reader, 10)).every(({ partition }) => partition === 0)).to.equal(true);
    reader.assign([{ ...one, offset: 8 }]);
    expect((await pollRecords(reader, 2)).map(({ offset }) => offset)).to.deep.equal([8, 9]);
    reader.assign([{ ...zero, offset: 0 }]);
    reader.revoke([zero]);
    expect(await reader.poll(300)).to.deep.equal([]);
    await reader.close();
    expect(await reader.poll(10)).to.deep.equal([]);
  });

  it('never shows records of aborted transactions, however many are open at once', async () => {
    const topic = await kafka.topic(1);
    const tasks = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const task = log.writer(kafka.name('writer'));
        await task.init();
        return task;
      }),
    );
    // All open at the same time, aborted in another order than begun; four of them commit.
    for (const [i, task] of tasks.entries()) await task.send([outgoing(topic, 0, `first of ${i}`)]);
    for (const [i, task] of tasks.entries()) await task.send([outgoing(topic, 0, `second of ${i}`, '\0\0\0\0')]);
    const expected: string[] = [];
    for (const i of [7, 2, 11, 5, 0, 9, 1, 10, 3, 8, 6, 4]) {
      if (i % 3 === 0) await tasks[i]!.commit('', []);
      else await tasks[i]!.abort();
    }
    for (const part of ['first', 'second']) for (const i of [0, 3, 6, 9]) expected.push(`${part} of ${i}`);
    expect(await committedValues(log, topic, 0, 8)).to.deep.equal(expected);

    // The same from every offset in the middle, where many transactions are open already.
    const [end] = await log.lastStableOffsets([{ topic, partition: 0 }]);
    const all = await pollFrom(0);
    for (let from = 1; from < 24; from++) {
      expect(await pollFrom(from)).to.deep.equal(all.filter(({ offset }) => offset >= from));
    }

    async function pollFrom(offset: number): Promise<{ offset: number; text: string }[]> {
      const reader = log.reader();
      reader.assign([{ topic, partition: 0, offset }]);
      const records = await pollTo(reader, [end!]);
      await reader.close();
      return records.map((record) => ({ offset: record.offset, text: textOf(record) }));
    }
  });

  it('stops before an open transaction and goes on when it ends', async () => {
    const topic = await kafka.topic(1);
    const [open, other] = [log.writer(kafka.name('writer')), log.writer(kafka.name('writer'))];
    await open.init();
    await other.init();
    await open.send([outgoing(topic, 0, 'open')]);
    await other.send([outgoing(topic, 0, 'after it')]);
    await other.commit('', []);
    const reader = log.reader();
    reader.assign([{ topic, partition: 0, offset: 0 }]);
    expect((await reader.poll(400)).flatMap(({ records }) => records)).to.deep.equal([]);
    await open.commit('', []);
    expect((await pollRecords(reader, 2)).map(textOf)).to.deep.equal(['open', 'after it']);
    await reader.close();
  });

  it('gets records larger than any of its limits', async () => {
    const topic = await kafka.topic(2, { 'max.message.bytes': '12000000' });
    const writer = log.sourceWriter();
    for (let i = 0; i < 3; i++) {
      await writer.send([0, 1].flatMap((partition) => [outgoing(topic, partition, `${i} small`), outgoing(topic, partition, `${i} ${'l'.repeat(9_000_000)}`)]));
    }
    const reader = log.reader();
    reader.assign([0, 1].map((partition) => ({ topic, partition, offset: 0 })));
    const records = await pollRecords(reader, 12);
    expect(records.filter(({ value }) => value!.length > 9_000_000)).to.have.length(6);
    await reader.close();
  });

  it('says that a position is not in the log, and leaves the other partitions alone', async () => {
    const topic = await kafka.topic(2);
    await log.sourceWriter().send(numbers(0, 20).map((value, i) => outgoing(topic, i % 2, value)));
    const reader = log.reader();
    reader.assign([{ topic, partition: 0, offset: 500 }]);
    const error = await reader.poll(5_000).then(() => null, (reason: unknown) => reason);
    expect(error).to.be.instanceOf(StateLostError);
    expect(error).to.include({ topic, partition: 0 });
    reader.assign([{ topic, partition: 1, offset: 0 }]);
    expect(await pollRecords(reader, 10)).to.have.length(10);
    await reader.close();
    const range = log.readRange({ topic, partition: 0, from: 500, until: 600 })[Symbol.asyncIterator]();
    await range.next().then(() => expect.fail('no error'), (reason) => expect(reason).to.be.instanceOf(StateLostError));
  });

  it('names a topic or partition that does not exist', async () => {
    const impatient = kafka.log({ lookupTimeoutMs: 500 });
    const missing = kafka.name('missing');
    const reader = impatient.reader();
    reader.assign([{ topic: missing, partition: 0, offset: 0 }]);
    const error = await reader.poll(10_000).then(() => null, (reason: unknown) => reason);
    expect(error).to.be.instanceOf(ConfigurationError);
    expect((error as Error).message).to.include(missing);
    await impatient.partitionCount(missing).then(() => expect.fail('no error'), (reason) => expect(reason).to.be.instanceOf(ConfigurationError));
    await reader.close();
  });

  it('reads what kafkajs wrote, plain and in gzip, and names a codec it cannot read', async () => {
    const topic = await kafka.topic(1);
    const client = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    for (const compression of [kafkajs.CompressionTypes.None, kafkajs.CompressionTypes.GZIP]) {
      await producer.send({ topic, compression, messages: numbers(0, 200).map((value) => ({ value, headers: { h: value } })) });
    }
    await producer.disconnect();
    const expected = [...numbers(0, 200), ...numbers(0, 200)];
    expect(await committedValues(log, topic)).to.deep.equal(expected);
    const reader = log.reader();
    reader.assign([{ topic, partition: 0, offset: 0 }]);
    const records = await pollRecords(reader, 400);
    expect(records.map(({ headers }) => `${headers[0]![0]}=${Buffer.from(headers[0]![1])}`)).to.deep.equal(expected.map((value) => `h=${value}`));
    await reader.close();

    const packed = await kafka.topic(1, { 'compression.type': 'lz4' });
    await log.sourceWriter().send([outgoing(packed, 0, 'packed by the broker')]);
    await committedValues(log, packed).then(
      () => expect.fail('no error'),
      (error) => expect(error).to.be.instanceOf(ConfigurationError).with.property('message').that.includes('lz4'),
    );
  });

  it('finds offsets by time and ends', async () => {
    const topic = await kafka.topic(1);
    const place = [{ topic, partition: 0 }];
    await log.sourceWriter().send([1_000, 2_000, 3_000].map((timestampMs) => ({ ...outgoing(topic, 0, 'x'), timestampMs })));
    expect((await log.offsetsForTime(place, 2_000))[0]!.offset).to.equal(1);
    expect((await log.offsetsForTime(place, 1_500))[0]!.offset).to.equal(1);
    expect((await log.offsetsForTime(place, 9_000))[0]!.offset).to.equal(3);
    expect((await log.earliestOffsets(place))[0]!.offset).to.equal(0);
    expect((await log.lastStableOffsets(place))[0]!.offset).to.equal(3);
    expect(await log.partitionCount(topic)).to.equal(1);
  });

  it('ends a compacted changelog by position, with its middle, tail and values gone', async () => {
    const topic = await kafka.topic(1, {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.001',
      'segment.ms': '200',
      'delete.retention.ms': '0',
      'max.compaction.lag.ms': '100',
      'min.compaction.lag.ms': '0',
    });
    const task = log.writer(kafka.name('writer'));
    await task.init();
    for (let round = 0; round < 6; round++) {
      await task.send(numbers(0, 200).map((key) => outgoing(topic, 0, `${round}`, key)));
      if (round === 4) await task.abort();
      else await task.commit('', []);
      await new Promise((resolve) => setTimeout(resolve, 250)); // lets the segment grow old enough to be rolled
    }
    await task.send(numbers(0, 200).map((key) => outgoing(topic, 0, null, key)));
    await task.commit('', []);

    // Segments roll only on appends: one record now and then keeps the broker's cleaner going over the old ones.
    const read = async (): Promise<{ state: Map<string, string>; records: number; end: number }> => {
      const state = new Map<string, string>();
      let records = 0;
      let end = 0;
      for await (const chunk of log.readRange({ topic, partition: 0, from: 'earliest', until: 'lastStable' })) {
        records += chunk.records.length;
        end = chunk.nextOffset;
        for (const record of chunk.records) {
          const key = Buffer.from(record.key!).toString();
          if (record.value === null) state.delete(key);
          else state.set(key, textOf(record));
        }
      }
      return { state, records, end };
    };
    await until(
      'compaction',
      async () => {
        await task.send([outgoing(topic, 0, 'tick', 'tick')]);
        await task.commit('', []);
        return (await read()).records < 400;
      },
      90_000,
    );
    const { state, end } = await read();
    expect([...state]).to.deep.equal([['tick', 'tick']]);
    expect(end).to.be.at.least((await log.lastStableOffsets([{ topic, partition: 0 }]))[0]!.offset - 2);

    const reader = log.reader();
    reader.assign([{ topic, partition: 0, offset: 0 }]);
    await pollTo(reader, await log.lastStableOffsets([{ topic, partition: 0 }]));
    await reader.close();
  });

  it('of a log whose beginning was deleted is refused, not silently begun later', async () => {
    const topic = await kafka.topic(1);
    await log.sourceWriter().send(numbers(0, 100).map((value) => outgoing(topic, 0, value)));
    const client = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '40' }] });
    await admin.disconnect();
    const range = log.readRange({ topic, partition: 0, from: 10, until: 'lastStable' })[Symbol.asyncIterator]();
    const error = await range.next().then(() => null, (reason: unknown) => reason);
    expect(error).to.be.instanceOf(StateLostError).with.property('message').that.includes('begins at offset 40');
    const reader = log.reader();
    reader.assign([{ topic, partition: 0, offset: 10 }]);
    expect(await reader.poll(5_000).then(() => null, (reason: LogError) => reason.kind)).to.equal('state-lost');
    await reader.close();
    expect(await committedValues(log, topic)).to.deep.equal(numbers(40, 100));
  });
});
