import { RecordCodec, WIRE_HEADER_BYTES } from '../../src/avro/record-codec.js';
import type { RecordSchema } from '../../src/avro/record-schema.js';
import type { AvroField, AvroNamedSchema } from '../../src/avro/record-types.js';
import { compileType } from '../../src/avro/strict-types.js';
import type { RecordName } from '../../src/domain/records.js';

/*
 * A log as earlier releases would have left it: the same events, written with three older versions of their schemas and the
 * present one in turns. Nothing is lost in that, because what a version leaves out held its default all along.
 */

/** Three versions before ours; `constant` are fields that hold their default in every record. */
export function earlierReleases(schema: AvroNamedSchema, constant: readonly string[]): readonly AvroNamedSchema[] {
  const fields = schema.fields ?? [];
  const without = (gone: readonly string[]): readonly AvroField[] => fields.filter(({ name }) => !gone.includes(name));
  const dropped: AvroField = { name: 'dropped_since', type: ['null', 'string'], default: null, doc: 'What a later release did without.' };
  return [
    { ...schema, fields: without(constant) },
    { ...schema, fields: [...without(constant.slice(0, Math.ceil(constant.length / 2)))].reverse() },
    { ...schema, fields: [dropped, ...fields.map(withAnotherSymbol)] },
  ];
}

function withAnotherSymbol(field: AvroField): AvroField {
  const { type } = field;
  if (typeof type !== 'object' || !('symbols' in type) || type.default === undefined) return field;
  return { ...field, type: { ...type, symbols: ['DroppedSince', ...(type.symbols ?? [])] } };
}

/** Fields of a record that hold their default in all of these values. */
export function constantFields(schema: AvroNamedSchema, values: readonly object[]): readonly string[] {
  const own = compileType(schema) as unknown as { readonly fields: readonly { readonly name: string; defaultValue(): unknown }[] };
  const constant = own.fields.filter(({ name, defaultValue }) => {
    const isDefault = (value: unknown): boolean => value === defaultValue.call(own.fields.find((field) => field.name === name)) || (Array.isArray(value) && value.length === 0);
    return schema.fields?.find((field) => field.name === name)?.default !== undefined && values.every((value) => isDefault((value as Readonly<Record<string, unknown>>)[name]));
  });
  return constant.map(({ name }) => name);
}

/** Writes values of one record with version after version. */
export class OlderWriter {
  private readonly types: readonly { readonly id: number; readonly type: ReturnType<typeof compileType> }[];
  private turn = 0;

  /** A version for each id, in their order. */
  constructor(versions: readonly AvroNamedSchema[], ids: readonly number[]) {
    this.types = versions.map((schema, index) => ({ id: ids[index] as number, type: compileType(schema) }));
  }

  bytes(value: object): Buffer {
    const { id, type } = this.types[this.turn++ % this.types.length]!;
    const body = type.toBuffer({ dropped_since: 'x', ...value });
    const bytes = Buffer.concat([Buffer.alloc(WIRE_HEADER_BYTES), body]);
    bytes.writeInt32BE(id, 1);
    return bytes;
  }
}

/** Values of each record among these bytes. */
export function valuesByName(codec: RecordCodec, values: Iterable<Uint8Array | null>): ReadonlyMap<RecordName, readonly object[]> {
  const byName = new Map<RecordName, object[]>();
  for (const bytes of values) {
    if (bytes === null) continue;
    const { type, value } = codec.decode(bytes);
    const known = byName.get(type);
    if (known === undefined) byName.set(type, [value]);
    else known.push(value);
  }
  return byName;
}

export function schemaOf(schemas: readonly RecordSchema[], name: RecordName): AvroNamedSchema {
  return schemas.find((schema) => schema.name === name)!.schema;
}
