import type { PositionDiscrepancy, PredictionDelta } from '../domain/records.js';
import { uuidOfKey } from '../domain/uuid.js';
import type { Emitter } from '../runtime/processor.js';
import {
  type BookKey, type DerivedCycle, type DerivedDelta, type DerivedDiscrepancy, type DerivedLink, type DerivedRows, type RowTable,
  sameCycle, sameDelta, sameDiscrepancy, sameLink,
} from './derived-rows.js';

export const OUTPUT = {
  links: 'position-linker.position_orders',
  cycles: 'position-linker.position_cycles',
  deltas: 'position-linker.prediction_deltas',
  discrepancies: 'position-linker.discrepancies',
} as const;

/** A discrepancy that was issued and is not explained. */
interface IssuedDiscrepancy {
  row: DerivedDiscrepancy;
  revision: number;
  status: 'open' | 'explained' | 'expired';
}

/** What of the past cannot be derived again: how often ids were issued. Plain data. */
export interface IssuedHistory {
  /** Last revision and seq of links that were changed or taken away; all others stand at 0. */
  links: Map<string, { revision: number; seq: number | null }>;
  /** Last revision and seq of every cycle. */
  cycles: Map<string, { revision: number; seq: number | null }>;
  /** How many deltas of a base were issued, where it is not one; and whether the last is live. */
  deltas: Map<string, { issued: number; live: boolean; seq: number | null }>;
  discrepancies: Map<string, IssuedDiscrepancy>;
}

export function newIssuedHistory(): IssuedHistory {
  return { links: new Map(), cycles: new Map(), deltas: new Map(), discrepancies: new Map() };
}

/** Why and when a change became known. */
export interface ChangeCause {
  /** Effective time of the record, or the merged watermark, that caused it. */
  readonly knownAtMs: number;
  readonly reason: string;
}

/** Turns derived rows into records: new ones, revisions of what changed, retractions of what went. */
export class Issuer {
  readonly key: BookKey;
  history: IssuedHistory = newIssuedHistory();

  constructor(key: BookKey) {
    this.key = key;
  }

  issue(before: DerivedRows, after: DerivedRows, cause: ChangeCause, emitter: Emitter): void {
    this.#links(before.links, after.links, cause, emitter);
    this.#deltas(before.deltas, after.deltas, cause, emitter);
    this.#cycles(before.cycles, after.cycles, cause, emitter);
    this.#discrepancies(before.discrepancies, after.discrepancies, cause, emitter);
  }

