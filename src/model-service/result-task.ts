import type { FieldsRead } from '../domain/fields-read.js';
import type { RecordTypes } from '../domain/records.js';
import type { LogRecord } from '../kafka/record.js';
import { arrayLiteral } from '../postgres/cell-text.js';
import type { Queries } from '../postgres/session.js';
import type { AnyTableChanges, FailedRecord, OffsetMove, RowChange, SinkCodec, SinkInput, SinkTask, SinkUnit, StoredPosition } from '../postgres/sink.js';
import { Merge, NO_TIME, type MergeHandler, type MergeInputState, type MergeState } from '../runtime/merge.js';
import { ResultTable, type StoredCycle, type StoredRow } from './result-table.js';
import { predictionCyclesTable, predictionTradingResultsTable, type ResultRecord } from './result-tables.js';

type Handled = { readonly type: 'PredictionDelta'; readonly value: RecordTypes['PredictionDelta'] } | { readonly type: 'PositionCycle'; readonly value: RecordTypes['PositionCycle'] };

/** One record on its way through the merge. content null: it could not be read, for the reason in failure. */
interface Arrival {
  readonly raw: LogRecord;
  readonly content: Handled | null;
  readonly failure: Error | null;
}

interface StoredInput {
  readonly v: 1;
  readonly mergedMs: number;
  readonly takenMs: number;
  readonly effectiveMs: number;
  readonly pendingMs: readonly number[];
}

