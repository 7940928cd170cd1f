import fc from 'fast-check';
import type { AvroField, AvroNamedSchema, AvroSchema } from '../../src/avro/record-types.js';
import type { RecordTypes, RecordName } from '../../src/domain/records.js';

/** Every code point that UTF-8 can hold; fast-check's own unit for that takes more than a second to prepare. */
export const codePoint = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

const MAX_UNSCALED = 10n ** 38n - 1n;

/** Decimals at the borders of one byte, of 64 bits and of 38 digits come up as often as others. */
const decimal = fc.oneof(
  fc.bigInt({ min: -MAX_UNSCALED, max: MAX_UNSCALED }),
  fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map((value) => value * 10n ** 10n),
  fc.tuple(fc.integer({ min: 0, max: 126 }), fc.constantFrom(-1n, 0n, 1n), fc.boolean()).map(([bits, off, negative]) => {
    const value = 2n ** BigInt(bits) + off;
    return negative ? -value : value;
  }).filter((value) => value <= MAX_UNSCALED && value >= -MAX_UNSCALED),
);

function arbitraryOf(schema: AvroSchema): fc.Arbitrary<unknown> {
  if (Array.isArray(schema)) return fc.oneof(fc.constant(null), arbitraryOf((schema as readonly AvroSchema[])[1] as AvroSchema));
  if (typeof schema === 'string') {
    switch (schema) {
      case 'string':
        return fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: codePoint, maxLength: 40 }), fc.constantFrom('', 'BTCUSDT', '\ufffd'));
      case 'boolean':
        return fc.boolean();
      case 'int':
        return fc.integer({ min: -1 });
      case 'long':
        return fc.maxSafeNat().map((number) => number - 1);
      default:
        throw new Error(`no arbitrary for ${schema}`);
    }
  }
  const named = schema as AvroNamedSchema & { readonly items?: AvroSchema; readonly logicalType?: string };
  if (named.type === 'enum') return fc.constantFrom(...(named.symbols ?? []));
  if (named.type === 'record') return recordOf(named.fields ?? []);
  if (named.items !== undefined) return fc.array(arbitraryOf(named.items), { maxLength: 3 });
  if (named.logicalType === 'decimal') return decimal;
  return fc.maxSafeNat().map((number) => number - 1);
}

function recordOf(fields: readonly AvroField[]): fc.Arbitrary<unknown> {
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, arbitraryOf(field.type)])));
}

/** Any value that the record's schema can hold. */
export function arbitraryRecord<N extends RecordName>(schema: AvroNamedSchema): fc.Arbitrary<RecordTypes[N]> {
  return recordOf(schema.fields ?? []) as fc.Arbitrary<RecordTypes[N]>;
}
