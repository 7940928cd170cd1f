/*
 * Readers and writers of one record each, as straight-line code made from its schema: no call per field that has to find out
 * what it is called for. They know only what nearly every record is made of; whatever is unusual, or wrong, they leave alone,
 * and the general codec reads or writes it, or says what is wrong with it. So both give the same values and the same bytes.
 */
import { cursor, isAscii, longFrom, ONE_BYTE, openMemory, readText, readWide } from './compiled-reads.js';
import { writeInteger, writeText, writeUnscaled } from './compiled-writes.js';
import { LEAST_NUMBER } from './long-bytes.js';
import type { AvroNamedSchema, AvroSchema } from './record-types.js';
import type { SliceableBuffer } from './tap.js';

/** The record whose bytes are all of the buffer from `start` on; undefined where the general codec has to look. */
export type CompiledReader = (buf: SliceableBuffer, start: number) => object | undefined;
/** Writes the record at `start` and answers where it ends; negative where the general codec has to do it, or has no room. */
export type CompiledWriter = (buf: SliceableBuffer, start: number, value: object) => number;

/** Lengths, counts and enum places below this take one byte; zigzag doubles them. */
const ONE_BYTE_COUNT = 64;
/** Bytes of the largest decimal, doubled by zigzag. */
const WIDEST_DECIMAL = 32;

const TEXT_LENGTH = 'n = buf[p++]; if (n > 127) { m = buf[p++]; if (m > 127) return; n = (n & 127) | (m << 7); } if (n & 1) return; n >>>= 1;';

/** Every array without items. */
export const NO_ITEMS: readonly never[] = Object.freeze([]);

const READ_TOOLS = { cursor, isAscii, longFrom, openMemory, readText, readWide, LEAST_NUMBER, ONE_BYTE, NO_ITEMS };
const WRITE_TOOLS = { LEAST_NUMBER, writeInteger, writeText, writeUnscaled };

/** With `only` the record has these of its fields; the others are checked as strictly, but nothing is made of them. */
export function compileReader(schema: AvroNamedSchema, only?: ReadonlySet<string>): CompiledReader {
  const source = new ReaderSource();
  return readerFrom(source, only === undefined ? source.value(schema) : source.part(schema, only), {});
}

/** A reader that does the source's lines and answers the expression, in which `more` may be named too. */
export function readerFrom(source: ReaderSource, expression: string, more: object): CompiledReader {
  return made<CompiledReader>({ ...READ_TOOLS, ...more }, `function read(buf, p) { const base = openMemory(buf), end = buf.length; let n = 0, m = 0; ${source.lines.join('\n')} return p === end ? ${expression} : undefined; }`);
}

export function compileWriter(schema: AvroNamedSchema): CompiledWriter {
  const source = new WriterSource();
  source.value(schema, 'value');
  return made<CompiledWriter>(WRITE_TOOLS, `function write(buf, p, value) { ${source.lines.join('\n')} return p <= buf.length ? p : -1; }`);
}

function made<F>(tools: object, text: string): F {
  return new Function(...Object.keys(tools), `'use strict'; return ${text}`)(...Object.values(tools)) as F;
}

/** Kinds of schema, by what is done about them. */
function kindOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  if (isUnion(schema)) return schema.length === 2 && schema[0] === 'null' ? 'nullable' : 'other';
  if ('logicalType' in schema && schema.logicalType !== undefined) return schema.logicalType === 'decimal' ? 'decimal' : schema.logicalType === 'timestamp-millis' ? 'long' : 'other';
  if (schema.type === 'enum') return (schema.symbols ?? []).length < ONE_BYTE_COUNT ? 'enum' : 'other';
  return schema.type;
}

export function isEnum(schema: AvroSchema): schema is AvroNamedSchema {
  return typeof schema === 'object' && !isUnion(schema) && schema.type === 'enum';
}

export function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

/** A type given by name is one that was spelled out before. */
class NamedTypes {
  readonly #byName = new Map<string, AvroNamedSchema>();

