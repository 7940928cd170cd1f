import { abs, divide, MONEY_UNIT, multiply, type Decimal } from '../../src/domain/decimal.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { PositionUpdate } from '../../src/domain/records.js';
import { Account, type OracleLeg, type Policy, type Trade } from './account.js';
import { grouped, split, type OracleCash, type OracleFill } from './evidence.js';

type Flow = OracleFill | OracleCash;

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

/** What the exchange shows of a book at one seq. */
interface Shown {
  seq: number;
  size: Decimal;
  value: Decimal | null;
  cum: Decimal;
  entry: Decimal | null;
  entryUnit: Decimal;
  at: number;
}

/** Text of what an update says, but for how it came. */
function told(update: PositionUpdate): string {
  const { received_at: _received, envelope_id: _id, envelope_created_at: _created, frame_index: _index, source: _source, ...rest } = update;
  return canonicalJson(rest);
}

/** The one update of each seq that counts, rising. */
function shownOf(updates: readonly PositionUpdate[]): Shown[] {
  return [...grouped(updates.filter((update) => update.seq !== null && update.seq >= 0), (update) => String(update.seq)).values()]
    .map((same) => [...same].sort((a, b) => b.updated_at - a.updated_at || (told(a) > told(b) ? -1 : 1))[0]!)
    .map((update) => ({
      seq: update.seq!, size: update.size, value: update.position_value, cum: update.cum_realised_pnl!, entry: update.entry_price,
      entryUnit: 10n ** BigInt(18 - update.entry_price_decimals), at: update.updated_at,
    }))
    .sort((a, b) => a.seq - b.seq);
}

/** Whether a record says what the second leg of an order-derived fill is worth, of which only the average price is known. */
function tellsSecondLeg(fill: OracleFill, shown: Shown | null, opened: Decimal): boolean {
  return fill.source === 'order' && shown !== null && shown.value !== null && shown.seq === fill.seq && abs(shown.size) === opened && shown.size > 0n === fill.quantity > 0n;
}

function tradeOf(fill: OracleFill, shown: Shown | null): Trade {
  return {
    quantity: fill.quantity, fee: fill.fee, signal: fill.signal, seq: fill.seq, at: fill.at, kind: 'fill',
    valueOf: (closed, opened) => {
      if (closed === 0n || opened === 0n) return closed === 0n ? { closing: 0n, opening: fill.value } : { closing: fill.value, opening: 0n };
      if (tellsSecondLeg(fill, shown, opened)) {
        return { closing: fill.value - shown!.value!, opening: shown!.value! };
      }
      const [closing, opening] = split(fill.value, [closed, opened]) as [Decimal, Decimal];
      return { closing, opening };
    },
  };
}

