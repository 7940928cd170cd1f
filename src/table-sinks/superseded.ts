import type { LearningCodec } from '../runtime/learning.js';
import type { Log } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import { keyOf, keyText } from '../postgres/table.js';
import { ROW_SOURCES } from './row-sources.js';

/**
 * The row that a record of this topic says something of, as one text; null for records of no row, and for those that
 * cannot be read. Topics by their bare names.
 */
export function rowOfRecord(codec: LearningCodec, topic: string, { key, value }: Pick<LogRecord, 'key' | 'value'>): string | null {
  for (const source of ROW_SOURCES) {
    if (source.topic !== topic) continue;
    try {
      if (value === null) {
        const row = source.tombstoneKey?.(Buffer.from(key ?? []).toString('utf8')) ?? null;
        if (row !== null) return `${source.table.name} ${keyText(row)}`;
        continue;
      }
      const { type, value: record } = codec.decode(value);
      if (type === source.record) return `${source.table.name} ${keyText(keyOf(source.table, record as never))}`;
    } catch {
      return null;
    }
  }
  return null;
}

/** Of each row, the offset of its newest record in this partition, from `from` on. */
export async function newestOfRows(log: Log, codec: LearningCodec, topic: string, place: { readonly name: string; readonly partition: number; readonly from: number }): Promise<ReadonlyMap<string, number>> {
  const newest = new Map<string, number>();
  for await (const { records } of log.readRange({ topic: place.name, partition: place.partition, from: place.from, until: 'lastStable' })) {
    await codec.learn(records.map(({ value }) => value));
    for (const record of records) {
      const row = rowOfRecord(codec, topic, record);
      if (row !== null) newest.set(row, record.offset);
    }
  }
  return newest;
}
