import type { Decimal } from '../domain/decimal.js';
import type { PositionCycle, PredictionDelta } from '../domain/records.js';
import { addDelta, decodeTally, emptyTally, encodeTally, isEmptyTally, type Tally } from './tally.js';
import { resultRow } from './result-row.js';

/*
 * Results per (signal, cycle), kept as sums so that a reversing delta undoes its delta exactly.
 *
 * How a sink uses it, one batch after the other:
 *
 *   1. collect the position ids of the batch; of those that `needs(positionId)`, select the stored cycle and all stored
 *      rows of that position id, and `load(...)` them (with nothing stored: `load(positionId, null, [])`);
 *   2. `apply(delta)` and `applyCycle(cycle)`, in the order of the log;
 *   3. `takeChangedRows()`: upsert `row` and `tally`, or delete by (signalId, positionId); `takeChangedCycles()`: the
 *      same for the small table of cycle facts. All in the transaction that stores the offsets;
 *   4. if that transaction fails: `clear()`, and read again from the stored offsets. If not: `forgetIdle(n)` bounds memory.
 *
 * Deltas are added, not remembered by id: a delta applied twice counts twice. Exactly once comes from the offsets.
 */

/** One row of prediction_trading_results. Amounts in units of 10^-18, times in milliseconds since the epoch. */
export interface ResultRow {
  /** Null is the unattributed bucket. */
  readonly signal_id: string | null;
  readonly position_id: string;
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly position_idx: number;
  /** Null only where the linker did not say a side. */
  readonly direction: 'long' | 'short' | null;
  readonly entry_quantity: Decimal;
  /** Average (inverse: harmonic). Null without entries, and while the cost of one of them is not known. */
  readonly entry_price: Decimal | null;
  /** First entry. */
  readonly entry_at: number | null;
  readonly exit_quantity: Decimal;
  /** Average (inverse: harmonic) over the exits whose value is known; null if there is none. */
  readonly exit_price: Decimal | null;
  /** Last exit. */
  readonly exit_at: number | null;
  /** Gross. Null while a part of it is not known. */
  readonly realized_pnl: Decimal | null;
  readonly fees: Decimal;
  readonly funding: Decimal;
  /** realized_pnl - fees - funding. */
  readonly net_pnl: Decimal | null;
  readonly open_quantity: Decimal;
  readonly is_closed: boolean;
  readonly is_contaminated: boolean;
  /** Sorted, without repetition. */
  readonly exit_signal_ids: readonly string[];
  /** Sorted, without repetition. */
  readonly exit_reasons: readonly string[];
  /** Everything up to this seq is in the row; null while nothing is certain. */
  readonly final_to_seq: number | null;
}

/** What is stored beside a row: `tally` is the text of a JSON object, opaque to the store (column type jsonb). */
export interface StoredRow {
  readonly signalId: string | null;
  readonly tally: string;
}

/** What a cycle says about its rows; stored on its own, since a cycle may be known before its first delta. */
export interface StoredCycle {
  readonly positionId: string;
  /** Sorted. */
  readonly contaminatedSignalIds: readonly string[];
  readonly finalToSeq: number | null;
}

export type RowChange =
  | { readonly kind: 'upsert'; readonly row: ResultRow; readonly tally: string }
  | { readonly kind: 'delete'; readonly signalId: string | null; readonly positionId: string };

export type CycleChange =
  | { readonly kind: 'upsert'; readonly cycle: StoredCycle }
  | { readonly kind: 'delete'; readonly positionId: string };

interface ResultTableOptions {
  /** True where nothing was stored before (a replay, a rebuild): then nothing needs to be loaded. Default false. */
  readonly startsEmpty?: boolean;
}

interface PositionState {
  cycle: StoredCycle | null;
  readonly tallies: Map<string, Tally>;
  readonly changedSignals: Set<string>;
  cycleChanged: boolean;
}

/** Signals are never empty text, so that the empty text stands for the unattributed bucket. */
const UNATTRIBUTED = '';

export class ResultTable {
  readonly #startsEmpty: boolean;
  /** By position id, least recently used first. */
  readonly #positions = new Map<string, PositionState>();
  readonly #changed = new Set<string>();

  constructor(options: ResultTableOptions = {}) {
    this.#startsEmpty = options.startsEmpty ?? false;
  }

  /** Whether what is stored of this position must be loaded before anything of it is applied. */
  needs(positionId: string): boolean {
    return !this.#startsEmpty && !this.#positions.has(positionId);
  }

