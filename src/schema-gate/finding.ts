import type { Place } from './avro-schema.js';

export const RULE_GROUPS = ['compatibility', 'decoder', 'hazards', 'style'] as const;

export type RuleGroup = (typeof RULE_GROUPS)[number];

/** One thing that a rule says about a schema, before it is known in which file and against which version. */
export interface Remark {
  readonly rule: string;
  /** In the schema that is checked. */
  readonly place: Place;
  /** Record.field, or the name of a named type, that exceptions speak of; null for a schema without names. */
  readonly subject: string | null;
  /** What is wrong, without the versions and the quotes. */
  readonly says: string;
  /** What stands on the new side and on the earlier side; null on a side that has nothing to quote. */
  readonly here: string | null;
  readonly there: string | null;
  /** What to do instead. */
  readonly instead: string;
}
