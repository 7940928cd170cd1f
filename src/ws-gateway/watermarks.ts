/*
 * Watermarks of a played capture. Time is receive time, taken from the frames alone, so the same file gives the same
 * watermarks; a watermark is a receive time less the skew allowance.
 *
 * The first record of every partition is one. Then partition p gets one
 *   - every 250 ms of receive time until p's watermark has reached the receive time of p's last record,
 *   - every second until it has passed that by the join window,
 *   - every 10 s from there on.
 * Points lie on multiples of the step. Of a silent stretch only the 250 ms part is written as time goes on, and the last
 * point of the rest just before p's next record: nothing in between could change a result, and a file with a gap of a
 * year stays small. A partition's points depend only on receive times and on its own records, not on when they are asked
 * for.
 */

const FINE_STEP_MS = 250;
const WINDOW_STEP_MS = 1_000;
const IDLE_STEP_MS = 10_000;
/** An event time counts at most as the watermark before it plus this, so that one clock far ahead stops nothing. */
const MAX_AHEAD_MS = 60_000;
/** A closing watermark passes everything by the join window and this. */
export const CLOSING_MARGIN_MS = 1_000;

export interface WatermarkOptions {
  readonly partitions: number;
  readonly topics: number;
  readonly skewAllowanceMs: number;
  readonly joinWindowMs: number;
}

/** How far a partition of one topic had come before this run; null where it holds nothing of the kind. */
export interface PartitionTail {
  readonly highestWatermarkMs: number | null;
  readonly effectiveMs: number | null;
}

interface PartitionState {
  /** Highest value written in this run. */
  watermarkMs: number;
  /** Receive time of the last point considered. */
  pointMs: number;
  /** Receive time of the last record; null before the first. */
  lastRecordMs: number | null;
}

/** Place of one topic's partition in the merge of its readers. */
interface Place {
  highestWatermarkMs: number;
  effectiveMs: number;
}

const NOWHERE = Number.NEGATIVE_INFINITY;

export class Watermarks {
  readonly #options: WatermarkOptions;
  readonly #emit: (partition: number, watermarkMs: number) => void;
  readonly #partitions: PartitionState[] = [];
  /** By topic, then partition. */
  readonly #places: readonly Place[][];
  /** Partitions whose watermark has not reached their last record. */
  readonly #behind = new Set<number>();
  #receivedMs: number | null = null;

