import type { AvroType, EnumType, Field, FixedType, LogicalType, Place, PrimitiveKind, RecordType, TypeUse } from './avro-schema.js';
import { defaultProblem } from './default-value.js';
import { entryOf, JsonTextError, plainValue, readJson, type JsonNode, type JsonObject } from './json-tree.js';
import { defaultValue, docOf, logicalType, placeOf, qualified } from './schema-parts.js';

/** What is wrong with a schema by itself. */
export interface SchemaProblem {
  readonly rule: 'invalid-json' | 'invalid-schema' | 'invalid-default';
  readonly message: string;
  readonly place: Place;
}

/** A schema file taken apart; root is null if it cannot be used. */
export interface ParsedSchema {
  readonly text: string;
  readonly root: TypeUse | null;
  /** Plain JSON; undefined if the text is not JSON. */
  readonly value: unknown;
  readonly problems: readonly SchemaProblem[];
}

const PRIMITIVES: ReadonlySet<string> = new Set<PrimitiveKind>(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);
const SIMPLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Definition = RecordType | EnumType | FixedType;
type Building<T> = { -readonly [K in keyof T]: T[K] };

/** Stops the part that cannot be understood; what is around it goes on. */
class Unusable extends Error {
  override name = 'Unusable';
}

class SchemaReader {
  readonly problems: SchemaProblem[] = [];
  private readonly named = new Map<string, Definition>();
  private readonly defaults: (() => void)[] = [];

  root(node: JsonNode): TypeUse | null {
    const use = this.attempt(() => this.use(node, '', ''));
    if (use !== null) for (const check of this.defaults) check();
    return this.problems.some((problem) => problem.rule === 'invalid-schema') ? null : use;
  }

