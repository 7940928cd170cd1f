/** From this seq on, up to the next change, records showed this mode. */
export interface ModeChange {
  first: number;
  readonly hedge: boolean;
}

/**
 * Position mode of an asset along its sequence, from the positionIdx of order and position records: 0 is one-way,
 * 1 and 2 are the legs of hedge mode. The mode changes only at a flat point, so there are few changes.
 */
export class PositionMode {
  readonly changes: ModeChange[] = [];

  /** Takes in one record's mode; answers whether anything was learnt by it. */
  add(seq: number, positionIdx: number): boolean {
    const hedge = positionIdx !== 0;
    const index = this.#indexOf(seq);
    if (this.changes[index]?.hedge === hedge) return false;
    const next = this.changes[index + 1];
    if (next !== undefined && next.hedge === hedge) next.first = seq;
    else this.changes.splice(index + 1, 0, { first: seq, hedge });
    return true;
  }

  /** Index of the change that begins at or below a seq; -1 if none does. */
  #indexOf(seq: number): number {
    let index = this.changes.length - 1;
    while (index >= 0 && this.changes[index]!.first > seq) index -= 1;
    return index;
  }

  /** Whether hedge mode was on at a seq, by the record nearest below, else above; null if no record told. */
  isHedge(seq: number | null): boolean | null {
    if (this.changes.length === 0) return null;
    if (seq === null) return this.changes[this.changes.length - 1]!.hedge;
    return this.changes[Math.max(0, this.#indexOf(seq))]!.hedge;
  }
}
