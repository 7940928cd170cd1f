import { HashPairs } from '../domain/hash-pairs.js';
import { NumberList } from '../domain/number-list.js';
import { StateReader, StateWriter } from '../domain/state-bytes.js';
import type { Market } from './market.js';
import { TimeQueue } from './time-queue.js';

/** Entries lie in chunks of this size, none in two; one that is larger has a chunk of its own. */
const CHUNK_BYTES = 65_536;
const writer = new StateWriter();

/** Hash of an id in a market, a whole number of 32 bits. */
function hashOf(market: Market, id: string): number {
  let hash = market.seed;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** An order as it lay in the archive. */
export interface ArchivedOrder {
  readonly market: Market;
  readonly orderId: string;
  /** Its state as in the changelog; holds until the archive is written to again. */
  readonly state: Uint8Array;
}

/**
 * Orders that have ended, as bytes, until they may be forgotten. There are as many as the horizon is long, and few are ever
 * looked at again; with an object each they would be most of the memory, and all of the collector's work.
 */
export class OrderArchive {
  private readonly chunks: (Uint8Array | null)[] = [];
  /** Entries of each chunk that are still there. */
  private readonly chunkEntries: number[] = [];
  /** The chunk that is written to, and how far it is full. */
  private current = -1;
  private used = CHUNK_BYTES;
  /** Of each entry, side by side: its market, chunk, place there, length, and when it may be forgotten; market null: free. */
  private readonly markets: (Market | null)[] = [];
  private readonly entryChunks = new NumberList();
  private readonly places = new NumberList();
  private readonly lengths = new NumberList();
  private readonly expiries = new NumberList();
  private readonly free: number[] = [];
  private readonly freeChunks: number[] = [];
  private spare: Uint8Array | null = null;
  /** Entries by the hashes of their orders' ids, and by those of their executions'. */
  private readonly orders = new HashPairs();
  private readonly executions = new HashPairs();
  private readonly queue = new TimeQueue<number>();

  /** Takes an order in, to be forgotten at a time; Infinity: never. */
  add(market: Market, orderId: string, execIds: readonly string[], state: Uint8Array, expiryMs: number): void {
    const entry = this.free.pop() ?? this.newEntry();
    writer.clear();
    writer.text(orderId);
    writer.count(execIds.length);
    for (const execId of execIds) {
      const hash = hashOf(market, execId);
      writer.count(hash >>> 0);
      this.executions.add(hash, entry);
    }
    writer.raw(state);
    this.orders.add(hashOf(market, orderId), entry);
    this.markets[entry] = market;
    this.expiries.set(entry, expiryMs);
    this.store(entry, writer.written());
    market.archived += 1;
    if (expiryMs < Infinity) this.queue.push(expiryMs, entry);
  }

  private newEntry(): number {
    for (const column of [this.entryChunks, this.places, this.lengths, this.expiries]) column.push(0);
    return this.markets.push(null) - 1;
  }

  private store(entry: number, bytes: Uint8Array): void {
    if (this.used + bytes.length > CHUNK_BYTES) this.newChunk(bytes.length);
    const chunk = this.current;
    this.chunks[chunk]!.set(bytes, this.used);
    this.chunkEntries[chunk]! += 1;
    this.entryChunks.set(entry, chunk);
    this.places.set(entry, this.used);
    this.lengths.set(entry, bytes.length);
    this.used += bytes.length;
  }

  private newChunk(bytes: number): void {
    const last = this.current;
    this.current = this.freeChunks.pop() ?? this.chunks.length;
    this.chunks[this.current] = bytes > CHUNK_BYTES ? new Uint8Array(bytes) : (this.spare ?? new Uint8Array(CHUNK_BYTES));
    if (bytes <= CHUNK_BYTES) this.spare = null;
    this.chunkEntries[this.current] = 0;
    this.used = 0;
    if (last >= 0) this.dropIfEmpty(last);
  }

  private dropIfEmpty(chunk: number): void {
    if (this.chunkEntries[chunk]! > 0 || chunk === this.current) return;
    const bytes = this.chunks[chunk]!;
    if (bytes.length === CHUNK_BYTES) this.spare = bytes;
    this.chunks[chunk] = null;
    this.freeChunks.push(chunk);
  }

  /** The entry of an order; -1 if it is not here. */
  find(market: Market, orderId: string): number {
    if (market.archived === 0) return -1;
    return this.orders.find(hashOf(market, orderId), (entry) => this.markets[entry] === market && this.readerOf(entry).text() === orderId);
  }

  /** The entry of the order that `hasExecution` says an execution belongs to; -1 if it is not here. */
  findByExecution(market: Market, execId: string, hasExecution: (order: ArchivedOrder) => boolean): number {
    if (market.archived === 0) return -1;
    return this.executions.find(hashOf(market, execId), (entry) => this.markets[entry] === market && hasExecution(this.at(entry)));
  }

  private readerOf(entry: number): StateReader {
    const place = this.places.at(entry);
    return new StateReader(this.chunks[this.entryChunks.at(entry)]!.subarray(place, place + this.lengths.at(entry)));
  }

  private at(entry: number): ArchivedOrder {
    const reader = this.readerOf(entry);
    const orderId = reader.text();
    for (let left = reader.count(); left > 0; left--) reader.count();
    return { market: this.markets[entry]!, orderId, state: reader.rest() };
  }

  /** Takes an entry out. */
  take(entry: number): ArchivedOrder {
    const order = this.at(entry);
    const { market, orderId } = order;
    const reader = this.readerOf(entry);
    reader.text();
    for (let left = reader.count(); left > 0; left--) this.executions.remove(reader.count() | 0, entry);
    this.orders.remove(hashOf(market, orderId), entry);
    this.markets[entry] = null;
    this.expiries.set(entry, Infinity);
    this.free.push(entry);
    market.archived -= 1;
    const chunk = this.entryChunks.at(entry);
    this.chunkEntries[chunk]! -= 1;
    this.dropIfEmpty(chunk);
    return order;
  }

  /** Takes out an order that may be forgotten at a watermark; null if there is none. */
  takeExpired(watermarkMs: number): ArchivedOrder | null {
    const { queue } = this;
    while (queue.firstMs <= watermarkMs) {
      const expiryMs = queue.firstMs;
      const entry = queue.pop()!;
      // It was taken out since; its number may be another's.
      if (this.expiries.at(entry) === expiryMs) return this.take(entry);
    }
    return null;
  }
}
