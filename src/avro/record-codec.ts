import type avro from 'avsc';
import type { FieldsRead } from '../domain/fields-read.js';
import type { RecordName, RecordTypes } from '../domain/records.js';
import { compileReader, compileWriter, type CompiledReader, type CompiledWriter } from './compiled-record.js';
import type { RecordSchema } from './record-schema.js';
import type { AvroNamedSchema } from './record-types.js';
import { compileResolvingReader } from './resolving-reader.js';
import { schemaForm } from './schema-form.js';
import type { SchemaSource } from './schema-source.js';
import { compileType } from './strict-types.js';
import { MalformedAvroError, type SliceableBuffer } from './tap.js';

/** Why bytes are not a record of ours. They will not become one by waiting: the place for them is a dead-letter topic. */
export type UndecodableReason =
  | 'too_short'
  | 'bad_magic'
  | 'unknown_schema_id'
  | 'unusable_schema'
  | 'unknown_record'
  | 'truncated'
  | 'trailing_data'
  | 'invalid';

export class UndecodableRecord extends Error {
  override name = 'UndecodableRecord';
  readonly reason: UndecodableReason;

  constructor(reason: UndecodableReason, detail: string, options?: { readonly cause?: unknown }) {
    super(`${reason}: ${detail}`, options);
    this.reason = reason;
  }
}

/** A value that its schema cannot hold; an error of the program, not of its input. */
export class UnencodableRecord extends Error {
  override name = 'UnencodableRecord';
}

export type DecodedRecord = { readonly [N in RecordName]: { readonly type: N; readonly value: RecordTypes[N] } }[RecordName];

/** Magic byte 0 and the schema id, big-endian. */
export const WIRE_HEADER_BYTES = 5;
const SLAB_BYTES = 64 * 1024;
/** Less than this left in a slab: begin a new one rather than try. */
const SLAB_RESERVE = 512;

interface Writer {
  readonly id: number;
  readonly type: avro.Type;
  readonly compiled: CompiledWriter;
}

/** How the records of one schema id are read. A resolver only where the writer's schema is not ours. */
interface Reader {
  readonly name: RecordName;
  readonly type: avro.Type;
  readonly resolver: ReturnType<avro.Type['createResolver']> | undefined;
  /** Null where the writer's schema is so far from ours that only the resolver reads it. */
  readonly compiled: CompiledReader | null;
}

interface OwnRecord {
  readonly schema: RecordSchema;
  readonly form: string;
  readonly type: avro.Type;
  readonly reader: CompiledReader;
}

/**
 * Records to bytes and back, in the Confluent wire format. The same value gives the same bytes. Decoding is synchronous:
 * schema ids are looked up beforehand by `learn`, once each, and their resolvers are kept.
 */
export class RecordCodec {
  private readonly source: SchemaSource;
  private readonly own: ReadonlyMap<string, OwnRecord>;
  private readonly writers: ReadonlyMap<RecordName, Writer>;
  private readonly readers = new Map<number, Reader | UndecodableRecord>();
  private readonly decoders = new Map<string, (bytes: Uint8Array) => DecodedRecord>();
  private slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  private slabEnd = 0;

  private constructor(source: SchemaSource, own: ReadonlyMap<string, OwnRecord>, writers: ReadonlyMap<RecordName, Writer>) {
    this.source = source;
    this.own = own;
    this.writers = writers;
  }

  /** Reads every record of `schemas`, writes those in `written` (all by default): their ids are asked for now. */
  static async open(source: SchemaSource, schemas: readonly RecordSchema[], written?: readonly RecordName[]): Promise<RecordCodec> {
    const own = new Map(schemas.map((schema) => [schema.fullName, { schema, form: schemaForm(schema.schema), type: compileType(schema.schema), reader: compileReader(schema.schema) }]));
    const toWrite = [...own.values()].filter(({ schema }) => written === undefined || written.includes(schema.name));
    const ids = await Promise.all(toWrite.map(({ schema }) => source.idOf(schema)));
    const writers = new Map(toWrite.map(({ schema, type }, index) => [schema.name, { id: ids[index] as number, type, compiled: compileWriter(schema.schema) }]));
    const codec = new RecordCodec(source, own, writers);
    toWrite.forEach(({ schema, type, reader }, index) => codec.readers.set(ids[index] as number, { name: schema.name, type, resolver: undefined, compiled: reader }));
    return codec;
  }

