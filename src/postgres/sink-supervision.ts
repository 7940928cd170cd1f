import { GuidedError } from '../config/guided-error.js';
import { LogError } from '../kafka/errors.js';
import { SettingsError } from '../runtime/task-state.js';
import { DatabaseError } from './database-error.js';
import { OffsetsMovedError } from './sink-offsets.js';

/**
 * What a sink does about an error.
 *
 * | verdict  | cause                                                | the sink                                                    |
 * |----------|------------------------------------------------------|-------------------------------------------------------------|
 * | `moved`  | the stored offset is elsewhere                       | reads it again and goes on from there, at once              |
 * | `again`  | database, broker or connection                       | waits, longer each time, and begins again from the stored offset |
 * | `fatal`  | configuration, lost or corrupt log, a mistake of ours | ends; the process says why                                  |
 */
export type SinkVerdict = 'moved' | 'again' | 'fatal';

/** An error nobody foresaw is given this many attempts in a row. */
export const MAX_UNEXPLAINED_ATTEMPTS = 5;

/** attempts: failures since the last commit. */
export function sinkVerdict(error: unknown, attempts: number): SinkVerdict {
  if (error instanceof OffsetsMovedError) return 'moved';
  if (error instanceof DatabaseError) return error.kind === 'transient' ? 'again' : 'fatal';
  if (error instanceof GuidedError || error instanceof SettingsError) return 'fatal';
  if (error instanceof LogError) return error.kind === 'transient' || error.kind === 'fenced' ? 'again' : 'fatal';
  return attempts < MAX_UNEXPLAINED_ATTEMPTS ? 'again' : 'fatal';
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** From this many failures in a row on, an error is worth waking somebody. */
const LOUD_ATTEMPTS = 6;

export function retryPauseMs(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 10));
}

export function retryLevel(attempts: number): 'info' | 'warn' | 'error' {
  if (attempts === 0) return 'info';
  return attempts < LOUD_ATTEMPTS ? 'warn' : 'error';
}
