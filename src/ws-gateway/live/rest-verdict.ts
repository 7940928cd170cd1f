/*
 * What an answer of the REST API means for the next step. Codes are those of the exchange's V5 documentation.
 */

/** What came of one request, without anything secret in it. */
export type RestOutcome =
  | { readonly kind: 'answer'; readonly code: number; readonly message: string; /** When the rate limit is reset, on the exchange's clock. */ readonly resetAtMs: number | null }
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'no-answer'; readonly message: string };

/** silent: no answer, however often it was asked. */
export type RefusalKind = 'key' | 'permission' | 'expired' | 'request' | 'silent';

export type RestVerdict =
  | { readonly kind: 'ok' }
  /** Ask again after so long; `why` is for the log. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly why: string; readonly isClockWrong: boolean }
  /** Asking again does not help. */
  | { readonly kind: 'refused'; readonly refusal: RefusalKind; readonly message: string };

const OK = 0;
const TIMESTAMP = 10_002;
const KEY_INVALID = 10_003;
const SIGNATURE = 10_004;
const PERMISSION = 10_005;
const TOO_MANY = 10_006;
const ADDRESS_NOT_ALLOWED = 10_010;
const SERVER_ERROR = 10_016;
const ADDRESS_LIMIT = 10_018;
const TOO_FREQUENT = 10_429;
const KEY_EXPIRED = 33_004;

/** A limit that was hit is waited out at least so long, and never longer than a minute. */
const LEAST_LIMIT_PAUSE_MS = 100;
const MOST_LIMIT_PAUSE_MS = 60_000;

/** `pauseMs`: how long to wait where the answer does not say; `nowMs` on the exchange's clock. */
export function verdictOf(outcome: RestOutcome, pauseMs: number, nowMs: number): RestVerdict {
  if (outcome.kind === 'no-answer') return again(pauseMs, outcome.message);
  if (outcome.kind === 'http') return ofStatus(outcome.status, pauseMs);
  const { code, message, resetAtMs } = outcome;
  const said = `${message} (${code})`;
  switch (code) {
    case OK:
      return { kind: 'ok' };
    case TOO_MANY:
    case ADDRESS_LIMIT:
    case TOO_FREQUENT:
      return again(Math.min(MOST_LIMIT_PAUSE_MS, Math.max(LEAST_LIMIT_PAUSE_MS, resetAtMs === null ? pauseMs : resetAtMs - nowMs)), said);
    case TIMESTAMP:
      return { kind: 'again', afterMs: pauseMs, why: said, isClockWrong: true };
    case SERVER_ERROR:
      return again(pauseMs, said);
    case KEY_INVALID:
    case SIGNATURE:
      return { kind: 'refused', refusal: 'key', message: said };
    case PERMISSION:
    case ADDRESS_NOT_ALLOWED:
      return { kind: 'refused', refusal: 'permission', message: said };
    case KEY_EXPIRED:
      return { kind: 'refused', refusal: 'expired', message: said };
    default:
      return { kind: 'refused', refusal: 'request', message: said };
  }
}

function ofStatus(status: number, pauseMs: number): RestVerdict {
  if (status === 401) return { kind: 'refused', refusal: 'key', message: 'HTTP status 401' };
  if (status === 403) return again(Math.max(pauseMs, 1_000), 'HTTP status 403: too many requests from this address, or a country that is not served');
  if (status === 404 || status === 400) return { kind: 'refused', refusal: 'request', message: `HTTP status ${status}` };
  return again(pauseMs, `HTTP status ${status}`);
}

function again(afterMs: number, why: string): RestVerdict {
  return { kind: 'again', afterMs, why, isClockWrong: false };
}
