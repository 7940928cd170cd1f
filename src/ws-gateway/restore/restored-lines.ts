import { parseCaptureLine } from '../capture-line.js';
import { uidOfEnvelopeId } from '../envelope.js';
import { envelopeIdOf, parseFrame } from '../frame-parser.js';
import { frameKey, frameLine, type SourceName, type SourceValue } from './restored-frame.js';

/** A record of a source topic. */
export interface RecordEntry {
  readonly kind: 'record';
  readonly topic: string;
  readonly type: SourceName;
  readonly value: SourceValue;
}

/** A line that the gateway could not use, or not all of it. */
export interface DeadEntry {
  readonly kind: 'dead';
  readonly raw: Buffer;
  /** Line of the file it came from. */
  readonly lineNumber: number | null;
  readonly account: string | null;
}

export type Entry = RecordEntry | DeadEntry;

/** An entry at its place in one of the queues that are merged. */
interface Seat {
  readonly queue: number;
  readonly position: number;
}

/** One line to be written, and the entries it brings back. */
interface Frame {
  readonly rows: Map<number, Seat & { readonly entry: RecordEntry }>;
  dead: (Seat & { readonly entry: DeadEntry }) | null;
}

/** Blank lines that are written at most to bring a bad line to its old number. */
const MOST_BLANKS = 100_000;

/**
 * Writes lines in an order in which the gateway puts every record where it was: each partition of each topic keeps its order.
 * What was received at one moment is given together; the frames among it are put together from the partitions their rows went to.
 */
export class RestoredLines {
  lines = 0;
  frames = 0;
  records = 0;
  deadLetters = 0;
  /** Account that a reader of the lines takes for those that name none. */
  #readAccount: string | null = null;
  readonly #write: (line: string | Buffer) => void;

  constructor(write: (line: string | Buffer) => void) {
    this.#write = write;
  }

  /** `queues`: by partition and topic, entries in their order. */
  take(queues: readonly (readonly Entry[])[]): void {
    const frameAt = assembled(queues);
    const next = queues.map(() => 0);
    for (;;) {
      const heads = new Set(next.map((position, queue) => frameAt[queue]?.[position]).filter((frame) => frame !== undefined));
      if (heads.size === 0) return;
      // Rows of equal frames may have been put together crosswise: then the next row of some partition goes alone.
      const frame = this.#chosen([...heads].filter((head) => isReady(head, next))) ?? splitOff([...heads], next);
      for (const { queue } of seatsOf(frame)) next[queue] = (next[queue] as number) + 1;
      this.#emit(frame);
    }
  }

  /** Writes a line of its own making. */
  line(text: string): void {
    this.#write(text);
    this.lines += 1;
    this.frames += 1;
  }

  /** A bad line keeps its number: it goes when its turn has come, or when nothing else is left before it. */
  #chosen(ready: readonly Frame[]): Frame | null {
    const dead = ready.filter((frame) => frame.dead !== null);
    const due = dead.find((frame) => (frame.dead?.entry.lineNumber ?? 0) <= this.lines + 1);
    return due ?? ready.find((frame) => frame.dead === null) ?? dead[0] ?? null;
  }

  #emit({ rows, dead }: Frame): void {
    if (dead === null) {
      const sorted = [...rows].sort(([a], [b]) => a - b).map(([, { entry }]) => entry);
      const [first] = sorted as [RecordEntry];
      this.#write(frameLine(first.topic, first.type, sorted.map(({ value }) => value)));
      this.#readAccount ??= uidOfEnvelopeId(first.value.envelope_id);
    } else {
      const missing = (dead.entry.lineNumber ?? 0) - 1 - this.lines;
      for (let blank = 0; missing <= MOST_BLANKS && blank < missing; blank++) {
        this.#write('');
        this.lines += 1;
      }
      this.#write(this.#deadLine(dead.entry));
      this.deadLetters += 1;
    }
    this.lines += 1;
    this.frames += 1;
    this.records += rows.size;
  }

  /** The line as it was; it names its account only where a reader would otherwise take another one. */
  #deadLine({ raw, account }: DeadEntry): Buffer {
    const line = parseCaptureLine(raw.toString('utf8'));
    if (line.kind === 'unreadable') return raw;
    const read = line.account ?? this.#readAccount ?? uidOfEnvelopeId(envelopeIdOf(line.frame)) ?? account;
    this.#readAccount ??= uidOfEnvelopeId(envelopeIdOf(line.frame));
    if (account === null || read === account) return raw;
    return Buffer.from(JSON.stringify({ ...(JSON.parse(raw.toString('utf8')) as object), account }));
  }
}

