import { createLog } from '../config/log.js';
import { abortAny } from '../runtime/abort-any.js';
import { CaptureFile } from '../ws-gateway/live/capture-file.js';
import { record } from '../ws-gateway/live/recorder.js';
import { defineCommand, UsageError, type Command } from './command.js';
import { EXCHANGE_OPTIONS } from './exchange-options.js';
import { openExchange } from './open-exchange.js';

/** `record`: the private streams of the accounts as a capture. */
export const recordCommands: readonly Command[] = [
  defineCommand({
    path: ['record'],
    summary: 'record the private streams as a capture that ingest reads',
    details:
      'Writes {"receivedAt": ms, "account": name, "frame": {…}}, one arrival a line, until it is stopped; needs no broker. It begins with open orders and positions, and what a ' +
      'disconnect hid is fetched and written with "source": "history" or "transaction_log". With --rotate-mb or --rotate-hourly names carry the time of their first line: ' +
      '`ingest --continues` takes all but the last, in order. Exit codes: 0 stopped, 1 failed, 2 called wrongly.',
    options: ['out', 'rotateMb', 'rotateHourly', ...EXCHANGE_OPTIONS, 'redundant', 'categories', 'lookbackMs', 'overlapMs', 'settleMs', 'sweepIntervalMs', 'json', 'logLevel'],
    async run({ options, stdout, signal }) {
      const { out, rotateMb, rotateHourly, json, logLevel } = options;
      if (out === null) throw new UsageError('record needs --out FILE, plain or .gz');
      const log = createLog(logLevel, { command: 'record' });
      const failed = new AbortController();
      const failure: { error: Error | null } = { error: null };
      const stop = abortAny([signal, failed.signal]);
      const fail = (error: Error): void => {
        failure.error ??= error;
        failed.abort();
      };
      const exchange = await openExchange(options, log, stop).catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
      if (exchange === null) return 0;
      const file = new CaptureFile({ path: out, rotateBytes: rotateMb === null ? null : rotateMb * 1024 * 1024, rotateHourly, onFailure: fail });
      try {
        await record({
          ...options, ...exchange, connections: options.redundant ? 2 : 1, sweepEveryMs: options.sweepIntervalMs, signal: stop, log,
          append: (line, timeMs) => {
            try {
              file.append(line, timeMs);
            } catch (error) {
              fail(error as Error);
            }
          },
        });
      } finally {
        await file.close();
      }
      if (failure.error !== null) throw failure.error;
      stdout(json ? `${JSON.stringify({ lines: file.lines, files: file.paths })}\n` : `${file.lines} lines in ${file.paths.length === 0 ? 'no file' : file.paths.join(', ')}\n`);
      return 0;
    },
  }),
];
