import type { RecordName, RecordSource, RecordTypes } from '../../domain/records.js';
import { parseFrame, EXECUTION_TOPIC, ORDER_TOPIC, POSITION_TOPIC } from '../frame-parser.js';
import { executionRow, orderRow, positionRow } from './restored-rows.js';
import type { Row } from '../exchange-fields.js';

export type SourceName = 'OrderUpdate' | 'Execution' | 'PositionUpdate';
export type SourceValue = RecordTypes[SourceName];

const STREAMS: Readonly<Record<string, string>> = { [ORDER_TOPIC]: 'order', [EXECUTION_TOPIC]: 'execution', [POSITION_TOPIC]: 'position' };

/** What all rows of one frame have in common. Two frames may have it in common, too: ids are not unique. */
export function frameKey(topic: string, { account, received_at, envelope_id, envelope_created_at, source }: SourceValue): string {
  return JSON.stringify([topic, account, received_at, envelope_id, envelope_created_at, source]);
}

/** A line of a capture that holds these rows of one frame, in ascending order of their index. Throws if it would not be read as the same records. */
export function frameLine(topic: string, type: RecordName, rows: readonly SourceValue[]): string {
  const [first] = rows as readonly [SourceValue];
  const { account, received_at, envelope_id, envelope_created_at, source } = first;
  const data = rows.map((row) => wireRow(type, row));
  const frame = { ...(envelope_id === null ? {} : { id: envelope_id }), topic: STREAMS[topic], creationTime: envelope_created_at, data };
  const indexes = rows.map((row) => row.frame_index);
  const isWhole = indexes.every((index, place) => index === place);
  const line = {
    receivedAt: received_at, account, ...(source === 'stream' || source === 'unknown' ? {} : { source }), ...(isWhole ? {} : { rows: indexes }), frame,
  };
  assertSame(frame, rows, { account, receivedAtMs: received_at, source, ...(isWhole ? {} : { rowIndexes: indexes }) });
  return JSON.stringify(line);
}

/** A line that only moves receive time on. */
export function emptyLine(receivedAtMs: number): string {
  return JSON.stringify({ receivedAt: receivedAtMs, frame: { topic: 'order', creationTime: receivedAtMs, data: [] } });
}

function wireRow(type: RecordName, value: SourceValue): Row {
  if (type === 'OrderUpdate') return orderRow(value as RecordTypes['OrderUpdate']);
  if (type === 'Execution') return executionRow(value as RecordTypes['Execution']);
  return positionRow(value as RecordTypes['PositionUpdate']);
}

interface Origin {
  readonly account: string;
  readonly receivedAtMs: number;
  readonly source: RecordSource;
  readonly rowIndexes?: readonly number[];
}

/** A backup that would not come back as it was must not look like one. */
function assertSame(frame: object, rows: readonly SourceValue[], origin: Origin): void {
  const parsed = parseFrame(frame, origin);
  rows.forEach((row, index) => {
    const read = parsed[index];
    if (read?.kind === 'record' && sameRecord(read.value, row)) return;
    const why = read === undefined ? 'no row' : read.kind === 'rejected' ? read.message : differing(read.value, row).join(', ');
    throw new Error(`a record of ${row.account} ${row.asset}, received at ${row.received_at}, would not be read as it is: ${why}`);
  });
}

function sameRecord(a: SourceValue, b: SourceValue): boolean {
  return differing(a, b).length === 0;
}

function differing(a: SourceValue, b: SourceValue): string[] {
  return Object.keys(b).filter((name) => {
    const [one, other] = [a[name as keyof SourceValue] as unknown, b[name as keyof SourceValue] as unknown];
    return one !== other && !(Array.isArray(one) && Array.isArray(other) && text(one) === text(other));
  });
}

function text(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
}