function seatsOf({ rows, dead }: Frame): Seat[] {
  return dead === null ? [...rows.values()] : [...rows.values(), dead];
}

/** Whether all of the frame's entries are the next ones of their queues. */
function isReady(frame: Frame, next: readonly number[]): boolean {
  const taken = new Map<number, number>();
  for (const { queue, position } of seatsOf(frame).sort((a, b) => a.position - b.position)) {
    const expected = taken.get(queue) ?? (next[queue] as number);
    if (position !== expected) return false;
    taken.set(queue, expected + 1);
  }
  return true;
}

function splitOff(frames: readonly Frame[], next: readonly number[]): Frame {
  for (const frame of frames) {
    for (const [index, row] of frame.rows) {
      if (row.position !== next[row.queue]) continue;
      frame.rows.delete(index);
      return { rows: new Map([[index, row]]), dead: null };
    }
  }
  throw new Error('no entry is the next of its queue');
}

/** The frame of each entry, by queue and position. */
function assembled(queues: readonly (readonly Entry[])[]): Frame[][] {
  const byKey = new Map<string, Frame[]>();
  const frameAt = queues.map((entries, queue) => {
    // Which of the frames with one key this queue is at, and the last index it had there.
    const at = new Map<string, { frame: number; index: number }>();
    return entries.map((entry, position): Frame => {
      if (entry.kind === 'dead') return newFrame();
      const key = frameKey(entry.topic, entry.value);
      const index = entry.value.frame_index;
      let own = byKey.get(key);
      if (own === undefined) byKey.set(key, (own = []));
      const place = at.get(key) ?? { frame: 0, index: -1 };
      let number = index > place.index ? place.frame : place.frame + 1;
      while (own[number]?.rows.has(index) === true) number += 1;
      const frame = own[number] ?? newFrame();
      own[number] = frame;
      frame.rows.set(index, { queue, position, entry });
      at.set(key, { frame: number, index });
      return frame;
    });
  });
  queues.forEach((entries, queue) => {
    entries.forEach((entry, position) => {
      if (entry.kind !== 'dead') return;
      const frame = frameOfDead(entry, byKey) ?? newFrame();
      frame.dead = { queue, position, entry };
      (frameAt[queue] as Frame[])[position] = frame;
    });
  });
  return frameAt;
}

function newFrame(): Frame {
  return { rows: new Map(), dead: null };
}

/** The frame whose good rows are of this line. */
function frameOfDead({ raw, account }: DeadEntry, byKey: ReadonlyMap<string, readonly Frame[]>): Frame | null {
  const line = parseCaptureLine(raw.toString('utf8'));
  if (line.kind === 'unreadable' || account === null) return null;
  const good = parseFrame(line.frame, { account, receivedAtMs: line.receivedAtMs, source: line.source, rowIndexes: line.rowIndexes }).filter((row) => row.kind === 'record');
  const [first] = good;
  if (first === undefined) return null;
  const indexes = good.map(({ value }) => value.frame_index);
  const same = (frame: Frame): boolean => frame.dead === null && frame.rows.size === indexes.length && indexes.every((index) => frame.rows.has(index));
  return byKey.get(frameKey(first.topic, first.value))?.find(same) ?? null;
}
