import { LogError } from '../kafka/errors.js';
import { ProcessorError } from './task-core.js';
import { SettingsError, StateVersionError } from './task-state.js';

/**
 * What the shell does about an error of a task.
 *
 * | verdict   | cause                                              | the shell                                                   |
 * |-----------|----------------------------------------------------|-------------------------------------------------------------|
 * | `fenced`  | a newer writer, or a transaction the broker ended  | starts again if the group says the task is still its own     |
 * | `poison`  | the processor threw at one record                  | starts again; the record becomes a dead letter              |
 * | `again`   | connection, broker, registry, database             | starts again, after a pause that grows                      |
 * | `fatal`   | settings, lost state, corrupt log, refused record  | ends the role; the process says why                         |
 */
export type Verdict = 'fenced' | 'poison' | 'again' | 'fatal';

/** An unknown error is given this many lives without a commit in between before it is fatal. */
export const MAX_UNEXPLAINED_LIVES = 5;

/** lives: how often the task was started since its last commit. */
export function verdictOf(error: unknown, lives: number): Verdict {
  if (error instanceof LogError) {
    if (error.kind === 'fenced') return 'fenced';
    return error.kind === 'transient' ? 'again' : 'fatal';
  }
  if (error instanceof ProcessorError) return error.recordId === null ? 'fatal' : 'poison';
  if (error instanceof SettingsError || error instanceof StateVersionError) return 'fatal';
  return lives < MAX_UNEXPLAINED_LIVES ? 'again' : 'fatal';
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** Pause before life number `lives` + 1: 100 ms, doubled each time, at most 10 s. */
export function restartPauseMs(lives: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(lives, 10));
}
