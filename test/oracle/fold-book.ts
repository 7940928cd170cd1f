import { abs, type Decimal } from '../../src/domain/decimal.js';
import type { PositionUpdate } from '../../src/domain/records.js';
import { Account, type OracleLeg, type Policy } from './account.js';
import { book, checksOf, inSequence, tellsSecondLeg, tradeOf, type Flow } from './booking.js';
import type { OracleCash, OracleFill } from './evidence.js';
import { entryValue, shownOf, tolerance, type Shown } from './shown.js';
import { moneyOf, placeOf, residualTrade } from './unknown-trade.js';

/** One leg of what happened, and what it rests on. */
export interface OracleLink {
  fill: OracleFill | null;
  /** Of a residual the seq of its update; of a start null. */
  seq: number | null;
  kind: 'fill' | 'residual' | 'start';
  evidence: 'exact' | 'interval' | 'fills_only' | 'inferred' | 'ambiguous' | 'unattributed';
  at: number;
  leg: OracleLeg;
}

export interface OracleTrouble {
  cause: 'size' | 'start_unknown' | 'position_missing' | 'cash_missing' | 'pnl_mismatch';
  seq: number | null;
  size: Decimal | null;
  fillId: string | null;
}

export interface OracleBook {
  links: OracleLink[];
  account: Account;
  troubles: OracleTrouble[];
}

/** The only explanation of one book, from all of its evidence at once. */
export function foldBook(inverse: boolean, policy: Policy, fills: readonly OracleFill[], cash: readonly OracleCash[], updates: readonly PositionUpdate[]): OracleBook {
  const account = new Account(inverse, policy);
  const links: OracleLink[] = [];
  const troubles: OracleTrouble[] = [];
  const ambiguous = new Set<string>();
  const shown = shownOf(updates);
  const flows: Flow[] = [...fills, ...cash].sort((a, b) => a.seq - b.seq);
  const first = shown[0];
  let from = -Infinity;
  let lastShown: Shown | null = null;
  let events = 0;

  if (first !== undefined) {
    const before = flows.filter((flow) => flow.seq <= first.seq);
    const net = before.reduce((sum, flow) => sum + (flow.kind === 'fill' ? flow.quantity : 0n), 0n);
    if (first.size !== net) begin(account, first, first.size - net, before, links, troubles);
    // The book's total before what is folded now: so that it is the record's after it.
    const trial = account.copy();
    trial.cum = 0n;
    for (const flow of inSequence(before, account, first, new Set())) book(trial, flow, first);
    account.cum = first.cum - trial.cum;
  }
  for (const at of shown) {
    const inside = flows.filter((flow) => flow.seq > from && flow.seq <= at.seq);
    const unchanged = lastShown !== null && lastShown.size === at.size && lastShown.cum === at.cum && lastShown.value === at.value;
    if (inside.length === 0 && unchanged) continue;
    events += foldInterval(account, inside, at, lastShown, links, troubles, ambiguous, events);
    from = at.seq;
    lastShown = at;
  }
  const rest = inSequence(flows.filter((flow) => flow.seq > from), account, null, ambiguous);
  for (const flow of rest) {
    const legs = book(account, flow, null);
    if (flow.kind !== 'fill') continue;
    troubles.push({ cause: 'position_missing', seq: flow.seq, size: null, fillId: flow.id });
    for (const leg of legs) links.push({ fill: flow, seq: flow.seq, kind: 'fill', evidence: evidenceOf(flow, legs, null, ambiguous, 'fills_only'), at: flow.at, leg });
  }
  return { links, account, troubles };
}

function evidenceOf(
  fill: OracleFill, legs: readonly OracleLeg[], shown: Shown | null, ambiguous: Set<string>, otherwise: OracleLink['evidence'],
): OracleLink['evidence'] {
  const isCut = fill.source === 'order' && legs.length === 2 && !tellsSecondLeg(fill, shown, abs(legs[1]!.after));
  return ambiguous.has(fill.id) || isCut ? 'ambiguous' : fill.dated ? 'inferred' : otherwise;
}