  /** Takes in what is stored of a position; `rows` must be all of its rows. Throws if the position is there already. */
  load(positionId: string, cycle: StoredCycle | null, rows: readonly StoredRow[]): void {
    if (this.#positions.has(positionId)) throw new Error(`position ${positionId} is loaded already: ask needs() first`);
    const state = newPosition(cycle);
    for (const row of rows) state.tallies.set(row.signalId ?? UNATTRIBUTED, decodeTally(row.tally));
    this.#positions.set(positionId, state);
  }

  /** Adds one delta, or takes one back. */
  apply(delta: PredictionDelta): void {
    const state = this.#touch(delta.position_id);
    const signal = delta.signal_id ?? UNATTRIBUTED;
    let tally = state.tallies.get(signal);
    if (tally === undefined) {
      tally = emptyTally(delta);
      state.tallies.set(signal, tally);
    }
    addDelta(tally, delta);
    state.changedSignals.add(signal);
    this.#changed.add(delta.position_id);
  }

  /** Takes the newest state of a cycle; it concerns every row of it. */
  applyCycle(cycle: PositionCycle): void {
    const state = this.#touch(cycle.position_id);
    const before = state.cycle;
    state.cycle = cycle.retracted
      ? null
      : {
          positionId: cycle.position_id,
          contaminatedSignalIds: [...cycle.contaminated_signal_ids].sort(),
          finalToSeq: cycle.verified_to_seq < 0 ? null : cycle.verified_to_seq,
        };
    if (sameCycle(before, state.cycle)) return;
    state.cycleChanged = true;
    for (const signal of state.tallies.keys()) state.changedSignals.add(signal);
    this.#changed.add(cycle.position_id);
  }

  /** Rows changed since the last call, each once, ordered by position id, then signal (unattributed first). */
  takeChangedRows(): RowChange[] {
    const changes: RowChange[] = [];
    for (const positionId of [...this.#changed].sort()) {
      const state = this.#state(positionId);
      for (const signal of [...state.changedSignals].sort()) {
        const signalId = signal === UNATTRIBUTED ? null : signal;
        const tally = state.tallies.get(signal);
        if (tally === undefined || isEmptyTally(tally)) {
          state.tallies.delete(signal);
          changes.push({ kind: 'delete', signalId, positionId });
        } else {
          changes.push({ kind: 'upsert', row: resultRow(signalId, positionId, tally, state.cycle), tally: encodeTally(tally) });
        }
      }
      state.changedSignals.clear();
      if (!state.cycleChanged) this.#changed.delete(positionId);
    }
    return changes;
  }

  /** Cycle facts changed since the last call, each once, ordered by position id. */
  takeChangedCycles(): CycleChange[] {
    const changes: CycleChange[] = [];
    for (const positionId of [...this.#changed].sort()) {
      const state = this.#state(positionId);
      if (!state.cycleChanged) continue;
      changes.push(state.cycle === null ? { kind: 'delete', positionId } : { kind: 'upsert', cycle: state.cycle });
      state.cycleChanged = false;
      if (state.changedSignals.size === 0) this.#changed.delete(positionId);
    }
    return changes;
  }

  /** Drops all positions but the most recently used `keep`; call it only when all changes are stored. */
  forgetIdle(keep: number): void {
    if (this.#startsEmpty) throw new Error('a table that started empty is stored nowhere else: nothing may be forgotten');
    for (const positionId of this.#positions.keys()) {
      if (this.#positions.size <= keep) return;
      if (!this.#changed.has(positionId)) this.#positions.delete(positionId);
    }
  }

  /** Forgets everything, changes too: for when storing them failed. */
  clear(): void {
    this.#positions.clear();
    this.#changed.clear();
  }

  /** All rows, ordered by position id, then signal; of what is in memory. */
  rows(): ResultRow[] {
    const rows: ResultRow[] = [];
    for (const positionId of [...this.#positions.keys()].sort()) {
      const state = this.#state(positionId);
      for (const signal of [...state.tallies.keys()].sort()) {
        const tally = state.tallies.get(signal);
        if (tally === undefined || isEmptyTally(tally)) continue;
        rows.push(resultRow(signal === UNATTRIBUTED ? null : signal, positionId, tally, state.cycle));
      }
    }
    return rows;
  }

  #state(positionId: string): PositionState {
    const state = this.#positions.get(positionId);
    if (state === undefined) throw new Error(`position ${positionId} is not loaded: ask needs() and load() it first`);
    return state;
  }

  /** The position, moved to the most recently used end. */
  #touch(positionId: string): PositionState {
    let state = this.#positions.get(positionId);
    if (state === undefined) {
      if (!this.#startsEmpty) return this.#state(positionId);
      state = newPosition(null);
    }
    this.#positions.delete(positionId);
    this.#positions.set(positionId, state);
    return state;
  }
}

function newPosition(cycle: StoredCycle | null): PositionState {
  return { cycle, tallies: new Map(), changedSignals: new Set(), cycleChanged: false };
}

function sameCycle(a: StoredCycle | null, b: StoredCycle | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.finalToSeq === b.finalToSeq &&
    a.contaminatedSignalIds.length === b.contaminatedSignalIds.length &&
    a.contaminatedSignalIds.every((signal, index) => signal === b.contaminatedSignalIds[index])
  );
}
