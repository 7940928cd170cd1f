import type { PositionCycle, PositionDiscrepancy, PositionOrder, PositionUpdate, PredictionDelta } from '../domain/records.js';
import type { AttributionPolicy } from '../position-linker/lots.js';
import { grouped } from '../verify/grouping.js';
import { placeOf } from '../verify/link-checks.js';
import { liveOf, type AssetLog, type Placed } from './asset-log.js';
import { inSequence, liveDeltas, lotsTaken, type LotTaken } from './lot-book.js';
import { bookKey, supersedes } from '../verify/topic-state.js';

/** One book as it stands now, in an order to be told in. */
export interface BookView {
  readonly account: string;
  readonly category: string;
  readonly asset: string;
  readonly position_idx: number;
  /** Oldest first. */
  readonly cycles: readonly Placed<PositionCycle>[];
  /** By cycle, then in their sequence. */
  readonly links: readonly Placed<PositionOrder>[];
  /** One a seq, ascending. */
  readonly updates: readonly Placed<PositionUpdate>[];
  readonly deltas: readonly PredictionDelta[];
  readonly discrepancies: readonly Placed<PositionDiscrepancy>[];
  readonly taken: ReadonlyMap<string, readonly LotTaken[]>;
}

type BookOf = Pick<BookView, 'account' | 'category' | 'asset' | 'position_idx'>;

/** The books of an asset, by account, category and index. */
export function bookViews(log: AssetLog, policy: AttributionPolicy): Map<string, BookView> {
  const links = liveOf(log.links, (link) => link.id);
  const cycles = liveOf(log.cycles, (cycle) => cycle.position_id);
  const deltas = liveDeltas(log.deltas.map(({ value }) => value));
  const discrepancies = liveOf(log.discrepancies, (row) => row.id);
  const named = new Map<string, BookOf>();
  for (const { value } of [...links, ...cycles, ...log.updates.filter(({ value: { category } }) => category === 'linear' || category === 'inverse')]) named.set(bookKey(value), value);
  const views = new Map<string, BookView>();
  const byId = new Map(links.map((link) => [link.value.id, link]));
  const byCycle = grouped(links.map(({ value }) => value), (link) => link.position_id);
  for (const [key, { account, category, asset, position_idx }] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isOwn = ({ value }: { readonly value: BookOf }): boolean => bookKey(value) === key;
    const own = cycles.filter(isOwn).sort((a, b) => (a.value.first_seq ?? -1) - (b.value.first_seq ?? -1) || a.value.opened_at - b.value.opened_at);
    const taken = new Map<string, readonly LotTaken[]>();
    const inOrder: Placed<PositionOrder>[] = [];
    for (const cycle of own) {
      const sequence = inSequence(byCycle.get(cycle.value.position_id) ?? []);
      for (const [id, lots] of lotsTaken(sequence, policy)) taken.set(id, lots);
      inOrder.push(...sequence.map(({ id }) => byId.get(id) as Placed<PositionOrder>));
    }
    views.set(key, {
      account, category, asset, position_idx, cycles: own, links: inOrder, updates: newestOfSeq(log.updates.filter(isOwn)), deltas: deltas.filter((delta) => bookKey(delta) === key),
      discrepancies: discrepancies.filter(({ value }) => bookKey({ ...value, position_idx: value.position_idx ?? position_idx }) === key), taken,
    });
  }
  return views;
}

function newestOfSeq(updates: readonly Placed<PositionUpdate>[]): Placed<PositionUpdate>[] {
  const bySeq = new Map<number, Placed<PositionUpdate>>();
  for (const update of updates) {
    const { seq } = update.value;
    if (seq === null || seq < 0) continue;
    const earlier = bySeq.get(seq);
    if (earlier === undefined || supersedes(update.value, earlier.value)) bySeq.set(seq, update);
  }
  return [...bySeq.values()].sort((a, b) => (a.value.seq as number) - (b.value.seq as number));
}

/** Links dated after one seq, up to another. */
export function linksBetween({ links }: BookView, afterSeq: number, toSeq: number): PositionOrder[] {
  return links.map(({ value }) => value).filter((link) => placeOf(link) > afterSeq && placeOf(link) <= toSeq);
}
