/*
 * When the live gateway writes a watermark into a partition. Its value is exchange time less the skew allowance, at points of a
 * grid: every 250 ms until the partition's watermark has reached the receive time of its last record, every second until it has
 * passed that by the join window, then every 10 s. It never goes back; while it is held (a loss is noticed and the gap not yet
 * closed) none is written.
 */

const FINE_STEP_MS = 250;
const WINDOW_STEP_MS = 1_000;
const IDLE_STEP_MS = 10_000;
const NOWHERE = Number.NEGATIVE_INFINITY;

export interface LiveWatermarkOptions {
  readonly partitions: number;
  readonly skewAllowanceMs: number;
  readonly joinWindowMs: number;
  /** By partition: the highest watermark that every source topic holds already, null where one holds none. */
  readonly reachedMs: readonly (number | null)[];
}

interface PartitionState {
  watermarkMs: number;
  lastRecordMs: number;
  /** Receive time of the grid point last looked at. */
  pointMs: number;
  hasFirst: boolean;
}

export class LiveWatermarks {
  readonly #options: LiveWatermarkOptions;
  readonly #emit: (partition: number, watermarkMs: number) => void;
  readonly #partitions: PartitionState[];

  constructor(options: LiveWatermarkOptions, emit: (partition: number, watermarkMs: number) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#partitions = Array.from({ length: options.partitions }, (_, partition) => {
      const reachedMs = options.reachedMs[partition] ?? null;
      return { watermarkMs: reachedMs ?? NOWHERE, lastRecordMs: NOWHERE, pointMs: NOWHERE, hasFirst: reachedMs !== null };
    });
  }

  /** The first record of a partition is a watermark: where there is none yet, one just before the earliest event to come. */
  begin(earliestMs: number): void {
    this.#partitions.forEach((state, partition) => {
      if (state.hasFirst) return;
      this.#write(partition, state, Math.max(0, Math.floor(earliestMs) - 1 - this.#options.skewAllowanceMs));
    });
  }

  /** A record was received at this exchange time and is about to be written. */
  record(partition: number, receivedMs: number): void {
    const state = this.#partitions[partition];
    if (state === undefined) throw new RangeError(`partition ${partition} of ${this.#options.partitions}`);
    state.lastRecordMs = Math.max(state.lastRecordMs, receivedMs);
  }

  /** Exchange time went on to here, and everything received until then is written; not to be called while watermarks are held. */
  advance(nowMs: number): void {
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      const state = this.#partitions[partition] as PartitionState;
      const pointMs = floorTo(nowMs, this.#stepOf(state));
      if (pointMs <= state.pointMs) continue;
      state.pointMs = pointMs;
      const watermarkMs = pointMs - this.#options.skewAllowanceMs;
      if (watermarkMs > state.watermarkMs && watermarkMs >= 0) this.#write(partition, state, watermarkMs);
    }
  }

  #stepOf({ watermarkMs, lastRecordMs }: PartitionState): number {
    if (watermarkMs < lastRecordMs) return FINE_STEP_MS;
    return watermarkMs < lastRecordMs + this.#options.joinWindowMs ? WINDOW_STEP_MS : IDLE_STEP_MS;
  }

  #write(partition: number, state: PartitionState, watermarkMs: number): void {
    state.watermarkMs = watermarkMs;
    state.hasFirst = true;
    this.#emit(partition, watermarkMs);
  }
}

function floorTo(timeMs: number, stepMs: number): number {
  return Math.floor(timeMs / stepMs) * stepMs;
}
