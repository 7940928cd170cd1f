import { describeType, isNamed, logicalOf, type AvroType, type EnumType, type Field, type FixedType, type LogicalType, type RecordType, type TypeUse } from './avro-schema.js';
import { incompatibilities, writerFieldOf } from './compatibility.js';
import type { Remark } from './finding.js';

/*
 * Changes that every registry lets pass, because readers go on reading, and that change what the numbers mean.
 */

export const HAZARD_RULES = {
  'decimal-changed': 'keep precision and scale; for others add a new field and write both until nobody reads the old one',
  'decimal-string': 'keep the type; add a new field of the other type and write both until nobody reads the old one',
  'logical-type-changed': 'keep the logical type; add a new field with the other unit or meaning in its name',
  'uuid-dropped': 'keep logicalType uuid, or add a new field for ids that are none',
  'lossy-promotion': 'keep whole numbers whole; add a new field, decimal where it is a quantity, price or money',
  'default-changed': 'keep the default: readers of old records see it where the field was not written',
  'namespace-changed': 'keep the namespace: subjects and decoders find records by their full name',
  'field-renamed-without-alias': 'put the old name into the new field\'s "aliases", or add the field beside the old one',
  'enum-without-default': 'give the enum a "default" symbol such as unknown, so that a symbol added later can be read',
  'doc-missing': 'say in "doc" what it is, with its unit',
} as const;

export type HazardRule = keyof typeof HAZARD_RULES;

const PROMOTED_WITH_LOSS: Readonly<Record<string, readonly string[]>> = { float: ['int', 'long'], double: ['long'] };

/** What changed in meaning between an earlier version and the new schema. */
export function hazardsBetween(now: TypeUse, before: TypeUse): readonly Remark[] {
  const comparison = new MeaningComparison();
  comparison.compare(now, before, null);
  return comparison.remarks;
}

/** What a schema invites by itself. */
export function hazardsWithin(root: TypeUse): readonly Remark[] {
  return namedTypes(root).flatMap((type) => [...undocumented(type), ...(type.kind === 'enum' && type.default === null ? [remark('enum-without-default', type.symbolsPlace, type.fullName, `enum ${type.fullName} may grow and has no default`, null, null)] : [])]);
}

function undocumented(type: RecordType | EnumType | FixedType): readonly Remark[] {
  const isEmpty = (doc: string | null): boolean => doc === null || doc.trim() === '';
  const own = isEmpty(type.doc) ? [remark('doc-missing', type.namePlace, type.fullName, `${type.kind} ${type.fullName} has no doc`, null, null)] : [];
  if (type.kind !== 'record') return own;
  const fields = type.fields.filter((field) => isEmpty(field.doc)).map((field) => remark('doc-missing', field.namePlace, `${type.fullName}.${field.name}`, `field ${field.name} of ${type.fullName} has no doc`, null, null));
  return [...own, ...fields];
}

/** Every named type once, in the order of the file. */
export function namedTypes(root: TypeUse): readonly (RecordType | EnumType | FixedType)[] {
  const found = new Set<RecordType | EnumType | FixedType>();
  const visit = ({ type }: TypeUse): void => {
    if (isNamed(type)) {
      if (found.has(type)) return;
      found.add(type);
      if (type.kind === 'record') for (const field of type.fields) visit(field.type);
    } else if (type.kind === 'array') visit(type.items);
    else if (type.kind === 'map') visit(type.values);
    else if (type.kind === 'union') type.branches.forEach(visit);
  };
  visit(root);
  return [...found];
}

function remark(rule: HazardRule, place: Remark['place'], subject: string | null, says: string, here: string | null, there: string | null): Remark {
  return { rule, place, subject, says, here, there, instead: HAZARD_RULES[rule] };
}

class MeaningComparison {
  readonly remarks: Remark[] = [];
  private readonly met = new Map<AvroType, Set<AvroType>>();

