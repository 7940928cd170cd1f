import fc from 'fast-check';
import { ONE } from '../../src/domain/decimal.js';
import type { Execution, OrderUpdate } from '../../src/domain/records.js';
import type { SourceRow } from './frames.js';

/** Start of all times in these tests. */
export const T0 = 1_767_225_600_000;

const ENVELOPE = { source: 'stream', received_at: T0, envelope_id: null, envelope_created_at: T0, frame_index: 0 } as const;

export function units(count: number): bigint {
  return BigInt(count) * ONE;
}

export function orderUpdate(over: Partial<OrderUpdate> = {}): OrderUpdate {
  return {
    account: 'a',
    category: 'linear',
    asset: 'BTCUSDT',
    order_id: 'o1',
    order_link_id: 's1_1',
    parent_order_link_id: '',
    side: 'Buy',
    position_idx: 0,
    order_type: 'Limit',
    order_status: 'New',
    create_type: 'CreateByUser',
    cancel_type: 'UNKNOWN',
    reject_reason: 'EC_NoError',
    stop_order_type: '',
    time_in_force: 'GTC',
    reduce_only: false,
    close_on_trigger: false,
    price: units(100),
    quantity: units(10),
    average_price: null,
    leaves_quantity: null,
    cumulative_quantity: 0n,
    cumulative_value: 0n,
    cumulative_fee: 0n,
    closed_pnl: null,
    trigger_price: null,
    take_profit: null,
    stop_loss: null,
    created_at: T0,
    updated_at: T0,
    seq: 1,
    ...ENVELOPE,
    ...over,
  };
}

/** An order message that shows a total of executed quantity, at price 100 and fee 1 a unit. */
export function total(count: number, over: Partial<OrderUpdate> = {}): SourceRow {
  const filled = count === 10;
  return {
    type: 'OrderUpdate',
    value: orderUpdate({
      order_status: filled ? 'Filled' : count === 0 ? 'New' : 'PartiallyFilled',
      cumulative_quantity: units(count),
      cumulative_value: units(100 * count),
      cumulative_fee: units(count),
      average_price: count === 0 ? null : units(100),
      updated_at: T0 + count * 10,
      seq: 100 + count * 10,
      ...over,
    }),
  };
}

export function executionRow(over: Partial<Execution> = {}): Execution {
  return {
    account: 'a',
    category: 'linear',
    asset: 'BTCUSDT',
    exec_id: 'e1',
    order_id: 'o1',
    order_link_id: 's1_1',
    side: 'Buy',
    exec_type: 'Trade',
    create_type: 'CreateByUser',
    quantity: units(1),
    price: units(100),
    value: units(100),
    fee: units(1),
    fee_currency: 'USDT',
    extra_fees: [],
    closed_size: 0n,
    exec_pnl: 0n,
    leaves_quantity: null,
    order_quantity: null,
    is_maker: true,
    seq: 100,
    executed_at: T0,
    ...ENVELOPE,
    ...over,
  };
}

/** An execution of order o1 (quantity 10) that covers (from, to]. */
export function covering(from: number, to: number, over: Partial<Execution> = {}): SourceRow {
  return {
    type: 'Execution',
    value: executionRow({
      exec_id: `e${to}`,
      quantity: units(to - from),
      value: units(100 * (to - from)),
      fee: units(to - from),
      order_quantity: units(10),
      leaves_quantity: units(10 - to),
      seq: 100 + to * 10,
      executed_at: T0 + to * 10,
      ...over,
    }),
  };
}

const seqs = fc.option(fc.integer({ min: 1, max: 6 }), { nil: null });
const times = fc.integer({ min: 0, max: 6 }).map((n) => T0 + n * 900);
const orderIds = fc.constantFrom('o1', 'o2', '');

/** Executions that contradict each other in every way rows of one small set of ids can. */
const wildExecution: fc.Arbitrary<SourceRow> = fc
  .record({
    exec_id: fc.constantFrom('e1', 'e2', 'e3', 'e4'),
    order_id: orderIds,
    order_link_id: fc.constantFrom('', 's1_1', 's2_1'),
    side: fc.constantFrom('Buy', 'Sell', 'None'),
    exec_type: fc.constantFrom('Trade', 'Trade', 'Trade', 'AdlTrade', 'Funding', 'SomethingNew'),
    create_type: fc.constantFrom('', 'CreateByUser'),
    quantity: fc.integer({ min: 0, max: 4 }).map(units),
    fee: fc.integer({ min: -1, max: 1 }).map(units),
    fee_currency: fc.constantFrom('', 'USDT', 'MNT'),
    extra_fees: fc.constantFrom<Execution['extra_fees']>([], [{ coin: 'USDT', fee_type: 'TAX', fee: ONE }], [{ coin: 'X', fee_type: 'TAX', fee: ONE }]),
    order_quantity: fc.option(fc.integer({ min: 0, max: 8 }).map(units), { nil: null }),
    leaves_quantity: fc.option(fc.integer({ min: 0, max: 6 }).map(units), { nil: null }),
    closed_size: fc.option(fc.integer({ min: 0, max: 2 }).map(units), { nil: null }),
    is_maker: fc.option(fc.boolean(), { nil: null }),
    seq: seqs,
    executed_at: times,
    source: fc.constantFrom('stream', 'stream', 'history', 'transaction_log'),
  } satisfies { [K in keyof Execution]?: fc.Arbitrary<Execution[K]> })
  .map((over) => ({ type: 'Execution', value: executionRow(over) }));

