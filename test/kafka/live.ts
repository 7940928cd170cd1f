import { randomUUID } from 'node:crypto';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog, type KafkaLogOptions } from '../../src/kafka/kafka-log.js';
import type { LogReader, TopicPartition } from '../../src/kafka/log.js';
import type { LogRecord, OutgoingRecord } from '../../src/kafka/record.js';

/** A broker to test against, with names of its own and everything removed afterwards. */
export class LiveKafka {
  readonly brokers: readonly string[];
  readonly admin: TopicAdmin;
  readonly #prefix = `it-${randomUUID().slice(0, 8)}`;
  readonly #topics: string[] = [];
  readonly #logs: KafkaLog[] = [];
  readonly #unhandled: unknown[] = [];
  readonly #noteUnhandled = (reason: unknown): void => void this.#unhandled.push(reason);
  #names = 0;

  constructor() {
    // Mocha passes over rejections nobody handles; a process outside of it would end.
    process.on('unhandledRejection', this.#noteUnhandled);
    const addresses = process.env['KAFKA_BROKERS'];
    if (!addresses) throw new Error('KAFKA_BROKERS is not set: eval "$(scripts/position-linker stack env)" after stack up');
    this.brokers = addresses.split(',');
    this.admin = new TopicAdmin({ brokers: this.brokers, clientId: 'test' });
  }

  name(what: string): string {
    return `${this.#prefix}-${what}-${this.#names++}`;
  }

  log(options: Partial<KafkaLogOptions> = {}): KafkaLog {
    const log = new KafkaLog({ brokers: this.brokers, clientId: 'test', ...options });
    this.#logs.push(log);
    return log;
  }

  async topic(partitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const topic = this.name('topic');
    await this.admin.create([{ topic, partitions, replicationFactor: 1, configs }]);
    this.#topics.push(topic);
    return topic;
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
    await this.admin.delete(this.#topics);
    await this.admin.close();
    process.off('unhandledRejection', this.#noteUnhandled);
    if (this.#unhandled.length > 0) throw new Error(`${this.#unhandled.length} rejections were not handled`, { cause: this.#unhandled[0] });
  }
}

export function outgoing(topic: string, partition: number, value: string | null, key: string | null = null): OutgoingRecord {
  return {
    topic,
    partition,
    timestampMs: Date.now(),
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  };
}

export function textOf({ value }: LogRecord): string {
  return value === null ? '' : Buffer.from(value).toString();
}

/**
 * All committed values of a partition. A transaction becomes readable when its markers are written, a little after its
 * commit is answered; so this reads again until there are `count` values, for a second at most.
 */
export async function committedValues(log: KafkaLog, topic: string, partition = 0, count = 0): Promise<string[]> {
  const deadlineMs = Date.now() + 1_000;
  for (;;) {
    const values: string[] = [];
    for await (const { records } of log.readRange({ topic, partition, from: 'earliest', until: 'lastStable' })) values.push(...records.map(textOf));
    if (values.length >= count || Date.now() > deadlineMs) return values;
  }
}

/** Polls until `count` records came, or fails after `maxMs`. */
export async function pollRecords(reader: LogReader, count: number, maxMs = 20_000): Promise<LogRecord[]> {
  const deadlineMs = Date.now() + maxMs;
  const records: LogRecord[] = [];
  while (records.length < count) {
    if (Date.now() > deadlineMs) throw new Error(`${records.length} of ${count} records came within ${maxMs} ms`);
    for (const fetched of await reader.poll(200)) records.push(...fetched.records);
  }
  return records;
}

/** Polls until the positions reach the ends given. */
export async function pollTo(reader: LogReader, ends: readonly (TopicPartition & { offset: number })[], maxMs = 60_000): Promise<LogRecord[]> {
  const deadlineMs = Date.now() + maxMs;
  const left = new Map(ends.filter(({ offset }) => offset > 0).map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]));
  const records: LogRecord[] = [];
  while (left.size > 0) {
    if (Date.now() > deadlineMs) throw new Error(`not at the end after ${maxMs} ms: ${[...left].join(', ')}`);
    for (const { topic, partition, nextOffset, records: more } of await reader.poll(200)) {
      records.push(...more);
      if (nextOffset >= (left.get(`${topic} ${partition}`) ?? Infinity)) left.delete(`${topic} ${partition}`);
    }
  }
  return records;
}

export async function until(what: string, isTrue: () => boolean | Promise<boolean>, maxMs = 30_000): Promise<void> {
  const deadlineMs = Date.now() + maxMs;
  while (!(await isTrue())) {
    if (Date.now() > deadlineMs) throw new Error(`${what} did not come true within ${maxMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
