import type { FieldsRead } from '../domain/fields-read.js';
import type { Log, RangeChunk } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import { readArrival } from '../runtime/arrival.js';
import { KeyBytes } from '../runtime/key-bytes.js';
import type { LearningCodec } from '../runtime/learning.js';
import type { PartitionPipeline } from './partition-pipeline.js';

/** A stretch of one source partition. */
export interface SourceRange {
  /** Bare name. */
  readonly topic: string;
  /** Name in the log. */
  readonly logTopic: string;
  readonly partition: number;
  readonly from: number;
  readonly until: number;
  /** The log as it stood at this event time: later records are left out, and time stands there. */
  readonly untilMs: number | null;
}

/** Hands the records of a source partition to a pipeline, a few at a time: decoded ones that wait are expensive. */
export class SourceFeed {
  readonly range: SourceRange;
  private readonly chunks: AsyncIterator<RangeChunk>;
  private readonly codec: LearningCodec;
  private readonly decode: LearningCodec['decode'];
  private readonly keys = new KeyBytes();
  private records: readonly LogRecord[] = [];
  private at = 0;
  private firstRecordMs: number | null = null;
  private ended = false;

  /** reads: the fields its readers look at; null where they want all. */
  constructor(log: Log, codec: LearningCodec, range: SourceRange, reads: FieldsRead | null = null) {
    this.range = range;
    this.codec = codec;
    this.decode = (reads === null ? undefined : codec.decoderOf?.(reads)) ?? ((value) => codec.decode(value));
    this.chunks = log.readRange({ topic: range.logTopic, partition: range.partition, from: range.from, until: range.until })[Symbol.asyncIterator]();
    if (range.from >= range.until) this.ended = true;
  }

  /** Event time of the first record handed over. */
  get firstMs(): number | null {
    return this.firstRecordMs;
  }

  get hasRecords(): boolean {
    return this.at < this.records.length;
  }

  get isEnded(): boolean {
    return this.ended && !this.hasRecords;
  }

  /** Fetches more, when nothing is left; a no-op at the end. */
  async load(): Promise<void> {
    while (!this.hasRecords && !this.ended) {
      const next = await this.chunks.next();
      if (next.done === true) {
        this.ended = true;
        return;
      }
      this.records = next.value.records;
      this.at = 0;
      const learning = this.codec.learn(this.records.map(({ value }) => value));
      if (learning !== null) await learning;
      if (next.value.nextOffset >= this.range.until) this.ended = true;
    }
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  /** Hands over at most `limit` records or watermarks of what is loaded; answers how many. */
  feed(pipeline: PartitionPipeline, limit: number): number {
    const { topic, untilMs } = this.range;
    const end = Math.min(this.records.length, this.at + limit);
    let fed = 0;
    while (this.at < end) {
      const raw = this.records[this.at++] as LogRecord;
      fed++;
      const arrival = readArrival(topic, raw, this.decode, this.keys);
      if (typeof arrival === 'number') {
        if (untilMs === null || arrival <= untilMs) pipeline.pushWatermark(topic, raw.offset, arrival);
        else {
          pipeline.pushWatermark(topic, raw.offset, untilMs);
          this.stopHere();
          return fed;
        }
        continue;
      }
      if (untilMs !== null && raw.timestampMs > untilMs) continue;
      this.firstRecordMs ??= raw.timestampMs;
      const { merged } = arrival;
      pipeline.push(topic, { offset: raw.offset, timestampMs: raw.timestampMs, type: merged?.type ?? null, value: merged?.value ?? null });
    }
    return fed;
  }

  private stopHere(): void {
    this.records = [];
    this.at = 0;
    this.ended = true;
  }
}
