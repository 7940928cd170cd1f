/*
 * TypeScript types out of record schemas: one interface a record, with the schema's own field names, so that a thing has
 * one name in schema, code and table. Pure: text in, text out.
 */

/** The part of Avro that the project's schemas use. Anything else is refused, not guessed at. */
export type AvroSchema = string | readonly AvroSchema[] | AvroNamedSchema | AvroArraySchema | AvroLogicalSchema;

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
}

export interface AvroNamedSchema {
  readonly type: 'record' | 'enum';
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields?: readonly AvroField[];
  readonly symbols?: readonly string[];
  readonly default?: string;
}

export interface AvroArraySchema {
  readonly type: 'array';
  readonly items: AvroSchema;
}

export interface AvroLogicalSchema {
  readonly type: 'bytes' | 'long';
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

/** A schema that cannot be turned into a type; the message names record and field. */
export class SchemaTypeError extends Error {
  override name = 'SchemaTypeError';
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  string: 'string',
};

const HEADER = `// Generated from schemas/*.avsc by \`npm run generate:types\`. Do not edit.

import type { Decimal } from './decimal.js';
`;

const PREFERRED_LINE = 120;

class Generator {
  /** Text of every named type by name, and the schema it came from, to find two that differ. */
  readonly types = new Map<string, { readonly text: string; readonly schema: string }>();
  private place = '';

  record(schema: AvroNamedSchema): string {
    return this.named(schema);
  }

  private fail(message: string): never {
    throw new SchemaTypeError(`${this.place}: ${message}`);
  }

  private typeOf(schema: AvroSchema): string {
    if (typeof schema === 'string') {
      const primitive = PRIMITIVES[schema];
      if (primitive !== undefined) return primitive;
      if (this.types.has(schema)) return schema;
      return this.fail(`type ${JSON.stringify(schema)} has no TypeScript type here`);
    }
    if (isUnion(schema)) return this.union(schema);
    if (schema.type === 'array') return `readonly ${parenthesised(this.typeOf(schema.items))}[]`;
    return isNamed(schema) ? this.named(schema) : this.logical(schema);
  }

  private union(branches: readonly AvroSchema[]): string {
    const [first, second] = branches;
    if (branches.length !== 2 || first !== 'null' || second === undefined) this.fail('only unions of null and one other type are used');
    return `${this.typeOf(second)} | null`;
  }

  private logical(schema: AvroLogicalSchema): string {
    if (schema.type === 'bytes' && schema.logicalType === 'decimal') {
      if (schema.precision !== 38 || schema.scale !== 18) this.fail('decimals have precision 38 and scale 18');
      return 'Decimal';
    }
    if (schema.type === 'long' && schema.logicalType === 'timestamp-millis') return 'number';
    return this.fail(`type ${JSON.stringify(schema)} has no TypeScript type here`);
  }

  private named(schema: AvroNamedSchema): string {
    const text = JSON.stringify(schema);
    const known = this.types.get(schema.name);
    if (known !== undefined) {
      if (known.schema !== text) this.fail(`${schema.name} differs from an earlier type of that name`);
      return schema.name;
    }
    // Reserved before the fields are walked: Map order then puts a record before what it contains.
    this.types.set(schema.name, { text: '', schema: text });
    const body = schema.type === 'enum' ? enumText(schema) : this.interfaceText(schema);
    this.types.set(schema.name, { text: `${jsDoc(schema.doc, '')}${body}`, schema: text });
    return schema.name;
  }

  private interfaceText(schema: AvroNamedSchema): string {
    const outer = this.place;
    const lines = (schema.fields ?? []).map((field) => {
      this.place = `${outer}${outer === '' ? '' : '.'}${schema.name}.${field.name}`;
      return `${jsDoc(fieldDoc(field), '  ')}  readonly ${field.name}: ${this.typeOf(field.type)};\n`;
    });
    this.place = outer;
    return `export interface ${schema.name} {\n${lines.join('')}}\n`;
  }
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

function isNamed(schema: AvroNamedSchema | AvroLogicalSchema): schema is AvroNamedSchema {
  return schema.type === 'record' || schema.type === 'enum';
}

function parenthesised(type: string): string {
  return type.includes(' ') ? `(${type})` : type;
}

function enumText(schema: AvroNamedSchema): string {
  const symbols = (schema.symbols ?? []).map((symbol) => `'${symbol}'`);
  const line = `export type ${schema.name} = ${symbols.join(' | ')};\n`;
  return line.length <= PREFERRED_LINE ? line : `export type ${schema.name} =\n${symbols.map((symbol) => `  | ${symbol}`).join('\n')};\n`;
}

/** Units are part of a type here only by its doc: a time is a plain number. */
function fieldDoc(field: AvroField): string | undefined {
  const inner = isUnion(field.type) ? field.type[1] : field.type;
  const isTime = typeof inner === 'object' && 'logicalType' in inner && inner.logicalType === 'timestamp-millis';
  return isTime ? `${field.doc ?? ''} Milliseconds since the epoch.`.trim() : field.doc;
}

function jsDoc(doc: string | undefined, indent: string): string {
  return doc === undefined ? '' : `${indent}/** ${doc.replaceAll('*/', '*\\/')} */\n`;
}

/** The text of records.ts. Schemas in any order; the result depends only on their content. */
export function recordTypesText(schemas: readonly AvroNamedSchema[]): string {
  const generator = new Generator();
  const sorted = [...schemas].sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = sorted.map((schema) => generator.record(schema));
  if (new Set(names).size !== names.length) throw new SchemaTypeError('two schemas have one record name');
  const types = [...generator.types.values()].map((type) => type.text).join('\n');
  const members = names.map((name) => `  readonly ${name}: ${name};\n`).join('');
  const list = names.map((name) => `  '${name}',\n`).join('');
  return `${HEADER}
${types}
/** Every record that a topic can carry, by its name. */
export interface RecordTypes {
${members}}

export type RecordName = keyof RecordTypes;

export const RECORD_NAMES: readonly RecordName[] = [
${list}];
`;
}
