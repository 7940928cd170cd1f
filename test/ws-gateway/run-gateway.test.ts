import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { RecordCodec } from '../../src/avro/record-codec.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { localSchemas } from '../../src/avro/schema-source.js';
import type { SourceWriter as LogAppender } from '../../src/kafka/log.js';
import { partitionOf } from '../../src/kafka/partitioner.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import { readCapture } from '../../src/ws-gateway/capture-reader.js';
import type { FrameSource } from '../../src/ws-gateway/frame-source.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import { LogWriter } from '../../src/ws-gateway/log-writer.js';
import { runGateway, type RunGatewayOptions } from '../../src/ws-gateway/run-gateway.js';
import { readTails } from '../../src/ws-gateway/topic-tail.js';
import { frameOf, orderRow } from './exchange-rows.js';
import { RecordingWriter } from './recording-writer.js';

const PARTITIONS = 3;
const T0 = 1_767_225_600_300;
const CLEAN = fileURLToPath(new URL('../captures/clean/frames.jsonl.gz', import.meta.url));
const OPTIONS: RunGatewayOptions = {
  account: null,
  partitions: PARTITIONS,
  partitionOf: (asset) => partitionOf(asset, PARTITIONS),
  skewAllowanceMs: 500,
  joinWindowMs: 5_000,
  speed: 'max',
  continues: false,
};

async function* frames(...receivedAt: readonly number[]): FrameSource {
  for (const receivedAtMs of receivedAt) {
    yield [{ kind: 'frame', receivedAtMs, frame: frameOf('order', [orderRow({ updatedTime: receivedAtMs - 10 })]), account: null, raw: Buffer.alloc(0), lineNumber: null }];
  }
}

