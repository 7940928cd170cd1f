import type { RecordCodec } from '../avro/record-codec.js';
import type { Log } from '../kafka/log.js';

const FIRST_WINDOW = 64;
const MOST_RECORDS = 20_000;

export interface LastMessages {
  /** Event time of the last record that is no watermark, over all partitions; null if none is among the last ones. */
  readonly messageMs: number | null;
  /** The lowest of the partitions' last watermarks; null if a partition has none. */
  readonly watermarkMs: number | null;
}

/** What a source topic says of itself by its last records. */
export async function lastMessages(log: Log, codec: RecordCodec, topic: string, partitions: number): Promise<LastMessages> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const [starts, ends] = await Promise.all([log.earliestOffsets(places), log.lastStableOffsets(places)]);
  let messageMs: number | null = null;
  let watermarkMs: number | null = Infinity;
  for (const partition of places.keys()) {
    const last = await lastOf(log, codec, topic, partition, starts[partition]?.offset ?? 0, ends[partition]?.offset ?? 0);
    if (last.messageMs !== null) messageMs = Math.max(messageMs ?? last.messageMs, last.messageMs);
    watermarkMs = last.watermarkMs === null || watermarkMs === null ? null : Math.min(watermarkMs, last.watermarkMs);
  }
  return { messageMs, watermarkMs: watermarkMs === Infinity ? null : watermarkMs };
}

async function lastOf(log: Log, codec: RecordCodec, topic: string, partition: number, start: number, end: number): Promise<LastMessages> {
  for (let window = FIRST_WINDOW; ; window *= 8) {
    const from = Math.max(start, end - window);
    let messageMs: number | null = null;
    let watermarkMs: number | null = null;
    if (from < end) {
      for await (const { records } of log.readRange({ topic, partition, from, until: end })) {
        await codec.learn(records.map(({ value }) => value));
        for (const { value, timestampMs } of records) {
          if (value === null) continue;
          if (codec.nameOf(value) === 'Watermark') watermarkMs = Math.max(watermarkMs ?? timestampMs, timestampMs);
          else messageMs = Math.max(messageMs ?? timestampMs, timestampMs);
        }
      }
    }
    if ((messageMs !== null && watermarkMs !== null) || from === start || window >= MOST_RECORDS) return { messageMs, watermarkMs };
  }
}
