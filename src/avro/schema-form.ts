import { canonicalJson } from '../domain/canonical-json.js';

/*
 * When two schemas are the same one. Registries give back what was registered in their own spelling: other key order,
 * {"type": "string"} for "string", names with or without their namespace.
 */

/** One text for everything that readers and writers see: names, types, defaults, aliases, logical types; not docs. */
export function schemaForm(schema: unknown): string {
  return canonicalJson(normal(schema, '', false) as object);
}

/** The same, docs included: two schemas of one text need not be registered twice. */
export function documentedSchemaForm(schema: unknown): string {
  return canonicalJson(normal(schema, '', true) as object);
}

const NAMED = new Set(['record', 'enum', 'fixed', 'error']);
const PRIMITIVE = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

function normal(schema: unknown, namespace: string, docs: boolean): unknown {
  if (typeof schema === 'string') return PRIMITIVE.has(schema) ? schema : qualified(schema, namespace);
  if (Array.isArray(schema)) return schema.map((branch) => normal(branch, namespace, docs));
  if (typeof schema !== 'object' || schema === null) return schema;
  const source = schema as Readonly<Record<string, unknown>>;
  const type = source['type'];
  if (typeof type === 'object' && Object.keys(source).length === 1) return normal(type, namespace, docs);
  if (typeof type === 'string' && Object.keys(source).length === 1) return normal(type, namespace, docs);
  const isNamed = typeof type === 'string' && NAMED.has(type) && typeof source['name'] === 'string';
  const fullName = isNamed ? qualified(source['name'] as string, (source['namespace'] as string | undefined) ?? namespace) : '';
  const inner = isNamed ? namespaceOf(fullName) : namespace;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    if (key === 'namespace' && isNamed) continue;
    if (key === 'doc' && !docs) continue;
    if (key === 'name' && isNamed) result[key] = fullName;
    else if (key === 'fields' && Array.isArray(value)) result[key] = value.map((field) => normalField(field, inner, docs));
    else if (key === 'type' || key === 'items' || key === 'values') result[key] = isNamed && key === 'type' ? value : normal(value, inner, docs);
    else if (key === 'aliases' && isNamed && Array.isArray(value)) result[key] = value.map((alias) => qualified(String(alias), inner));
    else result[key] = value;
  }
  return result;
}

function normalField(field: unknown, namespace: string, docs: boolean): unknown {
  if (typeof field !== 'object' || field === null) return field;
  const { doc, type, ...rest } = field as Readonly<Record<string, unknown>>;
  return { ...rest, type: normal(type, namespace, docs), ...(docs && doc !== undefined ? { doc } : {}) };
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function namespaceOf(fullName: string): string {
  const dot = fullName.lastIndexOf('.');
  return dot < 0 ? '' : fullName.slice(0, dot);
}
