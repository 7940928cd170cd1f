import { abs, type Decimal } from '../domain/decimal.js';
import type { InputRef, PositionOrder } from '../domain/records.js';
import { linksBetween, type BookView } from './book-view.js';

/** A position update as an equation needs it. */
export interface ShownState {
  readonly seq: number;
  readonly size: Decimal;
  readonly cum_realised_pnl: Decimal | null;
  readonly place: InputRef;
}

/** Size before + size changes = size after, between two consecutive position updates. */
export interface SizeEquation {
  /** Null: nothing was shown before; the book began here. */
  readonly from: ShownState | null;
  readonly to: ShownState;
  readonly size_before: Decimal;
  readonly changes: readonly { readonly link_id: string; readonly seq: number | null; readonly size_delta: Decimal }[];
  readonly sum: Decimal;
  readonly holds: boolean;
}

/** What results of the same stretch add up to, beside what the exchange's realised PnL moved by. */
export interface MoneyEquation {
  readonly realized_pnl: Decimal | null;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly results: Decimal | null;
  readonly exchange: Decimal | null;
  readonly difference: Decimal | null;
}

export interface Equation {
  readonly size: SizeEquation;
  readonly money: MoneyEquation;
}

/** The equation that decides a link: between the update that first shows it and the one before. Null while none shows it. */
export function equationOf(book: BookView, link: PositionOrder): Equation | null {
  const seqs = new Map(book.updates.map((update) => [update.place.offset, update]));
  const named = link.inputs.filter(({ topic }) => topic === 'ws-gateway.position').map(({ offset }) => seqs.get(offset)).find((update) => update !== undefined);
  // A repeated push of the same state may stand for the one that was named.
  const to = named ?? book.updates.find(({ value }) => link.seq !== null && link.evidence !== 'fills_only' && (value.seq as number) >= link.seq);
  return to === undefined ? null : equationAt(book, to.value.seq as number);
}

/** The equation that ends at the update of this seq; null if there is no such update. */
export function equationAt(book: BookView, seq: number): Equation | null {
  const index = book.updates.findIndex(({ value }) => value.seq === seq);
  const to = shown(book, index);
  if (to === null) return null;
  const from = shown(book, index - 1);
  const afterSeq = from?.seq ?? Number.NEGATIVE_INFINITY;
  const links = linksBetween(book, afterSeq, to.seq);
  const start = from === null ? book.links.find(({ value }) => value.source === 'position' && value.seq === null)?.value : undefined;
  const sizeBefore = from?.size ?? 0n;
  const all = start === undefined || links.includes(start) ? links : [start, ...links];
  const sum = all.reduce((total, link) => total + link.size_delta, 0n);
  const deltas = book.deltas.filter((delta) => (delta.seq === null ? delta.link_id === start?.id : delta.seq > afterSeq && delta.seq <= to.seq));
  const realized = deltas.some((delta) => delta.realized_pnl === null) ? null : deltas.reduce((total, delta) => total + (delta.realized_pnl ?? 0n), 0n);
  const fees = deltas.reduce((total, delta) => total + delta.fee, 0n);
  const funding = deltas.reduce((total, delta) => total + delta.funding, 0n);
  const results = realized === null ? null : realized - fees - funding;
  const exchange = from === null || from.cum_realised_pnl === null || to.cum_realised_pnl === null ? null : to.cum_realised_pnl - from.cum_realised_pnl;
  return {
    size: {
      from, to, size_before: sizeBefore, changes: all.map((link) => ({ link_id: link.id, seq: link.seq, size_delta: link.size_delta })), sum, holds: sizeBefore + sum === to.size,
    },
    money: { realized_pnl: realized, fees, funding, results, exchange, difference: results === null || exchange === null ? null : abs(results - exchange) },
  };
}

function shown({ updates }: BookView, index: number): ShownState | null {
  const update = index < 0 ? undefined : updates[index];
  return update === undefined ? null : { seq: update.value.seq as number, size: update.value.size, cum_realised_pnl: update.value.cum_realised_pnl, place: update.place };
}
