/**
 * Why decimals are Avro's bytes decimal, kept as bigint: an order record of 15 fields, five of them decimals, written and
 * read with each representation. All but the last line are avsc as it comes; the last has this project's reading of strings
 * too. Run: node --import tsx bench/decimal-representation.ts
 */
import avro from 'avsc';
import { compileType } from '../src/avro/strict-types.js';
import { formatDecimal, parseDecimal } from '../src/domain/decimal.js';
import { measureRate, printTable, thousands } from './rate.js';

const AMOUNTS = { quantity: '0.25', price: '65012.5', value: '16253.125', fee: '8.93921875', result: '-1234.56780001' };
const DECIMAL = { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 18 };

const REST = {
  account: 'main', category: 'linear', asset: 'BTCUSDT', order_id: 'aa85aaff-03d1-4d6e-8f7e-28e1b9b5d5f2', order_link_id: 'sig-123456_1', side: 'Buy', status: 'Filled',
  seq: 140612148849382, created_at: 1_716_800_399_334, updated_at: 1_716_800_399_336,
};

function schema(amount: unknown): object {
  const fields = Object.entries(REST).map(([name, value]) => ({ name, type: typeof value === 'number' ? 'long' : 'string' }));
  return { type: 'record', name: 'Order', fields: [...fields, ...Object.keys(AMOUNTS).map((name) => ({ name, type: amount }))] };
}

/** The way avsc documents: bytes to value and back, one buffer a number. */
class PlainDecimal extends avro.types.LogicalType {
  override _fromValue(bytes: Buffer): bigint {
    return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  }

  override _toValue(value: bigint): Buffer {
    let length = 1;
    while (BigInt.asIntN(length * 8, value) !== value) length++;
    return Buffer.from(BigInt.asUintN(length * 8, value).toString(16).padStart(length * 2, '0'), 'hex');
  }

  override _resolve(): undefined {
    return undefined;
  }
}

/** Text on the wire, bigint in memory. */
class TextDecimal extends avro.types.LogicalType {
  override _fromValue(text: string): bigint {
    return parseDecimal(text);
  }

  override _toValue(value: bigint): string {
    return formatDecimal(value);
  }

  override _resolve(): undefined {
    return undefined;
  }
}

interface Candidate {
  readonly name: string;
  readonly isExact: string;
  readonly type: avro.Type;
  readonly amount: (text: string) => unknown;
}

const plain = (amount: unknown, logicalTypes = {}): avro.Type => avro.Type.forSchema(schema(amount) as avro.Schema, { logicalTypes, omitRecordMethods: true });

const CANDIDATES: readonly Candidate[] = [
  { name: 'double', isExact: 'no', type: plain('double'), amount: Number },
  { name: 'long of 8 decimals, as number', isExact: '8 decimals', type: plain('long'), amount: (text) => Number(parseDecimal(text) / 10n ** 10n) },
  { name: 'string, not parsed', isExact: 'text only', type: plain('string'), amount: (text) => text },
  { name: 'string, as bigint', isExact: 'yes', type: plain({ type: 'string', logicalType: 'text' }, { text: TextDecimal }), amount: parseDecimal },
  { name: 'bytes decimal, as bigint, plain', isExact: 'yes', type: plain(DECIMAL, { decimal: PlainDecimal }), amount: parseDecimal },
  { name: 'bytes decimal, as bigint, ours', isExact: 'yes', type: compileType(schema(DECIMAL)), amount: parseDecimal },
];

const rows = CANDIDATES.map(({ name, isExact, type, amount }) => {
  const record = { ...REST, ...Object.fromEntries(Object.entries(AMOUNTS).map(([key, text]) => [key, amount(text)])) };
  const bytes = type.toBuffer(record);
  const scratch = Buffer.alloc(1024);
  const encode = measureRate(() => void type.encode(record, scratch, 0));
  const decode = measureRate(() => void type.decode(bytes, 0));
  return [name, isExact, String(bytes.length), thousands(encode.perCpuSecond), thousands(decode.perCpuSecond)];
});
printTable([['representation', 'holds 18 decimals', 'bytes', 'encodes/CPU s', 'decodes/CPU s'], ...rows]);
