import type { AvroType } from './avro-schema.js';
import { entryOf, type JsonNode } from './json-tree.js';

const INT_MAX = 2n ** 31n - 1n;
const LONG_MAX = 2n ** 63n - 1n;

/**
 * Why a field's default does not fit its type; null if it fits. Bytes and fixed values are texts whose characters are bytes;
 * in a union any branch may take it (older readers want the first, which the decoder says for itself).
 */
export function defaultProblem(type: AvroType, node: JsonNode): string | null {
  switch (type.kind) {
    case 'null':
      return node.kind === 'null' ? null : 'null is wanted';
    case 'boolean':
      return node.kind === 'boolean' ? null : 'true or false is wanted';
    case 'int':
      return integerProblem(node, INT_MAX);
    case 'long':
      return integerProblem(node, LONG_MAX);
    case 'float':
    case 'double':
      return node.kind === 'number' || (node.kind === 'string' && /^(NaN|-?Infinity)$/.test(node.value)) ? null : 'a number is wanted';
    case 'string':
      return node.kind === 'string' ? null : 'a text is wanted';
    case 'bytes':
      return bytesProblem(node, null);
    case 'fixed':
      return bytesProblem(node, type.size);
    case 'enum':
      return node.kind === 'string' && type.symbols.includes(node.value) ? null : `one of ${type.symbols.join(', ')} is wanted`;
    case 'array':
      return node.kind === 'array' ? firstProblem(node.items.map((item) => defaultProblem(type.items.type, item))) : 'a list is wanted';
    case 'map':
      return node.kind === 'object' ? firstProblem(node.entries.map((entry) => defaultProblem(type.values.type, entry.value))) : 'an object is wanted';
    case 'union':
      return type.branches.some((branch) => defaultProblem(branch.type, node) === null) ? null : 'it fits no branch of the union';
    case 'record': {
      if (node.kind !== 'object') return 'an object is wanted';
      return firstProblem(
        type.fields.map((field) => {
          const value = entryOf(node, field.name);
          if (value === undefined) return field.default === null ? `${field.name} is missing` : null;
          const problem = defaultProblem(field.type.type, value);
          return problem === null ? null : `${field.name}: ${problem}`;
        }),
      );
    }
  }
}

function firstProblem(problems: readonly (string | null)[]): string | null {
  return problems.find((problem) => problem !== null) ?? null;
}

function integerProblem(node: JsonNode, max: bigint): string | null {
  if (node.kind !== 'number') return 'a whole number is wanted';
  // 1.0 and 1e3 are whole, too.
  const value = /^-?\d+$/.test(node.text) ? BigInt(node.text) : Number.isSafeInteger(Number(node.text)) ? BigInt(Number(node.text)) : null;
  if (value === null) return 'a whole number is wanted';
  return value > max || value < -max - 1n ? 'it is too large' : null;
}

function bytesProblem(node: JsonNode, size: number | null): string | null {
  if (node.kind !== 'string') return 'a text whose characters are bytes is wanted';
  if ([...node.value].some((character) => (character.codePointAt(0) ?? 0) > 255)) return 'it has a character above \\u00ff, which is no byte';
  return size === null || node.value.length === size ? null : `${size} bytes are wanted, it has ${node.value.length}`;
}
