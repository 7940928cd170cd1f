import { GuidedError } from '../config/guided-error.js';
import { documentedSchemaForm } from '../avro/schema-form.js';
import { checkSchema } from '../schema-gate/gate.js';
import { levelOf, NO_GATE_FILE, type GateRules } from '../schema-gate/gate-rules.js';
import { isLooser, type CompatibilityLevel } from '../schema-gate/levels.js';
import { parseSchema } from '../schema-gate/schema-parser.js';
import type { RecordSubject } from './record-subjects.js';
import type { RegistryClient } from './registry-client.js';

/** What has to be done for one subject, and what is in the way. */
export interface SubjectPlan {
  readonly subject: string;
  /** Level to be set, before the schema; null if it is right, or must stay. */
  readonly level: { readonly from: CompatibilityLevel | null; readonly to: CompatibilityLevel } | null;
  /** A stricter level than the one that was declared, which is left as it is; null if there is none. */
  readonly stricter: { readonly is: CompatibilityLevel; readonly declared: CompatibilityLevel } | null;
  /** Schema text to be registered and how many versions there are; null if it is there. */
  readonly schema: { readonly text: string; readonly versions: number } | null;
  /** Why the registry would refuse the schema under the level that it will have. */
  readonly refusals: readonly string[];
}

export interface RegistrationChoices {
  /** Levels of the subjects. */
  readonly rules: GateRules;
  /** Whether a level that is stricter than declared is set to the declared one. */
  readonly isLooseningAllowed: boolean;
}

/** A plan that cannot be carried out as a whole, so that nothing of it is. */
export class RegistrationRefused extends GuidedError {
  override name = 'RegistrationRefused';
}

type PlanningClient = Pick<RegistryClient, 'level' | 'globalLevel' | 'versions' | 'version'>;
type RegisteringClient = Pick<RegistryClient, 'setLevel' | 'register'>;

const STRICT: RegistrationChoices = { rules: NO_GATE_FILE, isLooseningAllowed: false };

/** Only subjects for which something is to be done, or to be said. */
export async function planRegistration(client: PlanningClient, subjects: readonly RecordSubject[], choices: RegistrationChoices = STRICT): Promise<readonly SubjectPlan[]> {
  const plans = await Promise.all(subjects.map((subject) => planSubject(client, subject, choices)));
  return plans.filter((plan) => plan.level !== null || plan.schema !== null || plan.stricter !== null);
}

async function planSubject(client: PlanningClient, { subject, record }: RecordSubject, { rules, isLooseningAllowed }: RegistrationChoices): Promise<SubjectPlan> {
  const [own, numbers] = await Promise.all([client.level(subject), client.versions(subject)]);
  // A subject with versions and without a level of its own has been under the registry's.
  const effective = own ?? (numbers.length === 0 ? null : await client.globalLevel());
  const declared = levelOf(rules, record.fullName, subject, null);
  const isStricter = effective !== null && effective !== declared && isLooser(declared, effective);
  const isKept = isStricter && !isLooseningAllowed;
  const registered = await Promise.all(numbers.map((version) => client.version(subject, version)));
  const form = documentedSchemaForm(record.schema);
  const isThere = registered.some((version) => version !== null && documentedSchemaForm(JSON.parse(version.schema)) === form);
  const text = JSON.stringify(record.schema);
  const versions = registered.flatMap((version) => (version === null ? [] : [{ label: `version ${version.version}`, parsed: parseSchema(version.schema) }]));
  const level = isKept ? effective : declared;
  const found = isThere ? [] : checkSchema({ file: subject, name: record.fullName, parsed: parseSchema(text) }, [{ subject, versions }], { rules, groups: ['compatibility'], level, decoders: [] });
  return {
    subject,
    level: own === level || (isKept && own === null) ? null : { from: own, to: level },
    stricter: isKept ? { is: effective, declared } : null,
    schema: isThere ? null : { text, versions: numbers.length },
    refusals: found.map(({ path, message }) => `${path}: ${message}`),
  };
}

/**
 * Levels first, all of them: a schema must never get in under a looser one. Nothing is done if any schema would be refused.
 * Safe to repeat after a failure. Throws RegistrationRefused.
 */
export async function applyRegistration(client: RegisteringClient, plans: readonly SubjectPlan[]): Promise<void> {
  const refused = plans.flatMap(({ subject, refusals }) => refusals.map((refusal) => `${subject} ${refusal}`));
  if (refused.length > 0) throw new RegistrationRefused(`nothing was registered: ${refused.length} incompatibilities\n${refused.join('\n')}`, 'run `position-linker schemas check --against registry:` and mend the schemas');
  await Promise.all(plans.map(async ({ subject, level }) => level !== null && client.setLevel(subject, level.to)));
  for (const { subject, schema } of plans) {
    if (schema !== null) await client.register(subject, schema.text);
  }
}

/** The plan for a terminal, a line each; ends without a line break. */
export function registrationText(plans: readonly SubjectPlan[]): string {
  return plans
    .flatMap(({ subject, level, stricter, schema, refusals }) => [
      ...(level === null ? [] : [`level ${subject}: ${level.from ?? '(none)'} → ${level.to}`]),
      ...(stricter === null ? [] : [`level ${subject}: stays ${stricter.is}, stricter than the declared ${stricter.declared} (--allow-looser-level sets it)`]),
      ...(schema === null ? [] : [`register ${subject}, version ${schema.versions + 1}`]),
      ...refusals.map((refusal) => `refused ${subject} ${refusal}`),
    ])
    .join('\n');
}
