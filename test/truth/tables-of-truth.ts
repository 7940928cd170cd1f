import { abs, decimalText, parseFixed, type Fixed } from '../simulator/fixed.js';
import { isInverse } from './cases.js';
import { averagePrice, type Policy } from './lots.js';
import type { Row, Tables } from './rows.js';
import type { LegTruth, Truth } from './truth.js';

/** Rounded to the 18 decimals of the tables. */
function amountText(value: Fixed): string {
  const half = value < 0n ? -(10n ** 17n) * 5n : 10n ** 17n * 5n;
  return decimalText((value + half) / 10n ** 18n, 18);
}

const exact = (fraction: string) => amountText(parseFixed(fraction));

/** The tables a faultless pipeline would end with, straight from the truth. */
export function tablesOfTruth(truth: Truth, policy: Policy): Tables {
  const links = truth.legs.map((leg) => linkOf(leg));
  for (const [name, size] of Object.entries(truth.start)) links.unshift(startLink(name, size));
  const cycles = cyclesOf(truth, policy, links);
  return {
    position_orders: links,
    position_cycles: cycles,
    prediction_trading_results: truth.results[policy].map((row) => {
      const account = row.account ?? '';
      const cycle = cycles.find((one) => one['position_id'] === positionId(account, row.cycle)) as Row;
      const symbol = row.cycle.split(':')[0] as string;
      const [entry, exit] = [parseFixed(row.entry_qty), parseFixed(row.exit_qty)];
      const price = (quantity: Fixed, value: string) => (quantity === 0n ? null : amountText(averagePrice(isInverse(symbol), quantity, parseFixed(value))));
      const net = parseFixed(row.realized) - parseFixed(row.fees) - parseFixed(row.funding);
      return {
        signal_id: row.signal, position_id: cycle['position_id'], asset: symbol, direction: cycle['side'], entry_quantity: amountText(entry),
        entry_price: price(entry, row.entry_value), exit_quantity: amountText(exit), exit_price: price(exit, row.exit_value),
        realized_pnl: exact(row.realized), fees: exact(row.fees), funding: exact(row.funding), net_pnl: amountText(net),
        open_quantity: amountText(entry - exit), is_closed: entry === exit, is_contaminated: false,
      };
    }),
    positions: truth.books.map((book) => ({
      account: book.account ?? 'default', asset: book.symbol, position_idx: book.idx, size: exact(book.size),
      average_entry_price: exact(book.entry), cum_realised_pnl: exact(book.cum),
    })),
    orders: ordersOf(truth),
    position_discrepancies: truth.fills.filter((fill) => !fill.visible).map((fill) => ({
      account: fill.account ?? 'default', asset: fill.symbol, position_idx: fill.idx, cause: 'external_change', status: 'open',
      first_seq: fill.seq, size: exact(fill.side === 'Buy' ? fill.qty : `-${fill.qty}`),
    })),
  };
}

function positionId(account: string, cycle: string): string {
  return `position ${account}|${cycle}`;
}

function linkOf(leg: LegTruth): Row {
  const before = parseFixed(leg.before);
  const long = before === 0n ? parseFixed(leg.after) > 0n : before > 0n;
  return {
    id: `link ${leg.exec_id} ${leg.leg}`, position_id: positionId(leg.account ?? '', leg.cycle), account: leg.account ?? 'default',
    asset: leg.symbol, position_idx: leg.idx, order_id: leg.visible ? leg.order_id : null, exec_id: leg.visible ? leg.exec_id : null,
    leg: leg.leg, side: long ? 'Buy' : 'Sell', relationship_type: leg.relationship, size_delta: exact(leg.size_delta),
    size_before: exact(leg.before), size_after: exact(leg.after), execution_price: leg.visible ? exact(leg.price) : null,
    execution_fee: exact(leg.fee), executed_at: leg.time, seq: leg.seq, signal_id: leg.signal, evidence: leg.visible ? 'exact' : 'unattributed',
  };
}

function startLink(name: string, size: string): Row {
  const [account, cycle] = name.includes('|') ? (name.split('|') as [string, string]) : ['', name];
  const [symbol, index] = cycle.split(':') as [string, string];
  return {
    id: `start ${name}`, position_id: positionId(account, cycle), account: account || 'default', asset: symbol, position_idx: Number(index),
    order_id: null, exec_id: null, leg: 0, side: parseFixed(size) > 0n ? 'Buy' : 'Sell', relationship_type: 'opened', size_delta: exact(size),
    size_before: '0', size_after: exact(size), execution_price: null, execution_fee: '0', executed_at: 0, seq: null, signal_id: null,
    evidence: 'unattributed',
  };
}

function cyclesOf(truth: Truth, policy: Policy, links: readonly Row[]): Row[] {
  const byPosition = new Map<string, Row[]>();
  for (const link of links) byPosition.set(link['position_id'] as string, [...(byPosition.get(link['position_id'] as string) ?? []), link]);
  return [...byPosition].map(([id, legs]) => {
    const first = legs[0] as Row;
    const last = legs[legs.length - 1] as Row;
    const earned = truth.results[policy].filter((row) => positionId(row.account ?? '', row.cycle) === id);
    const total = (of: (row: (typeof earned)[number]) => string) => earned.reduce((sum, row) => sum + parseFixed(of(row)), 0n);
    const exits = total((row) => row.exit_qty);
    const inverse = isInverse(first['asset'] as string);
    const size = last['size_after'] as string;
    const book = truth.books.find((one) => (one.account ?? 'default') === first['account'] && one.symbol === first['asset'] && one.idx === first['position_idx']);
    const largest = legs.reduce((most, leg) => (abs(parseFixed(leg['size_after'] as string)) > most ? abs(parseFixed(leg['size_after'] as string)) : most), 0n);
    return {
      position_id: id, account: first['account'], asset: first['asset'], position_idx: first['position_idx'], side: first['side'], size,
      average_entry_price: size === '0' ? null : exact((book as { entry: string }).entry), max_size: amountText(largest), realized_pnl: amountText(total((row) => row.realized)),
      fees: amountText(total((row) => row.fees)), funding: amountText(total((row) => row.funding)), opened_at: first['executed_at'],
      closed_at: size === '0' ? last['executed_at'] : null, first_seq: first['seq'], last_seq: last['seq'],
      exit_price: exits === 0n ? null : amountText(averagePrice(inverse, exits, total((row) => row.exit_value))),
    };
  });
}

function ordersOf(truth: Truth): Row[] {
  const orders = new Map<string, { row: Record<string, unknown>; quantity: Fixed; value: Fixed; fees: Fixed }>();
  for (const fill of truth.fills.filter((one) => one.visible)) {
    const quantity = parseFixed(fill.qty);
    const price = parseFixed(fill.price);
    const known = orders.get(fill.order_id) ?? { row: { order_id: fill.order_id, signal_id: fill.signal, asset: fill.symbol }, quantity: 0n, value: 0n, fees: 0n };
    known.quantity += quantity;
    known.value += isInverse(fill.symbol) ? (quantity * 10n ** 36n) / price : (quantity * price) / 10n ** 36n;
    known.fees += parseFixed(fill.fee);
    orders.set(fill.order_id, known);
  }
  return [...orders.values()].map(({ row, quantity, value, fees }) => ({
    ...row, filled_quantity: amountText(quantity), fees: amountText(fees), average_price: amountText(averagePrice(isInverse(row['asset'] as string), quantity, value)),
  }));
}
