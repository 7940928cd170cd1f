import avro from 'avsc';
import type { Decoder, DecoderRefusal, TypeStep } from '../schema-gate/decoder.js';
import { compileType } from './strict-types.js';

/** The parts of avsc's types that its declarations leave out or split over many. */
interface AvscType extends avro.Type {
  readonly typeName: string;
  readonly types?: readonly AvscType[];
  readonly itemsType?: AvscType;
  readonly valuesType?: AvscType;
  readonly fields?: readonly { readonly name: string; readonly aliases: readonly string[]; readonly type: AvscType }[];
}

interface Pair {
  readonly reader: AvscType;
  readonly writer: AvscType;
  readonly readerSteps: readonly TypeStep[];
  readonly writerSteps: readonly TypeStep[];
}

const AVSC = 'avsc 5.7.9';

/** avsc as it comes: any schema, its own types. */
export function avscDecoder(): Decoder {
  return new ResolverDecoder(AVSC, (schema) => avro.Type.forSchema(schema as avro.Schema, { omitRecordMethods: true }));
}

/** avsc with this project's strict types, which refuse what its records must never have: maps, decimals of other scales. */
export function strictDecoder(): Decoder {
  return new ResolverDecoder(`${AVSC} with this project's types`, (schema) => compileType(schema as object));
}

class ResolverDecoder implements Decoder {
  readonly name: string;
  private readonly compile: (schema: unknown) => avro.Type;
  /** By JSON text: each version is compared with in two directions. */
  private readonly compiled = new Map<string, AvscType | string>();

  constructor(name: string, compile: (schema: unknown) => avro.Type) {
    this.name = name;
    this.compile = compile;
  }

  unusable(schema: unknown): string | null {
    const type = this.typeOf(schema);
    return typeof type === 'string' ? type : null;
  }

  refusals(readerSchema: unknown, writerSchema: unknown): readonly DecoderRefusal[] {
    const [reader, writer] = [this.typeOf(readerSchema), this.typeOf(writerSchema)];
    if (typeof reader === 'string' || typeof writer === 'string') return [];
    return narrow({ reader, writer, readerSteps: [], writerSteps: [] }, new Map());
  }

  private typeOf(schema: unknown): AvscType | string {
    const key = JSON.stringify(schema);
    const known = this.compiled.get(key);
    if (known !== undefined) return known;
    let type: AvscType | string;
    try {
      type = this.compile(JSON.parse(key)) as AvscType;
    } catch (error) {
      type = messageOf(error);
    }
    this.compiled.set(key, type);
    return type;
  }
}

/** avsc stops at the first thing that it cannot resolve and names no place: the parts are asked for one by one. */
function narrow(pair: Pair, met: Map<AvscType, Set<AvscType>>): readonly DecoderRefusal[] {
  const { reader, writer, readerSteps, writerSteps } = pair;
  const message = refusal(reader, writer);
  if (message === null) return [];
  const known = met.get(reader) ?? new Set();
  if (known.has(writer)) return [];
  met.set(reader, known.add(writer));
  const inner = parts(pair).flatMap((part) => narrow(part, met));
  return inner.length > 0 ? inner : [{ readerSteps, writerSteps, message }];
}

function refusal(reader: AvscType, writer: AvscType): string | null {
  try {
    reader.createResolver(writer);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function parts({ reader, writer, readerSteps, writerSteps }: Pair): readonly Pair[] {
  const part = (r: AvscType, w: AvscType, readerStep: TypeStep | null, writerStep: TypeStep | null): Pair => ({
    reader: r,
    writer: w,
    readerSteps: readerStep === null ? readerSteps : [...readerSteps, readerStep],
    writerSteps: writerStep === null ? writerSteps : [...writerSteps, writerStep],
  });
  if (isUnion(writer)) return writer.types.map((branch, index) => part(reader, branch, null, { branch: index }));
  if (isUnion(reader)) {
    // The branch that was meant is the only one of the writer's kind; with several, or none, the union itself is the place.
    const alike = reader.types.flatMap((branch, index) => (branch.typeName === writer.typeName ? [{ branch, index }] : []));
    const [only] = alike;
    return alike.length === 1 && only !== undefined && (writer.fields ?? writer.itemsType ?? writer.valuesType) !== undefined ? [part(only.branch, writer, { branch: only.index }, null)] : [];
  }
  if (reader.itemsType !== undefined && writer.itemsType !== undefined) return [part(reader.itemsType, writer.itemsType, 'items', 'items')];
  if (reader.valuesType !== undefined && writer.valuesType !== undefined) return [part(reader.valuesType, writer.valuesType, 'values', 'values')];
  return (reader.fields ?? []).flatMap((field) => {
    const written = writer.fields?.find((other) => other.name === field.name || field.aliases.includes(other.name));
    return written === undefined ? [] : [part(field.type, written.type, { field: field.name }, { field: written.name })];
  });
}

function isUnion(type: AvscType): type is AvscType & { readonly types: readonly AvscType[] } {
  return type.types !== undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
