/** A name and its bytes. Header names may repeat; order is kept. */
export type RecordHeader = readonly [name: string, value: Uint8Array];

/**
 * A record as it lies in a partition.
 *
 * `key`, `value` and header values may be views into the buffer of a whole fetch answer: decode or copy what is to be
 * kept, or megabytes stay alive for a few bytes. Records may share a key's bytes: nothing here is written to.
 */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch; the event time, since all topics have `message.timestamp.type=CreateTime`. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** A record to be written. The partition is always said: nothing below this line chooses one. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
}
