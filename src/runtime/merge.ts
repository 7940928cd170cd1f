import { Ring } from './ring.js';

/*
 * One canonical order over partition p of several topics, decided by what the logs hold and by nothing else.
 *
 * Effective time of a record = max(its event time, the highest watermark before it in its partition + 1 ms, the
 * effective time of the record before it there); the event time counts at most as that watermark + 60 s, so a clock
 * far ahead holds nothing up for long. A watermark's place = max(its value, the effective time of the record before
 * it); one not above the highest before it is ignored. The order is
 *
 *     (time or place, records before watermarks, declared topic order, offset)
 *
 * and an entry is taken as soon as nothing that sorts before it can still come: an input whose next record is not
 * known must have shown a watermark at or after the entry's time. So a watermark placed at t comes after records of
 * effective time t that lie behind it in its own partition, too.
 */

/** Before any watermark or record. Times are not negative. */
export const NO_TIME = -1;
/** How far an event time may run ahead of its partition's highest watermark. */
export const MAX_AHEAD_MS = 60_000;

/** Where one input stands, after a number of whole takes. Times in milliseconds since the epoch, or -1. */
export interface MergeInputState {
  /** Next offset to read: everything before it is taken, but for the watermarks in `pendingMs`. */
  readonly offset: number;
  /** Highest watermark taken. */
  readonly takenMs: number;
  /** Effective time of the last record taken. */
  readonly effectiveMs: number;
  /** Watermarks before `offset` that wait for later records of `effectiveMs`; ascending, nearly always empty. */
  readonly pendingMs: readonly number[];
}

/** Everything a merge needs to go on after a restart: inputs in declared order. */
export interface MergeState {
  readonly mergedMs: number;
  readonly inputs: readonly MergeInputState[];
}

export interface MergeHandler<T> {
  record(item: T, input: number, effectiveMs: number): void;
  /** The merged watermark, the lowest of the highest values taken from each input, rose. */
  watermark(mergedMs: number): void;
}

class Lane {
  /** Highest watermark read. */
  shownMs = NO_TIME;
  takenMs = NO_TIME;
  /** Effective time of the last record read. */
  readMs = NO_TIME;
  /** Effective time and offset of the last record taken. */
  tookMs = NO_TIME;
  tookOffset = -1;
  nextOffset = 0;
  /** Item = value of the watermark, time = its place. */
  readonly watermarks = new Ring<number>();
}

/** Inputs are numbered in their declared order. Entries of one input are pushed in offset order, inputs in any interleaving. */
export class Merge<T> {
  private readonly lanes: Lane[] = [];
  private readonly records: Ring<T>[] = [];
  private mergedMs = NO_TIME;
  private waitingAtMs = NO_TIME;

  constructor(inputCount: number, state?: MergeState) {
    if (state !== undefined && state.inputs.length !== inputCount) {
      throw new Error(`merge state has ${state.inputs.length} inputs, the topology ${inputCount}`);
    }
    for (let input = 0; input < inputCount; input++) {
      this.records.push(new Ring<T>());
      const lane = new Lane();
      this.lanes.push(lane);
      const from = state?.inputs[input];
      if (from === undefined) continue;
      lane.nextOffset = from.offset;
      lane.takenMs = lane.shownMs = from.takenMs;
      lane.readMs = lane.tookMs = from.effectiveMs;
      lane.tookOffset = from.offset - 1;
      for (const value of from.pendingMs) {
        lane.shownMs = value;
        lane.watermarks.push(Math.max(value, lane.readMs), -1, value);
      }
    }
    this.mergedMs = state?.mergedMs ?? NO_TIME;
  }

  /** Adds a record and returns its effective time. eventMs null: no event time can be trusted, it follows what is before it. */
  pushRecord(input: number, offset: number, eventMs: number | null, item: T): number {
    const lane = this.advanceLane(input, offset, offset + 1);
    let effectiveMs = lane.shownMs + 1;
    if (eventMs !== null && eventMs > effectiveMs) {
      const latest = lane.shownMs + MAX_AHEAD_MS;
      effectiveMs = lane.shownMs !== NO_TIME && eventMs > latest ? latest : eventMs;
    }
    if (lane.readMs > effectiveMs) effectiveMs = lane.readMs;
    lane.readMs = effectiveMs;
    (this.records[input] as Ring<T>).push(effectiveMs, offset, item);
    return effectiveMs;
  }

  pushWatermark(input: number, offset: number, valueMs: number): void {
    const lane = this.advanceLane(input, offset, offset + 1);
    if (valueMs <= lane.shownMs) return;
    lane.shownMs = valueMs;
    lane.watermarks.push(Math.max(valueMs, lane.readMs), offset, valueMs);
  }

