import type { Execution, OrderUpdate, PositionUpdate, RecordSource } from '../domain/records.js';
import { isName, isRow, optionalText, requiredTime, RowError, type RejectionReason, type Row } from './exchange-fields.js';
import { execution } from './execution-row.js';
import { orderUpdate } from './order-row.js';
import { positionUpdate } from './position-row.js';

export const ORDER_TOPIC = 'ws-gateway.order';
export const EXECUTION_TOPIC = 'ws-gateway.execution';
export const POSITION_TOPIC = 'ws-gateway.position';

/** One source record, with the topic it goes to and its event time. */
export type SourceRecord =
  | { readonly kind: 'record'; readonly topic: typeof ORDER_TOPIC; readonly type: 'OrderUpdate'; readonly value: OrderUpdate; readonly eventMs: number }
  | { readonly kind: 'record'; readonly topic: typeof EXECUTION_TOPIC; readonly type: 'Execution'; readonly value: Execution; readonly eventMs: number }
  | { readonly kind: 'record'; readonly topic: typeof POSITION_TOPIC; readonly type: 'PositionUpdate'; readonly value: PositionUpdate; readonly eventMs: number };

/** What is not taken: a row (frameIndex says which), or a whole frame or line (frameIndex null). */
export interface Rejection {
  readonly kind: 'rejected';
  readonly reason: RejectionReason;
  readonly message: string;
  readonly frameIndex: number | null;
}

export type ParsedRow = SourceRecord | Rejection;

/** What the frame, and who received it, add to each of its rows. */
export interface RowContext {
  readonly account: string;
  /** Category of the topic's name (order.linear); null where the rows say it. */
  readonly category: string | null;
  readonly source: RecordSource;
  readonly receivedAtMs: number;
  readonly envelopeId: string | null;
  readonly envelopeCreatedAtMs: number;
  /** Index of the row in the frame. */
  frameIndex: number;
}

export interface FrameOrigin {
  readonly account: string;
  readonly receivedAtMs: number;
  readonly source: RecordSource;
  /** Indexes of the rows in the whole frame, where it holds only some of them. */
  readonly rowIndexes?: readonly number[] | null;
}

const CATEGORIES = new Set(['spot', 'linear', 'inverse', 'option']);

/** The frame's id where it has one. */
export function envelopeIdOf(frame: unknown): string | null {
  if (!isRow(frame)) return null;
  const id = frame['id'];
  return typeof id === 'string' && id !== '' && id.length <= 256 && !id.includes('\0') ? id : null;
}

/**
 * Turns one frame of the private stream into source records, in the order of its rows. Never throws: what cannot be
 * read is a rejection, and the other rows of the frame stand.
 */
export function parseFrame(frame: unknown, origin: FrameOrigin): ParsedRow[] {
  if (!isRow(frame)) return [rejected('BadFrame', 'the frame is not an object', null)];
  const topic = frame['topic'];
  if (typeof topic !== 'string') return [rejected('UnknownTopic', 'the frame has no topic', null)];
  const point = topic.indexOf('.');
  const stream = point < 0 ? topic : topic.slice(0, point);
  const category = point < 0 ? null : topic.slice(point + 1);
  const known = stream === 'order' || stream === 'execution' || stream === 'position';
  if (!known || (category !== null && !CATEGORIES.has(category))) {
    return [rejected('UnknownTopic', `topic ${JSON.stringify(topic.slice(0, 64))} is not order, execution or position`, null)];
  }
  const rows = frame['data'];
  if (!Array.isArray(rows)) return [rejected('BadFrame', 'data is not a list', null)];
  const context = contextOf(frame, origin, category);
  if ('kind' in context) return [context];
  const parsed: ParsedRow[] = [];
  for (let index = 0; index < rows.length; index++) {
    context.frameIndex = origin.rowIndexes?.[index] ?? index;
    parsed.push(parseRow(stream, rows[index], context));
  }
  return parsed;
}

function contextOf(frame: Row, origin: FrameOrigin, category: string | null): RowContext | Rejection {
  try {
    return {
      account: origin.account,
      category,
      source: origin.source,
      receivedAtMs: origin.receivedAtMs,
      envelopeId: envelopeIdOf(frame),
      envelopeCreatedAtMs: requiredTime(frame, 'creationTime', origin.receivedAtMs),
      frameIndex: 0,
    };
  } catch (error) {
    return rejectionOf(error, null);
  }
}

function parseRow(stream: 'order' | 'execution' | 'position', row: unknown, context: RowContext): ParsedRow {
  if (!isRow(row)) return rejected('BadFrame', 'the row is not an object', context.frameIndex);
  try {
    checkCategory(row, context);
    if (stream === 'order') {
      const value = orderUpdate(row, context);
      return { kind: 'record', topic: ORDER_TOPIC, type: 'OrderUpdate', value, eventMs: value.updated_at };
    }
    if (stream === 'execution') {
      const value = execution(row, context);
      return { kind: 'record', topic: EXECUTION_TOPIC, type: 'Execution', value, eventMs: value.executed_at };
    }
    const value = positionUpdate(row, context);
    return { kind: 'record', topic: POSITION_TOPIC, type: 'PositionUpdate', value, eventMs: value.envelope_created_at };
  } catch (error) {
    return rejectionOf(error, context.frameIndex);
  }
}

/** A row of order.linear may leave its category out, but not name another one. */
function checkCategory(row: Row, context: RowContext): void {
  const category = optionalText(row, 'category');
  if (category === '' || context.category === null || category === context.category) return;
  throw new RowError('BadField', `category ${JSON.stringify(category.slice(0, 64))} is not that of the topic`);
}

function rejectionOf(error: unknown, frameIndex: number | null): Rejection {
  if (error instanceof RowError) return rejected(error.reason, error.message, frameIndex);
  throw error;
}

export function rejected(reason: RejectionReason, message: string, frameIndex: number | null): Rejection {
  return { kind: 'rejected', reason, message, frameIndex };
}

/** Whether a name may stand for an account in keys. */
export function isAccountName(text: string): boolean {
  return isName(text);
}
