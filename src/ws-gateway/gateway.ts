import { rejectionHeaders } from './dead-letter.js';
import type { RejectionReason } from './exchange-fields.js';
import { envelopeIdOf, EXECUTION_TOPIC, ORDER_TOPIC, parseFrame, POSITION_TOPIC, type Rejection } from './frame-parser.js';
import { uidOfEnvelopeId } from './envelope.js';
import type { ReceivedFrame, SourceItem } from './frame-source.js';
import type { SourceWriter } from './source-writer.js';
import { Watermarks, type PartitionTail } from './watermarks.js';

/** In the order of the topology: it is the order of `tails`, too. */
export const SOURCE_TOPICS = [ORDER_TOPIC, EXECUTION_TOPIC, POSITION_TOPIC] as const;
export const DEAD_LETTER_TOPIC = 'ws-gateway.dead_letters';

/** Items held back until the account is known, and until it is sure that this is a capture at all. */
const HELD_ITEMS = 10_000;
const HELD_BYTES = 32 * 1024 * 1024;
const FALLBACK_ACCOUNT = 'default';

export interface GatewayOptions {
  /** Account of all frames, whatever they say; null to find it. */
  readonly account: string | null;
  readonly partitions: number;
  /** Partition of an asset, the same for every topic. */
  readonly partitionOf: (asset: string) => number;
  readonly skewAllowanceMs: number;
  readonly joinWindowMs: number;
  /** What the source topics hold already: by topic as in SOURCE_TOPICS, then partition. Absent: nothing. */
  readonly tails?: readonly (readonly PartitionTail[])[];
}

/** What was done so far. */
export interface GatewayCounts {
  frames: number;
  readonly records: { [topic in (typeof SOURCE_TOPICS)[number]]: number };
  watermarks: number;
  deadLetters: number;
  /** Rows, frames and lines not taken, by reason. */
  readonly rejected: Map<RejectionReason, number>;
  firstReceivedMs: number | null;
  lastReceivedMs: number | null;
}

/** The input holds not a single line of a capture. */
export class NotACaptureError extends Error {
  override name = 'NotACaptureError';
}

/**
 * Frames in, source records and watermarks out: the ws-gateway without its input and output. Synchronous and without a
 * clock; what it writes is a function of the frames and the options.
 */
export class Gateway {
  readonly counts: GatewayCounts = {
    frames: 0,
    records: { [ORDER_TOPIC]: 0, [EXECUTION_TOPIC]: 0, [POSITION_TOPIC]: 0 },
    watermarks: 0,
    deadLetters: 0,
    rejected: new Map(),
    firstReceivedMs: null,
    lastReceivedMs: null,
  };
  readonly #options: GatewayOptions;
  readonly #writer: SourceWriter;
  readonly #watermarks: Watermarks;
  readonly #partitions = new Map<string, number>();
  /** Account of frames that do not say one; null until it is found. */
  #account: string | null;
  /** Null once there is nothing to wait for. */
  #held: SourceItem[] | null = [];
  #heldBytes = 0;
  #isCapture = false;