  /** Everything below nextOffset has been pushed or is no record (a transaction marker, a hole). */
  pushedTo(input: number, nextOffset: number): void {
    const lane = this.lane(input);
    if (nextOffset > lane.nextOffset) lane.nextOffset = nextOffset;
  }

  /** Takes at most `limit` entries, as far as the order is certain; returns how many. */
  take(handler: MergeHandler<T>, limit = Number.POSITIVE_INFINITY): number {
    const { lanes, records } = this;
    const count = lanes.length;
    let taken = 0;
    this.waitingAtMs = NO_TIME;
    while (taken < limit) {
      let first = -1;
      let firstMs = Number.POSITIVE_INFINITY;
      let isRecord = true;
      for (let input = 0; input < count; input++) {
        const ring = records[input] as Ring<T>;
        if (ring.size > 0 && ring.time() < firstMs) {
          first = input;
          firstMs = ring.time();
        }
      }
      for (let input = 0; input < count; input++) {
        const ring = (lanes[input] as Lane).watermarks;
        if (ring.size > 0 && ring.time() < firstMs) {
          first = input;
          firstMs = ring.time();
          isRecord = false;
        }
      }
      if (first < 0) break;
      if (!this.isCertain(first, firstMs, isRecord)) {
        this.waitingAtMs = firstMs;
        break;
      }
      taken++;
      if (isRecord) this.takeRecord(first, handler);
      else this.takeWatermark(first, handler);
    }
    return taken;
  }

  /** Whether the last take stopped because this input had not shown enough. Such an input must not be paused. */
  isAwaited(input: number): boolean {
    return this.waitingAtMs !== NO_TIME && this.bufferedRecords(input) === 0 && this.lane(input).shownMs < this.waitingAtMs;
  }

  bufferedRecords(input: number): number {
    return (this.records[input] as Ring<T>).size;
  }

  bufferedWatermarks(input: number): number {
    return this.lane(input).watermarks.size;
  }

  /** The position between two takes: what to commit, and what to build a merge from that goes on exactly here. */
  state(): MergeState {
    return { mergedMs: this.mergedMs, inputs: this.lanes.map((lane, input) => this.inputState(lane, input)) };
  }

  private inputState(lane: Lane, input: number): MergeInputState {
    const ring = this.records[input] as Ring<T>;
    const pendingMs: number[] = [];
    let offset = ring.size > 0 ? ring.offset() : lane.nextOffset;
    for (let index = 0; index < lane.watermarks.size; index++) {
      const watermarkOffset = lane.watermarks.offset(index);
      if (watermarkOffset > lane.tookOffset) {
        offset = Math.min(offset, watermarkOffset);
        break;
      }
      pendingMs.push(lane.watermarks.item(index));
    }
    return { offset, takenMs: lane.takenMs, effectiveMs: lane.tookMs, pendingMs };
  }

  private isCertain(first: number, timeMs: number, isRecord: boolean): boolean {
    for (let input = 0; input < this.lanes.length; input++) {
      if (isRecord && input === first) continue;
      if ((this.records[input] as Ring<T>).size === 0 && (this.lanes[input] as Lane).shownMs < timeMs) return false;
    }
    return true;
  }

  private takeRecord(input: number, handler: MergeHandler<T>): void {
    const ring = this.records[input] as Ring<T>;
    const lane = this.lanes[input] as Lane;
    lane.tookMs = ring.time();
    lane.tookOffset = ring.offset();
    handler.record(ring.shift(), input, lane.tookMs);
  }

  private takeWatermark(input: number, handler: MergeHandler<T>): void {
    const lane = this.lanes[input] as Lane;
    lane.takenMs = lane.watermarks.shift();
    let lowest = lane.takenMs;
    for (const other of this.lanes) if (other.takenMs < lowest) lowest = other.takenMs;
    if (lowest <= this.mergedMs) return;
    this.mergedMs = lowest;
    handler.watermark(lowest);
  }

  private lane(input: number): Lane {
    const lane = this.lanes[input];
    if (lane === undefined) throw new Error(`merge has no input ${input}`);
    return lane;
  }

  private advanceLane(input: number, offset: number, nextOffset: number): Lane {
    const lane = this.lane(input);
    if (offset < lane.nextOffset) throw new Error(`merge input ${input} was pushed offset ${offset} after ${lane.nextOffset - 1}`);
    lane.nextOffset = nextOffset;
    return lane;
  }
}
