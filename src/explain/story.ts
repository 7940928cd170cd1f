import type { Decimal } from '../domain/decimal.js';
import type { CashEvent, Execution, Fill, InputRef, Order, OrderUpdate, PositionCycle, PositionDiscrepancy, PositionUpdate, PredictionDelta } from '../domain/records.js';
import type { AttributionPolicy } from '../position-linker/lots.js';
import { bookKey } from '../verify/topic-state.js';
import { liveOf, type AssetLog, type Placed } from './asset-log.js';
import { bookViews, type BookView } from './book-view.js';
import { equationAt, type Equation } from './equation.js';
import { inputStory, linkStory, revisionsOf, type InputStory, type LinkStory, type RevisionStory } from './link-story.js';
import { liveDeltas } from './lot-book.js';

export type SubjectKind = 'order' | 'exec' | 'position' | 'signal' | 'asset';

export interface Subject {
  readonly kind: SubjectKind;
  /** Null is the unattributed bucket. */
  readonly id: string | null;
  readonly asset: string;
}

/** How a fill came to be known. */
export interface FillStory {
  readonly fill: Omit<Fill, 'inputs' | 'retracted'>;
  readonly place: InputRef;
  readonly inputs: readonly InputStory[];
  /** How often it was issued or taken away. */
  readonly issues: number;
}

export interface CycleStory {
  readonly cycle: Omit<PositionCycle, 'retracted'>;
  readonly place: InputRef;
  readonly revisions: readonly RevisionStory[];
  readonly results: readonly SignalResult[];
}

/** What one signal made in one cycle, summed up from its deltas. */
export interface SignalResult {
  readonly signal_id: string | null;
  readonly position_id: string;
  readonly entered: Decimal;
  readonly left: Decimal;
  readonly open: Decimal;
  readonly realized_pnl: Decimal | null;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly net_pnl: Decimal | null;
  readonly cash: readonly { readonly cash_id: string; readonly kind: string; readonly funding: Decimal; readonly realized_pnl: Decimal | null; readonly executed_at: number }[];
}

export interface DiscrepancyStory {
  readonly discrepancy: Omit<PositionDiscrepancy, 'retracted'>;
  readonly place: InputRef;
  readonly revisions: readonly RevisionStory[];
}

/** Money without quantity, and how it was split over the open lots. */
export interface CashStory {
  readonly cash: Omit<CashEvent, 'inputs' | 'retracted'>;
  readonly place: InputRef;
  readonly inputs: readonly InputStory[];
  readonly shares: readonly { readonly signal_id: string | null; readonly position_id: string; readonly funding: Decimal }[];
}

/** A book at its newest position update. */
export interface BookStory {
  readonly account: string;
  readonly category: string;
  readonly position_idx: number;
  readonly cycles: number;
  readonly open: Omit<PositionCycle, 'retracted'> | null;
  readonly position: { readonly update: PositionUpdate; readonly place: InputRef } | null;
  readonly equation: Equation | null;
  /** What is open, by signal. */
  readonly open_lots: readonly { readonly signal_id: string | null; readonly quantity: Decimal }[];
  /** All results since the book's first cycle, beside what the exchange's realised PnL moved by; null where one of them is not known. */
  readonly total: { readonly results: Decimal | null; readonly exchange: Decimal | null };
  /** Links by evidence. */
  readonly evidence: Readonly<Record<string, number>>;
}

/** The evidence chain of one subject. */
export interface Story {
  readonly subject: Subject;
  readonly policy: string;
  readonly books: readonly BookStory[];
  readonly orders: readonly { readonly order: Omit<Order, 'inputs'>; readonly place: InputRef; readonly messages: readonly { readonly place: InputRef; readonly message: OrderUpdate }[] }[];
  readonly executions: readonly { readonly place: InputRef; readonly row: Execution }[];
  readonly fills: readonly FillStory[];
  readonly cash: readonly CashStory[];
  readonly links: readonly LinkStory[];
  readonly cycles: readonly CycleStory[];
  readonly discrepancies: readonly DiscrepancyStory[];
}

/** What of an asset's log belongs to the subject. */
interface Selection {
  readonly orderIds: ReadonlySet<string>;
  readonly isExecution: (execId: string) => boolean;
  readonly isLink: (link: { readonly order_id: string | null; readonly exec_id: string | null; readonly position_id: string; readonly id: string }) => boolean;
  readonly isCycle: (positionId: string) => boolean;
  readonly isResult: (result: SignalResult) => boolean;
  readonly isDiscrepancy: (row: PositionDiscrepancy) => boolean;
}

