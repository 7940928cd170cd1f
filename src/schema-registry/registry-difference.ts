import { documentedSchemaForm } from '../avro/schema-form.js';
import { levelOf, type GateRules } from '../schema-gate/gate-rules.js';
import { schemaDifference } from '../schema-gate/schema-difference.js';
import { parseSchema } from '../schema-gate/schema-parser.js';
import type { RecordSubject } from './record-subjects.js';
import type { RegistryClient } from './registry-client.js';

/** One subject that is not as the files say. */
export interface SubjectDifference {
  readonly subject: string;
  readonly kind: 'not-registered' | 'not-declared' | 'level' | 'schema' | 'not-latest';
  /** A line each: what the registry has → what the files say. */
  readonly details: readonly string[];
}

type AskedClient = Pick<RegistryClient, 'level' | 'subjects' | 'versions' | 'version'>;

/** Differences of subjects, levels and latest versions; subjects of the prefix that nothing declares are one, too. */
export async function registryDifferences(client: AskedClient, subjects: readonly RecordSubject[], rules: GateRules, prefix: string | null): Promise<readonly SubjectDifference[]> {
  const declared = new Set(subjects.map(({ subject }) => subject));
  const differences = (await Promise.all(subjects.map((subject) => subjectDifferences(client, subject, rules)))).flat();
  const unknown = prefix === null ? [] : (await client.subjects(prefix)).filter((subject) => !declared.has(subject));
  return [...differences, ...unknown.map((subject): SubjectDifference => ({ subject, kind: 'not-declared', details: ['in the registry, under no declared topic'] }))];
}

async function subjectDifferences(client: AskedClient, { subject, record }: RecordSubject, rules: GateRules): Promise<readonly SubjectDifference[]> {
  const [level, numbers] = await Promise.all([client.level(subject), client.versions(subject)]);
  const latest = numbers.length === 0 ? null : await client.version(subject, 'latest');
  if (latest === null) return [{ subject, kind: 'not-registered', details: ['no version in the registry'] }];
  const differences: SubjectDifference[] = [];
  const declared = levelOf(rules, record.fullName, subject, null);
  if (level !== declared) differences.push({ subject, kind: 'level', details: [`${level ?? 'none of its own'} → ${declared}`] });
  const form = documentedSchemaForm(record.schema);
  if (documentedSchemaForm(JSON.parse(latest.schema)) === form) return differences;
  for (const version of numbers.slice(0, -1).reverse()) {
    const earlier = await client.version(subject, version);
    if (earlier !== null && documentedSchemaForm(JSON.parse(earlier.schema)) === form) {
      return [...differences, { subject, kind: 'not-latest', details: [`the file is version ${version}; version ${latest.version} came after it`] }];
    }
  }
  const [now, before] = [parseSchema(JSON.stringify(record.schema)), parseSchema(latest.schema)];
  const lines = now.root === null || before.root === null ? [] : schemaDifference(now.root, before.root);
  return [...differences, { subject, kind: 'schema', details: lines.length > 0 ? lines : ['properties that readers do not see'] }];
}

/** For a terminal: a subject with its lines below it; ends with a line break. */
export function differencesText(differences: readonly SubjectDifference[]): string {
  return differences.map(({ subject, kind, details }) => `${subject}: ${kind}\n${details.map((line) => `  ${line}\n`).join('')}`).join('');
}