  known(schema: AvroSchema): AvroSchema {
    if (typeof schema === 'string') return this.#byName.get(schema) ?? schema;
    if (!isUnion(schema) && 'name' in schema) this.#byName.set(schema.name, schema);
    return schema;
  }
}

/** The lines of a reader, grown value by value in the order of the bytes. */
export class ReaderSource {
  readonly lines: string[] = [];
  readonly #types = new NamedTypes();
  #variables = 0;

  /** Adds the lines that read a value; answers the expression that holds it afterwards. */
  value(named: AvroSchema): string {
    const schema = this.#types.known(named);
    const kind = kindOf(schema);
    if (kind === 'record') {
      const members = ((schema as AvroNamedSchema).fields ?? []).map(({ name, type }) => `${JSON.stringify(name)}: ${this.value(type)}`);
      return `{${members.join(', ')}}`;
    }
    const v = `v${this.#variables++}`;
    this.lines.push(`let ${v};`);
    this.#into(v, schema, kind);
    return v;
  }

  part(schema: AvroNamedSchema, only: ReadonlySet<string>): string {
    const members: string[] = [];
    for (const { name, type } of schema.fields ?? []) {
      if (only.has(name)) members.push(`${JSON.stringify(name)}: ${this.value(type)}`);
      else this.#checked(type);
    }
    return `{${members.join(', ')}}`;
  }

  /** Adds the lines that pass over a value, and leave the record alone where reading it would. */
  #checked(named: AvroSchema): void {
    const schema = this.#types.known(named);
    switch (kindOf(schema)) {
      case 'string':
        this.lines.push(`${TEXT_LENGTH} if (!(p + n <= end)) return; if (!isAscii(buf, p, n)) return; p += n;`);
        return;
      case 'decimal':
        // What needs more than eight bytes may have too many digits.
        this.lines.push(`n = buf[p++]; if ((n & 1) !== 0 || !(n <= ${WIDEST_DECIMAL}) || n < 2) return; n >>>= 1; if (p + n > end) return; p += n;
          if (n > 8 && readWide(base + p, n) === undefined) return;`);
        return;
      case 'nullable':
        this.lines.push('n = buf[p++]; if (n !== 0) { if (n !== 2) return;');
        this.#checked((schema as readonly AvroSchema[])[1] as AvroSchema);
        this.lines.push('}');
        return;
      case 'array': {
        const count = `c${this.#variables++}`;
        this.lines.push(`let ${count} = buf[p++]; if ((${count} & 1) !== 0 || ${count} > 127) return; if (${count} !== 0) { for (${count} >>>= 1; ${count} > 0; ${count}--) {`);
        this.#checked((schema as { readonly items: AvroSchema }).items);
        this.lines.push('if (p > end) return; } if (buf[p++] !== 0) return; }');
        return;
      }
      case 'record':
        for (const { type } of (schema as AvroNamedSchema).fields ?? []) this.#checked(type);
        return;
      default:
        this.value(schema);
    }
  }

  #into(v: string, schema: AvroSchema, kind: string): void {
    switch (kind) {
      case 'string':
        this.lines.push(`${TEXT_LENGTH}
          if (!(p + n <= end)) return; if (n === 0) ${v} = ''; else { ${v} = readText(buf, p, n); p += n; }`);
        return;
      case 'long':
        this.#long(v);
        return;
      case 'int':
        this.#long(v);
        this.lines.push(`if (${v} !== (${v} | 0)) return;`);
        return;
      case 'boolean':
        this.lines.push(`n = buf[p++]; if (n > 1) return; ${v} = n === 1;`);
        return;
      case 'enum':
        this.#symbol(v, (schema as AvroNamedSchema).symbols ?? []);
        return;
      case 'decimal':
        this.lines.push(`n = buf[p++]; if (n === 2) ${v} = ONE_BYTE[buf[p++]]; else { if ((n & 1) !== 0 || !(n <= ${WIDEST_DECIMAL}) || n < 2) return; n >>>= 1;
          if (p + n > end) return; p += n; ${v} = readWide(base + p, n); if (${v} === undefined) return; }`);
        return;
      case 'nullable': {
        this.lines.push(`n = buf[p++]; if (n === 0) ${v} = null; else { if (n !== 2) return;`);
        const inner = this.value((schema as readonly AvroSchema[])[1] as AvroSchema);
        this.lines.push(`${v} = ${inner}; }`);
        return;
      }
      case 'array': {
        const count = `c${v}`;
        this.lines.push(`let ${count} = buf[p++]; if ((${count} & 1) !== 0 || ${count} > 127) return; if (${count} === 0) ${v} = NO_ITEMS; else { ${v} = []; for (${count} >>>= 1; ${count} > 0; ${count}--) {`);
        const item = this.value((schema as { readonly items: AvroSchema }).items);
        this.lines.push(`${v}.push(${item}); if (p > end) return; } if (buf[p++] !== 0) return; }`);
        return;
      }
      default:
        this.lines.push('return;');
    }
  }

  #long(v: string): void {
    this.lines.push(`n = buf[p++]; if (n < 128) { ${v} = (n >>> 1) ^ -(n & 1); if (${v} < LEAST_NUMBER) return; } else { ${v} = longFrom(buf, p, n); p = cursor.at; }`);
  }

  #symbol(v: string, symbols: readonly string[]): void {
    const cases = symbols.map((symbol, place) => `case ${place * 2}: ${v} = ${JSON.stringify(symbol)}; break;`);
    this.lines.push(`switch (buf[p++]) { ${cases.join(' ')} default: return; }`);
  }
}

