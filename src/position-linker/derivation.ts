import { canonicalJson } from '../domain/canonical-json.js';
import { type Decimal, MONEY_UNIT, abs, formatDecimal, proportion } from '../domain/decimal.js';
import type { DiscrepancyCause, Evidence, EvidenceCheck } from '../domain/records.js';
import { naturalKey, uuidOfKey } from '../domain/uuid.js';
import type { AverageStep } from './average-cost.js';
import type { BookState } from './book-state.js';
import { type Contract, averagePrice } from './contract.js';
import type { DerivedRows } from './derived-rows.js';
import { type CashItem, type FlowItem, type UpdateItem, inputsOfUpdate } from './evidence-item.js';
import { type LaterEvidence, NO_CHOICE, planInterval } from './gap-explanation.js';
import { type GapChoice, type IntervalPlan, type IssuedGap, type PlannedFlow, moneyAgrees, planCloses, sequence } from './interval-plan.js';
import { type Ledger, fillMoney } from './ledger.js';
import { type PlacedResidual, placeResidual, residualMoney } from './residual.js';
import { EXEC_PNL_TOLERANCE, type FillPart, signedQuantity } from './seq-order.js';
import { decideStart, valueAtEntry } from './start.js';

/** Where the derivation stands in a book while it goes over one interval. */
interface IntervalContext {
  readonly update: UpdateItem | null;
  readonly plan: IntervalPlan | null;
  /** Places that are as good for the interval's residual; null where there is none. */
  readonly residual: PlacedResidual | null;
  /** The interval's own start was decided from it. */
  readonly startUnknown: boolean;
}

/** A derivation on its way over the items of a book: where it stands and what it has made, both changed as it goes. */
export interface DerivationRun {
  readonly state: BookState;
  readonly rows: DerivedRows;
  readonly later: LaterEvidence;
  /** How gaps were closed when their intervals were issued, by seq of the update; null: it is looked for. */
  readonly issuedGaps: ReadonlyMap<number, GapChoice> | null;
  /** By seq, the updates that did not fit the fills dated before them, and how that was closed. */
  readonly gaps: Map<number, IssuedGap>;
}

/**
 * The rules of one book: what lies between two position updates becomes links, deltas, cycles and discrepancies.
 * Pure: the run handed in is the only thing that changes.
 */
export class Derivation {
  readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /**
   * Goes from the last update to the next one. Answers false, with nothing changed, if the update does not fit what lies
   * before it and `decided` is false: evidence may still be on its way.
   */
  interval(run: DerivationRun, items: readonly FlowItem[], update: UpdateItem, decided: boolean): boolean {
    const { contract, direction } = this.ledger;
    const { state, rows, later } = run;
    let issued = run.issuedGaps?.get(update.seq) ?? null;
    let flowItems = items;
    let startUnknown = false;
    let startsFlat = true;
    if (!state.started) {
      const start = decideStart({ contract, direction, items, update, later, format: formatDecimal, issued });
      if (!start.certain && !decided) return false;
      flowItems = start.items;
      issued = start.choice;
      startsFlat = start.startsFlat;
      startUnknown = start.size !== 0n;
      state.cum = start.cum;
      state.startCum = start.cum;
      if (startUnknown) this.#applyStart(state, start.size, start.cost, update, rows);
      // The start's own money is by construction what the first update shows.
      state.cum = start.cum;
      state.eventsSinceCum = 0;
      state.started = true;
      state.startedAt = update.seq < 0 ? null : update.updatedAt;
      if (!start.certain) decided = true;
    } else if (items.length === 0 && state.deferred.length === 0 && sameAsShown(state, update)) {
      state.shown = shownBy(update);
      return true;
    }
    const plan = planInterval({ contract, direction, state, items: flowItems, update, later, format: formatDecimal, issued });
    if (!planCloses(plan) && !decided) {
      if (state.shown === null) {
        state.started = false;
        state.startedAt = null;
      }
      return false;
    }
    if (plan.choice !== null || !startsFlat) run.gaps.set(update.seq, { ...plan.choice ?? NO_CHOICE, startsFlat, updatedAt: update.updatedAt });
    this.#apply(run, plan, update, startUnknown);
    return true;
  }

