import { formatDecimal, type Decimal } from '../domain/decimal.js';
import type { EvidenceCheck, InputRef, PositionOrder, PredictionDelta } from '../domain/records.js';
import type { AssetLog, Placed } from './asset-log.js';
import type { BookView } from './book-view.js';
import { equationOf, type Equation } from './equation.js';
import type { LotTaken } from './lot-book.js';

/** A source record that a row rests on. */
export interface InputStory extends InputRef {
  /** Row in the words of the exchange; null if the record is no longer in its topic. */
  readonly row: object | null;
}

/** One issue of a row: what changed, why, and which input came with it. */
export interface RevisionStory {
  readonly revision: number;
  readonly reason: string;
  readonly retracted: boolean;
  readonly known_at: number;
  readonly place: InputRef;
  readonly changes: readonly { readonly column: string; readonly from: unknown; readonly to: unknown }[];
  readonly new_inputs: readonly InputRef[];
}

/** Result of a leg for one signal. */
export interface LegResult {
  readonly signal_id: string | null;
  readonly kind: string;
  readonly quantity: Decimal;
  readonly price: Decimal | null;
  readonly value: Decimal;
  readonly realized_pnl: Decimal | null;
  readonly fee: Decimal;
  readonly exit_signal_id: string | null;
  readonly exit_reason: string | null;
}

/** Why one link is believed, and what followed from it. */
export interface LinkStory {
  readonly link: Omit<PositionOrder, 'checks' | 'inputs' | 'retracted'>;
  readonly place: InputRef;
  readonly inputs: readonly InputStory[];
  /** Null while no position update shows it. */
  readonly equation: Equation | null;
  readonly checks: readonly EvidenceCheck[];
  /** Lots that a closing leg takes, oldest first. */
  readonly lots: readonly LotTaken[];
  readonly results: readonly LegResult[];
  readonly revisions: readonly RevisionStory[];
}

/** Columns that tell of a row's history, not of what it says. */
const HISTORY: ReadonlySet<string> = new Set(['revision', 'reason', 'known_at', 'retracted', 'inputs', 'id']);

export function linkStory(log: AssetLog, book: BookView, { place, value }: Placed<PositionOrder>): LinkStory {
  const { checks, inputs, retracted, ...link } = value;
  return {
    link, place, checks, inputs: inputs.map((ref) => inputStory(log, ref)), equation: equationOf(book, value), lots: book.taken.get(link.id) ?? [],
    results: book.deltas.filter((delta) => delta.link_id === link.id).map(legResult), revisions: revisionsOf(log.links.filter((record) => record.value.id === link.id)),
  };
}

function legResult({ signal_id, kind, quantity, price, value, realized_pnl, fee, exit_signal_id, exit_reason }: PredictionDelta): LegResult {
  return { signal_id, kind, quantity, price, value, realized_pnl, fee, exit_signal_id, exit_reason };
}

export function inputStory({ orderUpdates, executions, updates }: AssetLog, ref: InputRef): InputStory {
  const records: readonly Placed<object>[] = ref.topic === 'ws-gateway.order' ? orderUpdates : ref.topic === 'ws-gateway.execution' ? executions : updates;
  return { ...ref, row: records.find(({ place }) => place.offset === ref.offset)?.value ?? null };
}

interface Revised {
  readonly revision: number;
  readonly reason?: string;
  readonly status?: string;
  readonly retracted: boolean;
  readonly known_at: number;
  readonly inputs?: readonly InputRef[];
}

/** The issues of one row, oldest first, each with what it changed. */
export function revisionsOf<T extends Revised>(records: readonly Placed<T>[]): RevisionStory[] {
  return records.map(({ place, value }, index): RevisionStory => {
    const before = records[index - 1]?.value;
    const columns = before === undefined ? [] : Object.keys(value).filter((column) => !HISTORY.has(column) && !same(value[column as keyof T], before[column as keyof T]));
    const known = new Set((before?.inputs ?? []).map(({ topic, offset }) => `${topic}@${offset}`));
    return {
      revision: value.revision, reason: value.reason ?? value.status ?? 'changed', retracted: value.retracted, known_at: value.known_at, place,
      changes: columns.map((column) => ({ column, from: told((before as T)[column as keyof T]), to: told(value[column as keyof T]) })),
      new_inputs: before === undefined ? [] : (value.inputs ?? []).filter(({ topic, offset }) => !known.has(`${topic}@${offset}`)),
    };
  });
}

/** A value of a column; checks as a line. */
function told(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown) => (isCheck(item) ? `${item.name} ${formatDecimal(item.expected)} against ${formatDecimal(item.actual)}` : String(item))).join(', ');
}

function isCheck(item: unknown): item is EvidenceCheck {
  return typeof item === 'object' && item !== null && 'agrees' in item;
}

function same(a: unknown, b: unknown): boolean {
  return told(a) === told(b);
}
