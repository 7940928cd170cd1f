import type { LogRecord, OutgoingRecord } from '../../src/kafka/record.js';
import { MemoryTask } from '../../src/replay/memory-task.js';
import { MemoryLog, type MemoryLogOptions } from '../../src/runtime/memory-log.js';
import { toyCodec, toyRecord, toyTopology, toyWatermark, TOY_TOPICS } from './toy.js';

export const PARTITIONS = 3;
export const OUTPUT_TOPICS = ['toy.out', 'toy.table', 'toy.left.dead_letters', 'toy.right.dead_letters'];
export const SETTINGS = { policy: 'pro-rata' };
export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Both inputs of every partition: records, watermarks, some refused, all released by the last watermark. */
export function session(partitions = PARTITIONS): readonly OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (const topic of ['toy.left', 'toy.right']) {
      records.push(toyWatermark(topic, 0, partition));
      for (let index = 0; index < 40; index++) {
        const ms = index * 10 + (topic === 'toy.left' ? 0 : 3) + partition;
        records.push(index % 4 === 3 ? toyWatermark(topic, ms, partition) : toyRecord(topic, index % 3 === 0 ? 'A' : 'B', ms, index === 20 ? 'refuse' : '', partition));
      }
      records.push(toyWatermark(topic, 1_000, partition));
    }
  }
  return records;
}

export function toyLog(records: readonly OutgoingRecord[], options: MemoryLogOptions = {}): MemoryLog {
  const log = new MemoryLog({ hasMarkers: true, ...options });
  for (const topic of TOY_TOPICS) log.createTopic(topic, PARTITIONS);
  log.append(records);
  return log;
}

/** A record as a line of text, without its offset: where transactions end shifts those. */
export function line(record: Omit<LogRecord, 'offset'>): string {
  const text = (bytes: Uint8Array | null): string => (bytes === null ? '-' : Buffer.from(bytes).toString('utf8'));
  return `${record.topic}/${record.partition} ${record.timestampMs} ${text(record.key)} ${text(record.value)}`;
}

export function outputs(log: MemoryLog): readonly string[] {
  return OUTPUT_TOPICS.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => log.records(topic, partition).map(line)).flat());
}

/** What a run without any trouble writes. */
export function straight(records: readonly OutgoingRecord[]): readonly string[] {
  const log = toyLog(records);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const task = new MemoryTask(log, { topology: toyTopology, partition, namespace: null, codec: toyCodec, settings: SETTINGS });
    for (let input = 0; input < task.inputCount; input++) task.feed(input, 100_000);
    task.step(Number.POSITIVE_INFINITY);
    task.commit();
  }
  return outputs(log);
}

export async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 8_000; !condition(); ) {
    if (Date.now() > end) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