  /** Bytes that stay as they are: the buffer is never written again. Throws UnencodableRecord. */
  encode<N extends RecordName>(name: N, value: RecordTypes[N]): Buffer {
    const writer = this.writers.get(name);
    if (writer === undefined) throw new UnencodableRecord(`this process does not write ${name}`);
    if (this.slabEnd + SLAB_RESERVE > SLAB_BYTES) this.newSlab();
    let end = this.write(writer, name, value, this.slab, this.slabEnd);
    if (end < 0 && this.slabEnd > 0) {
      this.newSlab();
      end = this.write(writer, name, value, this.slab, 0);
    }
    if (end < 0) {
      // Larger than a slab; a negative end counts the bytes that were missing.
      const large = Buffer.allocUnsafeSlow(SLAB_BYTES - end);
      return large.subarray(0, this.write(writer, name, value, large, 0));
    }
    const bytes = this.slab.subarray(this.slabEnd, end);
    this.slabEnd = end;
    return bytes;
  }

  /** Throws UndecodableRecord. A schema id that `learn` has not seen counts as unknown. */
  decode(bytes: Uint8Array): DecodedRecord {
    const buf = asBuffer(bytes);
    const reader = this.readers.get(schemaIdOf(buf));
    if (reader === undefined) throw new UndecodableRecord('unknown_schema_id', `schema id ${schemaIdOf(buf)} was not looked up`);
    if (reader instanceof UndecodableRecord) throw reader;
    if (reader.compiled !== null) {
      const value = compiledValue(reader, reader.compiled, buf);
      if (value !== undefined) return { type: reader.name, value } as DecodedRecord;
    }
    const { value, offset } = readValue(reader, buf);
    if (offset < 0) throw new UndecodableRecord('truncated', `${reader.name} of ${buf.length} bytes`);
    if (offset < buf.length) throw new UndecodableRecord('trailing_data', `${reader.name}: ${buf.length - offset} bytes after the record`);
    return { type: reader.name, value } as DecodedRecord;
  }

  /**
   * A decoder for those who want these fields only of records of these names: the others are checked as strictly, but left
   * out. Records of other names, and other writers' versions, it gives whole. Throws UndecodableRecord.
   */
  decoderOf(reads: FieldsRead): (bytes: Uint8Array) => DecodedRecord {
    const key = JSON.stringify(reads);
    let decoder = this.decoders.get(key);
    if (decoder === undefined) this.decoders.set(key, (decoder = this.newDecoder(reads)));
    return decoder;
  }

  private newDecoder(reads: FieldsRead): (bytes: Uint8Array) => DecodedRecord {
    const parts = new Map<CompiledReader | null, CompiledReader>();
    for (const { schema, reader } of this.own.values()) {
      const fields = reads[schema.name];
      if (fields !== undefined) parts.set(reader, compileReader(schema.schema, new Set<string>(fields)));
    }
    return (bytes) => {
      const buf = asBuffer(bytes);
      const reader = this.readers.get(schemaIdOf(buf));
      if (reader === undefined || reader instanceof UndecodableRecord) return this.decode(bytes);
      const read = parts.get(reader.compiled);
      const value = read === undefined ? undefined : compiledValue(reader, read, buf);
      return value === undefined ? this.decode(bytes) : ({ type: reader.name, value } as unknown as DecodedRecord);
    };
  }

  /** What the bytes claim to be, without decoding them; null if that is not known (yet). */
  nameOf(bytes: Uint8Array): RecordName | null {
    if (bytes.length < WIRE_HEADER_BYTES || bytes[0] !== 0) return null;
    const reader = this.readers.get(schemaIdOf(asBuffer(bytes)));
    return reader === undefined || reader instanceof UndecodableRecord ? null : reader.name;
  }

  /**
   * Looks up the schema ids among these values that are new. Null if there are none, which is nearly always: then there is
   * nothing to wait for. Rejects if the source cannot be asked; values that are no records are passed over.
   */
  learn(values: Iterable<Uint8Array | null>): Promise<void> | null {
    let unknown: Set<number> | null = null;
    let known = -1;
    for (const value of values) {
      if (value === null || value.length < WIRE_HEADER_BYTES || value[0] !== 0) continue;
      const id = schemaIdOf(asBuffer(value));
      // Mostly the id of the record before.
      if (id === known) continue;
      known = id;
      const reader = this.readers.get(id);
      if (reader === undefined || (reader instanceof UndecodableRecord && reader.reason === 'unknown_schema_id')) (unknown ??= new Set()).add(id);
    }
    return unknown === null ? null : this.lookUp([...unknown]);
  }

