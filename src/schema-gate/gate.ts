import { isNamed, type TypeUse } from './avro-schema.js';
import { incompatibilities, type Incompatibility } from './compatibility.js';
import { stepInto, type Decoder } from './decoder.js';
import type { Remark, RuleGroup } from './finding.js';
import { isExcepted, levelOf, subjectLevel, type GateRules, type RuleException } from './gate-rules.js';
import { hazardsBetween, hazardsWithin, renamesWithoutAlias } from './hazards.js';
import { lineAndColumn } from './json-tree.js';
import { comparedVersions, directionsOf, isTransitive, type CompatibilityLevel, type Direction } from './levels.js';
import { COMPATIBILITY_RULES, DECODER_RULES, EXCEPTABLE_RULES, groupOf } from './rule-names.js';
import type { ParsedSchema } from './schema-parser.js';
import { styleRemarks } from './style.js';

/** A schema to be checked. */
export interface CheckedSchema {
  /** As findings name it. */
  readonly file: string;
  /** Full name of the root type, else the file's name without its ending. */
  readonly name: string;
  readonly parsed: ParsedSchema;
}

export interface EarlierVersion {
  /** Says which version it is and where it was found. */
  readonly label: string;
  readonly parsed: ParsedSchema;
}

/** Versions of one schema in one place, oldest first. */
export interface VersionSeries {
  /** Of a registry; null elsewhere. */
  readonly subject: string | null;
  readonly versions: readonly EarlierVersion[];
}

/** One finding, with everything a person or a program needs to act on it. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** JSON pointer into the file; the root is "/". */
  readonly path: string;
  readonly group: RuleGroup | 'schema';
  readonly rule: string;
  /** Record.field or the type's name: what exceptions speak of. */
  readonly subject: string;
  /** What is wrong, both sides, and what to do instead, on one line. */
  readonly message: string;
  /** The first part of the message. */
  readonly what: string;
  /** What stands here, and in the earlier version; null where there is nothing to quote. */
  readonly here: string | null;
  readonly there: string | null;
  readonly instead: string;
  /** Earlier versions that it was found against. */
  readonly against: readonly string[];
}

export interface GateOptions {
  readonly rules: GateRules;
  readonly groups: readonly RuleGroup[];
  /** Level that counts for all, whatever the rules say; null for theirs. */
  readonly level: CompatibilityLevel | null;
  readonly decoders: readonly Decoder[];
}

type Draft = Remark & { readonly against: string | null };

/** Everything that is to be said about one schema and its earlier versions. Exceptions are not yet taken out. */
export function checkSchema(schema: CheckedSchema, series: readonly VersionSeries[], options: GateOptions): readonly Finding[] {
  const { root, problems, text } = schema.parsed;
  const drafts: Draft[] = problems.map(({ rule, message, place }) => ({ rule, place, subject: null, says: message, here: null, there: null, instead: 'mend the schema', against: null }));
  if (root !== null) {
    drafts.push(...within(root, schema.parsed.value, options));
    for (const one of series) drafts.push(...against(schema, root, one, options));
  }
  return merged(drafts).map((draft) => {
    const { line, column } = lineAndColumn(text, draft.place.offset);
    const subject = draft.subject ?? schema.name;
    const { rule, here, there, instead } = draft;
    return { file: schema.file, line, column, path: draft.place.path, group: groupOf(rule), rule, subject, message: messageOf(draft), what: whatOf(draft), here, there, instead, against: draft.versions };
  });
}

function within(root: TypeUse, value: unknown, { groups, decoders, rules }: GateOptions): readonly Draft[] {
  const remarks: Remark[] = [];
  if (groups.includes('decoder')) {
    for (const decoder of decoders) {
      const reason = decoder.unusable(value);
      if (reason !== null) remarks.push({ rule: 'decoder-unusable', place: root.place, subject: null, says: `${decoder.name} cannot use the schema: ${reason}`, here: null, there: null, instead: DECODER_RULES['decoder-unusable'] });
    }
  }
  if (groups.includes('hazards')) remarks.push(...hazardsWithin(root));
  if (groups.includes('style')) remarks.push(...styleRemarks(root, rules.style));
  return remarks.map((remark) => ({ ...remark, against: null }));
}

