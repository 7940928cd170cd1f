import { abs, proportion, type Decimal } from '../domain/decimal.js';
import type { CashEvent, Fill, PositionOrder, PositionUpdate, RecordName, RecordTypes } from '../domain/records.js';
import { naturalKey } from '../domain/uuid.js';
import { exitReason } from '../position-linker/exit-reason.js';
import type { RecordFilter } from './partition-pipeline.js';

/*
 * What if some orders had never been: their fills are kept from the linker. From the first of them on a market goes by its
 * remaining fills alone, for the exchange's position updates show a book that would not have been. A remaining fill closes at
 * most what there would have been to close, and funding is paid for the size there would have been.
 */

/** Whether a fill belongs to an order that is taken out. */
export type IsTakenOut = (fill: Fill) => boolean;

/** What no order of a trader did: the position's own protection, and the exchange. */
const NOT_EXTERNAL = new Set(['take_profit', 'stop_loss', 'trailing_stop', 'stop_order', 'liquidation', 'adl', 'settlement', 'corporate_action']);

export function ofSignal(signalId: string): IsTakenOut {
  return (fill) => fill.signal_id === signalId;
}

/** Orders that carry no signal and that somebody made: by hand, or by another program. */
export function isExternal(fill: Fill): boolean {
  return fill.signal_id === null && !NOT_EXTERNAL.has(exitReason(fill.create_type, fill.exec_type));
}

/** By market: the seq from which on position updates no longer tell. */
export type FirstSeqs = ReadonlyMap<string, number>;

export function marketKey({ account, category, asset }: { readonly account: string; readonly category: string; readonly asset: string }): string {
  return naturalKey(account, category, asset);
}

/** Looks on while the log is worked off as it is, and notes where each market would have begun to differ. */
export class FirstSeqsWatch {
  private readonly isTakenOut: IsTakenOut;
  private readonly ofFills = new Map<string, number>();
  /** Size changes that no fill explains, by link. */
  private readonly residuals = new Map<string, { readonly market: string; readonly seq: number }>();

  constructor(isTakenOut: IsTakenOut) {
    this.isTakenOut = isTakenOut;
  }

  fill(fill: Fill): void {
    if (this.isTakenOut(fill)) lower(this.ofFills, marketKey(fill), fill.seq_after === null ? (fill.seq ?? 0) : fill.seq_after + 1);
  }

  /** One that is explained later was none. */
  residual(link: PositionOrder): void {
    if (link.order_id !== null || link.seq === null) return;
    if (link.retracted) this.residuals.delete(link.id);
    else this.residuals.set(link.id, { market: marketKey(link), seq: link.seq });
  }

  firstSeqs(): FirstSeqs {
    const seqs = new Map(this.ofFills);
    for (const { market, seq } of this.residuals.values()) lower(seqs, market, seq);
    return seqs;
  }
}

function lower(seqs: Map<string, number>, market: string, seq: number): void {
  seqs.set(market, Math.min(seq, seqs.get(market) ?? Number.POSITIVE_INFINITY));
}

/** What one fill did to the book: as it was, and as it would have been. */
interface Effect {
  readonly seq: number | null;
  readonly actual: Decimal;
  readonly imagined: Decimal;
}

class ImaginedBook {
  private base: Decimal = 0n;
  private readonly effects = new Map<string, Effect>();
  private sums = { actual: 0n, imagined: 0n };

  get actual(): Decimal {
    return this.base + this.sums.actual;
  }

  get imagined(): Decimal {
    return this.base + this.sums.imagined;
  }

  /** An update that still tells: whatever is at or before its seq is in its size. */
  begin(seq: number, size: Decimal): void {
    this.base = size;
    for (const [fillId, effect] of this.effects) if (effect.seq !== null && effect.seq <= seq) this.forget(fillId);
  }

