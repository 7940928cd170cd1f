import type { Log, TopicPartition } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import type { PartitionTail } from './watermarks.js';

/** How many records are read first from the end of a partition; more, if there is no watermark among them. */
const FIRST_WINDOW = 64;
const MAX_AHEAD_MS = 60_000;

/** Answers the time of a record that is a watermark, null of any other. */
export type WatermarkOf = (record: LogRecord) => number | null;

/**
 * How far the partitions had come before. Reads the last records only, as long as nothing before them has a later time;
 * where something has (a clock far ahead, an interrupted session), everything from there on is read.
 */
export async function readTails(log: Log, partitions: readonly TopicPartition[], watermarkOf: (records: readonly LogRecord[]) => Promise<WatermarkOf>): Promise<PartitionTail[]> {
  const starts = await log.earliestOffsets(partitions);
  const ends = await log.lastStableOffsets(partitions);
  const tails: PartitionTail[] = [];
  for (const [index, partition] of partitions.entries()) {
    const start = starts[index]?.offset ?? 0;
    const end = ends[index]?.offset ?? 0;
    tails.push(end <= start ? { highestWatermarkMs: null, effectiveMs: null } : await readTail(log, partition, start, end, watermarkOf));
  }
  return tails;
}

async function readTail(log: Log, partition: TopicPartition, start: number, end: number, watermarkOf: (records: readonly LogRecord[]) => Promise<WatermarkOf>): Promise<PartitionTail> {
  const place = new TailPlace();
  let from = end;
  for (let window = FIRST_WINDOW; from > start && place.highestWatermarkMs === null; window *= 4) {
    from = Math.max(start, end - window);
    place.reset(null);
    await place.read(log, partition, from, end, watermarkOf);
  }
  if (from === start || place.highestWatermarkMs === null) return place;
  const [later] = await log.offsetsForTime([partition], place.highestWatermarkMs + 1);
  if (later === undefined || later.offset >= from) return place;
  // Everything before that place is at or below the highest watermark of the tail.
  place.reset(place.highestWatermarkMs);
  await place.read(log, partition, later.offset, end, watermarkOf);
  return place;
}

/** Follows the merge's rule of effective times over the records of one partition. */
class TailPlace implements PartitionTail {
  highestWatermarkMs: number | null = null;
  effectiveMs: number | null = null;

  reset(watermarkMs: number | null): void {
    this.highestWatermarkMs = watermarkMs;
    this.effectiveMs = null;
  }

  async read(log: Log, partition: TopicPartition, from: number, until: number, watermarkOf: (records: readonly LogRecord[]) => Promise<WatermarkOf>): Promise<void> {
    for await (const { records } of log.readRange({ ...partition, from, until })) {
      const timeOf = await watermarkOf(records);
      for (const record of records) this.#take(record, timeOf(record));
    }
  }

  #take(record: LogRecord, watermarkMs: number | null): void {
    if (watermarkMs !== null) {
      this.highestWatermarkMs = Math.max(this.highestWatermarkMs ?? watermarkMs, watermarkMs);
      return;
    }
    // Without a watermark before it in what was read, the record counts by its own time.
    const highestMs = this.highestWatermarkMs;
    const countedMs = highestMs === null ? record.timestampMs : Math.max(Math.min(record.timestampMs, highestMs + MAX_AHEAD_MS), highestMs + 1);
    this.effectiveMs = Math.max(this.effectiveMs ?? countedMs, countedMs);
  }
}