describe('a gateway run', () => {
  let codec: RecordCodec;
  before(async () => {
    const schemas = readRecordSchemas();
    codec = await RecordCodec.open(localSchemas(schemas), schemas);
  });

  const writerTo = (appender: LogAppender) => new LogWriter({ appender, encode: (type, value) => codec.encode(type, value), nameOf: (topic) => `ns.${topic}` });
  const bytesOf = (log: MemoryLog) =>
    log.topicNames().flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => log.records(topic, partition).map(({ timestampMs, key, value, headers }) => [topic, partition, timestampMs, key, value, headers])));

  it('fills the topics of a log, byte for byte the same from the same file', async () => {
    const logs = [new MemoryLog({ defaultPartitions: PARTITIONS }), new MemoryLog({ defaultPartitions: PARTITIONS })];
    for (const log of logs) {
      const { counts } = await runGateway(readCapture(CLEAN), writerTo(log.sourceWriter()), OPTIONS);
      const written = SOURCE_TOPICS.reduce((sum, topic) => sum + Array.from({ length: PARTITIONS }, (_, partition) => log.records(`ns.${topic}`, partition).length).reduce((a, b) => a + b), 0);
      expect(written).to.equal(counts.watermarks + Object.values(counts.records).reduce((a, b) => a + b));
      expect(written).to.be.greaterThan(300);
    }
    expect(bytesOf(logs[1] as MemoryLog)).to.deep.equal(bytesOf(logs[0] as MemoryLog));
  });

  it('keeps few batches under way, and the order of each partition', async () => {
    let underWay = 0;
    let highest = 0;
    const written: OutgoingRecord[] = [];
    let tail = Promise.resolve();
    const slow: LogAppender = {
      send: (records) => {
        highest = Math.max(highest, ++underWay);
        tail = tail.then(async () => {
          await new Promise((resolve) => setImmediate(resolve));
          written.push(...records);
          underWay--;
        });
        return tail;
      },
      close: async () => undefined,
    };
    const count = 30_000;
    const times = Array.from({ length: count }, (_, index) => T0 + index);
    await runGateway(frames(...times), writerTo(slow), { ...OPTIONS, account: 'desk' });
    const orders = written.filter((record) => record.topic === 'ns.ws-gateway.order' && record.key !== null);
    expect(orders.map((record) => record.timestampMs)).to.deep.equal(times.map((time) => time - 10));
    expect(highest).to.be.within(2, 3);
  });

  it('rejects when the log does, at the latest at its end', async () => {
    const failing: LogAppender = { send: async () => Promise.reject(new Error('disk full')), close: async () => undefined };
    let error: unknown;
    await runGateway(frames(T0), writerTo(failing), OPTIONS).catch((thrown: unknown) => (error = thrown));
    expect(error).to.have.property('message', 'disk full');
  });

  it('plays at recorded pace, N times faster, with watermarks while nothing arrives', async () => {
    const writer = new (class extends RecordingWriter {
      readonly writtenAtMs: number[] = [];

      override write(...record: Parameters<RecordingWriter['write']>): void {
        this.writtenAtMs.push(Math.floor(performance.now() - started));
        super.write(...record);
      }
    })();
    const started = performance.now();
    await runGateway(frames(T0, T0 + 2_000), writer, { ...OPTIONS, partitions: 1, partitionOf: () => 0, speed: 10 });
    expect(performance.now() - started).to.be.at.least(190);
    expect(new Set(writer.writtenAtMs).size, 'watermarks came one by one').to.be.greaterThan(2);
    const fast = new RecordingWriter();
    await runGateway(frames(T0, T0 + 2_000), fast, { ...OPTIONS, partitions: 1, partitionOf: () => 0 });
    expect(writer.text('ws-gateway.order', 0), 'pace changes nothing in the topics').to.equal(fast.text('ws-gateway.order', 0));
  });

  it('stops in the middle of a silence when told to, without a closing watermark', async () => {
    const writer = new RecordingWriter();
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    const run = await runGateway(frames(T0, T0 + 600_000), writer, { ...OPTIONS, speed: 1, signal: stop.signal });
    expect(run.interrupted).to.equal(true);
    expect(run.counts.frames).to.equal(1);
    expect(writer.of('ws-gateway.order', 0).at(-1)?.timestampMs).to.be.below(T0);
  });

  describe('after others', () => {
    async function tailsOf(log: MemoryLog) {
      const partitions = SOURCE_TOPICS.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: `ns.${topic}`, partition })));
      const tails = await readTails(log, partitions, async (records) => {
        await codec.learn(records.map((record) => record.value));
        return (record) => (record.value !== null && codec.nameOf(record.value) === 'Watermark' ? record.timestampMs : null);
      });
      return SOURCE_TOPICS.map((_topic, index) => tails.slice(index * PARTITIONS, (index + 1) * PARTITIONS));
    }
    const lastTimes = (log: MemoryLog) => SOURCE_TOPICS.map((topic) => Array.from({ length: PARTITIONS }, (_, partition) => log.records(`ns.${topic}`, partition).at(-1)?.timestampMs));

    it('finds nothing in empty topics', async () => {
      const tails = await tailsOf(new MemoryLog({ defaultPartitions: PARTITIONS }));
      expect(tails.flat().every((tail) => tail.highestWatermarkMs === null && tail.effectiveMs === null)).to.equal(true);
    });

    it('closes above what an earlier, later-dated session closed with', async () => {
      const log = new MemoryLog({ defaultPartitions: PARTITIONS });
      await runGateway(frames(T0 + 1_000_000), writerTo(log.sourceWriter()), OPTIONS);
      const closedMs = T0 + 1_006_000;
      expect(lastTimes(log).flat().every((time) => time === closedMs)).to.equal(true);
      await runGateway(frames(T0, T0 + 100), writerTo(log.sourceWriter()), { ...OPTIONS, tails: await tailsOf(log) });
      const home = partitionOf('SOLUSDT', PARTITIONS);
      for (const times of lastTimes(log)) times.forEach((time, partition) => expect(time).to.equal(closedMs + 6_000 + (partition === home ? 1 : 0)));
    });

    it('finds the highest watermark however far back it stands', async () => {
      const log = new MemoryLog({ defaultPartitions: PARTITIONS });
      await runGateway(frames(T0 + 1_000_000), writerTo(log.sourceWriter()), OPTIONS);
      const many = Array.from({ length: 2_000 }, (_, index) => T0 + index * 300);
      await runGateway(frames(...many), writerTo(log.sourceWriter()), { ...OPTIONS, continues: true });
      const tails = await tailsOf(log);
      expect(tails.flat().every((tail) => tail.highestWatermarkMs === T0 + 1_006_000)).to.equal(true);
      expect(tails[0]?.[partitionOf('SOLUSDT', PARTITIONS)]?.effectiveMs).to.equal(T0 + 1_006_001);
    });

    it('counts a clock far ahead by 60 s, as the merge does', async () => {
      const log = new MemoryLog({ defaultPartitions: PARTITIONS });
      const far: FrameSource = (async function* () {
        yield [{ kind: 'frame', receivedAtMs: T0, frame: frameOf('order', [orderRow({ updatedTime: T0 + 86_400_000 })]), account: null, raw: Buffer.alloc(0), lineNumber: null }];
        yield* frames(...Array.from({ length: 200 }, (_, index) => T0 + index));
      })();
      await runGateway(far, writerTo(log.sourceWriter()), { ...OPTIONS, continues: true });
      const tails = await tailsOf(log);
      expect(tails[0]?.[partitionOf('SOLUSDT', PARTITIONS)]).to.deep.include({ highestWatermarkMs: T0 - 500, effectiveMs: T0 - 500 + 60_000 });
    });
  });
});