  /** `subject`: the field that the types belong to; null at the root of a schema that is no record. */
  compare(now: TypeUse, before: TypeUse, subject: string | null): void {
    const [n, b] = [now.type, before.type];
    if (n.kind === 'union' || b.kind === 'union') {
      for (const [left, right] of branchPairs(n.kind === 'union' ? n.branches : [now], b.kind === 'union' ? b.branches : [before])) this.compare(left, right, subject);
    } else if (n.kind === 'array' && b.kind === 'array') this.compare(n.items, b.items, subject);
    else if (n.kind === 'map' && b.kind === 'map') this.compare(n.values, b.values, subject);
    else if (isNamed(n) && isNamed(b) && n.kind === b.kind) this.named(now, n, b, subject);
    else this.values(now, before, subject);
  }

  private named(now: TypeUse, n: RecordType | EnumType | FixedType, b: RecordType | EnumType | FixedType, subject: string | null): void {
    const met = this.met.get(n);
    if (met?.has(b) === true) return;
    if (met === undefined) this.met.set(n, new Set([b]));
    else met.add(b);
    if (n.name === b.name && n.namespace !== b.namespace) {
      this.add('namespace-changed', n.namespacePlace ?? n.namePlace, n.fullName, `the namespace of ${n.kind} ${n.name} changed`, namespaceText(n.namespace), namespaceText(b.namespace));
    }
    if (n.kind === 'record' && b.kind === 'record') this.fields(n, b);
    else if (n.kind === 'enum' && b.kind === 'enum') this.enumDefault(n, b);
    else if (n.kind === 'fixed' && b.kind === 'fixed') this.values(now, { type: b, place: b.place }, subject ?? n.fullName);
  }

  private fields(now: RecordType, before: RecordType): void {
    for (const field of now.fields) {
      const earlier = writerFieldOf(field, before);
      if (earlier === null) continue;
      const subject = `${now.fullName}.${field.name}`;
      this.fieldDefault(subject, field, earlier);
      this.compare(field.type, earlier.type, subject);
    }
  }

  private fieldDefault(subject: string, field: Field, earlier: Field): void {
    if (earlier.default === null || field.default?.text === earlier.default.text) return;
    const says = field.default === null ? `field ${field.name} lost its default` : `the default of field ${field.name} changed`;
    this.add('default-changed', (field.default ?? field).place, subject, says, field.default?.text ?? 'no default', earlier.default.text);
  }

  private enumDefault(now: EnumType, before: EnumType): void {
    if (before.default === null || now.default === before.default) return;
    const says = now.default === null ? `enum ${now.fullName} lost its default` : `the default of enum ${now.fullName} changed`;
    this.add('default-changed', now.defaultPlace ?? now.place, now.fullName, says, now.default ?? 'no default', before.default);
  }

  /** Two types that hold one value each. Where Avro itself refuses, that is not said a second time. */
  private values(now: TypeUse, before: TypeUse, subject: string | null): void {
    const [n, b] = [now.type, before.type];
    const [logical, earlier] = [logicalOf(n), logicalOf(b)];
    const kinds = new Set([n.kind, b.kind]);
    const where = subject === null ? 'the value' : `field ${subject}`;
    const add = (rule: HazardRule, says: string, place = (logical ?? now).place): void => this.add(rule, place, subject, `${says} of ${where}`, describeType(n), describeType(b));
    if (PROMOTED_WITH_LOSS[n.kind]?.includes(b.kind) === true || PROMOTED_WITH_LOSS[b.kind]?.includes(n.kind) === true) {
      add('lossy-promotion', 'whole numbers become floating point, which rounds large ones, in the type');
    } else if (kinds.has('string') && kinds.has('bytes') && (isDecimal(logical) || isDecimal(earlier))) {
      add('decimal-string', 'decimal and text are read as one another in the type');
    } else if (kinds.size > 1 && !isReadAcross(n, b)) {
      return;
    } else if (isDecimal(logical) && isDecimal(earlier)) {
      if (logical?.scale !== earlier?.scale) add('decimal-changed', 'the scale changed in the decimal', logical?.scalePlace ?? now.place);
      else if (logical?.precision !== earlier?.precision) add('decimal-changed', 'the precision changed in the decimal', logical?.precisionPlace ?? now.place);
    } else if (earlier?.name === 'uuid' && logical?.name !== 'uuid') {
      add('uuid-dropped', 'logicalType uuid is gone from the type');
    } else if (logical?.name !== earlier?.name) {
      add('logical-type-changed', `the logical type was ${earlier === null ? 'added to' : logical === null ? 'dropped from' : 'changed in'} the type`);
    }
  }

