import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import type { SourceWriter } from '../../src/ws-gateway/source-writer.js';

export interface WrittenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly type: RecordName | 'raw';
  readonly value: unknown;
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Keeps what a gateway writes. */
export class RecordingWriter implements SourceWriter {
  readonly records: WrittenRecord[] = [];

  write<N extends RecordName>(topic: string, partition: number, key: string | null, type: N, value: RecordTypes[N], timestampMs: number): void {
    this.records.push({ topic, partition, key, type, value, timestampMs, headers: {} });
  }

  writeRaw(topic: string, partition: number, key: string | null, value: Uint8Array, timestampMs: number, headers: readonly (readonly [string, string])[]): void {
    this.records.push({ topic, partition, key, type: 'raw', value: Buffer.from(value).toString('utf8'), timestampMs, headers: Object.fromEntries(headers) });
  }

  async drain(): Promise<void> {}
  async flush(): Promise<void> {}

  of(topic: string, partition?: number): WrittenRecord[] {
    return this.records.filter((record) => record.topic === topic && (partition === undefined || record.partition === partition));
  }

  /** Text of everything in a partition of a topic, in order. */
  text(topic: string, partition: number): string {
    return this.of(topic, partition)
      .map(({ key, type, value, timestampMs }) => JSON.stringify([key, type, value, timestampMs], (_name, item: unknown) => (typeof item === 'bigint' ? `${item}` : item)))
      .join('\n');
  }
}