  private attempt<T>(read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof Unusable) return null;
      throw error;
    }
  }

  private problem(node: JsonNode, path: string, message: string): void {
    this.problems.push({ rule: 'invalid-schema', message, place: placeOf(node, path) });
  }

  private fail(node: JsonNode, path: string, message: string): never {
    this.problem(node, path, message);
    throw new Unusable(message);
  }

  private use(node: JsonNode, path: string, namespace: string): TypeUse {
    return { type: this.type(node, path, namespace), place: placeOf(node, path) };
  }

  private type(node: JsonNode, path: string, namespace: string): AvroType {
    switch (node.kind) {
      case 'string':
        return this.reference(node, node.value, path, namespace, null);
      case 'array':
        return this.union(node, path, namespace);
      case 'object':
        return this.complex(node, path, namespace);
      default:
        return this.fail(node, path, 'a schema is a type name, an object or a list');
    }
  }

  private reference(node: JsonNode, name: string, path: string, namespace: string, logical: LogicalType | null): AvroType {
    if (PRIMITIVES.has(name)) return { kind: name as PrimitiveKind, logical, place: placeOf(node, path) };
    const known = this.named.get(qualified(name, namespace)) ?? this.named.get(name);
    return known ?? this.fail(node, path, `type ${JSON.stringify(name)} is neither of Avro nor defined before this place of the file`);
  }

  private union(node: JsonNode & { readonly kind: 'array' }, path: string, namespace: string): AvroType {
    const branches: TypeUse[] = [];
    const seen = new Set<string>();
    for (const [index, item] of node.items.entries()) {
      const branch = this.attempt(() => this.use(item, `${path}/${index}`, namespace));
      if (branch === null) continue;
      const { type } = branch;
      if (type.kind === 'union') this.problem(item, `${path}/${index}`, 'a union stands directly in a union');
      const key = 'fullName' in type ? type.fullName : type.kind;
      if (seen.has(key)) this.problem(item, `${path}/${index}`, `the union has ${key} twice`);
      seen.add(key);
      branches.push(branch);
    }
    return { kind: 'union', branches, place: placeOf(node, path) };
  }

  private complex(node: JsonObject, path: string, namespace: string): AvroType {
    const type = entryOf(node, 'type');
    if (type === undefined) return this.fail(node, path, 'the schema has no "type"');
    if (type.kind !== 'string') return this.type(type, `${path}/type`, namespace);
    switch (type.value) {
      case 'record':
      case 'error':
        return this.record(node, path, namespace);
      case 'enum':
        return this.enumeration(node, path, namespace);
      case 'fixed':
        return this.fixed(node, path, namespace);
      case 'array':
        return { kind: 'array', items: this.use(this.required(node, 'items', path), `${path}/items`, namespace), place: placeOf(node, path) };
      case 'map':
        return { kind: 'map', values: this.use(this.required(node, 'values', path), `${path}/values`, namespace), place: placeOf(node, path) };
      default:
        return PRIMITIVES.has(type.value)
          ? { kind: type.value as PrimitiveKind, logical: logicalType(node, path), place: placeOf(node, path) }
          : this.reference(type, type.value, `${path}/type`, namespace, null);
    }
  }

  private record(node: JsonObject, path: string, namespace: string): AvroType {
    const fieldsNode = this.required(node, 'fields', path);
    if (fieldsNode.kind !== 'array') this.fail(fieldsNode, `${path}/fields`, '"fields" must be a list');
    const record: Building<RecordType> = { ...this.head(node, path, namespace), kind: 'record', fields: [], fieldsPlace: placeOf(fieldsNode, `${path}/fields`) };
    // Known before its fields are read: they may speak of it.
    this.define(node, path, record);
    const fields: Field[] = [];
    for (const [index, item] of fieldsNode.items.entries()) {
      const field = this.attempt(() => this.field(item, `${path}/fields/${index}`, record.namespace));
      if (field === null) continue;
      if (fields.some((other) => other.name === field.name)) this.problem(item, `${path}/fields/${index}`, `${record.name} has two fields ${field.name}`);
      fields.push(field);
    }
    record.fields = fields;
    return record;
  }

  private field(node: JsonNode, path: string, namespace: string): Field {
    if (node.kind !== 'object') this.fail(node, path, 'a field is an object with "name" and "type"');
    const nameNode = this.required(node, 'name', path);
    const name = this.simpleName(nameNode, `${path}/name`);
    const type = this.use(this.required(node, 'type', path), `${path}/type`, namespace);
    const defaultNode = entryOf(node, 'default');
    if (defaultNode !== undefined) this.defaults.push(() => this.checkDefault(defaultNode, `${path}/default`, type, name));
    return {
      name,
      type,
      aliases: this.texts(entryOf(node, 'aliases'), `${path}/aliases`),
      doc: docOf(node),
      default: defaultNode === undefined ? null : defaultValue(defaultNode, `${path}/default`),
      place: placeOf(node, path),
      namePlace: placeOf(nameNode, `${path}/name`),
    };
  }

  private checkDefault(node: JsonNode, path: string, type: TypeUse, name: string): void {
    const problem = defaultProblem(type.type, node);
    if (problem !== null) this.problems.push({ rule: 'invalid-default', message: `the default of ${name} does not fit its type: ${problem}`, place: placeOf(node, path) });
  }

  private enumeration(node: JsonObject, path: string, namespace: string): AvroType {
    const symbolsNode = this.required(node, 'symbols', path);
    const symbols = this.texts(symbolsNode, `${path}/symbols`);
    for (const symbol of symbols) if (!SIMPLE_NAME.test(symbol)) this.problem(symbolsNode, `${path}/symbols`, `${JSON.stringify(symbol)} cannot be a symbol: letters, digits and _, not beginning with a digit`);
    if (new Set(symbols).size < symbols.length) this.problem(symbolsNode, `${path}/symbols`, 'a symbol stands twice in one enum');
    const defaultNode = entryOf(node, 'default');
    const fallback = defaultNode?.kind === 'string' ? defaultNode.value : null;
    if (defaultNode !== undefined && (fallback === null || !symbols.includes(fallback))) this.problem(defaultNode, `${path}/default`, 'the default of the enum is none of its symbols');
    const type: EnumType = {
      ...this.head(node, path, namespace),
      kind: 'enum',
      symbols,
      default: fallback,
      symbolsPlace: placeOf(symbolsNode, `${path}/symbols`),
      defaultPlace: defaultNode === undefined ? null : placeOf(defaultNode, `${path}/default`),
    };
    return this.define(node, path, type);
  }

  private fixed(node: JsonObject, path: string, namespace: string): AvroType {
    const sizeNode = this.required(node, 'size', path);
    const size = sizeNode.kind === 'number' ? Number(sizeNode.text) : Number.NaN;
    if (!(Number.isSafeInteger(size) && size >= 0)) this.fail(sizeNode, `${path}/size`, '"size" must be a whole number of bytes');
    const type: FixedType = { ...this.head(node, path, namespace), kind: 'fixed', size, logical: logicalType(node, path), sizePlace: placeOf(sizeNode, `${path}/size`) };
    return this.define(node, path, type);
  }

  private head(node: JsonObject, path: string, outer: string): Omit<FixedType, 'kind' | 'size' | 'logical' | 'sizePlace'> {
    const nameNode = this.required(node, 'name', path);
    if (nameNode.kind !== 'string') this.fail(nameNode, `${path}/name`, '"name" must be a text');
    const namespaceNode = entryOf(node, 'namespace');
    const fullName = qualified(nameNode.value, namespaceNode?.kind === 'string' ? namespaceNode.value : outer);
    const dot = fullName.lastIndexOf('.');
    const namespace = fullName.slice(0, Math.max(dot, 0));
    if (!fullName.split('.').every((part) => SIMPLE_NAME.test(part))) this.problem(nameNode, `${path}/name`, `${JSON.stringify(fullName)} cannot be a name: letters, digits and _, parts joined by dots`);
    return {
      fullName,
      namespace,
      name: fullName.slice(dot + 1),
      aliases: this.texts(entryOf(node, 'aliases'), `${path}/aliases`).map((alias) => qualified(alias, namespace)),
      doc: docOf(node),
      place: placeOf(node, path),
      namePlace: placeOf(nameNode, `${path}/name`),
      namespacePlace: namespaceNode === undefined ? null : placeOf(namespaceNode, `${path}/namespace`),
    };
  }

  private define<T extends Definition>(node: JsonObject, path: string, type: T): T {
    if (this.named.has(type.fullName)) this.problem(node, path, `${type.fullName} is defined twice in the file`);
    if (PRIMITIVES.has(type.fullName)) this.problem(node, path, `${type.fullName} is a type of Avro and cannot be defined`);
    this.named.set(type.fullName, type);
    return type;
  }

  private required(node: JsonObject, key: string, path: string): JsonNode {
    return entryOf(node, key) ?? this.fail(node, path, `"${key}" is missing`);
  }

  private simpleName(node: JsonNode, path: string): string {
    if (node.kind !== 'string') this.fail(node, path, '"name" must be a text');
    if (!SIMPLE_NAME.test(node.value)) this.problem(node, path, `${JSON.stringify(node.value)} cannot be a name: letters, digits and _, not beginning with a digit`);
    return node.value;
  }

  private texts(node: JsonNode | undefined, path: string): readonly string[] {
    if (node === undefined) return [];
    if (node.kind !== 'array' || !node.items.every((item) => item.kind === 'string')) this.fail(node, path, 'must be a list of texts');
    return node.items.map((item) => item.value);
  }
}

/** Never throws: whatever is wrong is a problem with its place. */
export function parseSchema(text: string): ParsedSchema {
  let node: JsonNode;
  try {
    node = readJson(text);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const place = { path: '/', offset: error.offset, end: error.offset };
    return { text, root: null, value: undefined, problems: [{ rule: 'invalid-json', message: `not JSON: ${error.message}`, place }] };
  }
  const reader = new SchemaReader();
  const root = reader.root(node);
  return { text, root, value: plainValue(node), problems: reader.problems };
}
