import { StateReader, StateWriter } from '../domain/state-bytes.js';
import type { BookName, BookState, Period } from './book-state.js';
import { emptySum, type Sum } from './delta-hash.js';

/*
 * Changelog entries: one for what of a book is final, one for each hour that is not, one for the clock.
 */

/** Version of what book-digests keeps in its changelog. */
export const STATE_VERSION = 2;

function writeSum(writer: StateWriter, { deltas, words }: Sum): void {
  writer.count(deltas);
  for (const word of words) writer.count(word);
}

function readSum(reader: StateReader): Sum {
  const sum = emptySum();
  sum.deltas = reader.count();
  for (let i = 0; i < 4; i++) sum.words[i] = reader.count();
  return sum;
}

function writeName(writer: StateWriter, { account, category, asset, positionIdx }: BookName): void {
  writer.text(account);
  writer.text(category);
  writer.text(asset);
  writer.count(positionIdx);
}

function open(bytes: Uint8Array): StateReader {
  const reader = new StateReader(bytes);
  const version = reader.byte();
  if (version !== STATE_VERSION) throw new Error(`state of book-digests has version ${version}, this program knows ${STATE_VERSION}: start a newer one, or rebuild the state`);
  return reader;
}

export function encodeBase(writer: StateWriter, { name, base, baseEndMs }: BookState): Uint8Array {
  writer.start(STATE_VERSION);
  writeName(writer, name);
  writer.count(baseEndMs);
  writeSum(writer, base);
  return writer.finish();
}

export function encodePeriod(writer: StateWriter, { name }: BookState, { startMs, sum, changedMs }: Period): Uint8Array {
  writer.start(STATE_VERSION);
  writeName(writer, name);
  writer.count(startMs);
  writer.count(changedMs);
  writeSum(writer, sum);
  return writer.finish();
}

export function encodeClock(writer: StateWriter, publishedMs: number): Uint8Array {
  writer.start(STATE_VERSION);
  writer.count(publishedMs);
  return writer.finish();
}

export function decodeClock(bytes: Uint8Array): number {
  return open(bytes).count();
}

function readName(reader: StateReader): BookName {
  return { account: reader.text(), category: reader.text(), asset: reader.text(), positionIdx: reader.count() };
}

export function decodeBase(bytes: Uint8Array): { readonly name: BookName; readonly baseEndMs: number; readonly base: Sum } {
  const reader = open(bytes);
  return { name: readName(reader), baseEndMs: reader.count(), base: readSum(reader) };
}

export function decodePeriod(bytes: Uint8Array): { readonly name: BookName; readonly period: Period } {
  const reader = open(bytes);
  const name = readName(reader);
  const [startMs, changedMs] = [reader.count(), reader.count()];
  return { name, period: { startMs, changedMs, sum: readSum(reader) } };
}
