import { pino, type Logger } from 'pino';
import type { LogLevel } from './options.js';

export type { Logger } from 'pino';

/**
 * Structured logs: JSON lines on standard error, so that results on standard output stay clean. One line a life-cycle step;
 * nothing per record at info. Synchronous: a line is out before the process can die.
 */
export function createLog(level: LogLevel, fields: Readonly<Record<string, unknown>> = {}): Logger {
  return pino(
    { level, base: fields, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) }, serializers: { error: pino.stdSerializers.err } },
    pino.destination({ dest: 2, sync: true }),
  );
}