/** Records taken from the merge that wait for their commit, at most about this many. */
const MAX_TAKEN_RECORDS = 20_000;
/** Positions whose results stay in memory between units. */
const CACHED_POSITIONS = 20_000;
/** Fields that results are made of. */
const READS: FieldsRead = {
  PredictionDelta: [
    'signal_id', 'position_id', 'account', 'category', 'asset', 'position_idx', 'side', 'kind', 'quantity', 'price', 'value', 'realized_pnl', 'fee', 'funding',
    'exit_signal_id', 'exit_reason', 'reverses', 'executed_at',
  ],
  PositionCycle: ['position_id', 'retracted', 'contaminated_signal_ids', 'verified_to_seq'],
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Deltas and cycles of partition p, merged in the canonical order, into rows of results. What a row needs to go on is
 * stored in the row; the merge's position is stored with the offsets. Whatever is in memory is a cache of both.
 */
export class ResultTask implements SinkTask, MergeHandler<Arrival> {
  private readonly decode: SinkCodec['decode'];
  private readonly inputs: readonly SinkInput[];
  private readonly merge: Merge<Arrival>;
  private readonly results = new ResultTable();
  private before: MergeState;
  private taken: Handled[] = [];
  private counts: number[];
  private failed: FailedRecord[] = [];
  /** Last record that touched a row, or any row of a position. */
  private origins = new Map<string, LogRecord>();

  constructor(codec: SinkCodec, inputs: readonly SinkInput[], stored: readonly StoredPosition[]) {
    this.decode = codec.decoderOf(READS);
    this.inputs = inputs;
    this.merge = new Merge(inputs.length, mergeStateOf(stored));
    this.before = this.merge.state();
    this.counts = inputs.map(() => 0);
  }

  push(input: number, records: readonly LogRecord[], nextOffset: number): void {
    for (const raw of records) this.pushRecord(input, raw);
    this.merge.pushedTo(input, nextOffset);
    this.merge.take(this);
  }

  get isDirty(): boolean {
    return this.merge.state().inputs.some(({ offset }, input) => offset !== this.before.inputs[input]?.offset);
  }

  buffered(input: number): number {
    return this.merge.bufferedRecords(input) + (this.counts[input] as number);
  }

  isAwaited(input: number): boolean {
    return this.merge.isAwaited(input) && this.taken.length < MAX_TAKEN_RECORDS;
  }

  async take(queries: Queries): Promise<SinkUnit | null> {
    if (!this.isDirty) return null;
    const after = this.merge.state();
    const { taken, counts, failed, origins } = this;
    const moves = this.inputs.map(({ sink, topic }, input): OffsetMove => ({
      sink,
      topic,
      from: (this.before.inputs[input] as MergeInputState).offset,
      to: (after.inputs[input] as MergeInputState).offset,
      watermarkMs: after.mergedMs === NO_TIME ? null : after.mergedMs,
      records: counts[input] as number,
      mergeState: storedText(after, input),
    }));
    this.before = after;
    this.taken = [];
    this.counts = this.inputs.map(() => 0);
    this.failed = [];
    this.origins = new Map();
    const tables = await this.apply(queries, taken, origins);
    return { moves, tables, failed };
  }

  committed(): void {
    this.results.forgetIdle(CACHED_POSITIONS);
  }

  record({ raw, content, failure }: Arrival, input: number): void {
    (this.counts as number[])[input] = (this.counts[input] as number) + 1;
    if (content !== null) {
      this.taken.push(content);
      this.origins.set(content.value.position_id, raw);
      if (content.type === 'PredictionDelta') this.origins.set(rowKey(content.value.position_id, content.value.signal_id), raw);
    } else this.failed.push({ record: raw, stage: 'decode', exception: (failure as Error).name, message: (failure as Error).message });
  }

  /** What the merged watermark is, is stored; nothing waits for it here. */
  watermark(): void {}

  private pushRecord(input: number, raw: LogRecord): void {
    let failure: Error;
    try {
      if (raw.value === null) throw new UnexpectedRecordError('a tombstone, in a topic that has none');
      const { type, value } = this.decode(raw.value);
      if (type === 'Watermark') {
        this.merge.pushWatermark(input, raw.offset, (value as RecordTypes['Watermark']).watermark_at);
        return;
      }
      if (type !== 'PredictionDelta' && type !== 'PositionCycle') throw new UnexpectedRecordError(`${type} is no record of ${raw.topic}`);
      const content = { type, value } as Handled;
      if (!UUID.test(content.value.position_id)) throw new UnexpectedRecordError(`position_id ${JSON.stringify(content.value.position_id.slice(0, 64))} is no UUID`);
      this.merge.pushRecord(input, raw.offset, raw.timestampMs, { raw, content, failure: null });
      return;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    this.merge.pushRecord(input, raw.offset, null, { raw, content: null, failure });
  }

  private async apply(queries: Queries, taken: readonly Handled[], origins: ReadonlyMap<string, LogRecord>): Promise<AnyTableChanges[]> {
    if (taken.length === 0) return [];
    await this.load(queries, new Set(taken.map(({ value }) => value.position_id)));
    for (const content of taken) {
      if (content.type === 'PredictionDelta') this.results.apply(content.value);
      else this.results.applyCycle(content.value);
    }
    const rows = this.results.takeChangedRows().map((change): RowChange<ResultRecord> => {
      if (change.kind === 'delete') {
        return { kind: 'delete', key: [change.positionId, change.signalId], origin: originOf(origins, change.positionId, change.signalId), previous: null };
      }
      const { row, tally } = change;
      return { kind: 'upsert', record: { ...row, tally }, origin: originOf(origins, row.position_id, row.signal_id), previous: null };
    });
    const cycles = this.results.takeChangedCycles().map((change): RowChange<StoredCycle> => {
      if (change.kind === 'delete') return { kind: 'delete', key: [change.positionId], origin: originOf(origins, change.positionId, null), previous: null };
      return { kind: 'upsert', record: change.cycle, origin: originOf(origins, change.cycle.positionId, null), previous: null };
    });
    const tables = [
      { table: predictionTradingResultsTable, changes: rows },
      { table: predictionCyclesTable, changes: cycles },
    ];
    return tables.filter(({ changes }) => changes.length > 0) as unknown as AnyTableChanges[];
  }

  private async load(queries: Queries, positionIds: ReadonlySet<string>): Promise<void> {
    const missing = [...positionIds].filter((positionId) => this.results.needs(positionId));
    if (missing.length === 0) return;
    const ids = [arrayLiteral('uuid', missing)];
    const rows = await queries.query<{ position_id: string; signal_id: string | null; tally: string }>(
      'SELECT position_id, signal_id, tally::text AS tally FROM prediction_trading_results WHERE position_id = ANY ($1::uuid[])',
      ids,
    );
    const cycles = await queries.query<{ position_id: string; contaminated_signal_ids: string[]; final_to_seq: number | null }>(
      'SELECT position_id, contaminated_signal_ids, final_to_seq FROM prediction_cycles WHERE position_id = ANY ($1::uuid[])',
      ids,
    );
    const rowsOf = new Map<string, StoredRow[]>();
    for (const { position_id, signal_id, tally } of rows) {
      const known = rowsOf.get(position_id);
      if (known === undefined) rowsOf.set(position_id, [{ signalId: signal_id, tally }]);
      else known.push({ signalId: signal_id, tally });
    }
    const cycleOf = new Map(cycles.map((row): [string, StoredCycle] => [row.position_id, { positionId: row.position_id, contaminatedSignalIds: row.contaminated_signal_ids, finalToSeq: row.final_to_seq }]));
    for (const positionId of missing) this.results.load(positionId, cycleOf.get(positionId) ?? null, rowsOf.get(positionId) ?? []);
  }
}

/** A record that does not belong where it is. */
export class UnexpectedRecordError extends Error {
  override name = 'UnexpectedRecordError';
}

function originOf(origins: ReadonlyMap<string, LogRecord>, positionId: string, signalId: string | null): LogRecord {
  return (origins.get(rowKey(positionId, signalId)) ?? origins.get(positionId)) as LogRecord;
}

function rowKey(positionId: string, signalId: string | null): string {
  return `${positionId}|${signalId ?? ''}`;
}

function storedText(state: MergeState, input: number): string {
  const { takenMs, effectiveMs, pendingMs } = state.inputs[input] as MergeInputState;
  const stored: StoredInput = { v: 1, mergedMs: state.mergedMs, takenMs, effectiveMs, pendingMs };
  return JSON.stringify(stored);
}

function mergeStateOf(positions: readonly StoredPosition[]): MergeState {
  let mergedMs = NO_TIME;
  const inputs = positions.map(({ nextOffset, mergeState }): MergeInputState => {
    if (mergeState === null) return { offset: nextOffset, takenMs: NO_TIME, effectiveMs: NO_TIME, pendingMs: [] };
    const stored = JSON.parse(mergeState) as StoredInput;
    if (stored.v !== 1) throw new Error(`the stored merge position has version ${String(stored.v)}, this program reads 1: rebuild the results`);
    mergedMs = stored.mergedMs;
    return { offset: nextOffset, takenMs: stored.takenMs, effectiveMs: stored.effectiveMs, pendingMs: stored.pendingMs };
  });
  return { mergedMs, inputs };
}
