import { type Decimal, abs, proportion } from '../domain/decimal.js';
import type { DeltaKind, Evidence, EvidenceCheck, InputRef, RelationshipType } from '../domain/records.js';
import { naturalKey, uuidOfKey, uuidV5 } from '../domain/uuid.js';
import { type AverageStep, averageStep, bookDirection } from './average-cost.js';
import type { BookState, Cycle } from './book-state.js';
import { type Contract, averagePrice, closingPnl } from './contract.js';
import type { BookKey, DerivedRows } from './derived-rows.js';
import { type AttributionPolicy, addLot, consumeLots } from './lots.js';
import { splitByWeight } from './split.js';

/** One thing that changes a book's size: a fill, a residual, or the start. */
export interface SizeChange {
  /** Name the link ids are made of, the leg left out. */
  readonly linkName: string;
  /** Whether it is a fill; else it is what no fill explains. */
  readonly isFill: boolean;
  readonly delta: Decimal;
  readonly fee: Decimal;
  readonly price: Decimal | null;
  readonly orderId: string | null;
  readonly execId: string | null;
  readonly source: 'execution' | 'order' | 'position';
  readonly seq: number | null;
  /** The seq that dates a cycle it opens; 'start' for an unknown start. */
  readonly openingSeq: number | 'start' | null;
  readonly executedAt: number;
  readonly signalId: string | null;
  readonly exitReason: string;
  readonly evidence: Evidence;
  readonly candidates: number | null;
  readonly checks: readonly EvidenceCheck[];
  readonly inputs: readonly InputRef[];
  /** The update that verifies the change; -1 if none does. */
  readonly verifiedToSeq: number;
  /** Whether it makes the cost uncertain by a unit of money. */
  readonly approximate: boolean;
}

/** Money of the two parts of a change. A null value: not known. */
export interface LegMoney {
  readonly closingValue: Decimal | null;
  readonly openingValue: Decimal | null;
  readonly closingFee: Decimal;
  readonly openingFee: Decimal;
}

export interface CashChange {
  /** Natural name of the cash event: of its row, or of the discrepancy that stands for a row not shown. */
  readonly name: string;
  readonly cashId: string;
  /** Positive is paid. */
  readonly amount: Decimal;
  readonly seq: number | null;
  readonly occurredAt: number;
  readonly kind: 'funding' | 'residual';
  readonly verifiedToSeq: number;
}

/** One signal's share of a leg or of a cash event. */
interface SignalShare {
  readonly signalId: string | null;
  readonly kind: DeltaKind;
  readonly quantity: Decimal;
  readonly price: Decimal | null;
  readonly value: Decimal;
  readonly realizedPnl: Decimal | null;
  readonly fee: Decimal;
  readonly funding: Decimal;
  readonly exitSignalId: string | null;
  readonly exitReason: string | null;
  readonly linkId: string | null;
  readonly cashId: string | null;
  readonly seq: number | null;
  readonly executedAt: number;
}

/** Applies changes to a book's state and writes the rows they lead to. */
export class Ledger {
  readonly bookName: string;
  readonly direction: 1 | -1 | 0;

  readonly key: BookKey;
  readonly contract: Contract;
  readonly policy: AttributionPolicy;

  constructor(key: BookKey, contract: Contract, policy: AttributionPolicy) {
    this.key = key;
    this.contract = contract;
    this.policy = policy;
    this.bookName = naturalKey(key.account, key.category, key.asset, key.positionIdx);
    this.direction = bookDirection(key.positionIdx);
  }

  /** Natural name of something within account, category and asset, such as a fill. */
  nameInAsset(id: string): string {
    return naturalKey(this.key.account, this.key.category, this.key.asset, id);
  }

  step(state: BookState, delta: Decimal, value: Decimal, openingValue: Decimal | null = null): AverageStep {
    return averageStep(this.contract, this.direction, state.size, state.cost, delta, value, openingValue);
  }

  /** Applies a change whose average-cost step is `step`; returns nothing, for all is in state and rows. */
  applyChange(state: BookState, change: SizeChange, step: AverageStep, money: LegMoney, rows: DerivedRows): void {
    let leg = 0;
    if (step.closed > 0n) {
      const relationship: RelationshipType = step.between !== 0n ? 'decreased' : step.opened > 0n ? 'reversed' : 'closed';
      this.#close(state, change, step, relationship, leg, money, rows);
      if (state.cum !== null) state.cum = step.pnl === null ? null : state.cum + step.pnl - money.closingFee;
      leg += 1;
    }
    if (step.opened > 0n) {
      this.#open(state, change, step, leg, money, rows);
      if (state.cum !== null) state.cum -= money.openingFee;
    }
    state.eventsSinceCum += 1;
  }