/** Tells the evidence chain of a subject from everything the topics say of its asset. */
export function storyOf(log: AssetLog, subject: Subject, policy: AttributionPolicy): Story {
  const views = [...bookViews(log, policy).values()];
  const selection = selectionOf(log, views, subject);
  const results = views.flatMap((view) => resultsOf(view.deltas));
  const isWhole = subject.kind === 'asset';
  return {
    subject, policy,
    books: views.filter((view) => isWhole || view.cycles.some(({ value }) => selection.isCycle(value.position_id))).map(bookStory),
    orders: isWhole ? [] : orderStories(log, selection),
    executions: log.executions.filter(({ value }) => selection.isExecution(value.exec_id)).map(({ place, value }) => ({ place, row: value })),
    fills: isWhole || subject.kind === 'position' || subject.kind === 'signal' ? [] : fillStories(log, selection, subject.kind === 'exec'),
    cash: cashStories(log, views, selection),
    links: views.flatMap((view) => view.links.filter(({ value }) => selection.isLink(value)).map((link) => linkStory(log, view, link))),
    cycles: views.flatMap((view) => view.cycles.filter(({ value }) => selection.isCycle(value.position_id)).map(({ place, value: { retracted, ...cycle } }): CycleStory => ({
      cycle, place, revisions: revisionsOf(log.cycles.filter(({ value }) => value.position_id === cycle.position_id)),
      results: results.filter((result) => result.position_id === cycle.position_id && selection.isResult(result)),
    }))),
    discrepancies: liveOf(log.discrepancies, (row) => row.id).filter(({ value }) => selection.isDiscrepancy(value)).map(({ place, value: { retracted, ...discrepancy } }): DiscrepancyStory => ({
      discrepancy, place, revisions: revisionsOf(log.discrepancies.filter(({ value }) => value.id === discrepancy.id)),
    })),
  };
}

function selectionOf(log: AssetLog, views: readonly BookView[], { kind, id }: Subject): Selection {
  const links = views.flatMap((view) => view.links.map(({ value }) => value));
  const none = (): boolean => false;
  const all = (): boolean => true;
  const cyclesOf = (own: readonly { readonly position_id: string }[]): ((positionId: string) => boolean) => {
    const ids = new Set(own.map((row) => row.position_id));
    return (positionId) => ids.has(positionId);
  };
  switch (kind) {
    case 'order': {
      const own = links.filter((link) => link.order_id === id);
      return {
        orderIds: new Set(id === null ? [] : [id]), isExecution: none, isLink: (link) => link.order_id === id, isCycle: cyclesOf(own), isResult: takesPart(views, new Set(own.map((link) => link.id))),
        isDiscrepancy: (row) => row.order_id === id,
      };
    }
    case 'exec': {
      const own = links.filter((link) => link.exec_id === id);
      const orders = [...own.map((link) => link.order_id), ...log.executions.filter(({ value }) => value.exec_id === id).map(({ value }) => value.order_id)];
      return {
        orderIds: new Set(orders.filter((order) => order !== null && order !== '') as string[]), isExecution: (execId) => execId === id, isLink: (link) => link.exec_id === id, isCycle: cyclesOf(own),
        isResult: takesPart(views, new Set(own.map((link) => link.id))), isDiscrepancy: (row) => row.exec_id === id,
      };
    }
    case 'position':
      return {
        orderIds: new Set(), isExecution: none, isLink: (link) => link.position_id === id, isCycle: (positionId) => positionId === id, isResult: all, isDiscrepancy: (row) => row.position_id === id,
      };
    case 'signal': {
      const own = views.flatMap((view) => view.deltas).filter((delta) => delta.signal_id === id);
      // What it earned, and what its own orders did: a closing order may take the lots of others.
      const ids = new Set([...own.map((delta) => delta.link_id), ...links.filter((link) => link.signal_id === id).map((link) => link.id)]);
      return {
        orderIds: new Set(links.filter((link) => link.signal_id === id && link.order_id !== null).map((link) => link.order_id as string)), isExecution: none, isLink: (link) => ids.has(link.id),
        isCycle: cyclesOf(own), isResult: (result) => result.signal_id === id, isDiscrepancy: (row) => row.position_id !== null && own.some((delta) => delta.position_id === row.position_id),
      };
    }
    case 'asset':
      return { orderIds: new Set(), isExecution: none, isLink: none, isCycle: none, isResult: none, isDiscrepancy: (row) => row.status !== 'explained' };
  }
}

/** Results of the signals that a delta of these links is of. */
function takesPart(views: readonly BookView[], links: ReadonlySet<string>): (result: SignalResult) => boolean {
  const keys = new Set(views.flatMap((view) => view.deltas).filter((delta) => delta.link_id !== null && links.has(delta.link_id)).map((delta) => `${delta.position_id}|${delta.signal_id ?? ''}`));
  return (result) => keys.has(`${result.position_id}|${result.signal_id ?? ''}`);
}

