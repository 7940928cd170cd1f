import type { RecordSource } from '../../domain/records.js';

/** A line of a capture around the text of a frame, without its end. */
export function captureLine(frame: string, account: string, source: RecordSource, receivedMs: number): string {
  const told = source === 'stream' ? '' : `,"source":"${source}"`;
  return `{"receivedAt":${Math.floor(receivedMs)},"account":${JSON.stringify(account)}${told},"frame":${frame}}`;
}