  #close(
    state: BookState, change: SizeChange, step: AverageStep, relationshipType: RelationshipType, leg: number, money: LegMoney, rows: DerivedRows,
  ): void {
    const cycle = this.#openCycle(state);
    const linkId = uuidOfKey(change.linkName, leg);
    const consumed = consumeLots(this.policy, state.lots, step.closed, change.signalId);
    const weights: Decimal[] = [];
    for (let i = 0; i < consumed.length; i++) weights.push(consumed[i]!.quantity);
    const values = money.closingValue === null ? null : splitByWeight(money.closingValue, weights);
    const fees = splitByWeight(money.closingFee, weights);
    const price = this.#legPrice(change, step, step.closed, money.closingValue);
    for (let i = 0; i < consumed.length; i++) {
      const part = consumed[i]!;
      const fee = fees[i]!;
      const value = values === null ? null : values[i]!;
      const pnl = value === null || part.cost === null ? null : closingPnl(this.contract, cycle.direction, part.cost, value);
      this.#addDelta(rows, linkId, cycle, {
        signalId: part.signalId, kind: change.isFill ? 'exit' : 'residual', quantity: part.quantity, price, value: value ?? 0n, realizedPnl: pnl,
        fee, funding: 0n, exitSignalId: change.signalId, exitReason: change.exitReason, linkId, cashId: null, seq: change.seq,
        executedAt: change.executedAt,
      });
      this.#attribute(state, cycle, pnl, fee, 0n);
      if (!change.isFill && part.signalId !== null && !cycle.contaminated.includes(part.signalId)) {
        cycle.contaminated = [...cycle.contaminated, part.signalId].sort();
      }
    }
    if (change.isFill && change.price !== null && money.closingValue !== null) {
      cycle.exitQuantity += step.closed;
      cycle.exitValue += money.closingValue;
    }
    state.size = step.between;
    state.cost = state.cost === null || step.closedCost === null ? null : state.cost - step.closedCost;
    cycle.lastSeq = change.seq ?? cycle.lastSeq;
    this.#touch(cycle, change);
    this.#addLink(rows, change, cycle, linkId, leg, relationshipType, step.before, step.between, money.closingFee, price);
    if (step.between === 0n) {
      cycle.closedAt = change.executedAt;
      state.cost = 0n;
      state.lastCycle = cycle;
      state.cycle = null;
    }
    this.#addCycle(state, cycle, rows);
  }

  #open(state: BookState, change: SizeChange, step: AverageStep, leg: number, money: LegMoney, rows: DerivedRows): void {
    const fresh = state.size === 0n;
    const cycle = fresh ? this.#beginCycle(state, change, rows) : this.#openCycle(state);
    const linkId = uuidV5(change.openingSeq === 'start' ? change.linkName : naturalKey(change.linkName, leg));
    const price = this.#legPrice(change, step, step.opened, money.openingValue);
    addLot(this.policy, state.lots, change.signalId, step.opened, money.openingValue);
    this.#addDelta(rows, linkId, cycle, {
      signalId: change.signalId, kind: 'entry', quantity: step.opened, price, value: money.openingValue ?? 0n, realizedPnl: 0n,
      fee: money.openingFee, funding: 0n, exitSignalId: null, exitReason: null, linkId, cashId: null, seq: change.seq,
      executedAt: change.executedAt,
    });
    this.#attribute(state, cycle, 0n, money.openingFee, 0n);
    const before = state.size;
    state.size = step.after;
    state.cost = state.cost === null || money.openingValue === null ? null : state.cost + money.openingValue;
    if (abs(state.size) > cycle.maxSize) cycle.maxSize = abs(state.size);
    cycle.lastSeq = change.seq ?? cycle.lastSeq;
    this.#touch(cycle, change);
    this.#addLink(rows, change, cycle, linkId, leg, fresh ? 'opened' : 'increased', before, step.after, money.openingFee, price);
    this.#addCycle(state, cycle, rows);
  }

  /** Splits a cash amount over the open lots by quantity; on a flat book it is nobody's, in the last cycle. */
  applyCash(state: BookState, cash: CashChange, rows: DerivedRows): void {
    if (state.cum !== null) state.cum -= cash.amount;
    state.eventsSinceCum += 1;
    const cycle = state.cycle ?? state.lastCycle;
    if (cycle === null) {
      if (state.attributed !== null) state.attributed -= cash.amount;
      return;
    }
    const open = state.cycle !== null && state.lots.length > 0;
    const toLots = open && cash.kind === 'funding';
    const amounts = toLots ? splitByWeight(cash.amount, state.lots.map((lot) => lot.quantity)) : [cash.amount];
    const bySignal = new Map<string | null, { quantity: Decimal; amount: Decimal }>();
    amounts.forEach((amount, i) => {
      const signalId = toLots ? state.lots[i]!.signalId : null;
      const sum = bySignal.get(signalId) ?? { quantity: 0n, amount: 0n };
      if (toLots) sum.quantity += state.lots[i]!.quantity;
      sum.amount += amount;
      bySignal.set(signalId, sum);
    });
    for (const [signalId, { amount }] of bySignal) {
      const isFunding = cash.kind === 'funding';
      this.#addDelta(rows, cash.name, cycle, {
        signalId, kind: cash.kind, quantity: 0n, price: null, value: 0n, realizedPnl: isFunding ? 0n : -amount, fee: 0n, funding: isFunding ? amount : 0n,
        exitSignalId: null, exitReason: null, linkId: null, cashId: cash.cashId, seq: cash.seq, executedAt: cash.occurredAt,
      });
      this.#attribute(state, cycle, isFunding ? 0n : -amount, 0n, isFunding ? amount : 0n);
    }
    cycle.verifiedToSeq = Math.max(cycle.verifiedToSeq, cash.verifiedToSeq);
    this.#addCycle(state, cycle, rows);
  }

  /** Writes the rows of the open and the last finished cycle as they now are. */
  refreshCycles(state: BookState, rows: DerivedRows): void {
    if (state.lastCycle !== null) this.#addCycle(state, state.lastCycle, rows);
    if (state.cycle !== null) this.#addCycle(state, state.cycle, rows);
  }

  #attribute(state: BookState, cycle: Cycle, pnl: Decimal | null, fee: Decimal, funding: Decimal): void {
    cycle.realizedPnl = cycle.realizedPnl === null || pnl === null ? null : cycle.realizedPnl + pnl;
    cycle.fees += fee;
    cycle.funding += funding;
    state.attributed = state.attributed === null || pnl === null ? null : state.attributed + pnl - fee - funding;
  }

  /** Price of one leg: the fill's; where the totals of an order hide what each leg of a crossing traded at, that of its value. */
  #legPrice(change: SizeChange, step: AverageStep, quantity: Decimal, value: Decimal | null): Decimal | null {
    if (!change.isFill) return null;
    const crosses = step.closed > 0n && step.opened > 0n;
    return change.source === 'order' && crosses && value !== null ? averagePrice(this.contract, quantity, value) : change.price;
  }

  /**
   * After a residual the average entry is the record's. What the exchange's view lacked of it, the lots lacked as well,
   * whatever the policy: it is shared by quantity.
   */
  adoptEntry(state: BookState, entryValue: Decimal, rows: DerivedRows): void {
    if (state.size === 0n || state.cycle === null) return;
    const lacking = state.cost === null ? null : entryValue - state.cost;
    state.cost = entryValue;
    if (lacking !== null && lacking !== 0n && state.lots.every((lot) => lot.cost !== null)) {
      const parts = splitByWeight(lacking, state.lots.map((lot) => lot.quantity));
      state.lots.forEach((lot, i) => { lot.cost = lot.cost! + parts[i]!; });
    }
    this.#addCycle(state, state.cycle, rows);
  }

  #touch(cycle: Cycle, change: SizeChange): void {
    cycle.verifiedToSeq = Math.max(cycle.verifiedToSeq, change.verifiedToSeq);
    if (change.approximate) cycle.approximations += 1;
  }

  #openCycle(state: BookState): Cycle {
    if (state.cycle === null) throw new Error(`book ${this.bookName}: size ${state.size} without an open cycle`);
    return state.cycle;
  }

  #beginCycle(state: BookState, change: SizeChange, rows: DerivedRows): Cycle {
    const opening = change.openingSeq;
    if (opening === 'start') {
      state.openingSeq = null;
      state.openingCount = 0;
    } else {
      state.openingCount = state.openingCount > 0 && state.openingSeq === opening ? state.openingCount + 1 : 1;
      state.openingSeq = opening;
    }
    let number = opening === 'start' ? 0 : state.openingCount - 1;
    let positionId = uuidOfKey(this.bookName, opening, number);
    // A residual, or a fill of an order's totals, can stand between two cycles that open inside one seq.
    while (opening !== 'start' && (rows.cycles.has(positionId) || state.lastCycle?.positionId === positionId)) {
      positionId = uuidOfKey(this.bookName, opening, ++number);
      state.openingCount = number + 1;
    }
    const cycle: Cycle = {
      positionId, direction: change.delta > 0n ? 1 : -1, maxSize: 0n, cumBefore: state.cum,
      realizedPnl: 0n, fees: 0n, funding: 0n, openedAt: change.executedAt, closedAt: null, exitQuantity: 0n, exitValue: 0n,
      firstSeq: typeof opening === 'number' ? opening : null, lastSeq: null, verifiedToSeq: -1, contaminated: [], approximations: 0,
    };
    state.cycle = cycle;
    state.cost = 0n;
    return cycle;
  }

  #addLink(
    rows: DerivedRows, change: SizeChange, cycle: Cycle, id: string, leg: number, relationshipType: RelationshipType,
    sizeBefore: Decimal, sizeAfter: Decimal, fee: Decimal, executionPrice: Decimal | null,
  ): void {
    rows.links.set(id, {
      id, position_id: cycle.positionId, account: this.key.account, category: this.key.category, asset: this.key.asset,
      position_idx: this.key.positionIdx, order_id: change.orderId, exec_id: change.execId, leg, side: cycle.direction === 1 ? 'Buy' : 'Sell',
      relationship_type: relationshipType, size_delta: sizeAfter - sizeBefore, size_before: sizeBefore, size_after: sizeAfter,
      execution_price: executionPrice, execution_fee: fee, executed_at: change.executedAt, seq: change.seq, signal_id: change.signalId,
      evidence: change.evidence, source: change.source, candidates: change.candidates, checks: change.checks, retracted: false, revision: 0,
      reason: 'new', known_at: 0, inputs: change.inputs,
    });
  }

  /** `of` is the id of the link, or the name of the cash event. */
  #addDelta(rows: DerivedRows, of: string, cycle: Cycle, delta: SignalShare): void {
    const base = naturalKey(of, delta.signalId, delta.kind);
    const earlier = rows.deltas.get(base);
    if (earlier !== undefined) {
      // One leg took several lots of one signal: they are one delta.
      earlier.quantity += delta.quantity;
      earlier.value += delta.value;
      earlier.fee += delta.fee;
      earlier.funding += delta.funding;
      earlier.realized_pnl = earlier.realized_pnl === null || delta.realizedPnl === null ? null : earlier.realized_pnl + delta.realizedPnl;
      return;
    }
    rows.deltas.set(base, {
      base, id: '', signal_id: delta.signalId, position_id: cycle.positionId, account: this.key.account, category: this.key.category,
      asset: this.key.asset, position_idx: this.key.positionIdx, side: cycle.direction === 1 ? 'Buy' : 'Sell', kind: delta.kind,
      quantity: delta.quantity, price: delta.price, value: delta.value, realized_pnl: delta.realizedPnl, fee: delta.fee, funding: delta.funding,
      exit_signal_id: delta.exitSignalId, exit_reason: delta.exitReason, link_id: delta.linkId, cash_id: delta.cashId, reverses: null,
      seq: delta.seq, executed_at: delta.executedAt, known_at: 0,
    });
  }

  #addCycle(state: BookState, cycle: Cycle, rows: DerivedRows): void {
    const open = cycle === state.cycle;
    const size = open ? state.size : 0n;
    rows.cycles.set(cycle.positionId, {
      position_id: cycle.positionId, account: this.key.account, category: this.key.category, asset: this.key.asset, position_idx: this.key.positionIdx,
      side: cycle.direction === 1 ? 'Buy' : 'Sell', size, average_entry_price: open && state.cost !== null ? averagePrice(this.contract, abs(size), state.cost) : null,
      max_size: cycle.maxSize, realized_pnl: cycle.realizedPnl, fees: cycle.fees, funding: cycle.funding, opened_at: cycle.openedAt, closed_at: cycle.closedAt,
      exit_price: averagePrice(this.contract, cycle.exitQuantity, cycle.exitValue), first_seq: cycle.firstSeq, last_seq: cycle.lastSeq,
      cum_realised_pnl_before: cycle.cumBefore, verified_to_seq: cycle.verifiedToSeq, contaminated_signal_ids: cycle.contaminated, retracted: false,
      revision: 0, reason: 'new', known_at: 0,
    });
  }
}

/** Money of a fill's two parts, its fee split by quantity. */
export function fillMoney(step: AverageStep, fee: Decimal): LegMoney {
  const closingFee = step.opened === 0n ? fee : step.closed === 0n ? 0n : proportion(fee, step.closed, step.closed + step.opened);
  return { closingValue: step.closingValue, openingValue: step.openingValue, closingFee, openingFee: fee - closingFee };
}
