import { DEFAULT_LEVEL, type CompatibilityLevel } from './levels.js';
import { DEFAULT_STYLE, type StyleRule } from './style.js';

/** One finding that was thought about and let pass. */
export interface RuleException {
  readonly rule: string;
  /** Record.field, or a type's name; the namespace may be left out. */
  readonly subject: string;
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

/** What the gate file of a folder of schemas says. */
export interface GateRules {
  /** Name of the file, for findings; null if there is none. */
  readonly file: string | null;
  readonly level: CompatibilityLevel;
  /** Levels by record name, with or without namespace, or by registry subject. */
  readonly subjectLevels: ReadonlyMap<string, CompatibilityLevel>;
  readonly style: readonly StyleRule[];
  /** Whether records must also fit this project's own strict decoder, not only avsc. */
  readonly isDecoderStrict: boolean;
  readonly exceptions: readonly RuleException[];
  /** What is wrong with the file itself. */
  readonly problems: readonly { readonly message: string; readonly line: number; readonly column: number }[];
}

export const NO_GATE_FILE: GateRules = { file: null, level: DEFAULT_LEVEL, subjectLevels: new Map(), style: DEFAULT_STYLE, isDecoderStrict: false, exceptions: [], problems: [] };

/** Level of a record, or of one of its registry subjects; `chosen`, if any, counts for all. */
export function levelOf(rules: GateRules, fullName: string, subject: string | null, chosen: CompatibilityLevel | null): CompatibilityLevel {
  const simpleName = fullName.slice(fullName.lastIndexOf('.') + 1);
  const levels = rules.subjectLevels;
  return chosen ?? (subject === null ? undefined : levels.get(subject)) ?? levels.get(fullName) ?? levels.get(simpleName) ?? rules.level;
}

/** Level of what an exception speaks of: a record, or one of its fields. */
export function subjectLevel(rules: GateRules, subject: string, chosen: CompatibilityLevel | null): CompatibilityLevel {
  const record = subject.slice(0, Math.max(subject.lastIndexOf('.'), 0));
  const own = [subject, record].find((name) => rules.subjectLevels.has(name) || rules.subjectLevels.has(name.slice(name.lastIndexOf('.') + 1)));
  return levelOf(rules, own ?? record, null, chosen);
}

/** Whether the exception speaks of the subject: the same name, or its end from a dot on. */
export function isExcepted(exception: RuleException, rule: string, subject: string): boolean {
  return exception.rule === rule && (exception.subject === subject || subject.endsWith(`.${exception.subject}`));
}
