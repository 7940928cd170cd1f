import { abs, type Decimal } from '../domain/decimal.js';
import { shown, type Findings } from './breach.js';
import { grouped } from './grouping.js';
import type { BookEvidence, FillPoint, LinkRow, MarketEvidence } from './evidence.js';

/** Orders, their fills and their links. */
export function checkOrders({ account, category, asset, orders, fills, unsettledOrders, retoldOrders, links, discrepancies }: MarketEvidence, findings: Findings): void {
  const book = { account, category, asset, position_idx: null };
  const linksOf = grouped(links.filter((link) => link.order_id !== null), (link) => link.order_id as string);
  const fillsOf = grouped(fills, ({ fill }) => fill.order_id);
  const known = new Map(orders.map((order) => [order.order_id, order]));
  // What came beyond the horizon is told anew by orders and their fills, and leaves links as they were.
  const beyond = new Set([...retoldOrders, ...discrepancies.filter(({ cause }) => cause === 'late_beyond_horizon').map(({ order_id }) => order_id)]);
  // Of a fill that was to cross zero in hedge mode only what the leg could take is linked; the rest is named.
  const excess = new Map<string, Decimal>();
  for (const { cause, status, order_id, size } of discrepancies) {
    if (cause === 'hedge_leg_unknown' && status !== 'explained' && order_id !== null && size !== null) excess.set(order_id, (excess.get(order_id) ?? 0n) + abs(size));
  }
  for (const order of orders) {
    const own = fillsOf.get(order.order_id) ?? [];
    if (beyond.has(order.order_id) || unsettledOrders.has(order.order_id)) continue;
    findings.equal('link_orders', { ...order, position_idx: null }, order.filled_quantity, sum(own), `order ${order.order_id}: filled_quantity is not that of its fills`, { source: 'orders', row: order });
    if (category !== 'linear' && category !== 'inverse') continue;
    const linked = (linksOf.get(order.order_id) ?? []).reduce((total, link) => total + abs(link.size_delta), 0n);
    const filled = sum(own) - (excess.get(order.order_id) ?? 0n);
    // What an order had executed when it was first seen may lie before the recording.
    const certain = filled - sum(own.filter(({ fill }) => fill.first_seen));
    findings.check(linked <= filled && linked >= certain, () => ({
      book, message: `order ${order.order_id}: its links add up to another quantity than its fills`, expected: shown(filled), actual: shown(linked), witness: { source: 'orders', row: order },
    }), 'link_orders');
  }
  for (const [orderId, own] of linksOf) {
    const order = known.get(orderId);
    const first = own[0] as LinkRow;
    findings.check(order !== undefined, () => ({
      book: first, message: `link ${first.id} belongs to order ${orderId}, which is not there`, expected: orderId, actual: null, witness: { source: 'position_orders', row: first },
    }), 'link_orders');
    if (order === undefined || unsettledOrders.has(orderId) || beyond.has(orderId)) continue;
    checkLinkedFills(own, fillsOf.get(orderId) ?? [], findings);
  }
}

/** A link of an execution must be of one that stands, and have its signal. */
function checkLinkedFills(links: readonly LinkRow[], fills: readonly FillPoint[], findings: Findings): void {
  const byExecution = new Map(fills.flatMap(({ fill }) => (fill.exec_id === null ? [] : [[fill.exec_id, fill] as const])));
  for (const link of links) {
    const witness = { source: 'position_orders', row: link };
    const fill = link.exec_id === null ? fills.find((point) => point.fill.exec_id === null)?.fill : byExecution.get(link.exec_id);
    findings.check(fill !== undefined, () => ({ book: link, message: `link ${link.id} belongs to execution ${link.exec_id ?? 'of an order message'}, which is not there`, expected: link.exec_id, actual: null, witness }), 'link_orders');
    if (fill === undefined) continue;
    findings.check(fill.signal_id === link.signal_id, () => ({
      book: link, message: `link ${link.id} names another signal than its fill`, expected: fill.signal_id, actual: link.signal_id, witness,
    }), 'link_orders');
  }
}

/** A link without an order stands for what no fill explains: a discrepancy must name it. */
export function checkResiduals({ links, discrepancies }: BookEvidence, findings: Findings): void {
  for (const link of links) {
    if (link.order_id !== null) continue;
    const isStart = link.seq === null;
    const named = discrepancies.some(({ cause, status, last_seq }) => status !== 'explained'
      && (isStart ? cause === 'start_unknown' : (cause === 'fill_missing' || cause === 'external_change') && last_seq === link.seq));
    findings.check(named, () => ({
      book: link, message: `link ${link.id} has no order, and no discrepancy names it`, expected: isStart ? 'start_unknown' : 'fill_missing or external_change', actual: null,
      witness: { source: 'position_orders', row: link },
    }), 'residuals');
  }
}

function sum(fills: readonly FillPoint[]): Decimal {
  return fills.reduce((total, { fill }) => total + fill.quantity, 0n);
}
