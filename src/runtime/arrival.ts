import type { FieldsRead } from '../domain/fields-read.js';
import { implausibility } from '../domain/plausible.js';
import type { RecordName, RecordTypes } from '../domain/records.js';
import type { LogRecord } from '../kafka/record.js';
import type { KeyBytes } from './key-bytes.js';
import type { MergedRecord } from './processor.js';

/** What a task needs of Avro: both ways synchronous. */
export interface TaskCodec {
  /** Bytes of one record value. Throws with a telling name and message on anything it cannot read completely. */
  decode(value: Uint8Array): { readonly type: RecordName; readonly value: RecordTypes[RecordName] };
  /** The same, but records of these names may come with these fields only; all others are checked as strictly. */
  decoderOf?(reads: FieldsRead): TaskCodec['decode'];
  /** The answer is not written to again. */
  encode<N extends RecordName>(type: N, value: RecordTypes[N]): Uint8Array;
}

/** One record on its way through the merge. merged null: it could not be read, for the reason in failure. */
export interface Arrival {
  readonly merged: { -readonly [K in keyof MergedRecord]: MergedRecord[K] } | null;
  readonly raw: LogRecord;
  readonly failure: Error | null;
}

/** A record that is no record of its topic. */
export class UnreadableRecordError extends Error {
  override name = 'UnreadableRecordError';
}

const SHOWN_CHARACTERS = 64;

/** A record as it arrives in an input topic; the value of a watermark as its number. Never throws: see Arrival.failure. */
export function readArrival(topic: string, raw: LogRecord, decode: TaskCodec['decode'], keys: KeyBytes): Arrival | number {
  try {
    if (raw.value === null) throw new UnreadableRecordError('a tombstone, in a topic that has none');
    const { type, value } = decode(raw.value);
    if (type === 'Watermark') return (value as RecordTypes['Watermark']).watermark_at;
    checkKey(raw, (value as { readonly asset?: string }).asset, keys);
    const problem = implausibility(type, value);
    if (problem !== null) throw new UnreadableRecordError(`${type}: ${problem}`);
    const { partition, offset, timestampMs: eventMs } = raw;
    return { merged: { topic, partition, offset, eventMs, effectiveMs: 0, type, value } as Arrival['merged'], raw, failure: null };
  } catch (error) {
    return { merged: null, raw, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

function checkKey(raw: LogRecord, asset: string | undefined, keys: KeyBytes): void {
  if (raw.key === null) throw new UnreadableRecordError('a record without a key');
  if (asset === undefined || isSame(keys.of(asset), raw.key)) return;
  const shown = (text: string): string => JSON.stringify(text.slice(0, SHOWN_CHARACTERS));
  throw new UnreadableRecordError(`the key ${shown(Buffer.from(raw.key).toString('utf8'))} is not the asset ${shown(asset)} inside`);
}

/** Byte by byte: keys are too short to be worth a call out of this language. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