class WriterSource {
  readonly lines: string[] = [];
  readonly #types = new NamedTypes();
  #variables = 0;

  /** Adds the lines that write what an expression gives. */
  value(named: AvroSchema, expression: string): void {
    const schema = this.#types.known(named);
    const kind = kindOf(schema);
    const v = `v${this.#variables++}`;
    this.lines.push(`const ${v} = ${expression};`);
    switch (kind) {
      case 'record':
        this.lines.push(`if (typeof ${v} !== 'object' || ${v} === null) return -1;`);
        for (const field of (schema as AvroNamedSchema).fields ?? []) this.value(field.type, `${v}[${JSON.stringify(field.name)}]`);
        return;
      case 'string':
        this.lines.push(`if (typeof ${v} !== 'string') return -1; p = writeText(buf, p, ${v}); if (p < 0) return -1;`);
        return;
      case 'long':
        this.lines.push(`if (!Number.isSafeInteger(${v}) || ${v} < LEAST_NUMBER) return -1; p = writeInteger(buf, p, ${v});`);
        return;
      case 'int':
        this.lines.push(`if (${v} !== (${v} | 0) || ${v} < LEAST_NUMBER) return -1; p = writeInteger(buf, p, ${v});`);
        return;
      case 'boolean':
        this.lines.push(`if (${v} === true) buf[p++] = 1; else { if (${v} !== false) return -1; buf[p++] = 0; }`);
        return;
      case 'enum': {
        const cases = ((schema as AvroNamedSchema).symbols ?? []).map((symbol, place) => `case ${JSON.stringify(symbol)}: buf[p++] = ${place * 2}; break;`);
        this.lines.push(`switch (${v}) { ${cases.join(' ')} default: return -1; }`);
        return;
      }
      case 'decimal':
        this.lines.push(`if (typeof ${v} !== 'bigint') return -1; p = writeUnscaled(buf, p, ${v}); if (p < 0) return -1;`);
        return;
      case 'nullable':
        this.lines.push(`if (${v} === null) buf[p++] = 0; else { buf[p++] = 2;`);
        this.value((schema as readonly AvroSchema[])[1] as AvroSchema, v);
        this.lines.push('}');
        return;
      case 'array':
        this.lines.push(`if (!Array.isArray(${v}) || ${v}.length >= ${ONE_BYTE_COUNT}) return -1; if (${v}.length > 0) { buf[p++] = ${v}.length << 1; for (let i${v} = 0; i${v} < ${v}.length; i${v}++) {`);
        this.value((schema as { readonly items: AvroSchema }).items, `${v}[i${v}]`);
        this.lines.push('} } buf[p++] = 0;');
        return;
      default:
        this.lines.push('return -1;');
    }
  }
}