  #links(before: RowTable<DerivedLink>, after: RowTable<DerivedLink>, cause: ChangeCause, emitter: Emitter): void {
    const { links } = this.history;
    for (let i = 0; i < before.size; i++) {
      const id = before.idAt(i);
      if (after.has(id)) continue;
      const row = before.at(i);
      const revision = (links.get(id)?.revision ?? 0) + 1;
      links.set(id, { revision, seq: row.seq });
      const reason = row.evidence === 'unattributed' ? 'residual_explained' : cause.reason;
      this.#emitLink(row, revision, true, reason, cause, emitter);
    }
    for (let i = 0; i < after.size; i++) {
      const id = after.idAt(i);
      const row = after.at(i);
      const earlier = before.get(id);
      if (earlier !== undefined && sameLink(earlier, row)) continue;
      const issued = links.get(id);
      if (earlier === undefined && issued === undefined) {
        this.#emitLink(row, 0, false, 'new', cause, emitter);
        continue;
      }
      const revision = (issued?.revision ?? 0) + 1;
      links.set(id, { revision, seq: row.seq });
      this.#emitLink(row, revision, false, cause.reason, cause, emitter);
    }
  }

  #emitLink(row: DerivedLink, revision: number, retracted: boolean, reason: string, cause: ChangeCause, emitter: Emitter): void {
    row.revision = revision;
    row.retracted = retracted;
    row.reason = reason;
    row.known_at = cause.knownAtMs;
    emitter.emit(OUTPUT.links, this.key.asset, 'PositionOrder', row, cause.knownAtMs);
  }

  #deltas(before: RowTable<DerivedDelta>, after: RowTable<DerivedDelta>, cause: ChangeCause, emitter: Emitter): void {
    const { deltas } = this.history;
    for (let i = 0; i < before.size; i++) {
      const base = before.idAt(i);
      const row = before.at(i);
      const later = after.get(base);
      if (later !== undefined && sameDelta(row, later)) continue;
      const issued = deltas.get(base)?.issued ?? 1;
      deltas.set(base, { issued, live: false, seq: row.seq });
      const id = uuidOfKey(base, issued - 1);
      this.#emitReversal(row, uuidOfKey(id, 'reverse'), id, cause, emitter);
    }
    for (let i = 0; i < after.size; i++) {
      const base = after.idAt(i);
      const row = after.at(i);
      const earlier = before.get(base);
      if (earlier !== undefined && sameDelta(earlier, row)) continue;
      const history = deltas.get(base);
      const number = history?.issued ?? 0;
      if (history !== undefined || earlier !== undefined) deltas.set(base, { issued: number + 1, live: true, seq: row.seq });
      this.#emitDelta(row, uuidOfKey(base, number), cause, emitter);
    }
  }

  #emitDelta(row: DerivedDelta, id: string, cause: ChangeCause, emitter: Emitter): void {
    row.id = id;
    row.known_at = cause.knownAtMs;
    emitter.emit(OUTPUT.deltas, this.key.asset, 'PredictionDelta', row, cause.knownAtMs);
  }

  #emitReversal(row: DerivedDelta, id: string, reverses: string, cause: ChangeCause, emitter: Emitter): void {
    const record: PredictionDelta = {
      ...row, id, reverses, quantity: -row.quantity, value: -row.value, realized_pnl: row.realized_pnl === null ? null : -row.realized_pnl,
      fee: -row.fee, funding: -row.funding, known_at: cause.knownAtMs,
    };
    emitter.emit(OUTPUT.deltas, this.key.asset, 'PredictionDelta', record, cause.knownAtMs);
  }

  #cycles(before: RowTable<DerivedCycle>, after: RowTable<DerivedCycle>, cause: ChangeCause, emitter: Emitter): void {
    for (let i = 0; i < before.size; i++) {
      if (!after.has(before.idAt(i))) this.#emitCycle(before.at(i), true, cause.reason, cause, emitter);
    }
    for (let i = 0; i < after.size; i++) {
      const row = after.at(i);
      const earlier = before.get(after.idAt(i));
      if (earlier !== undefined && sameCycle(earlier, row)) continue;
      this.#emitCycle(row, false, earlier === undefined ? 'new' : cause.reason, cause, emitter);
    }
  }

  #emitCycle(row: DerivedCycle, retracted: boolean, reason: string, cause: ChangeCause, emitter: Emitter): void {
    const { cycles } = this.history;
    const issued = cycles.get(row.position_id);
    row.revision = issued === undefined ? 0 : issued.revision + 1;
    row.retracted = retracted;
    row.reason = reason;
    row.known_at = cause.knownAtMs;
    if (issued === undefined) cycles.set(row.position_id, { revision: row.revision, seq: row.last_seq });
    else {
      issued.revision = row.revision;
      issued.seq = row.last_seq;
    }
    emitter.emit(OUTPUT.cycles, this.key.asset, 'PositionCycle', row, cause.knownAtMs);
  }

  #discrepancies(before: RowTable<DerivedDiscrepancy>, after: RowTable<DerivedDiscrepancy>, cause: ChangeCause, emitter: Emitter): void {
    for (let i = 0; i < before.size; i++) if (!after.has(before.idAt(i))) this.close(before.idAt(i), 'explained', cause, emitter);
    for (let i = 0; i < after.size; i++) {
      const row = after.at(i);
      const earlier = before.get(row.id);
      if (earlier === undefined || !sameDiscrepancy(earlier, row)) this.open(row, cause, emitter);
    }
  }

  /** Issues a discrepancy as open, or as changed. */
  open(row: DerivedDiscrepancy, cause: ChangeCause, emitter: Emitter): void {
    const revision = (this.history.discrepancies.get(row.id)?.revision ?? -1) + 1;
    this.history.discrepancies.set(row.id, { row, revision, status: 'open' });
    this.#emitDiscrepancy(row, revision, 'open', cause, emitter);
  }

  /** Ends an open discrepancy; unknown or ended ones are left alone. */
  close(id: string, status: 'explained' | 'expired', cause: ChangeCause, emitter: Emitter): void {
    const issued = this.history.discrepancies.get(id);
    if (issued === undefined || issued.status !== 'open') return;
    issued.revision += 1;
    issued.status = status;
    this.#emitDiscrepancy(issued.row, issued.revision, status, cause, emitter);
  }

  /** Past the horizon: open discrepancies expire, and the history of what can no longer change is forgotten. */
  forget(seq: number, liveCycleIds: ReadonlySet<string>, cause: ChangeCause, emitter: Emitter): void {
    const { links, deltas, cycles, discrepancies } = this.history;
    for (const [id, issued] of discrepancies) {
      if (issued.row.lastSeq !== null && issued.row.lastSeq > seq) continue;
      this.close(id, 'expired', cause, emitter);
      discrepancies.delete(id);
    }
    for (const [id, issued] of links) if (issued.seq !== null && issued.seq <= seq) links.delete(id);
    for (const [base, issued] of deltas) if (issued.seq !== null && issued.seq <= seq) deltas.delete(base);
    for (const [id, issued] of cycles) if (!liveCycleIds.has(id) && issued.seq !== null && issued.seq <= seq) cycles.delete(id);
  }

  #emitDiscrepancy(row: DerivedDiscrepancy, revision: number, status: 'open' | 'explained' | 'expired', cause: ChangeCause, emitter: Emitter): void {
    const record: PositionDiscrepancy = {
      id: row.id, account: this.key.account, category: this.key.category, asset: this.key.asset, position_idx: this.key.positionIdx, cause: row.cause, status, first_seq: row.firstSeq, last_seq: row.lastSeq, size: row.size, money: row.money,
      exec_id: row.execId, order_id: row.orderId, position_id: row.positionId, evidence: row.evidence, opened_at: row.openedAt,
      closed_at: status === 'open' ? null : cause.knownAtMs, retracted: false, revision, known_at: cause.knownAtMs,
    };
    emitter.emit(OUTPUT.discrepancies, this.key.asset, 'PositionDiscrepancy', record, cause.knownAtMs);
  }
}
