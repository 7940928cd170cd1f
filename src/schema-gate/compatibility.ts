import { describeType, isNamed, type AvroType, type EnumType, type Field, type FixedType, type Place, type RecordType, type TypeUse } from './avro-schema.js';

export type CompatibilityRule = 'type-mismatch' | 'union-branch-missing' | 'name-mismatch' | 'fixed-size-mismatch' | 'enum-symbols-missing' | 'reader-field-without-default' | 'reader-field-ambiguous';

/** One reason why a reader cannot read what a writer wrote. */
export interface Incompatibility {
  readonly rule: CompatibilityRule;
  readonly reader: Side;
  readonly writer: Side;
  /** The record field it happens in, innermost; null outside of records. */
  readonly field: FieldPath | null;
  /** Of a missing union branch: why the branch of the same kind does not take the type. */
  readonly because: readonly Incompatibility[];
}

/** Where in a schema, and in words what is there. */
export interface Side {
  readonly place: Place;
  readonly says: string;
}

/** A field in the reader's words and in the writer's; the same unless an alias leads from one to the other. */
export interface FieldPath {
  readonly reader: string;
  readonly writer: string;
}

/** Types that a reader may read in place of the writer's, without loss of the type's own range. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
};

/**
 * Avro's rules for one reader and one writer: every incompatibility, in the order of the reader's schema; empty if the
 * reader reads everything that the writer can write. Names count without their namespace, aliases are the reader's; a
 * reader's union takes a writer's type if any of its branches does.
 */
export function incompatibilities(reader: TypeUse, writer: TypeUse): readonly Incompatibility[] {
  const refused = new PairSet();
  // A pair met again inside itself counts as readable until it proves not to be; then everything is looked at again.
  for (;;) {
    const before = refused.size;
    const found = new Comparison(refused, new PairSet(), new PairSet()).compare(reader, writer, null);
    if (refused.size === before) return found.filter((incompatibility) => incompatibility !== SAID_BEFORE);
  }
}

const NOWHERE: Side = { place: { path: '/', offset: 0, end: 0 }, says: '' };

/** Stands for a pair of records whose incompatibilities are in the list already. */
const SAID_BEFORE: Incompatibility = { rule: 'type-mismatch', reader: NOWHERE, writer: NOWHERE, field: null, because: [] };

class PairSet {
  size = 0;
  private readonly pairs = new Map<AvroType, Set<AvroType>>();

  has(reader: AvroType, writer: AvroType): boolean {
    return this.pairs.get(reader)?.has(writer) ?? false;
  }

  add(reader: AvroType, writer: AvroType): void {
    if (this.has(reader, writer)) return;
    this.size++;
    const writers = this.pairs.get(reader);
    if (writers === undefined) this.pairs.set(reader, new Set([writer]));
    else writers.add(writer);
  }
}

class Comparison {
  /** Pairs of records that cannot be read, of this pass and those before. */
  private readonly refused: PairSet;
  /** Pairs of records looked at, or being looked at, in this pass. */
  private readonly met: PairSet;
  /** Those whose incompatibilities are in the list that this comparison makes; null if it only tries. */
  private readonly said: PairSet | null;

  constructor(refused: PairSet, met: PairSet, said: PairSet | null) {
    this.refused = refused;
    this.met = met;
    this.said = said;
  }

  compare(reader: TypeUse, writer: TypeUse, field: FieldPath | null): readonly Incompatibility[] {
    const [r, w] = [reader.type, writer.type];
    const mismatch = (rule: CompatibilityRule): Incompatibility => ({ rule, reader: sideOf(reader), writer: sideOf(writer), field, because: [] });
    if (w.kind === 'union') return w.branches.flatMap((branch) => this.compare(reader, branch, field));
    if (r.kind === 'union') {
      // What is found while a branch is tried is not said if another branch takes the type.
      const trial = new Comparison(this.refused, this.met, null);
      const refusals = r.branches.map((branch) => trial.compare(branch, writer, field));
      if (refusals.some((refusal) => refusal.length === 0)) return [];
      const nearest = refusals[r.branches.findIndex((branch) => branch.type.kind === w.kind)] ?? [];
      return [{ ...mismatch('union-branch-missing'), because: nearest.filter((cause) => cause !== SAID_BEFORE) }];
    }
    if (r.kind !== w.kind) return PROMOTIONS[r.kind]?.includes(w.kind) === true ? [] : [mismatch('type-mismatch')];
    if (r.kind === 'array' && w.kind === 'array') return this.compare(r.items, w.items, field);
    if (r.kind === 'map' && w.kind === 'map') return this.compare(r.values, w.values, field);
    if (isNamed(r) && isNamed(w)) return [...nameMismatch(r, w, field), ...this.definitions(r, w, field)];
    return [];
  }

