import { parseCaptureLine } from '../capture-line.js';
import { parseFrame } from '../frame-parser.js';
import { AccountBooks } from './account-books.js';
import { AccountSession, type SessionLog } from './account-session.js';
import type { ExchangeClock } from './exchange-clock.js';
import type { ExchangeTarget } from './exchange-target.js';
import { localMs } from './local-clock.js';
import type { OpenAccount } from './open-account.js';
import { SeenRows } from './seen-rows.js';

export interface RecorderOptions {
  readonly accounts: readonly OpenAccount[];
  readonly target: ExchangeTarget;
  readonly clock: ExchangeClock;
  readonly connections: number;
  readonly overlapMs: number;
  readonly lookbackMs: number;
  readonly settleMs: number;
  readonly sweepEveryMs: number;
  readonly signal: AbortSignal;
  readonly log: SessionLog;
  readonly append: (line: string, timeMs: number) => void;
}

/** Sessions of accounts whose arrivals become lines of a capture, with what gaps hid. Until the signal. */
export async function record(options: RecorderOptions): Promise<void> {
  const { clock, append } = options;
  await Promise.all(options.accounts.map(async ({ account, credentials, history, rest, categories, hasSettlements }) => {
    const seen = new SeenRows();
    const books = new AccountBooks();
    const push = (line: string): void => {
      append(line, clock.at(localMs()));
      const parsed = parseCaptureLine(line);
      if (parsed.kind === 'unreadable') return;
      for (const row of parseFrame(parsed.frame, { account, receivedAtMs: parsed.receivedAtMs, source: parsed.source })) {
        if (row.kind === 'rejected') continue;
        seen.add(row);
        books.take(row);
      }
    };
    const session = new AccountSession({
      ...options, account, credentials, history, categories, hasSettlements, seen, books, push, learnTime: () => rest.learnTime(),
      knownUntilMs: clock.at(localMs()) - options.lookbackMs, caughtUp: async () => undefined, hasRoom: async () => undefined,
    });
    await session.run();
  }));
}