  private add(rule: HazardRule, place: Remark['place'], subject: string | null, says: string, here: string, there: string): void {
    this.remarks.push(remark(rule, place, subject, says, here, there));
  }
}

function isDecimal(logical: LogicalType | null): boolean {
  return logical?.name === 'decimal';
}

function isReadAcross(a: AvroType, b: AvroType): boolean {
  const kinds = [a.kind, b.kind].sort().join();
  return kinds === 'int,long' || kinds === 'bytes,string';
}

function namespaceText(namespace: string): string {
  return namespace === '' ? 'no namespace' : `namespace ${namespace}`;
}

/** Branches that take each other's values: of one kind and name; then the one that is left on each side, if one is. */
function branchPairs(now: readonly TypeUse[], before: readonly TypeUse[]): readonly (readonly [TypeUse, TypeUse])[] {
  const pairs: (readonly [TypeUse, TypeUse])[] = [];
  const left = [...before];
  const unpaired: TypeUse[] = [];
  for (const branch of now) {
    const index = left.findIndex((other) => branchKey(other.type) === branchKey(branch.type));
    if (index < 0) unpaired.push(branch);
    else pairs.push([branch, left.splice(index, 1)[0] as TypeUse]);
  }
  const [mine, theirs] = [unpaired, left].map((branches) => branches.filter((branch) => branch.type.kind !== 'null')) as [TypeUse[], TypeUse[]];
  if (mine.length === 1 && theirs.length === 1) pairs.push([mine[0] as TypeUse, theirs[0] as TypeUse]);
  return pairs;
}

function branchKey(type: AvroType): string {
  return isNamed(type) ? `${type.kind} ${type.name}` : type.kind;
}

/**
 * Fields of the schema that came in the same step, from `before` to `after`, in which others of a like type went: most
 * likely one thing under a new name, which readers of the older records see as its default. The step may be an earlier one:
 * `after` is the schema itself, or a version of it.
 */
export function renamesWithoutAlias(root: TypeUse, after: TypeUse, before: TypeUse): readonly Remark[] {
  return recordPairs(after, before).flatMap(([record, earlier]) => {
    const gone = earlier.fields.filter((field) => !record.fields.some((other) => writerFieldOf(other, earlier) === field));
    const come = record.fields.filter((field) => writerFieldOf(field, earlier) === null);
    return come.flatMap((field) => {
      const present = fieldNow(root, after, record, field.name);
      const alike = gone.filter((other) => isAlike(other.type, field.type) && present?.field.aliases.includes(other.name) === false);
      if (present === null || alike.length === 0) return [];
      const names = alike.map((other) => other.name).join(' or ');
      const says = `field ${field.name} came as ${names} of a like type went, without an alias`;
      return [remark('field-renamed-without-alias', present.field.namePlace, `${present.record.fullName}.${field.name}`, says, `field ${field.name}`, `field ${names}`)];
    });
  });
}

/** What a record's field of some version is in the schema now; null if it is gone again. */
function fieldNow(root: TypeUse, version: TypeUse, record: RecordType, name: string): { readonly record: RecordType; readonly field: Field } | null {
  const now = recordPairs(root, version).find(([, other]) => other === record)?.[0];
  const field = now?.fields.find((candidate) => candidate.name === name);
  return now === undefined || field === undefined ? null : { record: now, field };
}

/** Records that stand for each other: the roots, and nested ones of one simple name. */
function recordPairs(now: TypeUse, before: TypeUse): readonly (readonly [RecordType, RecordType])[] {
  const earlier = namedTypes(before).filter((type) => type.kind === 'record');
  return namedTypes(now).filter((type) => type.kind === 'record').flatMap((record) => {
    const isRoot = record === now.type && before.type.kind === 'record';
    const other = isRoot ? (before.type as RecordType) : earlier.find((candidate) => candidate.name === record.name || record.aliases.includes(candidate.fullName));
    return other === undefined ? [] : [[record, other] as const];
  });
}

/** Whether values of one type can be read as the other, in either direction. */
function isAlike(a: TypeUse, b: TypeUse): boolean {
  return incompatibilities(a, b).length === 0 || incompatibilities(b, a).length === 0;
}
