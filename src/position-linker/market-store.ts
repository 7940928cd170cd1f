import { StateReader, StateWriter } from '../domain/state-bytes.js';
import type { Emitter, MergedRecord, StateChange } from '../runtime/processor.js';
import {
  readAnomaly, readCash, readFill, readOrder, readPosition, readRefs, writeAnomaly, writeCash, writeFill, writeOrder, writePosition, writeRefs,
} from './input-bytes.js';
import { POSITION_TOPIC } from './input-topic.js';
import { type LinkerOptions, Market } from './market.js';
import { readMarket, writeMarket } from './market-bytes.js';

/*
 * A market in the changelog is a snapshot and the inputs since: a market is a pure function of its inputs, so running them
 * again through the same rules gives the same market. A new snapshot is written when the inputs outgrow it, so the
 * changelog stays within a fixed multiple of what is open, and no commit writes more than its own inputs on average.
 */

/** Version of everything the linker keeps in its changelog. */
export const STATE_VERSION = 4;
/** Inputs smaller than this are not worth a snapshot. */
export const MIN_SNAPSHOT_BYTES = 64 * 1024;
/** A snapshot is written when the inputs since the last are this many times as large. */
const SNAPSHOT_RATIO = 2;
/** Largest value of one changelog record. */
const PART_BYTES = 512 * 1024;

const ADVANCE = 0;
const ORDER = 1;
const FILL = 2;
const CASH = 3;
const ANOMALY = 4;
const POSITION = 5;

const SILENT: Emitter = { emit: () => {}, deadLetter: () => {} };

/** Hands one record to its market; answers whether it has to be kept, null if the linker does not read its type. */
function applyToMarket(market: Market, record: MergedRecord, watermarkMs: number, emitter: Emitter): boolean | null {
  const at = record.effectiveMs;
  switch (record.type) {
    case 'Order':
      return market.onOrder(record.value, at, watermarkMs, emitter);
    case 'Fill':
      market.onFill(record.value, at, watermarkMs, emitter);
      return true;
    case 'CashEvent':
      market.onCash(record.value, at, watermarkMs, emitter);
      return true;
    case 'ExecutionAnomaly':
      market.onAnomaly(record.value, at, emitter);
      return true;
    case 'PositionUpdate':
      market.onUpdate(record.value, record, at, watermarkMs, emitter);
      return true;
    default:
      return null;
  }
}

/** Writes what happened to a market: a record, or, where it is null, a watermark that changed something. */
function writeEntry(writer: StateWriter, watermarkMs: number, record: MergedRecord | null): void {
  writer.count(watermarkMs);
  if (record === null) {
    writer.byte(ADVANCE);
    return;
  }
  switch (record.type) {
    case 'Order':
      writer.byte(ORDER);
      writer.count(record.effectiveMs);
      writeOrder(writer, record.value);
      return;
    case 'Fill':
      writer.byte(FILL);
      writer.count(record.effectiveMs);
      writeFill(writer, record.value);
      return;
    case 'CashEvent':
      writer.byte(CASH);
      writer.count(record.effectiveMs);
      writeCash(writer, record.value);
      return;
    case 'ExecutionAnomaly':
      writer.byte(ANOMALY);
      writer.count(record.effectiveMs);
      writeAnomaly(writer, record.value);
      return;
    case 'PositionUpdate':
      writer.byte(POSITION);
      writer.count(record.effectiveMs);
      writePosition(writer, record.value);
      writeRefs(writer, [{ topic: POSITION_TOPIC, partition: record.partition, offset: record.offset }]);
      return;
    default:
      throw new Error(`no state form for a record of type ${record.type}`);
  }
}

/** Runs one kept entry through the market again, without issuing anything. */
function replayEntry(reader: StateReader, market: Market): void {
  const watermarkMs = reader.count();
  const tag = reader.byte();
  if (tag === ADVANCE) {
    market.advance(watermarkMs, SILENT);
    return;
  }
  const at = reader.count();
  const { account, category, asset } = market;
  const name = { account, category, asset };
  if (tag === ORDER) market.onOrder(readOrder(reader), at, watermarkMs, SILENT);
  else if (tag === FILL) market.onFill(readFill(reader, name), at, watermarkMs, SILENT);
  else if (tag === CASH) market.onCash(readCash(reader, name), at, watermarkMs, SILENT);
  else if (tag === ANOMALY) market.onAnomaly(readAnomaly(reader, name), at, SILENT);
  else if (tag === POSITION) {
    const update = readPosition(reader);
    market.onUpdate(update, readRefs(reader)[0]!, at, watermarkMs, SILENT);
  } else throw new Error(`position-linker state holds an entry of unknown kind ${tag}`);
}

/** One market and its place in the changelog. */
export class StoredMarket {
  readonly key: string;
  market: Market;
  /** Whether what happened is written down for takeChanges. */
  readonly #keepsChanges: boolean;
  readonly #minSnapshotBytes: number;
  /** Entries since the last segment, in bytes at once: so the records themselves need not be held until the commit. */
  readonly #entries = new StateWriter();
  #entryCount = 0;
  #firstSegment = 0;
  #nextSegment = 0;
  #segmentBytes = 0;
  #snapshotBytes = 0;
  #snapshotParts = 0;

  constructor(key: string, market: Market, keepsChanges: boolean, minSnapshotBytes: number) {
    this.key = key;
    this.market = market;
    this.#keepsChanges = keepsChanges;
    this.#minSnapshotBytes = minSnapshotBytes;
  }

  get isChanged(): boolean {
    return this.#entryCount > 0;
  }