function against(schema: CheckedSchema, root: TypeUse, { subject, versions }: VersionSeries, options: GateOptions): readonly Draft[] {
  const level = levelOf(options.rules, schema.name, subject, options.level);
  const compared = comparedVersions(level, versions);
  const drafts: Draft[] = [];
  for (const version of compared) {
    const add = (remarks: readonly Remark[]): void => void drafts.push(...remarks.map((remark) => ({ ...remark, against: version.label })));
    const before = version.parsed.root;
    if (before === null) {
      add([{ rule: 'invalid-schema', place: root.place, subject: null, says: `cannot be compared: ${version.parsed.problems[0]?.message ?? 'the earlier version is no schema'}`, here: null, there: null, instead: 'mend or remove the earlier version' }]);
      continue;
    }
    for (const direction of directionsOf(level)) {
      if (options.groups.includes('compatibility')) add(compatibilityRemarks(root, before, direction));
      if (options.groups.includes('decoder')) for (const decoder of options.decoders) add(decoderRemarks(schema.parsed, version.parsed, direction, decoder));
    }
    if (options.groups.includes('hazards')) add(hazardsBetween(root, before));
  }
  return options.groups.includes('hazards') ? [...drafts, ...renames(root, compared)] : drafts;
}

/** Renames of the present change, and of those before it that these versions show: what was let pass then stays excepted. */
function renames(root: TypeUse, versions: readonly EarlierVersion[]): readonly Draft[] {
  return versions.flatMap(({ parsed, label }, index) => {
    const next = index + 1 < versions.length ? versions[index + 1]?.parsed.root : root;
    if (parsed.root === null || next == null) return [];
    return renamesWithoutAlias(root, next, parsed.root).map((remark) => ({ ...remark, against: label }));
  });
}

const CANNOT_READ: Readonly<Record<Direction, string>> = { backward: 'the new schema cannot read records of', forward: 'new records cannot be read with' };

function compatibilityRemarks(now: TypeUse, before: TypeUse, direction: Direction): readonly Remark[] {
  const isNew = direction === 'backward';
  const found = isNew ? incompatibilities(now, before) : incompatibilities(before, now);
  return found.map((incompatibility) => {
    const { rule, reader, writer, field } = incompatibility;
    const [here, there] = isNew ? [reader, writer] : [writer, reader];
    // An old reader's wish for a default cannot be granted any more: the field has to stay.
    const instead = !isNew && rule === 'reader-field-without-default' ? 'keep the field: readers that are out there have no default for it' : COMPATIBILITY_RULES[rule];
    return { rule, place: here.place, subject: (isNew ? field?.reader : field?.writer) ?? null, says: `${CANNOT_READ[direction]} {}${causes(incompatibility)}`, here: here.says, there: there.says, instead };
  });
}

function causes({ because }: Incompatibility): string {
  return because.length === 0 ? '' : ` (the nearest branch: ${because.map((cause) => `${cause.reader.says} for ${cause.writer.says}`).join('; ')})`;
}

function decoderRemarks(now: ParsedSchema, before: ParsedSchema, direction: Direction, decoder: Decoder): readonly Remark[] {
  const [root, earlier] = [now.root, before.root];
  if (root === null || earlier === null) return [];
  const unusable = decoder.unusable(before.value);
  if (unusable !== null) {
    return [{ rule: 'decoder-refuses', place: root.place, subject: null, says: `${decoder.name} cannot use {}: ${unusable}`, here: null, there: null, instead: 'records of that version can only be read by another library' }];
  }
  const isNew = direction === 'backward';
  const refusals = isNew ? decoder.refusals(now.value, before.value) : decoder.refusals(before.value, now.value);
  return refusals.map(({ readerSteps, writerSteps, message }) => {
    const [mine, theirs] = isNew ? [readerSteps, writerSteps] : [writerSteps, readerSteps];
    const { use, subject } = stepInto(root, mine);
    const there = stepInto(earlier, theirs).use;
    const place = isNamed(use.type) && isNamed(there.type) && use.type.fullName !== there.type.fullName ? use.type.namePlace : use.place;
    return { rule: 'decoder-refuses', place, subject, says: `${CANNOT_READ[direction]} {} by ${decoder.name}: ${message}`, here: excerpt(now, use), there: excerpt(before, there), instead: DECODER_RULES['decoder-refuses'] };
  });
}

const EXCERPT_CHARACTERS = 100;

