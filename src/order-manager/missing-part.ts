import { abs, max, min, proportion, type Decimal } from '../domain/decimal.js';
import type { Cover, Coverage, Span } from './coverage.js';
import { averagePrice, notional } from './notional.js';
import type { Mark, OrderBody } from './order-body.js';

/** A piece of an order's executed quantity that its messages show and no execution explains. */
export interface MissingPart {
  readonly from: Decimal;
  /** Upper end: with the order id the identity of the fill it becomes. */
  readonly to: Decimal;
  readonly value: Decimal;
  readonly fee: Decimal;
  readonly price: Decimal;
  readonly leaves: Decimal | null;
  /** It happened after seqAfter, up to seq; null where not known. */
  readonly seq: number | null;
  readonly seqAfter: number | null;
  readonly executedAt: number;
  readonly executedAfter: number | null;
  /** Executed before the order was first seen. */
  readonly firstSeen: boolean;
  /** Effective time of the first message that showed it as executed. */
  readonly shownMs: number;
  /** Order messages it rests on. */
  readonly offsets: readonly number[];
}

/** The missing parts, cut at the totals that messages showed, ascending. */
export function missingParts(body: OrderBody, laid: Coverage, inverse: boolean): MissingPart[] {
  const { marks } = body;
  const parts: MissingPart[] = [];
  const { missing } = laid;
  let shownMs = Infinity;
  let last = missing.length - 1;
  for (let i = marks.length - 1; i >= 0; i--) {
    const mark = marks[i]!;
    const previous = i > 0 ? marks[i - 1]! : null;
    shownMs = Math.min(shownMs, mark.shownMs);
    const floor = previous?.total ?? 0n;
    while (last >= 0 && missing[last]!.from >= mark.total) last -= 1;
    let first = last + 1;
    while (first > 0 && missing[first - 1]!.to > floor) first -= 1;
    if (first > last) continue;
    const spans = missing.slice(first, last + 1).map((span) => ({ from: max(span.from, floor), to: min(span.to, mark.total) }));
    parts.push(...stepParts(body, laid.covers, spans, previous, mark, shownMs, inverse).reverse());
  }
  return parts.reverse();
}

/** The parts of one step: what the executions in it leave of its value and fee is shared by quantity. */
function stepParts(
  body: OrderBody,
  covers: readonly Cover[],
  spans: readonly Span[],
  previous: Mark | null,
  mark: Mark,
  shownMs: number,
  inverse: boolean,
): MissingPart[] {
  const floor = previous?.total ?? 0n;
  const inStep = covers.filter((cover) => cover.to > floor && cover.from < mark.total);
  let value = mark.value - (previous?.value ?? 0n);
  let fee = mark.fee - (previous?.fee ?? 0n);
  for (const cover of inStep) {
    const { content } = cover.entry;
    const own = min(cover.to, mark.total) - max(cover.from, floor);
    const execValue = content.value === 0n ? cover.entry.value : content.value;
    const whole = own === content.quantity;
    value -= whole ? execValue : proportion(execValue, own, content.quantity);
    fee -= whole ? content.fee : proportion(content.fee, own, content.quantity);
  }
  const quantities = spans.map((span) => span.to - span.from);
  // Totals that contradict the executions leave nothing to share: then the order's average price is the best that is known.
  const values =
    value > 0n
      ? share(value, quantities)
      : quantities.map((quantity) => notional(inverse, quantity, mark.averagePrice ?? body.latest?.price ?? 0n));
  const fees = share(fee, quantities);
  return spans.map((span, index) => {
    const range = possibleRange(body, inStep, span, previous, mark);
    const quantity = quantities[index]!;
    return {
      from: span.from,
      to: span.to,
      value: values[index]!,
      fee: fees[index]!,
      price: averagePrice(inverse, quantity, values[index]!),
      leaves: mark.orderQuantity < span.to ? null : mark.orderQuantity - span.to,
      ...range,
      firstSeen: previous === null && !inStep.some((cover) => cover.to <= span.from),
      shownMs,
      offsets: previous === null ? [mark.offset] : [previous.offset, mark.offset],
    };
  });
}

type Range = Pick<MissingPart, 'seq' | 'seqAfter' | 'executedAt' | 'executedAfter'>;

/**
 * When a part can have happened: after the previous total, or the order's creation, up to the message that shows its total.
 * Fills of one order follow each other in its executed quantity, so executions beside it in its step narrow the range; as
 * several fills may share one seq, the one before it bounds it from the seq before its own. One whose place is a guess tells nothing.
 */
function possibleRange(body: OrderBody, inStep: readonly Cover[], span: Span, previous: Mark | null, mark: Mark): Range {
  let { seq } = mark;
  let executedAt = mark.atMs;
  let seqAfter = previous === null ? null : previous.seq;
  let executedAfter = previous === null ? body.createdAt : previous.atMs;
  for (const cover of inStep) {
    if (cover.from !== cover.entry.from || cover.to !== cover.entry.to) continue;
    const { seq: at, executed_at: atMs } = cover.entry.content;
    if (cover.from >= span.to && at !== null && (seq === null || at < seq)) {
      seq = at;
      executedAt = Math.min(executedAt, atMs);
    }
    if (cover.to <= span.from) {
      if (at !== null && (seqAfter === null || at - 1 > seqAfter)) seqAfter = at - 1;
      if (executedAfter === null || atMs > executedAfter) executedAfter = atMs;
    }
  }
  if (seq !== null && seqAfter !== null && seqAfter >= seq) seqAfter = seq - 1;
  if (executedAfter !== null && executedAfter > executedAt) executedAfter = executedAt;
  return { seq, seqAfter, executedAt, executedAfter };
}

/** Splits a total by quantity: rounded down, missing units to the largest remainders, of equal ones to the lower part. */
function share(total: Decimal, quantities: readonly Decimal[]): Decimal[] {
  if (quantities.length === 1) return [total];
  if (total < 0n) return share(-total, quantities).map((part) => -part);
  const sum = quantities.reduce((a, b) => a + b, 0n);
  const parts = quantities.map((quantity) => (total * quantity) / sum);
  const byRemainder = quantities
    .map((quantity, index) => ({ index, remainder: (total * quantity) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const missing = Number(abs(total - parts.reduce((a, b) => a + b, 0n)));
  for (let i = 0; i < missing; i++) parts[byRemainder[i]!.index]! += 1n;
  return parts;
}
