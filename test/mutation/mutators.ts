import type { OutgoingRecord } from '../../src/kafka/record.js';
import type { Random } from '../simulator/random.js';

/** Changes a record as a broken writer, disk, network or attacker might; `other` is any other record of the session. */
export type Mutator = (record: OutgoingRecord, other: OutgoingRecord, random: Random) => OutgoingRecord;

const SCHEMA_ID_AT = 1;
const BODY_AT = 5;
const YEAR_2100_MS = 4_102_444_800_000;

function withValue(record: OutgoingRecord, change: (value: Buffer) => Buffer): OutgoingRecord {
  return record.value === null ? record : { ...record, value: change(Buffer.from(record.value)) };
}

function place(value: Buffer, from: number, random: Random): number {
  return value.length <= from ? 0 : random.int(from, value.length - 1);
}

/** A number as Avro writes it: zigzag, seven bits a byte. */
export function avroLong(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value < 0n ? -value * 2n - 1n : value * 2n;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

const LIES = [-1n, 50_000_000n, 2n ** 31n, 2n ** 32n + 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];

export const MUTATORS: Readonly<Record<string, Mutator>> = {
  'a bit': (record, _other, random) =>
    withValue(record, (value) => {
      const at = place(value, BODY_AT, random);
      value[at] = (value[at] as number) ^ (1 << random.int(0, 7));
      return value;
    }),
  'some bytes': (record, _other, random) =>
    withValue(record, (value) => {
      for (let n = random.int(1, 6); n > 0; n--) value[place(value, BODY_AT, random)] = random.int(0, 255);
      return value;
    }),
  'a number that lies': (record, _other, random) =>
    withValue(record, (value) => {
      const at = place(value, BODY_AT, random);
      return Buffer.concat([value.subarray(0, at), avroLong(random.pick(LIES)), value.subarray(at + random.int(0, 2))]);
    }),
  'cut short': (record, _other, random) => withValue(record, (value) => value.subarray(0, random.int(0, value.length - 1))),
  'too long': (record, _other, random) => withValue(record, (value) => Buffer.concat([value, Buffer.alloc(random.int(1, 64), random.int(0, 255))])),
  'the end of another': (record, other, random) =>
    withValue(record, (value) => (other.value === null ? value : Buffer.concat([value.subarray(0, place(value, BODY_AT, random)), other.value.subarray(random.int(0, other.value.length - 1))]))),
  'bytes that are no UTF-8': (record, _other, random) =>
    withValue(record, (value) => {
      const at = place(value, BODY_AT, random);
      value[at] = random.pick([0xc0, 0xff, 0xed, 0xf8, 0x80]);
      if (at + 1 < value.length) value[at + 1] = random.pick([0xa0, 0x00, 0xff]);
      return value;
    }),
  'another magic byte': (record, _other, random) => withValue(record, (value) => ((value[0] = random.int(1, 255)), value)),
  'another schema': (record, _other, random) => withValue(record, (value) => (value.writeInt32BE(random.pick([0, 1, 2, 3, 4, 5, 6, 99_999, -1]), SCHEMA_ID_AT), value)),
  'no value': (record) => ({ ...record, value: null }),
  'no key': (record) => ({ ...record, key: null }),
  'the key of another': (record, other) => ({ ...record, key: other.key }),
  'a key of noise': (record, _other, random) => ({ ...record, key: Buffer.from(Array.from({ length: random.int(0, 40) }, () => random.int(0, 255))) }),
  'a far time': (record, _other, random) => ({ ...record, timestampMs: random.pick([0, 1, YEAR_2100_MS, Number.MAX_SAFE_INTEGER, 8_640_000_000_000_001]) }),
  'a whole other value': (record, other) => ({ ...record, value: other.value }),
  'once more': (record) => record,
};

export const MUTATOR_NAMES = Object.keys(MUTATORS);

type Fields = Record<string, unknown>;

const AMOUNTS = [10n ** 37n, -(10n ** 37n), 10n ** 38n - 1n, 1n, 0n, -1n, -(10n ** 18n)];
const NUMBERS = [-1, 0, 1, 7, 2 ** 31 - 1];
const LONGS = [-1, 0, YEAR_2100_MS, Number.MAX_SAFE_INTEGER];

/** Changes what a record says rather than how it is written: amounts, numbers and texts that fit their types and nothing else. */
export const FIELD_MUTATORS: Readonly<Record<string, (fields: Fields, other: Fields, random: Random) => void>> = {
  'a huge, tiny or negative amount': (fields, _other, random) => change(fields, random, 'bigint', () => random.pick(AMOUNTS)),
  'a number out of place': (fields, _other, random) => change(fields, random, 'number', (before) => random.pick((before as number) > 2 ** 31 ? LONGS : NUMBERS)),
  'a text out of place': (fields, _other, random) => change(fields, random, 'string', (before) => random.pick(['', ' ', '|', '\u0000', '\ufffd', '__proto__', 'x'.repeat(5_000), `${before as string}|${before as string}`, '\u{1f980}'])),
  'nothing in place of something': (fields, _other, random) => change(fields, random, null, () => null),
  'a field of another': (fields, other, random) => {
    const name = random.pick(Object.keys(fields));
    if (name in other) fields[name] = other[name];
  },
};

function change(fields: Fields, random: Random, type: string | null, to: (before: unknown) => unknown): void {
  const names = Object.keys(fields).filter((name) => type === null || typeof fields[name] === type);
  if (names.length === 0) return;
  const name = random.pick(names);
  fields[name] = to(fields[name]);
}
