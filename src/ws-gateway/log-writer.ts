import type { RecordName, RecordTypes } from '../domain/records.js';
import type { SourceWriter as LogAppender } from '../kafka/log.js';
import type { OutgoingRecord, RecordHeader } from '../kafka/record.js';
import type { SourceWriter } from './source-writer.js';

const BATCH_RECORDS = 2_000;
const BATCH_BYTES = 1024 * 1024;
/** Batches under way before `drain` waits, where nobody says otherwise: one being sent and the next ready. */
const BATCHES_UNDER_WAY = 3;
const MAX_REMEMBERED_KEYS = 20_000;

export interface LogWriterOptions {
  /** Where records go: a broker's idempotent producer, or a log in memory. */
  readonly appender: LogAppender;
  /** Bytes of a value; they must not be reused. */
  readonly encode: <N extends RecordName>(type: N, value: RecordTypes[N]) => Uint8Array;
  /** The topic's name in the log, with its namespace. */
  readonly nameOf: (topic: string) => string;
  /** Batches under way before `drain` waits. */
  readonly mostUnderWay?: number;
}

/** Gathers records into batches and keeps a bounded number of them under way. */
export class LogWriter implements SourceWriter {
  readonly #options: LogWriterOptions;
  readonly #names = new Map<string, string>();
  readonly #keys = new Map<string, Buffer>();
  #batch: OutgoingRecord[] = [];
  #batchBytes = 0;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  write<N extends RecordName>(topic: string, partition: number, key: string | null, type: N, value: RecordTypes[N], timestampMs: number): void {
    this.#add({ topic: this.#nameOf(topic), partition, timestampMs, key: key === null ? null : this.#keyOf(key), value: this.#options.encode(type, value) });
  }

  writeRaw(topic: string, partition: number, key: string | null, value: Uint8Array, timestampMs: number, headers: readonly (readonly [string, string])[]): void {
    const encoded = headers.map(([name, text]): RecordHeader => [name, Buffer.from(text)]);
    this.#add({ topic: this.#nameOf(topic), partition, timestampMs, key: key === null ? null : this.#keyOf(key), value, headers: encoded });
  }

  /** Waits while as many batches as allowed are under way; rejects if one could not be written. */
  async drain(): Promise<void> {
    while (this.#underWay.size >= (this.#options.mostUnderWay ?? BATCHES_UNDER_WAY)) await Promise.race(this.#underWay);
    this.#check();
  }

  async flush(): Promise<void> {
    this.#send();
    await Promise.all(this.#underWay);
    this.#check();
  }

  #add(record: OutgoingRecord): void {
    this.#batch.push(record);
    this.#batchBytes += record.value?.length ?? 0;
    if (this.#batch.length >= BATCH_RECORDS || this.#batchBytes >= BATCH_BYTES) this.#send();
  }

  #send(): void {
    if (this.#batch.length === 0 || this.#failure !== null) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    const sent: Promise<void> = this.#options.appender.send(batch).then(
      () => void this.#underWay.delete(sent),
      (error: unknown) => {
        this.#underWay.delete(sent);
        this.#failure ??= { error };
      },
    );
    this.#underWay.add(sent);
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  #nameOf(topic: string): string {
    let name = this.#names.get(topic);
    if (name === undefined) this.#names.set(topic, (name = this.#options.nameOf(topic)));
    return name;
  }

  #keyOf(key: string): Buffer {
    let bytes = this.#keys.get(key);
    if (bytes === undefined) {
      if (this.#keys.size >= MAX_REMEMBERED_KEYS) this.#keys.clear();
      this.#keys.set(key, (bytes = Buffer.from(key)));
    }
    return bytes;
  }
}