/** The book as the recording found it: its size is what the first record shows less the fills up to it. */
function begin(account: Account, first: Shown, size: Decimal, before: readonly Flow[], links: OracleLink[], troubles: OracleTrouble[]): void {
  let cost = entryValue(first, account.inverse);
  let at = first.size;
  for (const flow of [...before].reverse()) {
    if (flow.kind !== 'fill') continue;
    const earlier = at - flow.quantity;
    cost = abs(earlier) < abs(at) ? cost - flow.value : (cost * abs(earlier)) / abs(at);
    at = earlier;
  }
  const legs = account.trade({ quantity: size, fee: 0n, signal: null, seq: null, at: first.at, kind: 'start', valueOf: () => ({ closing: 0n, opening: cost }) });
  for (const leg of legs) links.push({ fill: null, seq: null, kind: 'start', evidence: 'unattributed', at: first.at, leg });
  troubles.push({ cause: 'start_unknown', seq: first.seq, size, fillId: null });
}

/** Folds what lies between two records. Answers how many events it was. */
function foldInterval(
  account: Account, inside: readonly Flow[], at: Shown, last: Shown | null, links: OracleLink[], troubles: OracleTrouble[], ambiguous: Set<string>, earlier: number,
): number {
  const flows = inSequence(inside, account, at, ambiguous);
  const net = flows.reduce((sum, flow) => sum + (flow.kind === 'fill' ? flow.quantity : 0n), 0n);
  const lacking = at.size - account.size - net;
  const place = lacking === 0n ? -1 : placeOf(account, flows, at, lacking);
  const made: { fill: OracleFill; legs: OracleLeg[]; disagree: number }[] = [];
  const only = flows.length === 1 && lacking === 0n ? flows[0]! : null;
  if (last !== null && only?.kind === 'fill' && only.source === 'order') {
    // Alone between two records, an order-derived fill paid what the money says: its total lacks the taxes.
    const trial = account.copy();
    trial.trade(tradeOf({ ...only, fee: 0n }, at));
    const paid = trial.cum - at.cum;
    // What the exchange's rounding hides, the money cannot correct.
    if (abs(paid - only.fee) > tolerance(last, account, earlier + 1, trial.closed)) only.fee = paid;
  }
  const residual = (): void => {
    const trial = account.copy();
    for (const flow of flows.slice(place)) book(trial, flow, at);
    const legs = account.trade(residualTrade(lacking, at, account, moneyOf(account, flows.slice(place), at, lacking)));
    for (const leg of legs) links.push({ fill: null, seq: at.seq, kind: 'residual', evidence: 'unattributed', at: at.at, leg });
    troubles.push({ cause: 'size', seq: at.seq, size: lacking, fillId: null });
  };
  let closedQuantity = 0n;
  flows.forEach((flow, i) => {
    if (i === place) residual();
    const legs = book(account, flow, at);
    if (flow.kind !== 'fill') return;
    closedQuantity += account.closed;
    made.push({ fill: flow, legs, disagree: checksOf(flow, account).disagree });
  });
  if (place === flows.length) residual();
  const events = flows.length + (lacking === 0n ? 0 : 1);
  const slack = tolerance(last, account, earlier + events, closedQuantity);
  const off = at.cum - account.cum;
  const fits = abs(off) <= slack && (at.value === null || at.size === 0n || abs(at.value - account.cost) <= slack);
  for (const { fill, legs, disagree } of made) {
    const own = fill.seq === at.seq && lacking === 0n;
    const sure = own && disagree === 0 && fits;
    for (const leg of legs) links.push({ fill, seq: fill.seq, kind: 'fill', evidence: evidenceOf(fill, legs, at, ambiguous, sure ? 'exact' : 'interval'), at: fill.at, leg });
  }
  if (lacking === 0n && abs(off) > slack) {
    const hasFills = made.length > 0;
    if (hasFills) account.adjust(off);
    else account.pay(-off);
    troubles.push({ cause: hasFills ? 'pnl_mismatch' : 'cash_missing', seq: at.seq, size: null, fillId: null });
  }
  account.cum = at.cum;
  // After something unknown, the record's average entry is believed.
  if (lacking !== 0n && at.size !== 0n) account.cost = entryValue(at, account.inverse);
  return events;
}
