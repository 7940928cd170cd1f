import { documentedSchemaForm } from '../avro/schema-form.js';
import type { RecordSubject } from './record-subjects.js';
import type { CompatibilityLevel, RegistryClient } from './registry-client.js';

/** Every version of a record stays readable by every other one: logs are read from their beginning, by any release. */
export const LEVEL: CompatibilityLevel = 'FULL_TRANSITIVE';

/** What has to be done for one subject. */
export interface SubjectPlan {
  readonly subject: string;
  /** Level to be set, before the schema; null if it is right. It is the strictest, so that setting it never loosens one. */
  readonly level: { readonly from: CompatibilityLevel | null; readonly to: CompatibilityLevel } | null;
  /** Schema text to be registered and how many versions there are; null if it is there. */
  readonly schema: { readonly text: string; readonly versions: number } | null;
}

type PlanningClient = Pick<RegistryClient, 'level' | 'versions' | 'version'>;
type RegisteringClient = Pick<RegistryClient, 'setLevel' | 'register'>;

/** Only subjects for which something is to be done. */
export async function planRegistration(client: PlanningClient, subjects: readonly RecordSubject[]): Promise<readonly SubjectPlan[]> {
  const plans = await Promise.all(subjects.map((subject) => planSubject(client, subject)));
  return plans.filter((plan) => plan.level !== null || plan.schema !== null);
}

async function planSubject(client: PlanningClient, { subject, record }: RecordSubject): Promise<SubjectPlan> {
  const [level, versions] = await Promise.all([client.level(subject), client.versions(subject)]);
  const form = documentedSchemaForm(record.schema);
  const registered = await Promise.all(versions.map((version) => client.version(subject, version)));
  const isThere = registered.some((version) => version !== null && documentedSchemaForm(JSON.parse(version.schema)) === form);
  return {
    subject,
    level: level === LEVEL ? null : { from: level, to: LEVEL },
    schema: isThere ? null : { text: JSON.stringify(record.schema), versions: versions.length },
  };
}

/** Levels first, all of them: a schema must never get in under a looser one. Safe to repeat after a failure. */
export async function applyRegistration(client: RegisteringClient, plans: readonly SubjectPlan[]): Promise<void> {
  await Promise.all(plans.map(async ({ subject, level }) => level !== null && client.setLevel(subject, level.to)));
  for (const { subject, schema } of plans) {
    if (schema !== null) await client.register(subject, schema.text);
  }
}

/** The plan for a terminal, a line each; ends without a line break. */
export function registrationText(plans: readonly SubjectPlan[]): string {
  return plans
    .flatMap(({ subject, level, schema }) => [
      ...(level === null ? [] : [`level ${subject}: ${level.from ?? '(none)'} → ${level.to}`]),
      ...(schema === null ? [] : [`register ${subject}, version ${schema.versions + 1}`]),
    ])
    .join('\n');
}