  /** Why records of this schema text could not be read here; null if they can. */
  unreadable(text: string): UndecodableRecord | null {
    const reader = this.readerFor(0, text);
    return reader instanceof UndecodableRecord ? reader : null;
  }

  private async lookUp(ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map(async (id) => this.readers.set(id, this.readerFor(id, await this.source.textOf(id)))));
  }

  private readerFor(id: number, text: string | null): Reader | UndecodableRecord {
    if (text === null) return new UndecodableRecord('unknown_schema_id', `the registry has no schema ${id}`);
    let writerType: avro.Type;
    let writerForm: string;
    let schema: AvroNamedSchema;
    try {
      schema = JSON.parse(text) as AvroNamedSchema;
      writerForm = schemaForm(schema);
      writerType = compileType(schema);
    } catch (error) {
      return new UndecodableRecord('unusable_schema', `schema ${id}: ${messageOf(error)}`, { cause: error });
    }
    const own = this.own.get(writerType.name ?? '');
    if (own === undefined) return new UndecodableRecord('unknown_record', `schema ${id} is of ${writerType.name ?? 'no record'}`);
    if (own.form === writerForm) return { name: own.schema.name, type: own.type, resolver: undefined, compiled: own.reader };
    try {
      return { name: own.schema.name, type: own.type, resolver: own.type.createResolver(writerType), compiled: resolvingReader(own, schema) };
    } catch (error) {
      return new UndecodableRecord('unusable_schema', `schema ${id} cannot be read as ${own.schema.name}: ${messageOf(error)}`, { cause: error });
    }
  }

  private write(writer: Writer, name: RecordName, value: object, into: Buffer, start: number): number {
    into[start] = 0;
    into.writeInt32BE(writer.id, start + 1);
    const end = writer.compiled(into as SliceableBuffer, start + WIRE_HEADER_BYTES, value);
    if (end >= 0) return end;
    try {
      return writer.type.encode(value, into, start + WIRE_HEADER_BYTES);
    } catch (error) {
      throw new UnencodableRecord(`${name}.${wrongField(writer.type, value)}: ${messageOf(error)}`, { cause: error });
    }
  }

  private newSlab(): void {
    this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.slabEnd = 0;
  }
}

function resolvingReader({ schema, type }: OwnRecord, written: AvroNamedSchema): CompiledReader | null {
  const { fields } = type as avro.types.RecordType;
  return compileResolvingReader(schema.schema, written, (name) => fields.find((field) => field.name === name)?.defaultValue());
}

function compiledValue(reader: Reader, compiled: CompiledReader, buf: Buffer): object | undefined {
  try {
    return compiled(buf as SliceableBuffer, WIRE_HEADER_BYTES);
  } catch (error) {
    throw undecodable(reader, error);
  }
}

function readValue(reader: Reader, buf: Buffer): { readonly value: unknown; readonly offset: number } {
  try {
    return reader.type.decode(buf, WIRE_HEADER_BYTES, reader.resolver);
  } catch (error) {
    throw undecodable(reader, error);
  }
}

function undecodable(reader: Reader, error: unknown): UndecodableRecord {
  const reason = error instanceof MalformedAvroError && error.isTruncated ? 'truncated' : 'invalid';
  return new UndecodableRecord(reason, `${reader.name}: ${messageOf(error)}`, { cause: error });
}

function schemaIdOf(buf: Buffer): number {
  if (buf.length < WIRE_HEADER_BYTES) throw new UndecodableRecord('too_short', `${buf.length} bytes; the header alone has ${WIRE_HEADER_BYTES}`);
  if (buf[0] !== 0) throw new UndecodableRecord('bad_magic', `first byte ${buf[0]} where 0 is expected`);
  return buf.readInt32BE(1);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wrongField(type: avro.Type, value: object): string {
  const fields = (type as avro.types.RecordType).fields;
  const wrong = fields.find((field) => !field.type.isValid((value as Readonly<Record<string, unknown>>)[field.name] ?? field.defaultValue()));
  return wrong?.name ?? '?';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
