import { RecordCodec } from '../avro/record-codec.js';
import { schemaForm } from '../avro/schema-form.js';
import { localSchemas } from '../avro/schema-source.js';
import type { RecordSubject } from './record-subjects.js';
import type { RegistryClient } from './registry-client.js';

export interface SubjectProblem {
  readonly subject: string;
  readonly kind: 'unregistered' | 'unreadable';
  /** What is wrong, for a person. */
  readonly message: string;
}

/**
 * Whether our schemas are registered under these subjects, and whether every version that ever was can be read by them: a log
 * is read from its beginning. Changes nothing. Rejects if the registry cannot be asked.
 */
export async function subjectProblems(client: Pick<RegistryClient, 'versions' | 'version'>, subjects: readonly RecordSubject[]): Promise<readonly SubjectProblem[]> {
  const records = [...new Map(subjects.map(({ record }) => [record.name, record])).values()];
  const codec = await RecordCodec.open(localSchemas(records), records, []);
  return (await Promise.all(subjects.map((subject) => problemsOf(client, codec, subject)))).flat();
}

async function problemsOf(client: Pick<RegistryClient, 'versions' | 'version'>, codec: RecordCodec, { subject, record }: RecordSubject): Promise<SubjectProblem[]> {
  const numbers = await client.versions(subject);
  const versions = (await Promise.all(numbers.map((number) => client.version(subject, number)))).flatMap((version) => version ?? []);
  const form = schemaForm(record.schema);
  const unreadable = versions.flatMap(({ version, schema }): SubjectProblem[] => {
    const reason = codec.unreadable(schema);
    return reason === null ? [] : [{ subject, kind: 'unreadable', message: `version ${version} of ${subject} cannot be read: ${reason.message}` }];
  });
  const isRegistered = versions.some(({ schema }) => isForm(schema, form));
  if (isRegistered) return unreadable;
  return [{ subject, kind: 'unregistered', message: versions.length === 0 ? `schema ${subject} is not registered` : `schema ${subject} is not registered as this version of position-linker has it` }, ...unreadable];
}

function isForm(text: string, form: string): boolean {
  try {
    return schemaForm(JSON.parse(text)) === form;
  } catch {
    return false;
  }
}
