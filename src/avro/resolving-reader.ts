/*
 * Readers of records that an older or newer release wrote, as straight-line code: the writer's fields are read in its order
 * and put where ours has them; what the writer did not know gets our default. Made only where every field is read as it was
 * written, or is an enum with other symbols; whatever else has to be resolved is left to the general codec.
 */
import { isEnum, isUnion, NO_ITEMS, ReaderSource, readerFrom, type CompiledReader } from './compiled-record.js';
import type { AvroField, AvroNamedSchema, AvroSchema } from './record-types.js';
import { schemaForm } from './schema-form.js';

/** `defaultOf` answers our field's default as the codec would read it. Null if the general codec has to resolve. */
export function compileResolvingReader(own: AvroNamedSchema, written: AvroNamedSchema, defaultOf: (field: string) => unknown): CompiledReader | null {
  const [ours, theirs] = [spelledOut(own) as AvroNamedSchema, spelledOut(written) as AvroNamedSchema];
  const source = new ReaderSource();
  const variables = new Map<string, string>();
  for (const field of theirs.fields ?? []) {
    const mine = (ours.fields ?? []).find((candidate) => namesOf(candidate).includes(field.name));
    const type = mine === undefined ? field.type : readAs(mine.type, field.type);
    if (type === null) return null;
    variables.set(field.name, source.value(type));
  }
  const defaults: unknown[] = [];
  const members: string[] = [];
  for (const field of ours.fields ?? []) {
    // Our own name goes before its aliases.
    const name = namesOf(field).find((candidate) => variables.has(candidate));
    let expression = name === undefined ? null : (variables.get(name) as string);
    if (expression === null) {
      const value = shareable(defaultOf(field.name));
      if (value === undefined) return null;
      expression = `defaults[${defaults.push(value) - 1}]`;
    }
    members.push(`${JSON.stringify(field.name)}: ${expression}`);
  }
  return readerFrom(source, `{${members.join(', ')}}`, { defaults });
}

function namesOf(field: AvroField): readonly string[] {
  return [field.name, ...((field as { readonly aliases?: readonly string[] }).aliases ?? [])];
}

/** A default that all records may share; undefined for one that each must have for itself, and where there is none. */
function shareable(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? NO_ITEMS : undefined;
  return typeof value === 'object' && value !== null ? undefined : value;
}

/** The type by which a written value is read so that it is one of ours; null if that takes more than reading. */
function readAs(own: AvroSchema, written: AvroSchema): AvroSchema | null {
  if (schemaForm(own) === schemaForm(written)) return written;
  if (isUnion(own) && own.length === 2 && own[0] === 'null' && own[1] !== undefined) {
    if (!isUnion(written)) return readAs(own[1], written);
    if (written.length !== 2 || written[0] !== 'null' || written[1] === undefined) return null;
    const inner = readAs(own[1], written[1]);
    return inner === null ? null : ['null', inner];
  }
  if (!isEnum(own) || !isEnum(written) || own.name !== written.name) return null;
  const symbols = (written.symbols ?? []).map((symbol) => (own.symbols?.includes(symbol) === true ? symbol : own.default));
  return symbols.every((symbol) => symbol !== undefined) ? { type: 'enum', name: written.name, symbols } : null;
}

const DEFINING = new Set(['record', 'enum', 'fixed']);

/** The schema with simple names, and every type given by name spelled out: two schemas may define a type at different places. */
function spelledOut(schema: AvroSchema, known: Map<string, AvroSchema> = new Map()): AvroSchema {
  if (typeof schema === 'string') return known.get(simpleName(schema)) ?? schema;
  if (isUnion(schema)) return schema.map((branch) => spelledOut(branch, known));
  const { namespace: _, ...rest } = schema as AvroNamedSchema & { readonly items?: AvroSchema };
  if (!DEFINING.has(rest.type)) return (rest.items === undefined ? rest : { ...rest, items: spelledOut(rest.items, known) }) as AvroSchema;
  const named = { ...rest, name: simpleName(rest.name), ...(rest.fields !== undefined && { fields: rest.fields.map((field) => ({ ...field, type: spelledOut(field.type, known) })) }) };
  known.set(named.name, named);
  return named;
}

function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