  /** Fills and cash events that no update followed within the window stand on their own. */
  tail({ state, rows }: DerivationRun, items: readonly FlowItem[]): void {
    const { contract, direction } = this.ledger;
    state.started = true;
    const flows = sequence(contract, direction, state, state.deferred.length === 0 ? items : [...state.deferred, ...items], null);
    state.deferred = [];
    const context: IntervalContext = { update: null, plan: null, residual: null, startUnknown: false };
    for (const flow of flows) {
      this.#applyFlow(state, flow, context, rows);
      if (flow.kind !== 'fill') continue;
      const { part } = flow;
      const name = this.ledger.nameInAsset(part.partId);
      this.#discrepancy(rows, 'position_missing', name, {
        firstSeq: part.fill.seq, lastSeq: part.fill.seq, size: signedQuantity(part), execId: part.fill.execId, orderId: part.fill.orderId,
        positionId: (state.cycle ?? state.lastCycle)?.positionId ?? null, openedAt: part.fill.executedAt, evidence: { size_after: state.size },
      });
    }
  }

  #applyStart(state: BookState, size: Decimal, cost: Decimal | null, update: UpdateItem, rows: DerivedRows): void {
    const name = naturalKey(this.ledger.bookName, 'start');
    const step = this.ledger.step(state, size, cost ?? 0n);
    this.ledger.applyChange(state, {
      linkName: name, isFill: false, delta: size, fee: 0n, price: null, orderId: null, execId: null, source: 'position', seq: null,
      openingSeq: 'start', executedAt: update.updatedAt, signalId: null, exitReason: 'unknown', evidence: 'unattributed', candidates: null,
      checks: [], inputs: inputsOfUpdate(update), verifiedToSeq: update.seq, approximate: false,
    }, step, { closingValue: 0n, openingValue: cost, closingFee: 0n, openingFee: 0n }, rows);
    this.#discrepancy(rows, 'start_unknown', String(update.seq), {
      firstSeq: update.seq, lastSeq: update.seq, size, positionId: state.cycle!.positionId, openedAt: update.updatedAt,
      evidence: { cost, cum_realised_pnl: state.startCum },
    });
  }

  #apply({ state, rows }: DerivationRun, plan: IntervalPlan, update: UpdateItem, startUnknown: boolean): void {
    const { contract, direction } = this.ledger;
    const { gap } = plan;
    const residual = gap === 0n ? null : placeResidual(contract, direction, state, plan.flows, gap, update);
    const priced = residual === null ? null : residualMoney(contract, direction, state, plan.flows, gap, residual, update);
    const context: IntervalContext = { update, plan, residual, startUnknown };
    state.moved = state.moved.length === 0 && plan.moved.length === 0 ? state.moved : [...state.moved, ...plan.moved];
    if (state.deferred.length > 0 || plan.deferred.length > 0) state.deferred = [...plan.deferred];
    for (let i = 0; i <= plan.flows.length; i++) {
      if (residual !== null && priced !== null && i === residual.index) {
        this.#applyResidual(state, gap, residual, priced, plan, update, rows);
      }
      const flow = plan.flows[i];
      if (flow !== undefined) this.#applyFlow(state, flow, context, rows);
    }
    if (state.moved.length > 0) state.moved = state.moved.filter((part) => part.fillSeq === null || part.fillSeq > update.seq);
    if (residual !== null) {
      const entryValue = valueAtEntry(contract, update);
      if (entryValue !== null && state.size === update.size) this.ledger.adoptEntry(state, entryValue, rows);
    } else {
      this.#applyMoneyGap(state, plan, update, rows);
      if (plan.entryAgrees === false) this.#entryMismatch(state, plan, update, rows);
    }
    state.toleranceSinceStart += plan.moneyTolerance;
    this.#readUpdate(state, update);
  }

  #applyFlow(state: BookState, flow: PlannedFlow, context: IntervalContext, rows: DerivedRows): void {
    if (flow.kind === 'cash') {
      this.#applyCash(state, flow.cash, context.update?.seq ?? -1, rows);
      return;
    }
    const { contract } = this.ledger;
    const { part } = flow;
    const { fill } = part;
    const planned = context.residual === null ? flow.step : null;
    const step = planned ?? this.ledger.step(state, signedQuantity(part), part.value, part.openingValue);
    const fee = context.plan?.feeFromMoney ?? part.fee;
    const checks = this.#checks(part, step, context);
    const crossesUnseen = fill.source === 'order' && step.closed > 0n && step.opened > 0n && part.openingValue === null;
    const { evidence, candidates } = evidenceOf(flow, context, checks, crossesUnseen);
    this.ledger.applyChange(state, {
      linkName: this.ledger.nameInAsset(part.partId), isFill: true, delta: signedQuantity(part), fee, price: priceOf(contract, part), orderId: fill.orderId,
      execId: fill.execId, source: fill.source, seq: part.moved ? context.update!.seq : fill.seq, openingSeq: part.moved ? context.update!.seq : fill.seq,
      executedAt: fill.executedAt, signalId: fill.signalId, exitReason: fill.exitReason, evidence, candidates, checks,
      inputs: context.update === null ? fill.inputs : fill.inputs.concat(inputsOfUpdate(context.update)),
      verifiedToSeq: context.update?.seq ?? -1, approximate: fill.source === 'order',
    }, step, fillMoney(step, fee), rows);
    if (step.excess > 0n) {
      this.#discrepancy(rows, 'hedge_leg_unknown', this.ledger.nameInAsset(part.partId), {
        firstSeq: fill.seq, lastSeq: fill.seq, size: fill.direction === 1 ? step.excess : -step.excess, execId: fill.execId, orderId: fill.orderId,
        openedAt: fill.executedAt, evidence: { quantity: part.quantity, taken: part.quantity - step.excess },
      });
    }
  }

  #checks(part: FillPart, step: AverageStep, context: IntervalContext): EvidenceCheck[] {
    const checks: EvidenceCheck[] = [];
    const { closedSize, execPnl } = part.fill;
    if (closedSize !== null && !part.moved) checks.push({ name: 'closed_size', expected: closedSize, actual: step.closed, agrees: closedSize === step.closed });
    if (execPnl !== null && step.pnl !== null && !part.moved) {
      checks.push({ name: 'exec_pnl', expected: execPnl, actual: step.pnl, agrees: abs(step.pnl - execPnl) <= EXEC_PNL_TOLERANCE });
    }
    const { update, plan } = context;
    if (update === null || plan === null || update.seq !== part.fill.seq || plan.gap !== 0n) return checks;
    if (plan.entryAgrees !== null) {
      checks.push({ name: 'position_value', expected: update.positionValue!, actual: plan.expectedCost!, agrees: plan.entryAgrees });
    }
    const money = context.startUnknown ? null : moneyAgrees(plan);
    if (money !== null && plan.feeFromMoney === null) {
      checks.push({ name: 'cum_realised_pnl', expected: update.cumRealisedPnl!, actual: plan.expectedCum!, agrees: money });
    }
    return checks;
  }

  #applyCash(state: BookState, cash: CashItem, verifiedToSeq: number, rows: DerivedRows): void {
    this.ledger.applyCash(state, {
      name: this.ledger.nameInAsset(cash.cashId), cashId: cash.cashId, amount: cash.amount, seq: cash.seq, occurredAt: cash.occurredAt,
      kind: 'funding', verifiedToSeq,
    }, rows);
  }

  #applyResidual(
    state: BookState, gap: Decimal, residual: PlacedResidual, priced: ReturnType<typeof residualMoney>, plan: IntervalPlan, update: UpdateItem, rows: DerivedRows,
  ): void {
    const inFills = plan.flows.some((flow) => flow.kind === 'fill');
    this.ledger.applyChange(state, {
      linkName: naturalKey(this.ledger.bookName, update.seq), isFill: false, delta: gap, fee: 0n, price: null, orderId: null, execId: null,
      source: 'position', seq: update.seq, openingSeq: update.seq, executedAt: update.updatedAt, signalId: null, exitReason: 'unknown',
      evidence: 'unattributed', candidates: residual.candidates, checks: [], inputs: inputsOfUpdate(update), verifiedToSeq: update.seq, approximate: true,
    }, priced.step, priced.money, rows);
    this.#discrepancy(rows, inFills ? 'fill_missing' : 'external_change', String(update.seq), {
      firstSeq: state.shown?.seq ?? null, lastSeq: update.seq, size: gap, money: priced.moneyMissing,
      positionId: (state.cycle ?? state.lastCycle)?.positionId ?? null, openedAt: update.updatedAt,
      evidence: { expected_size: update.size - gap, shown_size: update.size, places: residual.candidates },
    });
  }

  /** Size fits, money does not: cash that was not shown, or a mismatch of the fills' money. */
  #applyMoneyGap(state: BookState, plan: IntervalPlan, update: UpdateItem, rows: DerivedRows): void {
    if (plan.moneyGap === null || moneyAgrees(plan) !== false) return;
    const inFills = plan.flows.some((flow) => flow.kind === 'fill');
    const cause: DiscrepancyCause = inFills ? 'pnl_mismatch' : 'cash_missing';
    const id = this.#discrepancy(rows, cause, String(update.seq), {
      firstSeq: state.shown?.seq ?? null, lastSeq: update.seq, money: plan.moneyGap, positionId: (state.cycle ?? state.lastCycle)?.positionId ?? null,
      openedAt: update.updatedAt, evidence: { expected: plan.expectedCum, shown: update.cumRealisedPnl, tolerance: plan.moneyTolerance },
    });
    this.ledger.applyCash(state, {
      name: id, cashId: id, amount: -plan.moneyGap, seq: update.seq, occurredAt: update.updatedAt, kind: inFills ? 'residual' : 'funding',
      verifiedToSeq: update.seq,
    }, rows);
  }

  #entryMismatch(state: BookState, plan: IntervalPlan, update: UpdateItem, rows: DerivedRows): void {
    this.#discrepancy(rows, 'entry_mismatch', String(update.seq), {
      firstSeq: state.shown?.seq ?? null, lastSeq: update.seq, positionId: state.cycle?.positionId ?? null, openedAt: update.updatedAt,
      evidence: { expected: plan.expectedCost, shown: update.positionValue },
    });
  }

  /** Takes the exchange's own figure as the base of the next money equation. */
  #readUpdate(state: BookState, update: UpdateItem): void {
    state.shown = shownBy(update);
    if (update.cumRealisedPnl === null) return;
    if (state.cum === null) {
      // Part of the money since the start is not known: conservation starts anew here.
      state.startCum = update.cumRealisedPnl;
      state.attributed = 0n;
      state.toleranceSinceStart = 0n;
    }
    state.cum = update.cumRealisedPnl;
    state.eventsSinceCum = 0;
  }

  #discrepancy(rows: DerivedRows, cause: DiscrepancyCause, name: string, about: {
    firstSeq: number | null; lastSeq: number | null; size?: Decimal; money?: Decimal | null; execId?: string | null; orderId?: string | null;
    positionId?: string | null; openedAt: number; evidence: object;
  }): string {
    const id = uuidOfKey(this.ledger.bookName, cause, name);
    rows.discrepancies.set(id, {
      id, cause, firstSeq: about.firstSeq, lastSeq: about.lastSeq, size: about.size ?? null, money: about.money ?? null,
      execId: about.execId ?? null, orderId: about.orderId ?? null, positionId: about.positionId ?? null,
      evidence: canonicalJson(about.evidence), openedAt: about.openedAt,
    });
    return id;
  }
}