/** The schema's own text on one line. */
function excerpt({ text }: ParsedSchema, { place }: TypeUse): string {
  const line = text.slice(place.offset, place.end).replace(/\s+/g, ' ');
  return line.length <= EXCERPT_CHARACTERS ? line : `${line.slice(0, EXCERPT_CHARACTERS - 1)}…`;
}

/** What was found against several versions, and in several ways, is said once. */
function merged(drafts: readonly Draft[]): readonly MergedDraft[] {
  const byText = new Map<string, Draft & { readonly versions: string[] }>();
  for (const draft of drafts) {
    const key = JSON.stringify([draft.rule, draft.place.path, draft.says, draft.here, draft.there]);
    const known = byText.get(key);
    if (known === undefined) byText.set(key, { ...draft, versions: draft.against === null ? [] : [draft.against] });
    else if (draft.against !== null && !known.versions.includes(draft.against)) known.versions.push(draft.against);
  }
  return [...byText.values()];
}

type MergedDraft = Draft & { readonly versions: readonly string[] };

function whatOf({ says, versions }: MergedDraft): string {
  const named = versionsText(versions);
  return says.includes('{}') ? says.replace('{}', () => named) : `${says}${versions.length === 0 ? '' : ` since ${named}`}`;
}

function messageOf(draft: MergedDraft): string {
  const { here, there, instead } = draft;
  const sides = here === null || there === null ? '' : `; here: ${here}; there: ${there}`;
  return `${whatOf(draft)}${sides}; instead: ${instead}`;
}

function versionsText(versions: readonly string[]): string {
  const [first] = versions;
  return versions.length <= 1 ? (first ?? '') : `${versions.at(-1)} and ${versions.length - 1} earlier`;
}

/** How much of their past the schemas were compared with: an exception for an old change needs all of it to be of use. */
export type History = 'none' | 'part' | 'whole';

/** Findings that no exception lets pass, and what is wrong with the gate file itself, in the order of files and lines. */
export function withExceptions(findings: readonly Finding[], { rules, groups, level }: GateOptions, history: History): readonly Finding[] {
  const file = rules.file ?? '';
  const used = new Set(findings.flatMap(({ rule, subject }) => rules.exceptions.filter((exception) => isExcepted(exception, rule, subject))));
  const left = findings.filter(({ rule, subject }) => !EXCEPTABLE_RULES.includes(rule) || !rules.exceptions.some((exception) => isExcepted(exception, rule, subject)));
  const own = rules.problems.map(({ message, line, column }) => gateFinding(file, 'gate-file', line, column, '', message, 'mend the gate file'));
  const isJudged = ({ rule, subject }: RuleException): boolean =>
    groups.includes(groupOf(rule) as RuleGroup) && (!NEEDS_VERSIONS.has(rule) || (history === 'whole' && isTransitive(subjectLevel(rules, subject, level))));
  const unused = rules.exceptions
    .filter((exception) => !used.has(exception) && isJudged(exception))
    .map(({ rule, subject, line, column }) => gateFinding(file, 'unused-exception', line, column, subject, `${rule} is not found at ${subject}: the exception lets nothing pass`, 'remove it'));
  return [...left, ...own, ...unused].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column));
}

/** Rules that only say something beside an earlier version. */
const NEEDS_VERSIONS: ReadonlySet<string> = new Set(['decimal-changed', 'decimal-string', 'logical-type-changed', 'uuid-dropped', 'lossy-promotion', 'default-changed', 'namespace-changed', 'field-renamed-without-alias', 'record-removed']);

function gateFinding(file: string, rule: string, line: number, column: number, subject: string, what: string, instead: string): Finding {
  return { file, line, column, path: '/', group: 'schema', rule, subject, message: `${what}; instead: ${instead}`, what, here: null, there: null, instead, against: [] };
}

/** A schema that was there in the latest state and is gone: its records are still in the log. */
export function removedFinding(file: string, name: string, label: string): Finding {
  const instead = 'keep the schema for as long as its records can be read, or except it with a reason';
  const what = `the schema of ${name} is gone since ${label}`;
  return { file, line: 1, column: 1, path: '/', group: 'hazards', rule: 'record-removed', subject: name, message: `${what}; instead: ${instead}`, what, here: null, there: name, instead, against: [label] };
}
