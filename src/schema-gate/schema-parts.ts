import type { DefaultValue, LogicalType, Place } from './avro-schema.js';
import { entryOf, type JsonNode, type JsonObject } from './json-tree.js';

/* The small parts of a schema, which need to know nothing of the types around them. */

/** Full name of a name that stands in a namespace. */
export function qualified(name: string, namespace: string): string {
  // A name with a leading dot, or an empty namespace, stands outside every namespace.
  if (name.startsWith('.')) return name.slice(1);
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

export function placeOf(node: JsonNode, path: string): Place {
  return { path: path === '' ? '/' : path, offset: node.offset, end: node.end };
}

export function docOf(node: JsonObject): string | null {
  const doc = entryOf(node, 'doc');
  return doc?.kind === 'string' ? doc.value : null;
}

export function logicalType(node: JsonObject, path: string): LogicalType | null {
  const name = entryOf(node, 'logicalType');
  if (name?.kind !== 'string') return null;
  const isDecimal = name.value === 'decimal';
  const number = (key: string, fallback: number | null): number | null => {
    const found = entryOf(node, key);
    return !isDecimal ? null : found?.kind === 'number' ? Number(found.text) : fallback;
  };
  const place = (key: string): Place | null => {
    const found = entryOf(node, key);
    return found === undefined ? null : placeOf(found, `${path}/${key}`);
  };
  return {
    name: name.value,
    precision: number('precision', null),
    scale: number('scale', 0),
    place: placeOf(name, `${path}/logicalType`),
    precisionPlace: place('precision'),
    scalePlace: place('scale'),
  };
}

export function defaultValue(node: JsonNode, path: string): DefaultValue {
  return { text: valueText(node), place: placeOf(node, path) };
}

/** One text for equal values: keys sorted, numbers by value unless they are too long for one. */
function valueText(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${[...node.entries].sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ key, value }) => `${JSON.stringify(key)}:${valueText(value)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(valueText).join(',')}]`;
    case 'string':
      return JSON.stringify(node.value);
    case 'number':
      return /^-?\d{16,}$/.test(node.text) ? node.text : String(Number(node.text));
    default:
      return node.text;
  }
}
