import type { PredictionDelta } from '../domain/records.js';
import { StateWriter } from '../domain/state-bytes.js';
import { naturalKey } from '../domain/uuid.js';
import type { Emitter, MergedRecord, Processor, StateChange } from '../runtime/processor.js';
import { bookKey, digestsSince, isFinal, newBook, PERIOD_MS, periodAt, type BookName, type BookState } from './book-state.js';
import { addDelta, addSum, isEmptySum } from './delta-hash.js';
import { decodeBase, decodeClock, decodePeriod, encodeBase, encodeClock, encodePeriod } from './state-codec.js';

export const DELTA_TOPIC = 'position-linker.prediction_deltas';
export const DIGEST_TOPIC = 'book-digests.digests';

const CLOCK_KEY = 'clock';
const BASE = 'base';
const PERIOD = 'period';
/** Digests are published at most once in so much event time. */
const GRID_MS = 1_000;

export interface BookDigestsOptions {
  /** Correction horizon: an hour older than this cannot change any more. */
  readonly horizonMs: number;
}

/**
 * Digests of live deltas by book and hour, and of each book up to each hour. Since a reversal takes its delta off again, they
 * depend on what is known, not on the order in which it became known. Published at watermarks; hours beyond the correction
 * horizon are published a last time and become part of one sum.
 */
export class BookDigests implements Processor {
  private readonly options: BookDigestsOptions;
  private readonly books = new Map<string, BookState>();
  /** Books with something to publish. */
  private readonly due = new Set<BookState>();
  private readonly changes = new Map<string, (writer: StateWriter) => Uint8Array | null>();
  private readonly writer = new StateWriter();
  private publishedMs = -1;

  constructor(options: BookDigestsOptions) {
    this.options = options;
  }

  process(record: MergedRecord, emitter: Emitter): void {
    if (record.type !== 'PredictionDelta') {
      emitter.deadLetter('UnexpectedRecord', `${record.type} is no record of ${record.topic}`);
      return;
    }
    const book = this.book(nameOf(record.value));
    const period = periodAt(book, record.value.executed_at);
    if (period === null) {
      // Of an hour that is final: no evidence may do that, but the total must hold whatever comes.
      addDelta(book.base, record.value);
      this.touchBase(book);
      return;
    }
    addDelta(period.sum, record.value);
    period.changedMs = record.effectiveMs;
    this.due.add(book);
    this.changes.set(naturalKey(PERIOD, book.key, period.startMs), (writer) => encodePeriod(writer, book, period));
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    if (Math.floor(watermarkMs / GRID_MS) <= Math.floor(this.publishedMs / GRID_MS)) return watermarkMs;
    for (const book of this.inOrder(watermarkMs)) this.publish(book, watermarkMs, emitter);
    this.due.clear();
    this.publishedMs = watermarkMs;
    this.changes.set(CLOCK_KEY, (writer) => encodeClock(writer, this.publishedMs));
    return watermarkMs;
  }

  takeChanges(): StateChange[] {
    const changes = [...this.changes].map(([key, encode]): StateChange => ({ key, value: encode(this.writer) }));
    this.changes.clear();
    return changes;
  }

  restore(key: string, value: Uint8Array): void {
    if (key === CLOCK_KEY) this.publishedMs = decodeClock(value);
    else if (key.startsWith(`${BASE}|`)) {
      const { name, base, baseEndMs } = decodeBase(value);
      const book = this.book(name);
      addSum(book.base, base);
      book.baseEndMs = baseEndMs;
    } else {
      const { name, period } = decodePeriod(value);
      this.book(name).periods.push(period);
    }
  }

  finishRestore(): void {
    for (const book of this.books.values()) {
      book.periods.sort((a, b) => a.startMs - b.startMs);
      if (book.periods.some(({ changedMs }) => changedMs > this.publishedMs)) this.due.add(book);
    }
  }

  private publish(book: BookState, watermarkMs: number, emitter: Emitter): void {
    const { horizonMs } = this.options;
    for (const digest of digestsSince(book, this.publishedMs, watermarkMs, horizonMs)) {
      emitter.emit(DIGEST_TOPIC, naturalKey(book.key, digest.period_at), 'BookDigest', digest, watermarkMs);
    }
    let first = book.periods[0];
    while (first !== undefined && isFinal(first.startMs, watermarkMs, horizonMs)) {
      addSum(book.base, first.sum);
      book.baseEndMs = first.startMs + PERIOD_MS;
      book.periods.shift();
      this.touchBase(book);
      this.changes.set(naturalKey(PERIOD, book.key, first.startMs), () => null);
      first = book.periods[0];
    }
  }

  /** Books that changed, or of which an hour has become final, by key. */
  private inOrder(watermarkMs: number): BookState[] {
    for (const book of this.books.values()) {
      const first = book.periods[0];
      if (first !== undefined && isFinal(first.startMs, watermarkMs, this.options.horizonMs)) this.due.add(book);
    }
    return [...this.due].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  private touchBase(book: BookState): void {
    this.changes.set(naturalKey(BASE, book.key), (writer) => (isEmptySum(book.base) && book.baseEndMs < 0 ? null : encodeBase(writer, book)));
  }

  private book(name: BookName): BookState {
    const key = bookKey(name);
    let book = this.books.get(key);
    if (book === undefined) this.books.set(key, (book = newBook(name)));
    return book;
  }
}

function nameOf({ account, category, asset, position_idx }: PredictionDelta): BookName {
  return { account, category, asset, positionIdx: position_idx };
}