function bookStory(view: BookView): BookStory {
  const { account, category, position_idx, cycles, updates, links } = view;
  const latest = updates.at(-1);
  const open = cycles.find(({ value }) => value.closed_at === null);
  const results = resultsOf(view.deltas);
  const before = cycles[0]?.value.cum_realised_pnl_before ?? null;
  const shown = latest?.value.cum_realised_pnl ?? null;
  const evidence: Record<string, number> = {};
  for (const { value } of links) evidence[value.evidence] = (evidence[value.evidence] ?? 0) + 1;
  return {
    account, category, position_idx, cycles: cycles.length, open: open === undefined ? null : withoutRetracted(open.value),
    position: latest === undefined ? null : { update: latest.value, place: latest.place }, equation: latest === undefined ? null : equationAt(view, latest.value.seq as number), evidence,
    open_lots: results.filter((result) => result.open !== 0n && result.position_id === open?.value.position_id).map((result) => ({ signal_id: result.signal_id, quantity: result.open })),
    total: {
      results: results.some((result) => result.net_pnl === null) ? null : results.reduce((sum, result) => sum + (result.net_pnl ?? 0n), 0n),
      exchange: before === null || shown === null ? null : shown - before,
    },
  };
}

function withoutRetracted({ retracted, ...cycle }: PositionCycle): Omit<PositionCycle, 'retracted'> {
  return cycle;
}

function orderStories({ orders, orderUpdates }: AssetLog, { orderIds }: Selection): Story['orders'] {
  const latest = new Map<string, Placed<Order>>();
  for (const record of orders) if (orderIds.has(record.value.order_id)) latest.set(`${record.value.account}|${record.value.category}|${record.value.order_id}`, record);
  return [...latest.values()].map(({ place, value: { inputs, ...order } }) => ({
    order, place,
    messages: orderUpdates.filter(({ value }) => value.order_id === order.order_id && value.account === order.account && value.category === order.category).map((record) => ({ place: record.place, message: record.value })),
  }));
}

function fillStories(log: AssetLog, { orderIds, isExecution }: Selection, isOfExecution: boolean): FillStory[] {
  const isOne = (fill: Fill): boolean => (isOfExecution ? fill.exec_id !== null && isExecution(fill.exec_id) : orderIds.has(fill.order_id));
  const keyOf = (fill: Fill): string => `${bookKey({ ...fill, position_idx: 0 })}${fill.fill_id}`;
  return liveOf(log.fills, keyOf).filter(({ value }) => isOne(value)).map(({ place, value }): FillStory => {
    const { inputs, retracted, ...fill } = value;
    return { fill, place, inputs: inputs.map((ref) => inputStory(log, ref)), issues: log.fills.filter((record) => keyOf(record.value) === keyOf(value)).length };
  });
}

function cashStories(log: AssetLog, views: readonly BookView[], { isExecution }: Selection): CashStory[] {
  const deltas = views.flatMap((view) => view.deltas);
  const keyOf = (cash: CashEvent): string => `${cash.account}|${cash.category}|${cash.cash_id}`;
  return liveOf(log.cash, keyOf).filter(({ value }) => isExecution(value.cash_id)).map(({ place, value }): CashStory => {
    const { inputs, retracted, ...cash } = value;
    const own = deltas.filter((delta) => delta.cash_id === cash.cash_id && delta.account === cash.account && delta.category === cash.category);
    return { cash, place, inputs: inputs.map((ref) => inputStory(log, ref)), shares: own.map(({ signal_id, position_id, funding }) => ({ signal_id, position_id, funding })) };
  });
}

function resultsOf(deltas: readonly PredictionDelta[]): SignalResult[] {
  const groups = new Map<string, PredictionDelta[]>();
  for (const delta of liveDeltas(deltas)) {
    const key = `${delta.position_id}|${delta.signal_id ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), delta]);
  }
  return [...groups.values()].map((group): SignalResult => {
    const { signal_id, position_id } = group[0] as PredictionDelta;
    const sum = (amountOf: (delta: PredictionDelta) => Decimal): Decimal => group.reduce((total, delta) => total + amountOf(delta), 0n);
    const entered = sum((delta) => (delta.kind === 'entry' ? delta.quantity : 0n));
    const left = sum((delta) => (delta.kind === 'exit' || delta.kind === 'residual' ? delta.quantity : 0n));
    const realized = group.some((delta) => delta.realized_pnl === null) ? null : sum((delta) => delta.realized_pnl ?? 0n);
    const fees = sum((delta) => delta.fee);
    const funding = sum((delta) => delta.funding);
    return {
      signal_id, position_id, entered, left, open: entered - left, realized_pnl: realized, fees, funding, net_pnl: realized === null ? null : realized - fees - funding,
      cash: group.filter((delta) => delta.cash_id !== null).map((delta) => ({ cash_id: delta.cash_id as string, kind: delta.kind, funding: delta.funding, realized_pnl: delta.realized_pnl, executed_at: delta.executed_at })),
    };
  });
}
