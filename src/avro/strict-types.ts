/*
 * avsc's types made strict and fast, as subclasses that replace how values are read and written. Where avsc lets wrong bytes
 * through (invalid UTF-8, an int beyond 32 bits, a boolean that is 7, an array that claims more items than there are
 * bytes) these refuse, because Avro has no checksum: bytes that are not ours must not become a plausible record.
 */
import avro from 'avsc';
import { decimalFromBytes, decimalToBytes, isDecimal, readDecimal, writeDecimal } from './decimal-bytes.js';
import { isLong, LEAST_NUMBER, readLong, writeLong } from './long-bytes.js';
import { readString, writeString } from './string-bytes.js';
import { MalformedAvroError, readLength, type Tap } from './tap.js';

/** The methods of avsc's types that its own declarations leave out. */
interface ValueType {
  _read(tap: Tap): unknown;
  _write(tap: Tap, value: unknown): void;
  _skip(tap: Tap): void;
  _check(value: unknown, flags?: unknown, hook?: unknown, path?: unknown): boolean;
}

/** A value that does not fit its schema; the message names the type only. */
export class InvalidValueError extends Error {
  override name = 'InvalidValueError';
}

function refuse(value: unknown, expected: string): never {
  throw new InvalidValueError(`${value === null ? 'null' : typeof value} where ${expected} is expected`);
}

function endOfBytes(): MalformedAvroError {
  return new MalformedAvroError('end of bytes inside a record', true);
}

class StrictString extends avro.types.StringType {
  _read(tap: Tap): string {
    return readString(tap);
  }

  _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string') refuse(value, 'a string');
    writeString(tap, value);
  }
}

class StrictInt extends avro.types.IntType {
  _read(tap: Tap): number {
    const value = tap.readLong();
    if (value !== (value | 0)) throw new MalformedAvroError('int beyond 32 bits');
    if (value < LEAST_NUMBER) throw new MalformedAvroError(`the number ${value}`);
    return value;
  }

  _write(tap: Tap, value: unknown): void {
    if (!isInt(value)) refuse(value, `a whole number of 32 bits, not below ${LEAST_NUMBER}`);
    tap.writeLong(value);
  }

  _check(value: unknown): boolean {
    return isInt(value);
  }
}

function isInt(value: unknown): value is number {
  return typeof value === 'number' && value === (value | 0) && value >= LEAST_NUMBER;
}

class StrictLong extends avro.types.LongType {
  _read(tap: Tap): number {
    return readLong(tap);
  }

  _write(tap: Tap, value: unknown): void {
    if (!isLong(value)) refuse(value, `a whole number below 2^53, not below ${LEAST_NUMBER}`);
    writeLong(tap, value);
  }

  _check(value: unknown): boolean {
    return isLong(value);
  }
}

class StrictBoolean extends avro.types.BooleanType {
  _read(tap: Tap): boolean {
    const byte = tap.buf[tap.pos++];
    if (byte === undefined) throw endOfBytes();
    if (byte !== 0 && byte !== 1) throw new MalformedAvroError('boolean that is neither 0 nor 1');
    return byte === 1;
  }
}

class StrictArray extends avro.types.ArrayType {
  _read(this: { readonly itemsType: ValueType }, tap: Tap): unknown[] {
    const values: unknown[] = [];
    for (let left = readCount(tap); left > 0; left = readCount(tap)) {
      while (left-- > 0) values.push(this.itemsType._read(tap));
    }
    return values;
  }

  _skip(this: { readonly itemsType: ValueType }, tap: Tap): void {
    for (let left = readCount(tap); left > 0; left = readCount(tap)) {
      while (left-- > 0) this.itemsType._skip(tap);
    }
  }
}

/** Items of the next block. Every item takes at least one byte in the schemas accepted here, so a count has a bound. */
function readCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    readLength(tap, 'array block');
  }
  const left = tap.buf.length - tap.pos;
  if (!(count >= 0 && count <= Math.max(left, 0))) {
    throw new MalformedAvroError(`array of ${count} items where ${Math.max(left, 0)} bytes are left`, count > left);
  }
  return count;
}

