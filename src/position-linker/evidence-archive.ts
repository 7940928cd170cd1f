import { NumberList } from '../domain/number-list.js';
import { StateReader, StateWriter } from '../domain/state-bytes.js';
import { type CashItem, type FillItem, type Item, type UpdateItem, eventTime, hasId } from './evidence-item.js';
import { readItem, writeItem } from './item-bytes.js';

/** Kind of an item in the two lowest bits of its tag; above them the hash of its id. */
const FILL = 0;
const ORDER_FILL = 1;
const CASH = 2;
const UPDATE = 3;
const KIND_BITS = 3;

/** One item on its way into an archive. */
const writer = new StateWriter();

function tagOf(item: Item): number {
  if (item.kind === 'update') return UPDATE;
  if (item.kind === 'cash') return item.idHash | CASH;
  return item.idHash | (item.source === 'order' ? ORDER_FILL : FILL);
}

/** Items lie in chunks of this size, none in two; one that is larger has a chunk of its own. */
const CHUNK_BYTES = 8192;
/** Chunks that were given back: what archives take and give is mostly in balance, and memory from outside costs a collection. */
const spareChunks: Uint8Array[] = [];
const MAX_SPARE_CHUNKS = 1024;

function newChunk(bytes: number): Uint8Array {
  if (bytes > CHUNK_BYTES) return new Uint8Array(bytes);
  return spareChunks.pop() ?? new Uint8Array(CHUNK_BYTES);
}

function giveBack(chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) if (chunk.length === CHUNK_BYTES && spareChunks.length < MAX_SPARE_CHUNKS) spareChunks.push(chunk);
}

/**
 * The oldest evidence of a book, as bytes: items in the book's order that have led to rows and wait for nothing, up to an
 * update. There are thousands a book, and hardly one is ever looked at again; as objects they would be most of the memory.
 */
export class EvidenceArchive {
  readonly #positionIdx: number;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes in use of each chunk. */
  readonly #used: number[] = [];
  /** How many chunks went before the first. */
  #droppedChunks = 0;
  /** Of each item, side by side: seq, event time, chunk as counted from the first there ever was × CHUNK_BYTES + place in it, tag. */
  readonly #seqs = new NumberList();
  readonly #times = new NumberList();
  readonly #places = new NumberList();
  readonly #tags = new NumberList();
  /** The last item: hedge messages repeat the quiet leg's for ever. */
  #last: UpdateItem | null = null;

  constructor(positionIdx: number) {
    this.#positionIdx = positionIdx;
  }

  get length(): number {
    return this.#seqs.length;
  }

  /** Seq of the last item, an update. */
  get lastSeq(): number {
    return this.length === 0 ? Number.NEGATIVE_INFINITY : this.#seqs.at(this.length - 1);
  }

  seqAt(index: number): number {
    return this.#seqs.at(index);
  }

  eventTimeAt(index: number): number {
    return this.#times.at(index);
  }

  isUpdateAt(index: number): boolean {
    return this.#tags.at(index) === UPDATE;
  }

  /** All items, each as writeItem writes it. */
  writeTo(target: StateWriter): void {
    for (let i = 0; i < this.#chunks.length; i++) target.raw(this.#chunks[i]!.subarray(i === 0 ? this.#placeOf(0) : 0, this.#used[i]!));
  }

  /** Adds an item that goes after all others and has a seq; the last one added must be an update. */
  append(item: Item): void {
    writer.clear();
    writeItem(writer, item);
    const written = writer.written();
    let chunk = this.#chunks.length - 1;
    if (chunk < 0 || this.#used[chunk]! + written.length > CHUNK_BYTES) {
      this.#chunks.push(newChunk(written.length));
      this.#used.push(0);
      chunk += 1;
    }
    const place = this.#used[chunk]!;
    this.#chunks[chunk]!.set(written, place);
    this.#used[chunk] = place + written.length;
    this.#seqs.push(item.seq!);
    this.#times.push(eventTime(item));
    this.#places.push((this.#droppedChunks + chunk) * CHUNK_BYTES + place);
    this.#tags.push(tagOf(item));
    this.#last = item.kind === 'update' ? item : null;
  }

  /** Items from one index up to another, read again. */
  read(from: number, to: number): Item[] {
    const items: Item[] = [];
    let reader: StateReader | null = null;
    let readChunk = -1;
    for (let i = from; i < to; i++) {
      const chunk = this.#chunkOf(i);
      if (reader === null || chunk !== readChunk) {
        const place = this.#placeOf(i);
        reader = new StateReader(this.#chunks[chunk]!.subarray(place, this.#used[chunk]!));
        readChunk = chunk;
      }
      items.push(readItem(reader, this.#positionIdx));
    }
    return items;
  }

  #chunkOf(index: number): number {
    return Math.floor(this.#places.at(index) / CHUNK_BYTES) - this.#droppedChunks;
  }

  /** Where an item begins in its chunk. */
  #placeOf(index: number): number {
    return this.#places.at(index) % CHUNK_BYTES;
  }

  /** Takes out the items from an index on, and answers them. */
  takeFrom(index: number): Item[] {
    const items = this.read(index, this.length);
    if (items.length === 0) return items;
    const chunk = this.#chunkOf(index);
    const place = this.#placeOf(index);
    this.#used[chunk] = place;
    const kept = index === 0 || place === 0 ? chunk : chunk + 1;
    giveBack(this.#chunks.splice(kept));
    this.#used.length = kept;
    for (const column of [this.#seqs, this.#times, this.#places, this.#tags]) column.truncate(index);
    this.#last = null;
    return items;
  }

  /** Forgets the first items; `forget` is told the hashes of those that have an id. */
  dropFirst(count: number, forget: (idHash: number) => void): void {
    for (let i = 0; i < count; i++) if (!this.isUpdateAt(i)) forget(this.#tags.at(i) & ~KIND_BITS);
    const chunks = count < this.length ? this.#chunkOf(count) : this.#chunks.length;
    giveBack(this.#chunks.splice(0, chunks));
    this.#used.splice(0, chunks);
    for (const column of [this.#seqs, this.#times, this.#places, this.#tags]) column.dropFirst(count);
    this.#droppedChunks += chunks;
    if (this.length === 0) this.#last = null;
  }

  /** Index of the first item after all of a seq. */
  indexAfter(seq: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#seqs.at(middle) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The update that stands for a seq; null if there is none. */
  updateAt(seq: number): UpdateItem | null {
    const index = this.indexAfter(seq) - 1;
    if (index < 0 || this.#seqs.at(index) !== seq || !this.isUpdateAt(index)) return null;
    if (index === this.length - 1 && this.#last !== null) return this.#last;
    return this.read(index, index + 1)[0] as UpdateItem;
  }

  /** Order-derived fills, read again. */
  orderFills(): FillItem[] {
    const found: FillItem[] = [];
    for (let i = 0; i < this.length; i++) {
      const tag = this.#tags.at(i);
      if (tag !== UPDATE && (tag & KIND_BITS) === ORDER_FILL) found.push(this.read(i, i + 1)[0] as FillItem);
    }
    return found;
  }

  /** The fill or cash event of an id, read again; null if it is not here. */
  find(kind: 'fill' | 'cash', id: string, idHash: number): FillItem | CashItem | null {
    for (let i = 0; i < this.length; i++) {
      if ((this.#tags.at(i) & ~KIND_BITS) !== idHash || this.isUpdateAt(i)) continue;
      const item = this.read(i, i + 1)[0]!;
      if (hasId(item, kind, id)) return item;
    }
    return null;
  }
}
