import { arrayLiteral } from './cell-text.js';
import type { Queries } from './session.js';
import type { OffsetMove, SinkInput, StoredPosition } from './sink.js';

/** Where one table stands in one partition. */
export interface SinkOffset extends StoredPosition, SinkInput {
  readonly partition: number;
}

/** The stored offset is not where this process thinks: somebody else wrote, a swap moved it, or the database lost its last moments. */
export class OffsetsMovedError extends Error {
  override name = 'OffsetsMovedError';
  readonly partitions: readonly number[];

  constructor(partitions: readonly number[]) {
    super(`the stored offsets of partitions ${partitions.join(', ')} were moved by another writer`);
    this.partitions = partitions;
  }
}

interface OffsetRow {
  readonly sink: string;
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: number;
  readonly watermark_at: string | null;
  readonly records_applied: number;
  readonly merge_state: string | null;
}

const SELECT = 'SELECT sink, topic, partition, next_offset, watermark_at, records_applied, merge_state::text AS merge_state FROM sink_offsets';

/** All stored offsets of the inputs, by any process, ordered by sink, topic and partition. */
export async function readSinkOffsets(queries: Queries, inputs: readonly SinkInput[]): Promise<SinkOffset[]> {
  const rows = await queries.query<OffsetRow>(`${SELECT} WHERE (sink, topic) IN (SELECT unnest($1::text[]), unnest($2::text[])) ORDER BY sink, topic, partition`, [
    arrayLiteral('text', inputs.map(({ sink }) => sink)),
    arrayLiteral('text', inputs.map(({ topic }) => topic)),
  ]);
  return rows.map((row) => ({
    sink: row.sink,
    topic: row.topic,
    partition: row.partition,
    nextOffset: row.next_offset,
    watermarkMs: row.watermark_at === null ? null : Date.parse(row.watermark_at),
    recordsApplied: row.records_applied,
    mergeState: row.merge_state,
  }));
}

/** Stored positions of one partition in the order of the inputs; those not stored yet begin at `start` and are stored. */
export async function openSinkOffsets(queries: Queries, inputs: readonly SinkInput[], partition: number, start: readonly number[]): Promise<StoredPosition[]> {
  await queries.query(
    `INSERT INTO sink_offsets (sink, topic, partition, next_offset, records_applied)
     SELECT unnest($1::text[]), unnest($2::text[]), $3::integer, unnest($4::bigint[]), 0 ON CONFLICT DO NOTHING`,
    [arrayLiteral('text', inputs.map(({ sink }) => sink)), arrayLiteral('text', inputs.map(({ topic }) => topic)), String(partition), arrayLiteral('bigint', start)],
  );
  const stored = (await readSinkOffsets(queries, inputs)).filter((offset) => offset.partition === partition);
  return inputs.map(({ sink, topic }) => {
    const position = stored.find((offset) => offset.sink === sink && offset.topic === topic);
    if (position === undefined) throw new Error(`the offset of ${sink} in ${topic}/${partition} vanished`);
    return position;
  });
}

const MOVE = `
UPDATE sink_offsets o SET
  next_offset = m.next_offset,
  watermark_at = greatest(o.watermark_at, m.watermark_at),
  records_applied = o.records_applied + m.records,
  merge_state = m.merge_state::jsonb
FROM (
  SELECT unnest($1::text[]) AS sink, unnest($2::text[]) AS topic, unnest($3::integer[]) AS partition,
    unnest($4::bigint[]) AS old_offset, unnest($5::bigint[]) AS next_offset, unnest($6::timestamptz[]) AS watermark_at,
    unnest($7::bigint[]) AS records, unnest($8::text[]) AS merge_state
) m
WHERE o.sink = m.sink AND o.topic = m.topic AND o.partition = m.partition AND o.next_offset = m.old_offset
RETURNING o.sink, o.topic, o.partition`;

/**
 * Moves every offset from exactly where it is believed to be, or throws OffsetsMovedError. Inside a transaction this comes
 * first: until the end of it nobody else can move the same offsets, and a writer that was overtaken writes no row at all.
 */
export async function moveSinkOffsets(queries: Queries, moves: readonly (OffsetMove & { readonly partition: number })[]): Promise<void> {
  if (moves.length === 0) return;
  const moved = await queries.query<Pick<OffsetRow, 'sink' | 'topic' | 'partition'>>(MOVE, [
    arrayLiteral('text', moves.map(({ sink }) => sink)),
    arrayLiteral('text', moves.map(({ topic }) => topic)),
    arrayLiteral('integer', moves.map(({ partition }) => partition)),
    arrayLiteral('bigint', moves.map(({ from }) => from)),
    arrayLiteral('bigint', moves.map(({ to }) => to)),
    arrayLiteral('timestamptz', moves.map(({ watermarkMs }) => watermarkMs)),
    arrayLiteral('bigint', moves.map(({ records }) => records)),
    arrayLiteral('text', moves.map(({ mergeState }) => mergeState)),
  ]);
  if (moved.length === moves.length) return;
  const done = new Set(moved.map(({ sink, topic, partition }) => `${sink}|${topic}|${partition}`));
  const others = moves.filter(({ sink, topic, partition }) => !done.has(`${sink}|${topic}|${partition}`));
  throw new OffsetsMovedError([...new Set(others.map(({ partition }) => partition))].sort((a, b) => a - b));
}
