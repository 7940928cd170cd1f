import { RecordCodec } from '../avro/record-codec.js';
import { readRecordSchemas } from '../avro/record-schema.js';
import type { Namespace } from '../config/namespace.js';
import { recordSubjects, type RecordTopic } from './record-subjects.js';
import { RegistryClient } from './registry-client.js';
import { RegistrySchemas } from './registry-schemas.js';

export interface CodecOptions {
  readonly registryUrl: string;
  readonly namespace: Namespace;
  /** Topics that this process writes: their records must be registered. */
  readonly topics: readonly RecordTopic[];
}

/** A codec over the registry. Reads every record of ours, writes those of the topics; rejects if one is not registered. */
export async function openCodec({ registryUrl, namespace, topics }: CodecOptions): Promise<RecordCodec> {
  const schemas = readRecordSchemas();
  const source = new RegistrySchemas(new RegistryClient(registryUrl), recordSubjects(namespace, topics, schemas));
  const written = [...new Set(topics.flatMap((topic) => topic.records))];
  return RecordCodec.open(source, schemas, written);
}
