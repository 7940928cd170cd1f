import { CLOSING_MARGIN_MS } from '../watermarks.js';
import { emptyLine } from './restored-frame.js';
import { RestoredLines, type Entry } from './restored-lines.js';

/** What a queue gives next: an entry with the time of its arrival, or a watermark. */
export type QueueItem = { readonly kind: 'entry'; readonly entry: Entry; readonly receivedMs: number } | { readonly kind: 'watermark'; readonly watermarkMs: number };

/** One partition of one topic, read from its beginning; null at its end. `hasWatermarks`: not the dead letters. */
export interface Queue {
  readonly hasWatermarks: boolean;
  next(): Promise<QueueItem | null>;
}

export interface SessionOptions {
  readonly skewAllowanceMs: number;
  readonly joinWindowMs: number;
  readonly signal?: AbortSignal;
  /** After each moment; may wait for what was written. */
  readonly onMoment?: () => Promise<void>;
}

export interface RestoredSession {
  readonly frames: number;
  readonly records: number;
  readonly deadLetters: number;
  readonly firstReceivedMs: number | null;
  readonly lastReceivedMs: number | null;
  /** Whether the topics end with closing watermarks: else the file is to be ingested with --continues. */
  readonly isClosed: boolean;
}

class Lane {
  head: { readonly entry: Entry; readonly receivedMs: number; readonly keyMs: number } | null = null;
  firstWatermarkMs: number | null = null;
  watermarkMs = Number.NEGATIVE_INFINITY;
  endsWithWatermark = false;
  readonly #queue: Queue;
  #keyMs = Number.NEGATIVE_INFINITY;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  get hasWatermarks(): boolean {
    return this.#queue.hasWatermarks;
  }

  async advance(): Promise<void> {
    for (let item = await this.#queue.next(); item !== null; item = await this.#queue.next()) {
      this.endsWithWatermark = item.kind === 'watermark';
      if (item.kind === 'entry') {
        this.#keyMs = Math.max(this.#keyMs, item.receivedMs);
        this.head = { entry: item.entry, receivedMs: item.receivedMs, keyMs: this.#keyMs };
        return;
      }
      this.firstWatermarkMs ??= item.watermarkMs;
      this.watermarkMs = Math.max(this.watermarkMs, item.watermarkMs);
    }
    this.head = null;
  }
}

/**
 * Brings a session back from its topics, moment by moment. Within a partition the order is that of the log; between
 * partitions it is that of receive times. An entry received before the watermark in front of it was late: it has to wait
 * until receive time has reached what that watermark was made at.
 */
export async function restoreSession(queues: readonly Queue[], write: (line: string | Buffer) => void, options: SessionOptions): Promise<RestoredSession> {
  const { skewAllowanceMs, joinWindowMs, signal, onMoment } = options;
  const lanes = queues.map((queue) => new Lane(queue));
  const lines = new RestoredLines(write);
  for (const lane of lanes) await lane.advance();
  let reachedMs = Number.NEGATIVE_INFINITY;
  const empty = (receivedMs: number): void => {
    lines.line(emptyLine(receivedMs));
    reachedMs = receivedMs;
  };
  const beganMs = Math.min(...lanes.map((lane) => (lane.firstWatermarkMs ?? Number.POSITIVE_INFINITY) + skewAllowanceMs));
  const firstKeyMs = Math.min(...lanes.map((lane) => lane.head?.keyMs ?? Number.POSITIVE_INFINITY));
  if (beganMs < firstKeyMs && firstKeyMs < Number.POSITIVE_INFINITY) empty(beganMs);
  const firstReceivedMs = Math.min(beganMs, firstKeyMs);
  while (signal?.aborted !== true) {
    const waiting = lanes.filter((lane) => lane.head !== null);
    if (waiting.length === 0) break;
    const isHeldBack = (lane: Lane): boolean => {
      const madeMs = lane.watermarkMs + skewAllowanceMs;
      return lane.head !== null && lane.head.receivedMs < madeMs && reachedMs < madeMs;
    };
    const free = waiting.filter((lane) => !isHeldBack(lane));
    if (free.length === 0) {
      empty(Math.min(...waiting.map((lane) => lane.watermarkMs + skewAllowanceMs)));
      continue;
    }
    const momentMs = Math.min(...free.map((lane) => lane.head?.keyMs as number));
    const entries: Entry[][] = [];
    let latestMs = reachedMs;
    for (const lane of free) {
      const own: Entry[] = [];
      while (lane.head !== null && lane.head.keyMs === momentMs && !isHeldBack(lane)) {
        own.push(lane.head.entry);
        latestMs = Math.max(latestMs, lane.head.receivedMs);
        await lane.advance();
      }
      entries.push(own);
    }
    lines.take(entries);
    reachedMs = latestMs;
    await onMoment?.();
  }
  const sources = lanes.filter((lane) => lane.hasWatermarks);
  const closingMs = Math.min(...sources.map((lane) => (lane.endsWithWatermark ? lane.watermarkMs : Number.NEGATIVE_INFINITY))) - joinWindowMs - CLOSING_MARGIN_MS;
  const isClosed = closingMs >= reachedMs && lines.frames > 0;
  if (isClosed && closingMs > reachedMs) empty(closingMs);
  const told = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);
  return { frames: lines.frames, records: lines.records, deadLetters: lines.deadLetters, firstReceivedMs: told(firstReceivedMs), lastReceivedMs: told(reachedMs), isClosed };
}
