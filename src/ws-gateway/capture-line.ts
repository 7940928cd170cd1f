import type { RecordSource } from '../domain/records.js';
import { isName, isRow, optionalTime, RowError, type RejectionReason } from './exchange-fields.js';

/**
 * A line of a capture: {"receivedAt": ms, "frame": {...}}, "account" if the recorder knew it, "source" where the frame was made of
 * the exchange's history, and "rows" where the frame holds only some of its rows: their indexes in the whole one, ascending.
 */
export type CaptureLine =
  | { readonly kind: 'line'; readonly receivedAtMs: number; readonly frame: unknown; readonly account: string | null; readonly source: RecordSource; readonly rowIndexes: readonly number[] | null }
  | { readonly kind: 'unreadable'; readonly reason: RejectionReason; readonly message: string };

/** Reads one line. Never throws. */
export function parseCaptureLine(text: string): CaptureLine {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', reason: 'NotJson', message: 'the line is not JSON' };
  }
  if (!isRow(line) || !('frame' in line)) return { kind: 'unreadable', reason: 'NotACaptureLine', message: 'the line is not an object with receivedAt and frame' };
  try {
    const receivedAtMs = optionalTime(line, 'receivedAt');
    if (receivedAtMs === null) return { kind: 'unreadable', reason: 'NotACaptureLine', message: 'receivedAt is missing' };
    const source = line['source'] ?? 'stream';
    if (!isSource(source)) return { kind: 'unreadable', reason: 'BadField', message: 'source is not stream, history or transaction_log' };
    const rowIndexes = line['rows'] ?? null;
    if (rowIndexes !== null && !areIndexes(rowIndexes)) return { kind: 'unreadable', reason: 'BadField', message: 'rows is no list of ascending indexes' };
    const account = line['account'];
    if (account === undefined || account === null || account === '') return { kind: 'line', receivedAtMs, frame: line['frame'], account: null, source, rowIndexes };
    const name = typeof account === 'number' ? String(account) : account;
    if (typeof name !== 'string' || !isName(name)) return { kind: 'unreadable', reason: 'BadField', message: 'account is no usable name' };
    return { kind: 'line', receivedAtMs, frame: line['frame'], account: name, source, rowIndexes };
  } catch (error) {
    if (error instanceof RowError) return { kind: 'unreadable', reason: error.reason, message: error.message };
    throw error;
  }
}

function isSource(value: unknown): value is RecordSource {
  return value === 'stream' || value === 'history' || value === 'transaction_log';
}

function areIndexes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((index: unknown, place) => typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 && index <= 0x7fff_ffff && (place === 0 || index > (value[place - 1] as number)));
}
