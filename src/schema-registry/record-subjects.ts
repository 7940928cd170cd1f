import { subjectName, type Namespace } from '../config/namespace.js';
import type { RecordName } from '../domain/records.js';
import type { RecordSchema } from '../avro/record-schema.js';

/** Topics, by their bare names, and the records they carry. */
export interface RecordTopic {
  readonly name: string;
  readonly records: readonly RecordName[];
}

/** One subject: a record in a topic. */
export interface RecordSubject {
  readonly subject: string;
  readonly record: RecordSchema;
}

/** Subjects of these topics, in their order. */
export function recordSubjects(namespace: Namespace, topics: readonly RecordTopic[], schemas: readonly RecordSchema[]): readonly RecordSubject[] {
  const byName = new Map(schemas.map((schema) => [schema.name, schema]));
  return topics.flatMap((topic) =>
    topic.records.map((name) => {
      const record = byName.get(name);
      if (record === undefined) throw new Error(`topic ${topic.name} carries ${name}, which has no schema`);
      return { subject: subjectName(namespace, topic.name, record.fullName), record };
    }),
  );
}
