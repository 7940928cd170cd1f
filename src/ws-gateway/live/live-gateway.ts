import type { RecordName, RecordTypes } from '../../domain/records.js';
import { parseCaptureLine } from '../capture-line.js';
import { rejectionHeaders } from '../dead-letter.js';
import type { RejectionReason } from '../exchange-fields.js';
import { ORDER_TOPIC, parseFrame, type Rejection, type SourceRecord } from '../frame-parser.js';
import { DEAD_LETTER_TOPIC, SOURCE_TOPICS } from '../gateway.js';
import type { SourceWriter } from '../source-writer.js';
import { KNOWN_HEADER, knownText } from './known-times.js';
import { LiveWatermarks, type LiveWatermarkOptions } from './live-watermarks.js';

export interface LiveGatewayOptions extends LiveWatermarkOptions {
  readonly partitionOf: (asset: string) => number;
  readonly encode: <N extends RecordName>(type: N, value: RecordTypes[N]) => Uint8Array;
  /** Called with each record before it is written. */
  readonly onRecord: (record: SourceRecord) => void;
  /** By account, up to when everything is received; written with watermarks, so that a successor knows. */
  readonly knownTimes: () => ReadonlyMap<string, number>;
}

export interface LiveCounts {
  frames: number;
  records: number;
  watermarks: number;
  deadLetters: number;
  readonly rejected: Map<RejectionReason, number>;
}

/**
 * Lines of arrivals in, source records and watermarks out: the live gateway without connections, clock and log. Synchronous; what
 * it writes is a function of its calls.
 */
export class LiveGateway {
  readonly counts: LiveCounts = { frames: 0, records: 0, watermarks: 0, deadLetters: 0, rejected: new Map() };
  readonly #options: LiveGatewayOptions;
  readonly #writer: SourceWriter;
  readonly #watermarks: LiveWatermarks;
  readonly #partitions = new Map<string, number>();
  #receivedMs = 0;

  constructor(options: LiveGatewayOptions, writer: SourceWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#watermarks = new LiveWatermarks(options, (partition, watermarkMs) => this.#writeWatermark(partition, watermarkMs));
  }

  /** Before anything else: partitions that hold nothing begin with a watermark before the earliest event to come. */
  begin(earliestMs: number): void {
    this.#watermarks.begin(earliestMs);
  }

  /** The next arrival, as a line of a capture. `isHeld`: watermarks stand. */
  accept(text: string, isHeld: boolean): void {
    const line = parseCaptureLine(text);
    if (line.kind === 'unreadable') {
      this.#reject(text, [{ kind: 'rejected', reason: line.reason, message: line.message, frameIndex: null }], null);
      return;
    }
    this.counts.frames++;
    const { receivedAtMs, frame, source } = line;
    const account = line.account ?? 'default';
    this.#receivedMs = Math.max(this.#receivedMs, receivedAtMs);
    if (!isHeld) this.#watermarks.advance(receivedAtMs);
    const rejections: Rejection[] = [];
    for (const row of parseFrame(frame, { account, receivedAtMs, source })) {
      if (row.kind === 'rejected') rejections.push(row);
      else this.#write(row, receivedAtMs);
    }
    if (rejections.length > 0) this.#reject(text, rejections, account);
  }

  /** Exchange time went on to here, and everything received until then was accepted; not while watermarks are held. */
  tick(nowMs: number): void {
    this.#watermarks.advance(nowMs);
  }

  #write(row: SourceRecord, receivedAtMs: number): void {
    this.#options.onRecord(row);
    const asset = row.value.asset;
    const partition = this.#partitionOf(asset);
    this.#watermarks.record(partition, receivedAtMs);
    this.#writer.write(row.topic, partition, asset, row.type, row.value, row.eventMs);
    this.counts.records++;
  }

  #reject(text: string, rejections: readonly Rejection[], account: string | null): void {
    for (const { reason } of rejections) this.counts.rejected.set(reason, (this.counts.rejected.get(reason) ?? 0) + 1);
    this.#writer.writeRaw(DEAD_LETTER_TOPIC, 0, null, Buffer.from(text), this.#receivedMs, rejectionHeaders(rejections, account, null));
    this.counts.deadLetters++;
  }

  #writeWatermark(partition: number, watermarkMs: number): void {
    for (const topic of SOURCE_TOPICS) {
      if (topic === ORDER_TOPIC && partition === 0) {
        const known = knownText(this.#options.knownTimes(), watermarkMs);
        this.#writer.writeRaw(topic, partition, null, this.#options.encode('Watermark', { watermark_at: watermarkMs }), watermarkMs, [[KNOWN_HEADER, known]]);
      } else this.#writer.write(topic, partition, null, 'Watermark', { watermark_at: watermarkMs }, watermarkMs);
    }
    this.counts.watermarks += SOURCE_TOPICS.length;
  }

  #partitionOf(asset: string): number {
    let partition = this.#partitions.get(asset);
    if (partition === undefined) this.#partitions.set(asset, (partition = this.#options.partitionOf(asset)));
    return partition;
  }
}