  /**
   * `emit` is to write the watermark into the partition of every topic. `tails`: by topic, then partition, what is in the
   * topics already.
   */
  constructor(options: WatermarkOptions, emit: (partition: number, watermarkMs: number) => void, tails: readonly (readonly PartitionTail[])[] = []) {
    this.#options = options;
    this.#emit = emit;
    this.#places = Array.from({ length: options.topics }, (_topic, topic) =>
      Array.from({ length: options.partitions }, (_partition, partition) => {
        const tail = tails[topic]?.[partition];
        return { highestWatermarkMs: tail?.highestWatermarkMs ?? NOWHERE, effectiveMs: tail?.effectiveMs ?? NOWHERE };
      }),
    );
  }

  /** Receive time so far: the highest seen, null before the first. */
  get receivedMs(): number | null {
    return this.#receivedMs;
  }

  /** Receive time goes on; an earlier one than the highest seen counts as that. */
  advance(receivedAtMs: number): void {
    const before = this.#receivedMs;
    if (before === null) {
      this.#start(receivedAtMs);
      return;
    }
    if (receivedAtMs <= before) return;
    this.#receivedMs = receivedAtMs;
    if (floorTo(receivedAtMs, FINE_STEP_MS) === floorTo(before, FINE_STEP_MS)) return;
    for (const partition of [...this.#behind]) this.#catchUp(partition, receivedAtMs);
  }

  /** To be called before each record is written, after `advance`: it writes the end of the partition's silent stretch. */
  beforeRecord(topic: number, partition: number, eventMs: number): void {
    const receivedMs = this.#receivedMs;
    if (receivedMs === null) throw new Error('a record came before any receive time');
    const state = this.#partition(partition);
    if (!this.#behind.has(partition)) this.#endSilence(partition, state, receivedMs);
    state.lastRecordMs = receivedMs;
    if (state.watermarkMs < receivedMs) this.#behind.add(partition);
    const place = this.#place(topic, partition);
    const counted = Math.min(eventMs, place.highestWatermarkMs + MAX_AHEAD_MS);
    place.effectiveMs = Math.max(counted, place.highestWatermarkMs + 1, place.effectiveMs);
  }

  /** End of the file, and more of the session follows: every partition is brought to the last point of its grid. */
  pause(): void {
    const receivedMs = this.#receivedMs;
    if (receivedMs === null) return;
    this.#partitions.forEach((state, partition) => {
      if (!this.#behind.has(partition)) this.#endSilence(partition, state, receivedMs);
    });
  }

  /** End of the session: a watermark that passes everything in the partition's topics by the join window. */
  close(): void {
    const receivedMs = this.#receivedMs;
    if (receivedMs === null) return;
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      let reachedMs = receivedMs;
      for (const topic of this.#places) {
        const place = topic[partition];
        if (place !== undefined) reachedMs = Math.max(reachedMs, place.highestWatermarkMs, place.effectiveMs);
      }
      this.#write(partition, reachedMs + this.#options.joinWindowMs + CLOSING_MARGIN_MS);
    }
    this.#behind.clear();
  }

  #start(receivedAtMs: number): void {
    this.#receivedMs = receivedAtMs;
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      this.#partitions.push({ watermarkMs: NOWHERE, pointMs: receivedAtMs, lastRecordMs: null });
      this.#write(partition, receivedAtMs - this.#options.skewAllowanceMs);
    }
  }

  /** Writes the 250 ms points up to now, until the watermark has reached the last record. */
  #catchUp(partition: number, receivedMs: number): void {
    const state = this.#partition(partition);
    const targetMs = state.lastRecordMs ?? NOWHERE;
    while (state.watermarkMs < targetMs) {
      const pointMs = floorTo(state.pointMs, FINE_STEP_MS) + FINE_STEP_MS;
      if (pointMs > receivedMs) return;
      this.#writePoint(partition, state, pointMs);
    }
    this.#behind.delete(partition);
  }

  /** Writes the last point of the coarser steps up to now, if there is one. */
  #endSilence(partition: number, state: PartitionState, receivedMs: number): void {
    const pointMs = this.#lastCoarsePoint(state.lastRecordMs, receivedMs);
    if (pointMs > state.pointMs) this.#writePoint(partition, state, pointMs);
  }

  #lastCoarsePoint(lastRecordMs: number | null, receivedMs: number): number {
    const idlePointMs = floorTo(receivedMs, IDLE_STEP_MS);
    if (lastRecordMs === null) return idlePointMs;
    const { joinWindowMs, skewAllowanceMs } = this.#options;
    const passedMs = floorTo(lastRecordMs + joinWindowMs + skewAllowanceMs, WINDOW_STEP_MS) + WINDOW_STEP_MS;
    return receivedMs < passedMs ? floorTo(receivedMs, WINDOW_STEP_MS) : Math.max(passedMs, idlePointMs);
  }

  #writePoint(partition: number, state: PartitionState, pointMs: number): void {
    state.pointMs = pointMs;
    const watermarkMs = pointMs - this.#options.skewAllowanceMs;
    if (watermarkMs > state.watermarkMs) this.#write(partition, watermarkMs);
  }

  #write(partition: number, watermarkMs: number): void {
    // A log takes no times before 1970.
    const value = Math.max(watermarkMs, 0);
    this.#partition(partition).watermarkMs = value;
    for (const topic of this.#places) {
      const place = topic[partition];
      if (place !== undefined) place.highestWatermarkMs = Math.max(place.highestWatermarkMs, value);
    }
    this.#emit(partition, value);
  }

  #partition(partition: number): PartitionState {
    const state = this.#partitions[partition];
    if (state === undefined) throw new RangeError(`partition ${partition} of ${this.#options.partitions}`);
    return state;
  }

  #place(topic: number, partition: number): Place {
    const place = this.#places[topic]?.[partition];
    if (place === undefined) throw new RangeError(`partition ${partition} of topic ${topic}`);
    return place;
  }
}

function floorTo(timeMs: number, stepMs: number): number {
  return Math.floor(timeMs / stepMs) * stepMs;
}