/** How many of a fill's own checks agree and disagree once it is booked. */
function checksOf(fill: OracleFill, account: Account): { agree: number; disagree: number } {
  let agree = 0;
  let disagree = 0;
  const count = (fits: boolean): void => void (fits ? agree++ : disagree++);
  if (fill.closedSize !== null) count(fill.closedSize === account.closed);
  if (fill.execPnl !== null) count(abs(fill.execPnl - account.pnl) <= 2n * MONEY_UNIT);
  return { agree, disagree };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

function book(account: Account, flow: Flow, shown: Shown | null): OracleLeg[] {
  if (flow.kind === 'fill') return account.trade(tradeOf(flow, shown));
  account.pay(flow.amount);
  return [];
}

/** Fills of one seq: whole orders in the sequence at which most checks come out right; an order's by what it leaves. */
function inSequence(flows: readonly Flow[], account: Account, shown: Shown | null, ambiguous: Set<string>): Flow[] {
  const ordered: Flow[] = [];
  const trial = account.copy();
  for (const seq of [...new Set(flows.map((flow) => flow.seq))].sort((a, b) => a - b)) {
    const same = flows.filter((flow) => flow.seq === seq);
    const fills = same.filter((flow): flow is OracleFill => flow.kind === 'fill');
    const orders = [...grouped(fills, (fill) => fill.orderId)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => {
      return own.sort((a, b) => ((a.leaves ?? 0n) !== (b.leaves ?? 0n) ? ((a.leaves ?? 0n) > (b.leaves ?? 0n) ? -1 : 1) : a.id < b.id ? -1 : 1));
    });
    let best: { sequence: OracleFill[]; score: number } | null = null;
    let equal = 0;
    for (const sequence of permutations(orders)) {
      const attempt = trial.copy();
      let score = 0;
      for (const fill of sequence.flat()) {
        book(attempt, fill, shown);
        const { disagree } = checksOf(fill, attempt);
        if (disagree === 0) score++;
      }
      if (best === null || score > best.score) [best, equal] = [{ sequence: sequence.flat(), score }, 1];
      else if (score === best.score) equal++;
    }
    if (equal > 1) for (const fill of fills) ambiguous.add(fill.id);
    const next: Flow[] = [...(best?.sequence ?? []), ...same.filter((flow) => flow.kind === 'cash').sort((a, b) => (a.id < b.id ? -1 : 1))];
    for (const flow of next) book(trial, flow, shown);
    ordered.push(...next);
  }
  return ordered;
}

/**
 * Money that may be lacking: the exchange's own rounding and, where it closes at an entry price that it shows cut off, what
 * one more unit of that price would be worth.
 */
function tolerance(last: Shown | null, account: Account, events: number, closedQuantity: Decimal): Decimal {
  const rounding = MONEY_UNIT * BigInt(events + 2);
  if (last === null || last.entry === null || last.entry === 0n || closedQuantity === 0n) return rounding;
  const atEntry = account.inverse ? divide(abs(last.size), last.entry) : multiply(abs(last.size), last.entry);
  if (abs(atEntry - (last.value ?? 0n)) <= MONEY_UNIT) return rounding;
  const unit = multiply(closedQuantity, last.entryUnit);
  return rounding + (account.inverse ? divide(divide(unit, last.entry), last.entry) : unit);
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

/** Value at entry; of an inverse contract the entry price tells it to more decimals than the value that is shown. */
function entryValue(first: Shown, inverse: boolean): Decimal {
  const shown = first.value ?? 0n;
  if (!inverse || first.entry === null || first.entry === 0n) return shown;
  const value = divide(abs(first.size), first.entry);
  return abs(value - shown) <= MONEY_UNIT ? value : shown;
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

/** A size change that no fill explains, at a place among the flows: its money is what they leave of the record's. */
function residualTrade(size: Decimal, at: Shown, account: Account, money: Decimal): Trade {
  const crosses = account.size !== 0n && account.size > 0n !== size > 0n && abs(size) > abs(account.size);
  const opens = account.size === 0n || account.size > 0n === size > 0n;
  const gain = (account.size > 0n ? 1n : -1n) * (account.inverse ? -1n : 1n);
  return {
    quantity: size, signal: null, seq: at.seq, at: at.at, kind: 'residual', fee: opens || crosses ? -money : 0n,
    valueOf: (closed, opened, on) => {
      if (opens) return { closing: 0n, opening: at.value! - on.cost };
      if (crosses) return { closing: on.inverse ? divide(closed, at.entry!) : multiply(closed, at.entry!), opening: on.inverse ? divide(opened, at.entry!) : multiply(opened, at.entry!) };
      const cost = closed === abs(on.size) ? on.cost : split(on.cost, [closed, abs(on.size) - closed])[0]!;
      return { closing: cost + gain * money, opening: 0n };
    },
  };
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

/** The money the record shows beyond what the fills and cash explain, with the residual before `after`. */
function moneyOf(account: Account, after: readonly Flow[], at: Shown, lacking: Decimal): Decimal {
  const trial = account.copy();
  trial.trade(residualTrade(lacking, at, trial, 0n));
  for (const flow of after) book(trial, flow, at);
  return at.cum - trial.cum;
}

/** Where among the flows a residual makes most checks agree; of equal places the last. */
function placeOf(account: Account, flows: readonly Flow[], at: Shown, lacking: Decimal): number {
  let best = -1;
  let bestScore = -1;
  for (let place = 0; place <= flows.length; place++) {
    const trial = account.copy();
    let score = 0;
    flows.forEach((flow, i) => {
      if (i === place) trial.trade(residualTrade(lacking, at, trial, 0n));
      book(trial, flow, at);
      if (flow.kind === 'fill') score += checksOf(flow, trial).agree;
    });
    if (score >= bestScore) [best, bestScore] = [place, score];
  }
  return best;
}
