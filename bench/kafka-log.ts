import { randomUUID } from 'node:crypto';
import { decodeRecordBatches } from '../src/kafka/batch-decoder.js';
import { encodeRecordBatch } from '../src/kafka/batch-encoder.js';
import { crc32c } from '../src/kafka/crc32c.js';
import { TopicAdmin } from '../src/kafka/admin.js';
import { KafkaLog } from '../src/kafka/kafka-log.js';
import type { LogRecord, OutgoingRecord } from '../src/kafka/record.js';

/*
 * Speed of the Kafka layer alone: `node --import tsx bench/kafka-log.ts`. Batches need nothing; the rest needs
 * KAFKA_BROKERS. Every figure is the median of three runs.
 */

const VALUE = Buffer.alloc(200, 'v');
const KEY = Buffer.from('BTCUSDT');

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function measure(what: string, unit: string, count: number, work: () => void | Promise<void>, runs = 3): Promise<void> {
  const rates: number[] = [];
  const cpus: number[] = [];
  for (let run = 0; run < runs; run++) {
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    await work();
    rates.push((count * 1000) / (performance.now() - startMs));
    const { user, system } = process.cpuUsage(cpu);
    cpus.push((user + system) / 1e6);
  }
  console.log(`${what.padEnd(58)} ${Math.round(median(rates)).toLocaleString('en').padStart(12)} ${unit}/s  ${median(cpus).toFixed(2)} s CPU`);
}

async function measureBatches(): Promise<void> {
  const records = Array.from({ length: 1_000 }, (_, i) => ({ timestampMs: 1.7e12 + i, key: KEY, value: VALUE }));
  const trace = Buffer.alloc(55, 'a');
  const headed = records.map(({ timestampMs, key, value }) => ({ timestampMs, key, value, headers: [['traceparent', trace]] as const }));
  const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true };
  const rounds = 1_000;
  for (const [name, list] of [['', records], [', one header', headed]] as const) {
    const batch = encodeRecordBatch(list, producer);
    const encode = (): void => {
      for (let i = 0; i < rounds; i++) encodeRecordBatch(list, producer);
    };
    const decode = (): void => {
      for (let i = 0; i < rounds; i++) {
        const into: LogRecord[] = [];
        for (const decoded of decodeRecordBatches(batch, 't', 0)) decoded.readRecords(into, 0);
      }
    };
    encode();
    decode();
    await measure(`encode batches of 1,000${name}`, 'records', rounds * list.length, encode);
    await measure(`decode batches of 1,000${name}`, 'records', rounds * list.length, decode);
  }
  const bytes = Buffer.alloc(1 << 20, 7);
  await measure('crc32c', 'MiB', 500, () => {
    for (let i = 0; i < 500; i++) crc32c(bytes);
  });
}

async function measureBroker(brokers: readonly string[]): Promise<void> {
  const admin = new TopicAdmin({ brokers, clientId: 'bench' });
  const log = new KafkaLog({ brokers, clientId: 'bench' });
  const topic = `bench-${randomUUID().slice(0, 8)}`;
  const partitions = 12;
  await admin.create([{ topic, partitions, replicationFactor: 1, configs: {} }]);
  try {
    const out = (count: number): OutgoingRecord[] =>
      Array.from({ length: count }, (_, i) => ({ topic, partition: i % partitions, timestampMs: Date.now(), key: KEY, value: VALUE }));
    const writer = log.writer(`${topic}-writer`);
    await writer.init();
    const commit = (offset: number): Promise<void> => writer.commit(`${topic}-group`, [{ topic, partition: 0, offset }]);

    for (const [perTransaction, transactions] of [[1, 300], [100, 200], [1_000, 150], [5_000, 60], [20_000, 20]] as const) {
      const batch = out(perTransaction);
      const latencies: number[] = [];
      await measure(`transactions of ${perTransaction.toLocaleString('en')} and offsets, one writer`, 'records', perTransaction * transactions, async () => {
        for (let i = 0; i < transactions; i++) {
          const startMs = performance.now();
          const sent = writer.send(batch);
          await commit(i);
          await sent;
          latencies.push(performance.now() - startMs);
        }
      });
      console.log(`  ${(1000 / (latencies.reduce((a, b) => a + b) / latencies.length)).toFixed(0)} transactions/s, median ${median(latencies).toFixed(1)} ms`);
    }

    const source = log.sourceWriter();
    const batch = out(5_000);
    await measure('idempotent, 5,000 a send', 'records', 5_000 * 60, async () => {
      for (let i = 0; i < 60; i++) await source.send(batch);
    });

    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const ends = await log.lastStableOffsets(places);
    const total = ends.reduce((sum, { offset }) => sum + offset, 0);
    await measure(`reader: fetch, check, decode ${total.toLocaleString('en')}`, 'records', total, async () => {
      const reader = log.reader();
      reader.assign(places.map((place) => ({ ...place, offset: 0 })));
      const left = new Map(ends.map(({ partition, offset }) => [partition, offset]));
      while (left.size > 0) {
        for (const { partition, nextOffset } of await reader.poll(1_000)) if (nextOffset >= left.get(partition)!) left.delete(partition);
      }
      await reader.close();
    });
    await measure('range read of one partition', 'records', ends[0]!.offset, async () => {
      for await (const _ of log.readRange({ topic, partition: 0, from: 'earliest', until: 'lastStable' }));
    });
  } finally {
    await admin.delete([topic]);
    await admin.close();
    await log.close();
  }
}

await measureBatches();
const brokers = process.env['KAFKA_BROKERS'];
if (brokers) await measureBroker(brokers.split(','));
else console.log('KAFKA_BROKERS is not set: broker part left out');