function shownBy(update: UpdateItem): NonNullable<BookState['shown']> {
  return {
    seq: update.seq, size: update.size, cumRealisedPnl: update.cumRealisedPnl, positionValue: update.positionValue,
    entryPrice: update.entryPrice, entryPriceDecimals: update.entryPriceDecimals,
  };
}

/** What a part traded at: its fill's price, but where a record tells the values of the shares of a total. */
function priceOf(contract: Contract, { fill, quantity, value }: FillPart): Decimal | null {
  const isAverage = quantity === fill.quantity || abs(value - proportion(fill.value, quantity, fill.quantity)) <= MONEY_UNIT;
  return isAverage ? fill.price : averagePrice(contract, quantity, value);
}

function sameAsShown(state: BookState, update: UpdateItem): boolean {
  const { shown } = state;
  return shown !== null && shown.size === update.size && shown.cumRealisedPnl === update.cumRealisedPnl && shown.positionValue === update.positionValue
    && state.size === update.size && state.eventsSinceCum === 0;
}

/** Why a link is believed: see the evidence levels of the schema, strongest first. */
function evidenceOf(
  flow: Extract<PlannedFlow, { kind: 'fill' }>, context: IntervalContext, checks: readonly EvidenceCheck[], crossesUnseen: boolean,
): { evidence: Evidence; candidates: number | null } {
  const { part, candidates } = flow;
  if (candidates > 1) return { evidence: 'ambiguous', candidates };
  if (context.residual !== null && context.residual.candidates > 1) return { evidence: 'ambiguous', candidates: context.residual.candidates };
  if (crossesUnseen) return { evidence: 'ambiguous', candidates: null };
  if (part.fill.dated) return { evidence: 'inferred', candidates: null };
  if (context.update === null) return { evidence: 'fills_only', candidates: null };
  const atOwnSeq = !part.moved && context.update.seq === part.fill.seq && context.residual === null && !context.startUnknown;
  const agrees = checks.length > 0 && checks.every((check) => check.agrees);
  return { evidence: atOwnSeq && agrees ? 'exact' : 'interval', candidates: null };
}