/** A union of null and one other type, without avsc's search for the branch that fits a value. */
class Nullable extends avro.types.UnwrappedUnionType {
  _read(this: { readonly types: readonly ValueType[] }, tap: Tap): unknown {
    const { buf, pos } = tap;
    tap.pos = pos + 1;
    if (buf[pos] === 0) return null;
    if (buf[pos] === undefined) throw endOfBytes();
    if (buf[pos] !== 2) throw new MalformedAvroError('union branch that does not exist');
    return (this.types[1] as ValueType)._read(tap);
  }

  _write(this: { readonly types: readonly ValueType[] }, tap: Tap, value: unknown): void {
    if (value === null) {
      tap.writeLong(0);
      return;
    }
    tap.writeLong(1);
    (this.types[1] as ValueType)._write(tap, value);
  }

  _check(this: { readonly types: readonly ValueType[] }, value: unknown, flags?: unknown, hook?: unknown, path?: unknown): boolean {
    return value === null || (this.types[1] as ValueType)._check(value, flags, hook, path);
  }
}

class DecimalType extends avro.types.LogicalType {
  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options);
    const { precision, scale } = schema as { readonly precision?: unknown; readonly scale?: unknown };
    if (precision !== 38 || scale !== 18) throw new UnusableSchemaError(`decimal of precision ${precision} and scale ${scale}; only 38 and 18 are read here`);
  }

  _read(tap: Tap): bigint {
    return readDecimal(tap);
  }

  _write(tap: Tap, value: unknown): void {
    if (!isDecimal(value)) refuse(value, 'a decimal of at most 38 digits');
    writeDecimal(tap, value);
  }

  _check(value: unknown): boolean {
    return isDecimal(value);
  }

  /** Defaults of fields come as bytes. */
  override _fromValue(bytes: Buffer): bigint {
    return decimalFromBytes(bytes);
  }

  override _toValue(value: unknown): Buffer | undefined {
    return isDecimal(value) ? decimalToBytes(value) : undefined;
  }

  override _resolve(type: avro.Type): ((value: unknown) => unknown) | undefined {
    return type instanceof DecimalType ? (value) => value : undefined;
  }
}

class TimestampMillisType extends avro.types.LogicalType {
  _read(tap: Tap): number {
    return readLong(tap);
  }

  _write(tap: Tap, value: unknown): void {
    if (!isLong(value)) refuse(value, 'a whole number of milliseconds');
    writeLong(tap, value);
  }

  override _fromValue(value: unknown): unknown {
    return value;
  }

  override _toValue(value: unknown): unknown {
    return value;
  }

  /** Seconds, micros or a bare number read as milliseconds would be wrong by a factor: only the same type resolves. */
  override _resolve(type: avro.Type): ((value: unknown) => unknown) | undefined {
    return type instanceof TimestampMillisType ? (value) => value : undefined;
  }
}

/** A schema that is not read here, as opposed to bytes that do not fit one. */
export class UnusableSchemaError extends Error {
  override name = 'UnusableSchemaError';
}

interface SchemaHead {
  readonly type?: unknown;
  readonly logicalType?: string;
}

const LOGICAL_TYPES = { decimal: DecimalType, 'timestamp-millis': TimestampMillisType };

function strictType(schema: unknown, options: unknown): avro.Type | undefined {
  if (Array.isArray(schema)) return schema.length === 2 && schema[0] === 'null' ? new Nullable(schema, options) : undefined;
  const { type, logicalType } = typeof schema === 'string' ? { type: schema, logicalType: undefined } : (schema as SchemaHead);
  if (logicalType !== undefined && Object.hasOwn(LOGICAL_TYPES, logicalType)) return undefined;
  switch (type) {
    case 'string':
      return new StrictString();
    case 'int':
      return new StrictInt();
    case 'long':
      return new StrictLong();
    case 'boolean':
      return new StrictBoolean();
    case 'array':
      return new StrictArray(schema as avro.Schema, options);
    case 'map':
      throw new UnusableSchemaError('maps are not read here');
    default:
      return undefined;
  }
}

/** Compiles a schema, ours or a writer's, to strict types. Throws UnusableSchemaError, or avsc's own errors. */
export function compileType(schema: object): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, {
    assertLogicalTypes: true,
    logicalTypes: LOGICAL_TYPES,
    omitRecordMethods: true,
    typeHook: strictType,
    wrapUnions: 'auto',
  });
}
