import type { Decimal } from '../domain/decimal.js';
import { shown, type Findings } from './breach.js';
import type { BookEvidence, LinkRow, UpdatePoint } from './evidence.js';
import { isLoose, placeOf } from './link-checks.js';

/** A position update with the size that links give at its seq; loose links may count or not. */
export interface SizedPoint extends UpdatePoint {
  readonly size: Decimal;
  /** Whether the sizes agree without any leave for loose links. */
  readonly isFirm: boolean;
}

/** Every update of the book beside what links say: the size equation, update by update. */
export function sizedPoints({ links, updates }: BookEvidence): SizedPoint[] {
  const sorted = [...links].sort((a, b) => placeOf(a) - placeOf(b));
  let size = 0n;
  let next = 0;
  return updates.map((point) => {
    for (; next < sorted.length && placeOf(sorted[next] as LinkRow) <= point.update.seq; next++) size += (sorted[next] as LinkRow).size_delta;
    return { ...point, size, isFirm: size === point.update.size };
  });
}

export function checkSizes(evidence: BookEvidence, points: readonly SizedPoint[], findings: Findings): void {
  const { book, links, cycles, position } = evidence;
  const loose = links.filter(isLoose).sort((a, b) => placeOf(a) - placeOf(b));
  let before = -1;
  for (const { update, isSettled, isFirm, size } of points) {
    if (isSettled) {
      findings.check(isFirm || fitsLoosely(loose, update.seq, size, update.size), () => ({
        book, message: `at seq ${update.seq} links give another size than the exchange shows`, expected: shown(update.size), actual: shown(size),
        witness: { source: 'ws-gateway.position', row: { ...update, first_seq: before < 0 ? null : before } },
      }), 'size_equation');
    }
    before = update.seq;
  }
  if (position === null || position.seq === null) return;
  const latest = points.find(({ update }) => update.seq === position.seq);
  if (latest?.isSettled !== true) return;
  const open = cycles.filter((cycle) => cycle.closed_at === null);
  const size = open.reduce((total, cycle) => total + cycle.size, 0n);
  // Fills that no update has shown yet are in the cycle and not in the position; each is named by its evidence.
  const later = links.filter((link) => placeOf(link) > (position.seq as number));
  const known = size - later.reduce((total, link) => total + link.size_delta, 0n);
  findings.check(known === position.size || fitsLoosely(loose, position.seq as number, known, position.size), () => ({
    book, message: 'the open cycle has another size than the position', expected: shown(position.size), actual: shown(known),
    witness: { source: 'positions', row: position },
  }), 'open_position');
  const unnamed = later.find((link) => link.evidence !== 'fills_only' && !isLoose(link));
  findings.check(unnamed === undefined, () => ({
    book, message: `link ${unnamed?.id} is after the newest position update and claims more than its fill says`, expected: 'fills_only', actual: unnamed?.evidence ?? null,
    witness: { source: 'position_orders', row: unnamed as LinkRow },
  }), 'open_position');
}

/** Loose links that are considered on each side of an update. */
const NEAREST = 6;

/** Whether leaving out some of the loose links dated just before a seq, or taking in some dated just after it, gives the size shown. */
function fitsLoosely(loose: readonly LinkRow[], seq: number, size: Decimal, shownSize: Decimal): boolean {
  const after = loose.findIndex((link) => placeOf(link) > seq);
  const split = after < 0 ? loose.length : after;
  let sizes = new Set<Decimal>([size]);
  for (const { size_delta: delta } of loose.slice(Math.max(0, split - NEAREST), split)) sizes = new Set([...sizes, ...[...sizes].map((one) => one - delta)]);
  for (const { size_delta: delta } of loose.slice(split, split + NEAREST)) sizes = new Set([...sizes, ...[...sizes].map((one) => one + delta)]);
  return sizes.has(shownSize);
}
