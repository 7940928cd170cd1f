import { StateLostError } from '../kafka/errors.js';
import type { FetchedPartition, Log, LogReader, TopicPartition } from '../kafka/log.js';
import type { Database } from './database.js';
import { openSinkOffsets } from './sink-offsets.js';
import type { SinkCodec, SinkRole, SinkTask } from './sink.js';

/** A partition this instance owns; without a task while the stored offsets are being read. */
export interface Seat {
  readonly partition: number;
  task: SinkTask | null;
}

/** A task and where its inputs begin. */
interface OpenedTask {
  readonly seat: Seat;
  readonly task: SinkTask;
  readonly offsets: readonly number[];
}

export interface SinkSeatsOptions {
  readonly sink: SinkRole;
  /** Names in the log, in the order of the sink's inputs. */
  readonly topics: readonly string[];
  readonly log: Log;
  readonly reader: LogReader;
  readonly codec: SinkCodec;
  readonly database: Database;
}

/** Records in memory over all inputs, about; a single input always gets a little. */
const BUFFERED_RECORDS = 60_000;
const MIN_BUFFERED_RECORDS = 200;
const MAX_BUFFERED_RECORDS = 8_000;

/** The partitions of one instance: their tasks, and what is read for them. */
export class SinkSeats {
  private readonly options: SinkSeatsOptions;
  private readonly seats = new Map<number, Seat>();
  private readonly opened: OpenedTask[] = [];
  private readonly paused = new Map<string, TopicPartition>();

  constructor(options: SinkSeatsOptions) {
    this.options = options;
  }

  partitions(): number[] {
    return [...this.seats.keys()].sort((a, b) => a - b);
  }

  seatOf(partition: number): Seat | undefined {
    return this.seats.get(partition);
  }

  isTaken(seat: Seat): boolean {
    return this.seats.get(seat.partition) === seat;
  }

  /** Makes a seat without a task. */
  add(partition: number): Seat {
    const seat: Seat = { partition, task: null };
    this.seats.set(partition, seat);
    return seat;
  }

  remove(partition: number): void {
    const seat = this.seats.get(partition);
    if (seat === undefined) return;
    this.seats.delete(partition);
    this.forget(seat);
  }

  clear(): void {
    for (const partition of this.partitions()) this.remove(partition);
  }

  /** What the seat's task holds in memory is void. */
  forget(seat: Seat): void {
    seat.task = null;
    const places = this.places(seat);
    this.options.reader.revoke(places);
    for (const place of places) this.paused.delete(placeKey(place));
  }

  /** Reads the stored offsets and makes a task that begins there; seatOpened lets it begin. */
  async open(seat: Seat): Promise<void> {
    const { sink, codec, log, database } = this.options;
    const earliest = (await log.earliestOffsets(this.places(seat))).map(({ offset }) => offset);
    const stored = await openSinkOffsets(database, sink.inputs, seat.partition, earliest);
    stored.forEach(({ nextOffset }, input) => {
      if (nextOffset < (earliest[input] as number)) throw this.recordsGone(input, seat.partition, nextOffset, earliest[input] as number);
    });
    this.opened.push({ seat, task: sink.createTask(codec, stored), offsets: stored.map(({ nextOffset }) => nextOffset) });
  }

  /** Only between two polls, so that no answer under way can belong to an earlier position. */
  seatOpened(onTask: (partition: number, offsets: readonly number[]) => void): void {
    for (const { seat, task, offsets } of this.opened.splice(0)) {
      if (!this.isTaken(seat)) continue;
      seat.task = task;
      const places = this.places(seat);
      this.options.reader.resume(places);
      this.options.reader.assign(places.map((place, input) => ({ ...place, offset: offsets[input] as number })));
      onTask(seat.partition, offsets);
    }
  }

  push({ topic, partition, records, nextOffset }: FetchedPartition): void {
    this.seats.get(partition)?.task?.push(this.options.topics.indexOf(topic), records, nextOffset);
  }

  working(): Seat[] {
    return [...this.seats.values()].filter(({ task }) => task !== null);
  }

  get isOpening(): boolean {
    for (const { task } of this.seats.values()) if (task === null) return true;
    return false;
  }

  dirty(): { readonly seat: Seat; readonly task: SinkTask }[] {
    return [...this.seats.values()].flatMap((seat) => (seat.task?.isDirty === true ? [{ seat, task: seat.task }] : []));
  }

  /** Records that wait for a commit, or for a watermark. */
  buffered(): number {
    let records = 0;
    for (const { task } of this.seats.values()) if (task !== null) for (let input = 0; input < this.options.topics.length; input++) records += task.buffered(input);
    return records;
  }

  /** Whether some input is not read on until what it brought is committed. */
  get isReadingPaused(): boolean {
    return this.paused.size > 0;
  }

  /** Stops reading inputs that would only fill memory, and goes on with those that would not. */
  regulateReading(): void {
    const share = BUFFERED_RECORDS / Math.max(1, this.seats.size * this.options.topics.length);
    const limit = Math.min(MAX_BUFFERED_RECORDS, Math.max(MIN_BUFFERED_RECORDS, share));
    for (const seat of this.seats.values()) {
      const { task } = seat;
      if (task === null) continue;
      this.places(seat).forEach((place, input) => {
        const isAhead = task.buffered(input) >= limit && !task.isAwaited(input);
        if (isAhead === this.paused.has(placeKey(place))) return;
        if (isAhead) {
          this.paused.set(placeKey(place), place);
          this.options.reader.pause([place]);
        } else {
          this.paused.delete(placeKey(place));
          this.options.reader.resume([place]);
        }
      });
    }
  }

  private places({ partition }: Seat): TopicPartition[] {
    return this.options.topics.map((topic) => ({ topic, partition }));
  }

  private recordsGone(input: number, partition: number, stored: number, earliest: number): Error {
    const { sink, topics } = this.options;
    const topic = topics[input] as string;
    return new StateLostError(
      `table ${sink.inputs[input]?.sink} stands at offset ${stored} of ${topic}/${partition}, whose first record is ${earliest}: records in between are gone; rebuild the tables`,
      { topic, partition },
    );
  }
}

function placeKey({ topic, partition }: TopicPartition): string {
  return `${topic}|${partition}`;
}
