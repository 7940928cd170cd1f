import type { Options } from '../config/options.js';
import { readCredentials, type Credentials } from '../ws-gateway/live/credentials.js';
import type { ExchangeTarget } from '../ws-gateway/live/exchange-target.js';

/** Options that say which exchange, and with which keys. */
export const EXCHANGE_OPTIONS = ['apiKey', 'apiSecret', 'keyFile', 'network', 'wsUrl', 'restUrl'] as const;

export type ExchangeOptions = Pick<Options, (typeof EXCHANGE_OPTIONS)[number]>;

/** Further options of the live gateway. */
export const GATEWAY_OPTIONS = [
  ...EXCHANGE_OPTIONS, 'redundant', 'categories', 'lookbackMs', 'overlapMs', 'settleMs', 'sweepIntervalMs', 'skewAllowanceMs', 'spoolDir', 'spoolLimitMb',
] as const;

export function targetOf({ network, wsUrl, restUrl }: ExchangeOptions): ExchangeTarget {
  return { network, wsUrl, restUrl };
}

/** Keys of the accounts; throws a GuidedError that holds nothing secret. */
export function credentialsOf({ apiKey, apiSecret, keyFile }: ExchangeOptions): readonly Credentials[] {
  return readCredentials(keyFile, { BYBIT_API_KEY: apiKey ?? '', BYBIT_API_SECRET: apiSecret ?? '' });
}
