import type { FieldsRead } from '../domain/fields-read.js';
import type { RecordName, RecordTypes } from '../domain/records.js';
import type { LogRecord } from '../kafka/record.js';
import type { FailureStage } from '../runtime/dead-letter.js';
import type { Queries } from './session.js';
import type { Cell, Table } from './table.js';

/*
 * What a role that ends in tables is made of. The shell (sink-runner.ts) reads and commits; a task only turns records
 * into changes of rows. Task p = partition p of all inputs.
 */

/** What a sink needs of Avro. */
export interface SinkCodec {
  /** What the bytes claim to be, without decoding them; null if that is not known. */
  nameOf(bytes: Uint8Array): RecordName | null;
  /** Throws on anything it cannot read completely. */
  decode(bytes: Uint8Array): { readonly type: RecordName; readonly value: RecordTypes[RecordName] };
  /** The same, but records of these names may come with these fields only; all others are checked as strictly. */
  decoderOf(reads: FieldsRead): SinkCodec['decode'];
  learn(values: Iterable<Uint8Array | null>): Promise<void> | null;
}

export interface SinkInput {
  /** As in topics.yaml. */
  readonly topic: string;
  /** Table that follows this topic; offsets are stored per table, topic and partition. */
  readonly sink: string;
}

/** What is stored of one input. */
export interface StoredPosition {
  readonly nextOffset: number;
  /** Milliseconds since the epoch. */
  readonly watermarkMs: number | null;
  readonly recordsApplied: number;
  /** JSON text of the task's own making. */
  readonly mergeState: string | null;
}

export interface SinkRole {
  /** Role name = consumer group = CLI verb. */
  readonly role: string;
  readonly inputs: readonly SinkInput[];
  /** `stored` in the order of `inputs`. */
  createTask(codec: SinkCodec, stored: readonly StoredPosition[]): SinkTask;
}

/** Last word on one row. */
export type RowChange<R> = { readonly origin: LogRecord; readonly previous: RowChange<R> | null } & (
  | { readonly kind: 'upsert'; readonly record: R }
  | { readonly kind: 'delete'; readonly key: readonly Cell[] }
);

/** Changes of one table; keys are distinct. `previous` is what an earlier record of the batch said of the same row. */
export interface TableChanges<R> {
  readonly table: Table<R>;
  readonly changes: readonly RowChange<R>[];
}

/** The table's record type is its own affair: whoever writes it only passes records back to it. */
export type AnyTableChanges = TableChanges<never>;

export interface FailedRecord {
  readonly record: LogRecord;
  readonly stage: FailureStage;
  readonly exception: string;
  readonly message: string;
}

/** One input's step forward. */
export interface OffsetMove {
  readonly sink: string;
  readonly topic: string;
  readonly from: number;
  readonly to: number;
  readonly watermarkMs: number | null;
  /** Records of the table's kind in between. */
  readonly records: number;
  readonly mergeState: string | null;
}

/** All of it is committed in one transaction, or none. */
export interface SinkUnit {
  readonly moves: readonly OffsetMove[];
  readonly tables: readonly AnyTableChanges[];
  readonly failed: readonly FailedRecord[];
}

/** Between two commits a task may be ahead of the tables; after a failed one it is thrown away. */
export interface SinkTask {
  /** Adds fetched records of one input, in offset order, and the position after them. */
  push(input: number, records: readonly LogRecord[], nextOffset: number): void;
  /** Whether take has something to say. */
  readonly isDirty: boolean;
  /** Records of an input that wait to be taken. */
  buffered(input: number): number;
  /** Whether the task waits for more of this input, so that it must not be paused. */
  isAwaited(input: number): boolean;
  /** Everything since the last take. May read what is stored; never called while a unit of this task is being committed. */
  take(queries: Queries): Promise<SinkUnit | null>;
  /** The unit taken last is in the tables. */
  committed(): void;
}
