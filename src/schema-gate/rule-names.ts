import type { CompatibilityRule } from './compatibility.js';
import type { RuleGroup } from './finding.js';
import { HAZARD_RULES } from './hazards.js';
import { STYLE_RULES } from './style.js';

/** What to do instead of a change that Avro's rules forbid. */
export const COMPATIBILITY_RULES: Readonly<Record<CompatibilityRule, string>> = {
  'type-mismatch': 'keep the type, and add a new field with a default for the new one',
  'union-branch-missing': 'keep every branch of the union, and add a new field with a default for what does not fit',
  'name-mismatch': 'keep the name, or put the old one into "aliases" (which only new readers see)',
  'fixed-size-mismatch': 'keep the size, and add a new fixed type under a new name',
  'enum-symbols-missing': 'keep every symbol, and give the enum a "default" so that readers can read symbols they do not know',
  'reader-field-without-default': 'give the field a "default"',
  'reader-field-ambiguous': 'drop the alias: the field is found by its name already',
};

export const DECODER_RULES = {
  'decoder-refuses': 'change it so that the decoder resolves it too: keep full names, or keep what it cannot bring together',
  'decoder-unusable': 'write the schema so that the decoder takes it',
} as const;

/** Reported whatever groups are chosen: without these nothing can be judged. */
export const SCHEMA_RULES = ['invalid-json', 'invalid-schema', 'invalid-default', 'gate-file', 'unused-exception'] as const;

/** Rules whose findings may be excepted for one field. */
export const EXCEPTABLE_RULES: readonly string[] = [...Object.keys(HAZARD_RULES), ...Object.keys(STYLE_RULES), 'record-removed'];

export function groupOf(rule: string): RuleGroup | 'schema' {
  if (rule in COMPATIBILITY_RULES) return 'compatibility';
  if (rule in DECODER_RULES) return 'decoder';
  if (rule in STYLE_RULES) return 'style';
  return (SCHEMA_RULES as readonly string[]).includes(rule) ? 'schema' : 'hazards';
}
