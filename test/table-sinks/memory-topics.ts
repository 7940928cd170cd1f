import { RecordCodec } from '../../src/avro/record-codec.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { localSchemas } from '../../src/avro/schema-source.js';
import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import type { LogRecord } from '../../src/kafka/record.js';

/** A codec that needs no registry. */
export function localCodec(): Promise<RecordCodec> {
  const schemas = readRecordSchemas();
  return RecordCodec.open(localSchemas(schemas), schemas);
}

/** A record as it lies in partition 0 of a topic, through real bytes. */
export function logRecord<N extends RecordName>(codec: RecordCodec, topic: string, offset: number, type: N, value: RecordTypes[N]): LogRecord {
  const asset = (value as { readonly asset?: string }).asset;
  const timestampMs = (value as { readonly known_at?: number }).known_at ?? 0;
  return { topic, partition: 0, offset, timestampMs, key: asset === undefined ? null : Buffer.from(asset), value: codec.encode(type, value), headers: [] };
}
