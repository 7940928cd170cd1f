/** A stretch of an asset's sequence in which every order and position record showed one mode. */
export interface ModeRun {
  first: number;
  last: number;
  readonly hedge: boolean;
}

/**
 * Position mode of an asset along its sequence, from the positionIdx of order and position records: 0 is one-way,
 * 1 and 2 are the legs of hedge mode. The mode changes only at a flat point, so there are few runs.
 */
export class PositionMode {
  readonly runs: ModeRun[] = [];

  /** Takes in one record's mode; answers whether the mode anywhere may have changed by it. */
  add(seq: number, positionIdx: number): boolean {
    const hedge = positionIdx !== 0;
    const index = this.#indexOf(seq);
    const run = this.runs[index];
    if (run !== undefined && run.hedge === hedge) {
      run.last = Math.max(run.last, seq);
      return false;
    }
    const next = this.runs[index + 1];
    if (next !== undefined && next.hedge === hedge && (run === undefined || seq > run.last)) {
      next.first = seq;
      return this.runs.length > 1;
    }
    const added: ModeRun = { first: seq, last: seq, hedge };
    if (run !== undefined && seq < run.last) {
      // A record of the other mode inside a run: the run was two.
      this.runs.splice(index + 1, 0, added, { first: seq + 1, last: run.last, hedge: run.hedge });
      run.last = seq - 1;
    } else {
      this.runs.splice(index + 1, 0, added);
    }
    return true;
  }

  /** Index of the run that begins at or below a seq; -1 if none does. */
  #indexOf(seq: number): number {
    let index = this.runs.length - 1;
    while (index >= 0 && this.runs[index]!.first > seq) index -= 1;
    return index;
  }

  /** Whether hedge mode was on at a seq, by the record nearest below, else above; null if no record told. */
  isHedge(seq: number | null): boolean | null {
    if (this.runs.length === 0) return null;
    if (seq === null) return this.runs[this.runs.length - 1]!.hedge;
    return this.runs[Math.max(0, this.#indexOf(seq))]!.hedge;
  }
}