  constructor(options: GatewayOptions, writer: SourceWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#account = options.account;
    this.#watermarks = new Watermarks(
      { partitions: options.partitions, topics: SOURCE_TOPICS.length, skewAllowanceMs: options.skewAllowanceMs, joinWindowMs: options.joinWindowMs },
      (partition, watermarkMs) => this.#writeWatermark(partition, watermarkMs),
      options.tails,
    );
  }

  /** Takes the next item. Throws NotACaptureError after many lines of which none is one of a capture. */
  accept(item: SourceItem): void {
    if (this.#held === null) this.#handle(item);
    else this.#hold(item, this.#held);
  }

  /** Receive time went on without a frame; never beyond the receive time of the next one. */
  tick(receivedMs: number): void {
    if (this.#held === null && this.#watermarks.receivedMs !== null) this.#watermarks.advance(receivedMs);
  }

  /** End of the input. `continues`: more of the session follows, so no closing watermark. Throws NotACaptureError. */
  finish(continues: boolean): void {
    if (!this.#isCapture) {
      const lines = this.#held?.length ?? 0;
      throw new NotACaptureError(lines === 0 ? 'the input is empty' : `none of its ${lines} lines is one of a capture: ${firstMessage(this.#held)}`);
    }
    this.#release();
    if (continues) this.#watermarks.pause();
    else this.#watermarks.close();
  }

  #hold(item: SourceItem, held: SourceItem[]): void {
    held.push(item);
    this.#heldBytes += item.raw.length;
    if (item.kind === 'frame') {
      this.#isCapture = true;
      this.#account ??= uidOfEnvelopeId(envelopeIdOf(item.frame));
    }
    const full = held.length >= HELD_ITEMS || this.#heldBytes >= HELD_BYTES;
    if (full && !this.#isCapture) throw new NotACaptureError(`none of its first ${held.length} lines is one of a capture: ${firstMessage(held)}`);
    if (full || (this.#isCapture && this.#account !== null)) this.#release();
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#account ??= FALLBACK_ACCOUNT;
    const first = held.find((item): item is ReceivedFrame => item.kind === 'frame');
    // Lines before the first frame belong to its time.
    if (first !== undefined) this.counts.firstReceivedMs = first.receivedAtMs;
    for (const item of held) this.#handle(item);
  }

  #handle(item: SourceItem): void {
    if (item.kind === 'unreadable') {
      this.#reject(item, [{ kind: 'rejected', reason: item.reason, message: item.message, frameIndex: null }]);
      return;
    }
    this.counts.frames++;
    this.#watermarks.advance(item.receivedAtMs);
    this.counts.lastReceivedMs = this.#watermarks.receivedMs;
    const account = this.#options.account ?? item.account ?? this.#account ?? FALLBACK_ACCOUNT;
    const rejections: Rejection[] = [];
    for (const row of parseFrame(item.frame, { account, receivedAtMs: item.receivedAtMs, source: item.source ?? 'stream', rowIndexes: item.rowIndexes ?? null })) {
      if (row.kind === 'rejected') {
        rejections.push(row);
        continue;
      }
      const asset = row.value.asset;
      const partition = this.#partitionOf(asset);
      this.#watermarks.beforeRecord(SOURCE_TOPICS.indexOf(row.topic), partition, row.eventMs);
      this.#writer.write(row.topic, partition, asset, row.type, row.value, row.eventMs);
      this.counts.records[row.topic]++;
    }
    if (rejections.length > 0) this.#reject(item, rejections, account);
  }

  /** One dead letter for the line, however many of its rows are bad: the good ones, replayed, are harmless repetitions. */
  #reject(item: SourceItem, rejections: readonly Rejection[], account: string | null = null): void {
    for (const { reason } of rejections) this.counts.rejected.set(reason, (this.counts.rejected.get(reason) ?? 0) + 1);
    if (rejections.length === 0) return;
    const headers = rejectionHeaders(rejections, account, item.lineNumber);
    const timestampMs = this.#watermarks.receivedMs ?? this.counts.firstReceivedMs ?? 0;
    this.#writer.writeRaw(DEAD_LETTER_TOPIC, 0, null, item.raw, timestampMs, headers);
    this.counts.deadLetters++;
  }

  #writeWatermark(partition: number, watermarkMs: number): void {
    for (const topic of SOURCE_TOPICS) this.#writer.write(topic, partition, null, 'Watermark', { watermark_at: watermarkMs }, watermarkMs);
    this.counts.watermarks += SOURCE_TOPICS.length;
  }

  #partitionOf(asset: string): number {
    let partition = this.#partitions.get(asset);
    if (partition === undefined) {
      partition = this.#options.partitionOf(asset);
      this.#partitions.set(asset, partition);
    }
    return partition;
  }
}

function firstMessage(items: readonly SourceItem[] | null): string {
  const first = items?.find((item) => item.kind === 'unreadable');
  return first?.kind === 'unreadable' ? `${first.message}${first.lineNumber === null ? '' : ` (line ${first.lineNumber})`}` : 'nothing readable';
}