/** Order messages of any totals, labels and statuses, of few ids. */
const wildOrder: fc.Arbitrary<SourceRow> = fc
  .record({
    order_id: fc.constantFrom('o1', 'o2'),
    side: fc.constantFrom('Buy', 'Buy', 'Sell', 'None'),
    order_link_id: fc.constantFrom('', 's1_1', 's2_1'),
    position_idx: fc.constantFrom(null, 0, 1),
    create_type: fc.constantFrom('', 'CreateByUser'),
    order_status: fc.constantFrom('New', 'PartiallyFilled', 'Filled', 'Cancelled'),
    cancel_type: fc.constantFrom('', 'CancelByUser'),
    quantity: fc.integer({ min: 0, max: 8 }).map(units),
    cumulative_quantity: fc.integer({ min: 0, max: 7 }).map(units),
    cumulative_value: fc.integer({ min: 0, max: 700 }).map(units),
    cumulative_fee: fc.integer({ min: -2, max: 7 }).map(units),
    price: fc.constantFrom(null, units(100), units(101)),
    average_price: fc.constantFrom(null, null, units(100)),
    created_at: times,
    updated_at: times,
    seq: seqs,
  } satisfies { [K in keyof OrderUpdate]?: fc.Arbitrary<OrderUpdate[K]> })
  .map((over) => ({ type: 'OrderUpdate', value: orderUpdate(over) }));

/** Any set of rows, most of them nonsense. */
export const wildRows: fc.Arbitrary<SourceRow[]> = fc.array(fc.oneof(wildExecution, wildOrder), { minLength: 1, maxLength: 14 });

interface PlannedOrder {
  readonly fills: readonly { readonly quantity: number; readonly sameSeq: boolean; readonly lost: boolean; readonly bare: boolean }[];
  readonly created: boolean;
  readonly shown: readonly boolean[];
  readonly amendAfter: number;
  readonly cancelled: boolean;
}

const plannedOrder: fc.Arbitrary<PlannedOrder> = fc.record({
  fills: fc.array(
    fc.record({
      quantity: fc.integer({ min: 1, max: 5 }),
      sameSeq: fc.boolean(),
      lost: fc.boolean(),
      bare: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  created: fc.boolean(),
  shown: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  amendAfter: fc.integer({ min: 0, max: 6 }),
  cancelled: fc.boolean(),
});

export interface ConsistentOrder {
  readonly orderId: string;
  readonly rows: readonly SourceRow[];
  /** What the last message shows as executed. */
  readonly executed: bigint;
}

/** Orders as an exchange tells of them, with executions and messages missing; the last message always comes. */
export const consistentOrders: fc.Arbitrary<ConsistentOrder[]> = fc
  .array(plannedOrder, { minLength: 1, maxLength: 3 })
  .map((plans) => plans.map((plan, index) => consistentOrder(plan, `o${index}`, 1000 * (index + 1))));

function consistentOrder(plan: PlannedOrder, orderId: string, firstSeq: number): ConsistentOrder {
  const rows: SourceRow[] = [];
  const wanted = plan.fills.reduce((sum, fill) => sum + fill.quantity, 0);
  let quantity = wanted + (plan.cancelled ? 1 : 0);
  let done = 0;
  let seq = firstSeq;
  const base = { order_id: orderId, order_link_id: `sig${orderId}_1` };
  if (plan.created) rows.push(total(0, { ...base, quantity: units(quantity + 3), seq, updated_at: T0 + seq }));
  quantity += 3;
  plan.fills.forEach((fill, index) => {
    if (index === plan.amendAfter || index === plan.fills.length - 1) quantity = wanted + (plan.cancelled ? 1 : 0);
    if (!fill.sameSeq || index === 0) seq += 7;
    done += fill.quantity;
    const at = { seq, executed_at: T0 + seq };
    const place = fill.bare ? {} : { order_quantity: units(quantity), leaves_quantity: units(quantity - done) };
    if (!fill.lost) {
      const row = executionRow({ ...base, ...at, ...place, exec_id: `${orderId}e${index}`, quantity: units(fill.quantity), value: units(100 * fill.quantity), fee: units(fill.quantity) });
      rows.push({ type: 'Execution', value: row });
    }
    const last = index === plan.fills.length - 1;
    const packageEnds = last || !plan.fills[index + 1]!.sameSeq;
    if (last || (packageEnds && plan.shown[index]!)) {
      const status = last ? (plan.cancelled ? 'Cancelled' : 'Filled') : 'PartiallyFilled';
      rows.push(total(done, { ...base, order_status: status, quantity: units(quantity), seq, updated_at: T0 + seq }));
    }
  });
  return { orderId, rows, executed: units(done) };
}
