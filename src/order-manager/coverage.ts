import type { Decimal } from '../domain/decimal.js';
import { max, min } from '../domain/decimal.js';
import type { ExecutionEntry } from './execution-entry.js';
import type { Mark } from './order-body.js';

/** The part (from, to] of an order's executed quantity. */
export interface Span {
  readonly from: Decimal;
  readonly to: Decimal;
}

/** A span that one execution explains. */
export interface Cover extends Span {
  readonly entry: ExecutionEntry;
}

export interface Coverage {
  /** Never overlapping, ascending. Above the highest total they may go on. */
  readonly covers: readonly Cover[];
  /** Maximal spans of (0, highest total] that no execution covers, ascending, not yet cut at the totals. */
  readonly missing: readonly Span[];
  /** Upper end of the executions that say where they lie; whether they leave no gap below it, and none above all totals. */
  readonly end: Decimal;
  readonly gapless: boolean;
  readonly gaplessAbove: boolean;
  /** Executions that have their place by a guess. */
  readonly guessed: boolean;
}

/**
 * Lays an order's executions over its executed quantity. Those that say where they lie are placed there, in the order of
 * (from, to, seq, id). One that does not say, or that overlaps what is placed, takes missing quantity: by seq, from the step
 * its seq belongs to upwards; without seq, by time, and then also below. A function of the sets alone.
 */
export function coverage(executions: readonly ExecutionEntry[], marks: readonly Mark[]): Coverage {
  const placed = executions.filter((entry) => entry.to >= 0n).sort(byPlace);
  const loose = executions.filter((entry) => entry.to < 0n);
  const covers: Cover[] = [];
  let end = 0n;
  let gapless = true;
  let gaplessAbove = true;
  const top = marks.length === 0 ? 0n : marks[marks.length - 1]!.total;
  for (const entry of placed) {
    if (entry.from < end) {
      loose.push(entry);
      continue;
    }
    if (entry.from > end) {
      gapless = false;
      if (entry.from > top) gaplessAbove = false;
    }
    covers.push({ from: entry.from, to: entry.to, entry });
    end = entry.to;
  }
  let missing = gaps(covers, top);
  for (const entry of loose.sort(bySeq)) missing = take(entry, missing, marks, covers);
  covers.sort((a, b) => (a.from < b.from ? -1 : 1));
  return { covers, missing, end, gapless, gaplessAbove, guessed: loose.length > 0 };
}

function byPlace(a: ExecutionEntry, b: ExecutionEntry): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  if (a.to !== b.to) return a.to < b.to ? -1 : 1;
  return bySeq(a, b);
}

function bySeq(a: ExecutionEntry, b: ExecutionEntry): number {
  const seqA = a.content.seq ?? Infinity;
  const seqB = b.content.seq ?? Infinity;
  if (seqA !== seqB) return seqA < seqB ? -1 : 1;
  if (a.content.executed_at !== b.content.executed_at) return a.content.executed_at - b.content.executed_at;
  return a.execId < b.execId ? -1 : 1;
}

function gaps(covers: readonly Cover[], top: Decimal): Span[] {
  const found: Span[] = [];
  let end = 0n;
  for (const cover of covers) {
    if (cover.from > end && end < top) found.push({ from: end, to: min(cover.from, top) });
    end = cover.to;
  }
  if (end < top) found.push({ from: end, to: top });
  return found;
}

/** Lets one execution without a place take its quantity of what is missing; returns what is missing still. */
function take(entry: ExecutionEntry, missing: readonly Span[], marks: readonly Mark[], covers: Cover[]): Span[] {
  const { seq, executed_at: atMs } = entry.content;
  let floor = 0n;
  let certain = true;
  for (const mark of marks) {
    if (seq !== null && mark.seq !== null) {
      if (mark.seq < seq) {
        floor = mark.total;
        certain = true;
      }
    } else if (mark.atMs < atMs) {
      floor = mark.total;
      certain = false;
    }
  }
  let left = entry.content.quantity;
  let rest: Span[] = [];
  for (const span of missing) {
    const from = max(span.from, floor);
    const to = min(span.to, from + left);
    if (to <= from || left === 0n) {
      rest.push(span);
      continue;
    }
    if (from > span.from) rest.push({ from: span.from, to: from });
    covers.push({ from, to, entry });
    left -= to - from;
    if (to < span.to) rest.push({ from: to, to: span.to });
  }
  if (left === 0n || certain) return rest;
  const below = rest;
  rest = [];
  for (const span of below) {
    const to = min(span.to, span.from + left);
    if (left > 0n) {
      covers.push({ from: span.from, to, entry });
      left -= to - span.from;
    }
    if (to < span.to) rest.push({ from: left > 0n ? span.from : to, to: span.to });
  }
  return rest;
}
