/*
 * Avro schemas as the checker sees them: named types resolved, every part with its place in the file.
 */

export type PrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

/** A part of a schema file. */
export interface Place {
  /** JSON pointer; the root is "/". */
  readonly path: string;
  readonly offset: number;
  /** Exclusive. */
  readonly end: number;
}

/** What a value means beyond its bytes. */
export interface LogicalType {
  readonly name: string;
  /** Of a decimal; null otherwise, and where none is given. */
  readonly precision: number | null;
  /** Of a decimal, 0 where none is given; null otherwise. */
  readonly scale: number | null;
  readonly place: Place;
  /** Of precision and scale, where they are given. */
  readonly precisionPlace: Place | null;
  readonly scalePlace: Place | null;
}

/** A type at the place where it is used: for a named type that may be another place than where it is defined. */
export interface TypeUse {
  readonly type: AvroType;
  readonly place: Place;
}

export interface PrimitiveType {
  readonly kind: PrimitiveKind;
  readonly logical: LogicalType | null;
  readonly place: Place;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly items: TypeUse;
  readonly place: Place;
}

export interface MapType {
  readonly kind: 'map';
  readonly values: TypeUse;
  readonly place: Place;
}

export interface UnionType {
  readonly kind: 'union';
  readonly branches: readonly TypeUse[];
  readonly place: Place;
}

interface NamedType {
  readonly fullName: string;
  /** Without the namespace. */
  readonly name: string;
  readonly namespace: string;
  /** Full names. */
  readonly aliases: readonly string[];
  readonly doc: string | null;
  readonly place: Place;
  readonly namePlace: Place;
  /** Of the "namespace" key; null where the namespace comes from elsewhere. */
  readonly namespacePlace: Place | null;
}

export interface DefaultValue {
  /** One text for equal values. */
  readonly text: string;
  readonly place: Place;
}

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly doc: string | null;
  readonly type: TypeUse;
  readonly default: DefaultValue | null;
  readonly place: Place;
  readonly namePlace: Place;
}

export interface RecordType extends NamedType {
  readonly kind: 'record';
  readonly fields: readonly Field[];
  readonly fieldsPlace: Place;
}

export interface EnumType extends NamedType {
  readonly kind: 'enum';
  readonly symbols: readonly string[];
  readonly default: string | null;
  readonly symbolsPlace: Place;
  /** Of the default; null if there is none. */
  readonly defaultPlace: Place | null;
}

export interface FixedType extends NamedType {
  readonly kind: 'fixed';
  /** In bytes. */
  readonly size: number;
  readonly logical: LogicalType | null;
  readonly sizePlace: Place;
}

export type AvroType = PrimitiveType | ArrayType | MapType | UnionType | RecordType | EnumType | FixedType;

export function isNamed(type: AvroType): type is RecordType | EnumType | FixedType {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed';
}

export function logicalOf(type: AvroType): LogicalType | null {
  return 'logical' in type ? type.logical : null;
}

/** For messages: a named type's name, a primitive's kind with its logical type, else what it is made of. */
export function describeType(type: AvroType): string {
  switch (type.kind) {
    case 'record':
    case 'enum':
      return `${type.kind} ${type.fullName}`;
    case 'fixed':
      return `fixed ${type.fullName} of ${type.size} bytes${describeLogical(type.logical)}`;
    case 'array':
      return `array of ${describeType(type.items.type)}`;
    case 'map':
      return `map of ${describeType(type.values.type)}`;
    case 'union':
      return `union of [${type.branches.map((branch) => describeType(branch.type)).join(', ')}]`;
    default:
      return `${type.kind}${describeLogical(type.logical)}`;
  }
}

function describeLogical(logical: LogicalType | null): string {
  if (logical === null) return '';
  return logical.name === 'decimal' ? ` (decimal(${logical.precision ?? '?'}, ${logical.scale ?? 0}))` : ` (${logical.name})`;
}