  /** Answers whether the market changed; null if the linker does not read records of this type. */
  process(record: MergedRecord, watermarkMs: number, emitter: Emitter): boolean | null {
    const kept = applyToMarket(this.market, record, watermarkMs, emitter);
    if (kept === true && this.#keepsChanges) this.#keep(watermarkMs, record);
    return kept;
  }

  /** Whether the watermark changed anything. */
  advance(watermarkMs: number, emitter: Emitter): boolean {
    if (!this.market.advance(watermarkMs, emitter)) return false;
    if (this.#keepsChanges) this.#keep(watermarkMs, null);
    return true;
  }

  #keep(watermarkMs: number, record: MergedRecord | null): void {
    writeEntry(this.#entries, watermarkMs, record);
    this.#entryCount += 1;
  }

  /** Adds the changelog entries of what happened since the last call. */
  takeChanges(writer: StateWriter, changes: StateChange[]): void {
    writer.start(STATE_VERSION);
    writer.count(this.#nextSegment);
    writer.text(this.market.account);
    writer.text(this.market.category);
    writer.text(this.market.asset);
    writer.count(this.#entryCount);
    writer.raw(this.#entries.written());
    this.#entries.clear();
    this.#entryCount = 0;
    const segment = writer.finish();
    this.#segmentBytes += segment.length;
    if (this.#segmentBytes <= Math.max(this.#minSnapshotBytes, SNAPSHOT_RATIO * this.#snapshotBytes)) {
      changes.push({ key: this.#segmentKey(this.#nextSegment), value: segment });
      this.#nextSegment += 1;
      return;
    }
    this.#takeSnapshot(writer, changes);
  }

  #takeSnapshot(writer: StateWriter, changes: StateChange[]): void {
    const bytes = writeMarket(writer, this.market);
    const parts = Math.ceil(bytes.length / PART_BYTES);
    for (let part = 0; part < parts; part++) {
      writer.start(STATE_VERSION);
      writer.count(part);
      writer.count(parts);
      writer.count(this.#nextSegment);
      const head = writer.finish();
      const body = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      const value = new Uint8Array(head.length + body.length);
      value.set(head);
      value.set(body, head.length);
      changes.push({ key: `${this.key}|snapshot${part}`, value });
    }
    for (let part = parts; part < this.#snapshotParts; part++) changes.push({ key: `${this.key}|snapshot${part}`, value: null });
    for (let segment = this.#firstSegment; segment < this.#nextSegment; segment++) changes.push({ key: this.#segmentKey(segment), value: null });
    this.#firstSegment = this.#nextSegment;
    this.#segmentBytes = 0;
    this.#snapshotBytes = bytes.length;
    this.#snapshotParts = parts;
  }

  #segmentKey(segment: number): string {
    return `${this.key}|inputs${segment}`;
  }

  /** Builds a market from its changelog entries: parts of a snapshot, and segments of inputs in any order. */
  static restore(key: string, parts: readonly Uint8Array[], segments: readonly Uint8Array[], options: LinkerOptions, minSnapshotBytes: number): StoredMarket {
    const snapshot = joinParts(key, parts);
    const readers = segments.map(openSegment).sort((a, b) => a.number - b.number);
    const first = readers[0];
    if (snapshot === null && first === undefined) throw new Error(`position-linker state of ${key} is empty`);
    const market = snapshot === null ? new Market(first!.account, first!.category, first!.asset, options) : readMarket(snapshot.bytes, options);
    const stored = new StoredMarket(key, market, true, minSnapshotBytes);
    stored.#firstSegment = snapshot?.nextSegment ?? 0;
    stored.#nextSegment = stored.#firstSegment;
    stored.#snapshotBytes = snapshot?.bytes.length ?? 0;
    stored.#snapshotParts = parts.length;
    for (const { number, reader, bytes } of readers) {
      if (number < stored.#firstSegment) continue;
      if (number !== stored.#nextSegment) throw new Error(`position-linker state of ${key} lacks inputs ${stored.#nextSegment}`);
      for (let left = reader.count(); left > 0; left--) replayEntry(reader, market);
      stored.#nextSegment += 1;
      stored.#segmentBytes += bytes.length;
    }
    return stored;
  }
}

/** Throws on state that another version of the program wrote. */
export function checkStateVersion(reader: StateReader): void {
  const version = reader.byte();
  if (version !== STATE_VERSION) throw new Error(`position-linker state has version ${version}, this program knows ${STATE_VERSION}: start a newer one, or rebuild`);
}

function openSegment(bytes: Uint8Array): { number: number; account: string; category: string; asset: string; reader: StateReader; bytes: Uint8Array } {
  const reader = new StateReader(bytes);
  checkStateVersion(reader);
  return { number: reader.count(), account: reader.text(), category: reader.text(), asset: reader.text(), reader, bytes };
}

function joinParts(key: string, parts: readonly Uint8Array[]): { bytes: Uint8Array; nextSegment: number } | null {
  if (parts.length === 0) return null;
  const read = parts.map((bytes) => {
    const reader = new StateReader(bytes);
    checkStateVersion(reader);
    return { part: reader.count(), parts: reader.count(), nextSegment: reader.count(), body: bytes.subarray(reader.position) };
  }).sort((a, b) => a.part - b.part);
  const { nextSegment, parts: count } = read[0]!;
  if (count !== read.length || read.some((part, i) => part.part !== i || part.nextSegment !== nextSegment)) {
    throw new Error(`position-linker state of ${key} lacks a part of its snapshot`);
  }
  const bytes = new Uint8Array(read.reduce((sum, part) => sum + part.body.length, 0));
  let at = 0;
  for (const { body } of read) {
    bytes.set(body, at);
    at += body.length;
  }
  return { bytes, nextSegment };
}
