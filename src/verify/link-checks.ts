import { abs, sign, type Decimal } from '../domain/decimal.js';
import { shown, type Findings } from './breach.js';
import type { BookEvidence, CycleRow, LinkRow } from './evidence.js';

/** Where a link stands in its book: an unknown start before everything, a fill that no known seq follows at the end. */
export function placeOf(link: Pick<LinkRow, 'seq' | 'source'>): number {
  return link.seq ?? (link.source === 'position' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
}

/** Where the exchange gave no seq, or several sequences fit, the seq alone does not say which update shows a link first. */
export function isLoose(link: LinkRow): boolean {
  return link.evidence === 'inferred' || link.evidence === 'ambiguous' || (link.seq === null && link.source !== 'position');
}

function labelOf(before: Decimal, after: Decimal): readonly string[] {
  if (before === 0n) return ['opened'];
  if (after === 0n) return ['closed', 'reversed'];
  return abs(after) > abs(before) ? ['increased'] : ['decreased'];
}

/** Links by themselves, within their cycle, and cycles by their links. */
export function checkLinks({ book, links, cycles }: BookEvidence, findings: Findings): void {
  const byCycle = new Map<string, LinkRow[]>(cycles.map((cycle) => [cycle.position_id, []]));
  const secondLegs = new Map(links.filter((link) => link.leg > 0).map((link) => [legKey(link), link]));
  for (const link of links) {
    checkLink(link, secondLegs, findings);
    const own = byCycle.get(link.position_id);
    findings.check(own !== undefined, () => ({
      book, message: `link ${link.id} belongs to cycle ${link.position_id}, which is not there`, expected: link.position_id, actual: null, witness: { source: 'position_orders', row: link },
    }), 'link_cycles');
    own?.push(link);
  }
  for (const cycle of cycles) checkCycle(cycle, byCycle.get(cycle.position_id) ?? [], findings);
  const open = cycles.filter((cycle) => cycle.closed_at === null);
  findings.check(open.length <= 1, () => ({
    book, message: `${open.length} open cycles: ${open.map((cycle) => cycle.position_id).join(', ')}`, expected: '1', actual: String(open.length),
    witness: { source: 'position_cycles', row: open[1] as CycleRow },
  }), 'one_open_cycle');
}

/** What two legs of one fill, or of one residual, have in common. */
function legKey({ order_id, exec_id, seq, source }: LinkRow): string {
  return JSON.stringify([order_id, exec_id, seq, source]);
}

function checkLink(link: LinkRow, secondLegs: ReadonlyMap<string, LinkRow>, findings: Findings): void {
  const witness = { source: 'position_orders', row: link };
  const { size_before: before, size_after: after } = link;
  findings.equal('link_sums', link, after, before + link.size_delta, `link ${link.id}: size before and change do not give size after`, witness);
  const side = sign(before === 0n ? after : before);
  const labels = labelOf(before, after);
  const staysOnSide = sign(before) * sign(after) >= 0 && side === (link.side === 'Sell' ? -1 : 1);
  findings.check(labels.includes(link.relationship_type) && staysOnSide, () => ({
    book: link, message: `link ${link.id} is labelled ${link.relationship_type} ${link.side}`, expected: labels.join(' or '), actual: link.relationship_type, witness,
  }), 'link_sums');
  if (link.relationship_type !== 'reversed') return;
  const second = secondLegs.get(legKey(link));
  const goesOn = second?.relationship_type === 'opened' && second.position_id !== link.position_id;
  findings.check(goesOn, () => ({ book: link, message: `link ${link.id} is labelled reversed, and no second leg opens the next cycle`, expected: null, actual: null, witness }), 'link_sums');
}

function checkCycle(cycle: CycleRow, links: readonly LinkRow[], findings: Findings): void {
  const witness = { source: 'position_cycles', row: cycle };
  const name = `cycle ${cycle.position_id}`;
  findings.check(links.length > 0, () => ({ book: cycle, message: `${name} has no links`, expected: null, actual: null, witness }), 'link_cycles');
  if (links.length === 0) return;
  const sum = links.reduce((total, link) => total + link.size_delta, 0n);
  const isClosed = cycle.closed_at !== null;
  findings.check(isClosed === (cycle.size === 0n), () => ({
    book: cycle, message: `${name} ${isClosed ? 'is closed with a size' : 'is open at size 0'}`, expected: isClosed ? '0' : null, actual: shown(cycle.size), witness,
  }), 'closed_cycles');
  findings.equal(isClosed ? 'closed_cycles' : 'chain', cycle, sum, isClosed ? 0n : cycle.size, `${name}: its links add up to another size`, witness);
  const largest = links.reduce((max, link) => (abs(link.size_after) > max ? abs(link.size_after) : max), 0n);
  findings.equal('chain', cycle, cycle.max_size, largest, `${name}: its largest size is not that of its links`, witness);
  const stray = links.find((link) => link.side !== cycle.side);
  findings.check(stray === undefined, () => ({
    book: cycle, message: `${name} is ${cycle.side}, link ${stray?.id} is not`, expected: cycle.side, actual: stray?.side ?? null, witness: { source: 'position_orders', row: stray as LinkRow },
  }), 'link_cycles');
  checkChain(cycle, links, findings);
}

/** What no fill explains has the seq of the update that shows it, and stands anywhere among the fills before that. */
function isResidual(link: LinkRow): boolean {
  return link.source === 'position' && link.seq !== null;
}

/** What an order's totals show happened anywhere after the total before, up to its seq: what its neighbours closed can put it earlier. */
function isOfTotals(link: LinkRow): boolean {
  return link.source === 'order';
}

/**
 * Sizes before and after must make one walk from 0 to the cycle's size: each size is left as often as it is reached, but for
 * the two ends. Where seqs are certain, the walk must go along them.
 */
function checkChain(cycle: CycleRow, links: readonly LinkRow[], findings: Findings): void {
  const sorted = [...links].sort((a, b) => placeOf(a) - placeOf(b));
  const groups = links.some((link) => isLoose(link) || isResidual(link) || isOfTotals(link)) ? [sorted] : groupsOf(sorted);
  let size = 0n;
  for (const group of groups) {
    const after = group.reduce((total, link) => total + link.size_delta, size);
    const stray = strayOf(group, size, after);
    const isWalk = findings.check(stray === null, () => ({
      book: cycle, message: `cycle ${cycle.position_id}: link ${stray?.id} does not follow from those before it`, expected: null, actual: null,
      witness: { source: 'position_orders', row: stray as LinkRow },
    }), 'chain');
    if (!isWalk) return;
    size = after;
  }
}

function groupsOf(sorted: readonly LinkRow[]): LinkRow[][] {
  const groups: LinkRow[][] = [];
  for (const link of sorted) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && placeOf(last[0]) === placeOf(link)) last.push(link);
    else groups.push([link]);
  }
  return groups;
}

/** A link that keeps a group from being one walk between two sizes; null if it is one. */
function strayOf(group: readonly LinkRow[], from: Decimal, to: Decimal): LinkRow | null {
  const balance = new Map<Decimal, number>();
  const add = (size: Decimal, count: number): void => void balance.set(size, (balance.get(size) ?? 0) + count);
  for (const link of group) {
    add(link.size_before, 1);
    add(link.size_after, -1);
  }
  add(from, -1);
  add(to, 1);
  const uneven = group.find((link) => balance.get(link.size_before) !== 0 || balance.get(link.size_after) !== 0);
  if (uneven !== undefined) return uneven;
  if (![...balance.values()].every((count) => count === 0)) return group[0] ?? null;
  const reached = new Set<Decimal>([from]);
  const left = new Set(group);
  for (let grew = true; grew; ) {
    grew = false;
    for (const link of left) {
      if (!reached.has(link.size_before)) continue;
      reached.add(link.size_after);
      left.delete(link);
      grew = true;
    }
  }
  return [...left][0] ?? null;
}
