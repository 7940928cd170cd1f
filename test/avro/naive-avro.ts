import type { AvroNamedSchema, AvroSchema } from '../../src/avro/record-types.js';

/**
 * Reads Avro in the plainest way: every number a bigint, no limits, no cleverness. Decimals and times come out as the
 * types say (bigint and number), so that the result can be compared with what the codec reads. Throws on bytes left over.
 */
export function readNaively(schema: AvroSchema, bytes: Uint8Array): unknown {
  const state = { bytes: [...bytes], named: new Map<string, AvroNamedSchema>() };
  const value = read(schema, state);
  if (state.bytes.length > 0) throw new Error(`${state.bytes.length} bytes left over`);
  return value;
}

interface State {
  readonly bytes: number[];
  readonly named: Map<string, AvroNamedSchema>;
}

function read(schema: AvroSchema, state: State): unknown {
  if (Array.isArray(schema)) return read((schema as readonly AvroSchema[])[Number(varint(state))] as AvroSchema, state);
  if (typeof schema === 'string') return readPrimitive(schema, state);
  const object = schema as { readonly type: string; readonly items?: AvroSchema; readonly logicalType?: string } & Partial<Omit<AvroNamedSchema, 'type'>>;
  switch (object.type) {
    case 'record':
      return Object.fromEntries((object.fields ?? []).map((field) => [field.name, read(field.type, state)]));
    case 'enum':
      return object.symbols?.[Number(varint(state))];
    case 'array': {
      const items: unknown[] = [];
      for (let count = varint(state); count !== 0n; count = varint(state)) {
        for (let i = 0n; i < count; i++) items.push(read(object.items as AvroSchema, state));
      }
      return items;
    }
    case 'bytes': {
      const raw = take(state, Number(varint(state)));
      const unsigned = raw.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      return BigInt.asIntN(raw.length * 8, unsigned);
    }
    default:
      return readPrimitive(object.type, state);
  }
}

function readPrimitive(type: string, state: State): unknown {
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return take(state, 1)[0] === 1;
    case 'int':
    case 'long':
      return Number(varint(state));
    case 'string':
      return Buffer.from(take(state, Number(varint(state)))).toString('utf8');
    default:
      throw new Error(`not read: ${type}`);
  }
}

function varint(state: State): bigint {
  let raw = 0n;
  let shift = 0n;
  for (;;) {
    const byte = BigInt(take(state, 1)[0] as number);
    raw += (byte & 0x7fn) << shift;
    shift += 7n;
    if (byte < 0x80n) return (raw >> 1n) ^ -(raw & 1n);
  }
}

function take(state: State, count: number): number[] {
  if (count > state.bytes.length) throw new Error('out of bytes');
  return state.bytes.splice(0, count);
}