  private definitions(reader: RecordType | EnumType | FixedType, writer: AvroType, field: FieldPath | null): readonly Incompatibility[] {
    if (reader.kind === 'record' && writer.kind === 'record') return this.records(reader, writer);
    if (reader.kind === 'enum' && writer.kind === 'enum') return enumSymbols(reader, writer, field);
    return reader.kind === 'fixed' && writer.kind === 'fixed' ? fixedSize(reader, writer, field) : [];
  }

  private records(reader: RecordType, writer: RecordType): readonly Incompatibility[] {
    const known = this.said ?? this.met;
    if (known.has(reader, writer)) return this.refused.has(reader, writer) ? [SAID_BEFORE] : [];
    known.add(reader, writer);
    this.met.add(reader, writer);
    const found = reader.fields.flatMap((readerField) => this.field(reader, readerField, writer));
    if (found.length > 0) this.refused.add(reader, writer);
    return found;
  }

  private field(reader: RecordType, readerField: Field, writer: RecordType): readonly Incompatibility[] {
    const [writerField = null, ...others] = writerFieldsOf(readerField, writer);
    const field = { reader: `${reader.fullName}.${readerField.name}`, writer: `${writer.fullName}.${writerField?.name ?? readerField.name}` };
    if (others.length > 0) {
      const names = [writerField?.name, ...others.map(({ name }) => name)].join(' and ');
      return [{ rule: 'reader-field-ambiguous', reader: { place: readerField.place, says: `field ${readerField.name}, aliases ${readerField.aliases.join(', ')}` }, writer: { place: writer.fieldsPlace, says: `fields ${names}` }, field, because: [] }];
    }
    if (writerField !== null) return this.compare(readerField.type, writerField.type, field);
    if (readerField.default !== null) return [];
    return [
      {
        rule: 'reader-field-without-default',
        reader: { place: readerField.place, says: `field ${readerField.name} of ${describeType(readerField.type.type)} without a default` },
        writer: { place: writer.fieldsPlace, says: `no field ${[readerField.name, ...readerField.aliases].join(' or ')}` },
        field,
        because: [],
      },
    ];
  }
}

function sideOf(use: TypeUse): Side {
  return { place: use.place, says: describeType(use.type) };
}

/** The writer's field that a reader's field is read from: of its own name, else of one of its aliases. */
export function writerFieldOf(readerField: Field, writer: RecordType): Field | null {
  return writerFieldsOf(readerField, writer)[0] ?? null;
}

/**
 * What its name and each of its aliases find. Where that is more than one field, or one found twice because an alias is the
 * field's own name, no implementation makes a reader.
 */
function writerFieldsOf(readerField: Field, writer: RecordType): readonly Field[] {
  return [readerField.name, ...new Set(readerField.aliases)].flatMap((name) => writer.fields.filter((field) => field.name === name));
}

function nameMismatch(reader: RecordType | EnumType | FixedType, writer: RecordType | EnumType | FixedType, field: FieldPath | null): readonly Incompatibility[] {
  if (reader.name === writer.name || reader.aliases.includes(writer.fullName)) return [];
  const aliases = reader.aliases.length === 0 ? 'without aliases' : `aliases ${reader.aliases.join(', ')}`;
  return [
    {
      rule: 'name-mismatch',
      reader: { place: reader.namePlace, says: `${describeType(reader)}, ${aliases}` },
      writer: { place: writer.namePlace, says: describeType(writer) },
      field,
      because: [],
    },
  ];
}

function fixedSize(reader: FixedType, writer: FixedType, field: FieldPath | null): readonly Incompatibility[] {
  if (reader.size === writer.size) return [];
  return [{ rule: 'fixed-size-mismatch', reader: { place: reader.sizePlace, says: `${reader.size} bytes` }, writer: { place: writer.sizePlace, says: `${writer.size} bytes` }, field, because: [] }];
}

function enumSymbols(reader: EnumType, writer: EnumType, field: FieldPath | null): readonly Incompatibility[] {
  const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
  if (missing.length === 0 || reader.default !== null) return [];
  return [
    {
      rule: 'enum-symbols-missing',
      reader: { place: reader.symbolsPlace, says: `enum ${reader.fullName} without ${missing.join(', ')} and without a default` },
      writer: { place: writer.symbolsPlace, says: `enum ${writer.fullName} with ${missing.join(', ')}` },
      field,
      because: [],
    },
  ];
}
