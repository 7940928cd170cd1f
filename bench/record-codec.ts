/**
 * Records to bytes and back through the codec, as the roles use it: with our own schema, and from an older writer's through
 * a cached resolver. Run: node --import tsx bench/record-codec.ts
 */
import { RecordCodec } from '../src/avro/record-codec.js';
import { readRecordSchemas } from '../src/avro/record-schema.js';
import { localSchemas, type SchemaSource } from '../src/avro/schema-source.js';
import { parseDecimal } from '../src/domain/decimal.js';
import type { Execution, OrderUpdate, PositionUpdate, RecordName, RecordTypes } from '../src/domain/records.js';
import { measureRate, printTable, thousands } from './rate.js';

const ENVELOPE = { source: 'stream', received_at: 1_716_800_399_400, envelope_id: '386825804_BTCUSDT_140612148849382', envelope_created_at: 1_716_800_399_338, frame_index: 0 } as const;
const MARKET = { account: 'main', category: 'linear', asset: 'BTCUSDT' } as const;

const execution: Execution = {
  ...MARKET, exec_id: '7e2ae69c-4edf-5800-a352-893d52b446aa', order_id: 'aa85aaff-03d1-4d6e-8f7e-28e1b9b5d5f2', order_link_id: 'sig-123456_1', side: 'Buy', exec_type: 'Trade',
  create_type: 'CreateByUser', quantity: parseDecimal('0.25'), price: parseDecimal('65012.5'), value: parseDecimal('16253.125'), fee: parseDecimal('8.93921875'), fee_currency: 'USDT',
  extra_fees: [], closed_size: 0n, exec_pnl: 0n, leaves_quantity: parseDecimal('0.5'), order_quantity: parseDecimal('0.75'), is_maker: false, seq: 140612148849382,
  executed_at: 1_716_800_399_334, ...ENVELOPE,
};

const orderUpdate: OrderUpdate = {
  ...MARKET, order_id: 'aa85aaff-03d1-4d6e-8f7e-28e1b9b5d5f2', order_link_id: 'sig-123456_1', parent_order_link_id: '', side: 'Buy', position_idx: 0, order_type: 'Limit',
  order_status: 'PartiallyFilled', create_type: 'CreateByUser', cancel_type: 'UNKNOWN', reject_reason: 'EC_NoError', stop_order_type: '', time_in_force: 'GTC', reduce_only: false,
  close_on_trigger: false, price: parseDecimal('65012.5'), quantity: parseDecimal('0.75'), average_price: parseDecimal('65012.5'), leaves_quantity: parseDecimal('0.5'),
  cumulative_quantity: parseDecimal('0.25'), cumulative_value: parseDecimal('16253.125'), cumulative_fee: parseDecimal('8.93921875'), closed_pnl: 0n, trigger_price: null,
  take_profit: null, stop_loss: null, created_at: 1_716_800_399_334, updated_at: 1_716_800_399_336, seq: 140612148849382, ...ENVELOPE,
};

const positionUpdate: PositionUpdate = {
  ...MARKET, position_idx: 0, side: 'Buy', size: parseDecimal('0.75'), entry_price: parseDecimal('65012.5'), entry_price_decimals: 1, position_value: parseDecimal('48759.375'),
  mark_price: parseDecimal('65020.11'), unrealised_pnl: parseDecimal('5.7075'), cur_realised_pnl: parseDecimal('-26.81'), cum_realised_pnl: parseDecimal('1034.22'),
  leverage: parseDecimal('10'), liq_price: parseDecimal('58777.1'), take_profit: 0n, stop_loss: 0n, trailing_stop: 0n, position_status: 'Normal', created_at: 1_716_800_000_000,
  updated_at: 1_716_800_399_336, seq: 140612148849382, ...ENVELOPE,
};

/** Id 99 is an older version of the record, with one more field that was dropped since. */
function withOlderWriter(source: SchemaSource, older: object): SchemaSource {
  return { idOf: (record) => source.idOf(record), textOf: async (id) => (id === 99 ? JSON.stringify(older) : source.textOf(id)) };
}

async function measure<N extends RecordName>(name: N, value: RecordTypes[N]): Promise<string[]> {
  const schemas = readRecordSchemas();
  const own = schemas.find((schema) => schema.name === name)!;
  const older = { ...own.schema, fields: [...(own.schema.fields ?? []), { name: 'gone', type: 'int', default: 0 }] };
  const codec = await RecordCodec.open(withOlderWriter(localSchemas(schemas), older), schemas);
  const bytes = Buffer.from(codec.encode(name, value));
  const written = Buffer.concat([bytes, Buffer.alloc(1)]);
  written.writeInt32BE(99, 1);
  await codec.learn([written]);
  const encode = measureRate(() => void codec.encode(name, value));
  const decode = measureRate(() => void codec.decode(bytes));
  const resolve = measureRate(() => void codec.decode(written));
  const fields = String(own.schema.fields?.length ?? 0);
  return [name, fields, String(bytes.length), ...[encode, decode, resolve].map((rate) => thousands(rate.perCpuSecond))];
}

printTable([
  ['record', 'fields', 'bytes', 'encodes/CPU s', 'decodes/CPU s', 'decodes/CPU s by resolver'],
  await measure('OrderUpdate', orderUpdate),
  await measure('Execution', execution),
  await measure('PositionUpdate', positionUpdate),
  await measure('Watermark', { watermark_at: 1_716_800_399_336 }),
]);
