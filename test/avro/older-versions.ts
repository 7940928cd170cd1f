import type { AvroField, AvroNamedSchema, AvroSchema } from '../../src/avro/record-types.js';

/** Versions that a record may have had before, oldest first; each reads, and is read by, every other. */
export function olderVersions(schema: AvroNamedSchema): readonly [AvroNamedSchema, AvroNamedSchema, AvroNamedSchema] {
  const fields = schema.fields ?? [];
  const dropped: AvroField = { name: 'dropped_since', type: ['null', 'string'], default: null, doc: 'What a later release did without.' };
  const counted: AvroField = { name: 'counted_since', type: 'long', default: 0, doc: 'The same.' };
  return [
    // Only what cannot be done without, and symbols that came later are missing.
    { ...schema, fields: [...fields.filter((field) => field.default === undefined).map(withFewerSymbols), dropped] },
    // Half of what came, a field that went again, and another order.
    { ...schema, fields: [counted, ...fields.filter((field, index) => field.default === undefined || index % 2 === 0)].reverse() },
    // All but the newest, with a symbol that was dropped.
    { ...schema, fields: [...fields.slice(0, lastWithDefault(fields)), ...fields.slice(lastWithDefault(fields) + 1)].map(withAnotherSymbol).concat(dropped) },
  ];
}

function lastWithDefault(fields: readonly AvroField[]): number {
  const found = fields.findLastIndex((field) => field.default !== undefined);
  return found < 0 ? fields.length : found;
}

function withSymbols(field: AvroField, change: (symbols: readonly string[], fallback: string) => readonly string[]): AvroField {
  const { type } = field;
  if (typeof type !== 'object' || !('symbols' in type) || type.default === undefined) return field;
  return { ...field, type: { ...type, symbols: change(type.symbols ?? [], type.default) } as AvroSchema };
}

function withFewerSymbols(field: AvroField): AvroField {
  return withSymbols(field, (symbols, fallback) => symbols.filter((symbol, index) => index < symbols.length - 1 || symbol === fallback));
}

function withAnotherSymbol(field: AvroField): AvroField {
  return withSymbols(field, (symbols) => [...symbols, 'DroppedSince']);
}