  forget(fillId: string): boolean {
    const effect = this.effects.get(fillId);
    if (effect === undefined) return false;
    this.effects.delete(fillId);
    this.sums.actual -= effect.actual;
    this.sums.imagined -= effect.imagined;
    return effect.imagined !== 0n;
  }

  add(fillId: string, effect: Effect): void {
    this.effects.set(fillId, effect);
    this.sums.actual += effect.actual;
    this.sums.imagined += effect.imagined;
  }
}

/** Stands before the linker of one partition. */
export class WithoutOrders {
  private readonly isTakenOut: IsTakenOut;
  private readonly firstSeqs: FirstSeqs;
  private readonly books = new Map<string, ImaginedBook>();

  constructor(isTakenOut: IsTakenOut, firstSeqs: FirstSeqs) {
    this.isTakenOut = isTakenOut;
    this.firstSeqs = firstSeqs;
  }

  readonly filter: RecordFilter = (role, type, value) => {
    if (role !== 'position-linker') return value;
    const firstSeq = this.firstSeqs.get(marketKey(value as Fill));
    if (firstSeq === undefined) return value;
    return this.inMarket(type, value, firstSeq);
  };

  private inMarket(type: RecordName, value: RecordTypes[RecordName], firstSeq: number): RecordTypes[RecordName] | null {
    if (type === 'PositionUpdate') return this.update(value as PositionUpdate, firstSeq);
    if (type === 'Fill') return this.fill(value as Fill);
    if (type === 'CashEvent') return this.cash(value as CashEvent);
    return value;
  }

  private update(update: PositionUpdate, firstSeq: number): PositionUpdate | null {
    if (update.seq === null || update.seq >= firstSeq) return null;
    if (update.seq >= 0) this.book(update, update.position_idx).begin(update.seq, update.size);
    return update;
  }

  private fill(fill: Fill): Fill | null {
    const book = this.book(fill, fill.position_idx);
    const wasThere = book.forget(fill.fill_id);
    if (fill.retracted) return wasThere ? fill : null;
    const direction = fill.side === 'Buy' ? 1n : -1n;
    const quantity = this.isTakenOut(fill) ? 0n : possibleQuantity(fill, direction, book);
    book.add(fill.fill_id, { seq: fill.seq, actual: direction * fill.quantity, imagined: direction * quantity });
    if (quantity === 0n) return wasThere ? { ...fill, retracted: true } : null;
    const share = (amount: Decimal): Decimal => proportion(amount, quantity, fill.quantity);
    // What the exchange said of the fill was said of the book as it was.
    return { ...fill, quantity, value: share(fill.value), fee: share(fill.fee), closed_size: fill.position_idx === null ? fill.closed_size : null, exec_pnl: null };
  }

  private cash(cash: CashEvent): CashEvent | null {
    const { actual, imagined } = this.book(cash, cash.position_idx);
    if (actual === 0n || actual === imagined) return cash;
    return { ...cash, amount: proportion(cash.amount, imagined, actual) };
  }

  private book(market: { readonly account: string; readonly category: string; readonly asset: string }, positionIdx: number | null): ImaginedBook {
    const key = naturalKey(marketKey(market), positionIdx ?? 0);
    let book = this.books.get(key);
    if (book === undefined) this.books.set(key, (book = new ImaginedBook()));
    return book;
  }
}

/** The part that opened stays; the part that closed is as much as there would have been. */
function possibleQuantity(fill: Fill, direction: bigint, book: ImaginedBook): Decimal {
  const isAgainst = (size: Decimal): boolean => size * direction < 0n;
  const smaller = (a: Decimal, b: Decimal): Decimal => (a < b ? a : b);
  const closed = fill.closed_size ?? (isAgainst(book.actual) ? smaller(fill.quantity, abs(book.actual)) : 0n);
  const possible = isAgainst(book.imagined) ? smaller(closed, abs(book.imagined)) : 0n;
  return fill.quantity - closed + possible;
}
