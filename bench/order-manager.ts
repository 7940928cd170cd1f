/*
 * The core of the order-manager alone, on one core: no broker, no Avro. A made-up session of many assets is handed over in
 * merged order, with a watermark every 250 ms of event time and a commit every so many records.
 *
 *   node --import tsx bench/order-manager.ts [records] [assets] [records a second]
 */
import { ONE } from '../src/domain/decimal.js';
import type { Execution, OrderUpdate } from '../src/domain/records.js';
import { createOrderManager } from '../src/order-manager/order-manager.js';
import type { Emitter, MergedRecord } from '../src/runtime/processor.js';

const RECORDS = Number(process.argv[2] ?? 1_000_000);
const ASSETS = Number(process.argv[3] ?? 200);
const RATE = Number(process.argv[4] ?? 2_000);
const COMMIT_EVERY = 10_000;
const T0 = 1_767_225_600_000;

function orderUpdate(asset: string, id: string, total: number, wanted: number, atMs: number, seq: number): OrderUpdate {
  return {
    account: 'bench',
    category: 'linear',
    asset,
    order_id: id,
    order_link_id: `signal-${id.slice(0, 8)}_1`,
    parent_order_link_id: '',
    side: 'Buy',
    position_idx: 0,
    order_type: 'Limit',
    order_status: total === 0 ? 'New' : total === wanted ? 'Filled' : 'PartiallyFilled',
    create_type: 'CreateByUser',
    cancel_type: 'UNKNOWN',
    reject_reason: 'EC_NoError',
    stop_order_type: '',
    time_in_force: 'GTC',
    reduce_only: false,
    close_on_trigger: false,
    price: 100n * ONE,
    quantity: BigInt(wanted) * ONE,
    average_price: total === 0 ? null : 100n * ONE,
    leaves_quantity: BigInt(wanted - total) * ONE,
    cumulative_quantity: BigInt(total) * ONE,
    cumulative_value: BigInt(100 * total) * ONE,
    cumulative_fee: BigInt(total) * ONE,
    closed_pnl: 0n,
    trigger_price: null,
    take_profit: null,
    stop_loss: null,
    created_at: atMs - total,
    updated_at: atMs,
    seq,
    source: 'stream',
    received_at: atMs + 3,
    envelope_id: `1_${asset}_${seq}`,
    envelope_created_at: atMs + 2,
    frame_index: 0,
  };
}

function execution(asset: string, id: string, upTo: number, wanted: number, atMs: number, seq: number): Execution {
  return {
    account: 'bench',
    category: 'linear',
    asset,
    exec_id: flat(`${id}-${upTo}`),
    order_id: id,
    order_link_id: `signal-${id.slice(0, 8)}_1`,
    side: 'Buy',
    exec_type: 'Trade',
    create_type: 'CreateByUser',
    quantity: ONE,
    price: 100n * ONE,
    value: 100n * ONE,
    fee: ONE,
    fee_currency: 'USDT',
    extra_fees: [],
    closed_size: 0n,
    exec_pnl: 0n,
    leaves_quantity: BigInt(wanted - upTo) * ONE,
    order_quantity: BigInt(wanted) * ONE,
    is_maker: true,
    seq,
    executed_at: atMs,
    source: 'stream',
    received_at: atMs + 3,
    envelope_id: `1_${asset}_${seq}`,
    envelope_created_at: atMs + 2,
    frame_index: 0,
  };
}

/** Text as a decoder makes it: in one piece. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Orders of one to three fills: created, then per fill a message and its execution. */
function* session(): Generator<MergedRecord> {
  const offsets = { 'ws-gateway.order': 0, 'ws-gateway.execution': 0 };
  let seq = 1_000_000;
  let made = 0;
  const record = (topic: keyof typeof offsets, value: OrderUpdate | Execution, atMs: number): MergedRecord => {
    made += 1;
    const place = { topic, partition: 0, offset: offsets[topic]++, eventMs: atMs, effectiveMs: atMs };
    return (topic === 'ws-gateway.order' ? { ...place, type: 'OrderUpdate', value } : { ...place, type: 'Execution', value }) as MergedRecord;
  };
  for (let n = 0; made < RECORDS; n++) {
    const asset = `ASSET${n % ASSETS}USDT`;
    const id = flat(`${n.toString(16).padStart(8, '0')}-ec56-4691-a929-d19f20859d90`);
    const wanted = 1 + (n % 3);
    const nowMs = () => T0 + Math.floor((made * 1000) / RATE);
    yield record('ws-gateway.order', orderUpdate(asset, id, 0, wanted, nowMs(), ++seq), nowMs());
    for (let total = 1; total <= wanted; total++) {
      const atMs = nowMs();
      seq += 1;
      yield record('ws-gateway.order', orderUpdate(asset, id, total, wanted, atMs, seq), atMs);
      yield record('ws-gateway.execution', execution(asset, id, total, wanted, atMs, seq), atMs);
    }
  }
}

let outputs = 0;
const emitter: Emitter = {
  emit: () => void (outputs += 1),
  deadLetter: (exception) => {
    throw new Error(exception);
  },
};

interface Spent {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** CPU seconds are those of all threads, the collector's too. */
function measured(work: () => void): Spent {
  const start = process.hrtime.bigint();
  const startCpu = process.cpuUsage();
  work();
  const cpu = process.cpuUsage(startCpu);
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
}

let total = 0;
let stateBytes = 0;

function makeOnly(): void {
  let last: MergedRecord | null = null;
  for (const record of session()) last = record;
  if (last === null) throw new Error('no records');
}

function run(): void {
  const manager = createOrderManager();
  let watermarkMs = T0;
  for (const record of session()) {
    if (record.effectiveMs - 500 >= watermarkMs + 250) manager.advance((watermarkMs = record.effectiveMs - 500), emitter);
    manager.process(record, emitter);
    total += 1;
    if (total % COMMIT_EVERY === 0) for (const { value } of manager.takeChanges()) stateBytes += value?.length ?? 0;
  }
}

const making = measured(makeOnly);
const both = measured(run);
const seconds = both.seconds - making.seconds;
const cpuSeconds = both.cpuSeconds - making.cpuSeconds;
const rss = Math.round(process.memoryUsage().rss / 1e6);
console.log(
  `order-manager core: ${total} records in ${seconds.toFixed(2)} s = ${Math.round(total / seconds)}/s, ` +
    `${cpuSeconds.toFixed(2)} CPU s = ${Math.round(total / cpuSeconds)}/CPU s (making the records took ${making.seconds.toFixed(2)} s more); ` +
    `${outputs} outputs, ${Math.round(stateBytes / 1e6)} MB of changelog, RSS ${rss} MB`,
);
