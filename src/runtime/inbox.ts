import type { LogRecord } from '../kafka/record.js';

interface Piece {
  readonly records: readonly LogRecord[];
  readonly nextOffset: number;
}

/** Fetched records of one input that are not decoded yet: decoded ones that wait long are expensive to collect. */
export class Inbox {
  private readonly pieces: Piece[] = [];
  private at = 0;
  private count = 0;

  /** Records not handed out. */
  get size(): number {
    return this.count;
  }

  get isEmpty(): boolean {
    return this.pieces.length === 0;
  }

  /** nextOffset: the position after these records, which may be past offsets that hold none. */
  add(records: readonly LogRecord[], nextOffset: number): void {
    this.pieces.push({ records, nextOffset });
    this.count += records.length;
  }

  /** Hands out up to `limit` records; answers the position after them if a whole piece is done with, else null. */
  take(limit: number, onRecord: (record: LogRecord) => void): number | null {
    const piece = this.pieces[0];
    if (piece === undefined) return null;
    const { records, nextOffset } = piece;
    const end = Math.min(records.length, this.at + limit);
    for (; this.at < end; this.at++) {
      this.count--;
      onRecord(records[this.at] as LogRecord);
    }
    if (end < records.length) return null;
    this.pieces.shift();
    this.at = 0;
    return nextOffset;
  }
}
