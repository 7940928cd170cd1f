import type { RecordTypes } from '../domain/records.js';
import type { LogRecord } from '../kafka/record.js';
import type { FailedRecord, OffsetMove, RowChange, SinkCodec, SinkTask, SinkUnit, StoredPosition, TableChanges } from '../postgres/sink.js';
import { keyOf, type Cell } from '../postgres/table.js';
import type { RowSource } from './row-sources.js';

type RowRecord = RecordTypes[RowSource['record']];
type Change = RowChange<RowRecord>;

/**
 * A row as a record says it. The record is read whole only when it is asked for: of many that follow each other within a
 * batch only the last is.
 */
class Upsert {
  readonly kind = 'upsert';
  readonly origin: LogRecord;
  readonly previous: Change | null;
  readonly #codec: SinkCodec;

  constructor(codec: SinkCodec, origin: LogRecord, previous: Change | null) {
    this.#codec = codec;
    this.origin = origin;
    this.previous = previous;
  }

  get record(): RowRecord {
    return this.#codec.decode(this.origin.value as Uint8Array).value as RowRecord;
  }
}

/** What was read of one topic since the last take. */
class Intake {
  readonly source: RowSource;
  readonly decide: SinkCodec['decode'];
  takenOffset: number;
  nextOffset: number;
  watermarkMs: number | null;
  records = 0;
  /** By row key: the newest change, which holds the ones before it. */
  changes = new Map<string, Change>();
  failed: FailedRecord[] = [];

  constructor(codec: SinkCodec, source: RowSource, stored: StoredPosition) {
    this.source = source;
    this.decide = codec.decoderOf({ [source.record]: source.decidedBy });
    this.takenOffset = this.nextOffset = stored.nextOffset;
    this.watermarkMs = stored.watermarkMs;
  }
}

/**
 * Records of partition p into rows. Each table follows its own topic, and a row is what the newest record of its key says,
 * so nothing has to be merged and only the last state of a batch is written.
 */
export class RowTask implements SinkTask {
  private readonly codec: SinkCodec;
  private readonly intakes: readonly Intake[];

  constructor(codec: SinkCodec, sources: readonly RowSource[], stored: readonly StoredPosition[]) {
    this.codec = codec;
    this.intakes = sources.map((source, input) => new Intake(codec, source, stored[input] as StoredPosition));
  }

  push(input: number, records: readonly LogRecord[], nextOffset: number): void {
    const intake = this.intakes[input] as Intake;
    for (const record of records) {
      if (record.offset < intake.nextOffset) throw new Error(`${record.topic}/${record.partition}: offset ${record.offset} came after ${intake.nextOffset - 1}`);
      try {
        this.takeIn(intake, record);
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        intake.failed.push({ record, stage: 'decode', exception: name, message });
      }
    }
    intake.nextOffset = Math.max(intake.nextOffset, nextOffset);
  }

  get isDirty(): boolean {
    return this.intakes.some(({ takenOffset, nextOffset }) => nextOffset > takenOffset);
  }

  buffered(input: number): number {
    return (this.intakes[input] as Intake).records;
  }

  isAwaited(): boolean {
    return false;
  }

  take(): Promise<SinkUnit | null> {
    if (!this.isDirty) return Promise.resolve(null);
    const moves: OffsetMove[] = [];
    const tables: TableChanges<never>[] = [];
    const failed: FailedRecord[] = [];
    for (const intake of this.intakes) {
      if (intake.nextOffset === intake.takenOffset) continue;
      const { source, watermarkMs, records } = intake;
      moves.push({ sink: source.table.name, topic: source.topic, from: intake.takenOffset, to: intake.nextOffset, watermarkMs, records, mergeState: null });
      if (intake.changes.size > 0) tables.push({ table: source.table, changes: [...intake.changes.values()] } as unknown as TableChanges<never>);
      failed.push(...intake.failed);
      intake.takenOffset = intake.nextOffset;
      intake.records = 0;
      intake.changes = new Map();
      intake.failed = [];
    }
    return Promise.resolve({ moves, tables, failed });
  }

  committed(): void {}

  private takeIn(intake: Intake, raw: LogRecord): void {
    const { source } = intake;
    if (raw.value === null) {
      const key = source.tombstoneKey?.(Buffer.from(raw.key ?? []).toString('utf8')) ?? null;
      if (key === null) throw new TombstoneError(`a tombstone that names no row of ${source.table.name}`);
      intake.records++;
      this.put(intake, key, (previous) => ({ kind: 'delete', key, origin: raw, previous }));
      return;
    }
    const name = this.codec.nameOf(raw.value);
    // A topic carries several kinds of records; those of other tables are not even decoded.
    if (name !== null && name !== source.record && name !== 'Watermark') return;
    const { type, value } = intake.decide(raw.value);
    if (type === 'Watermark') {
      const { watermark_at } = value as RecordTypes['Watermark'];
      intake.watermarkMs = Math.max(intake.watermarkMs ?? watermark_at, watermark_at);
      return;
    }
    if (type !== source.record) return;
    intake.records++;
    const key = keyOf(source.table, value);
    if (source.isRetracted(value)) this.put(intake, key, (previous) => ({ kind: 'delete', key, origin: raw, previous }));
    else this.put(intake, key, (previous) => new Upsert(this.codec, raw, previous));
  }

  private put(intake: Intake, key: readonly Cell[], change: (previous: Change | null) => Change): void {
    const text = placeOf(key);
    intake.changes.set(text, change(intake.changes.get(text) ?? null));
  }
}

/** One text for one key, made quickly: a length before each text keeps the parts apart, whatever is in them. */
function placeOf(key: readonly Cell[]): string {
  const [only] = key;
  if (key.length === 1 && typeof only === 'string') return only;
  let text = '';
  for (const cell of key) text += typeof cell === 'string' ? `${cell.length}:${cell}` : `,${String(cell)},`;
  return text;
}

/** A record without a value, where none belongs. */
export class TombstoneError extends Error {
  override name = 'TombstoneError';
}
