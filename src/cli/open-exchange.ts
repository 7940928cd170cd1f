import type { Logger } from '../config/log.js';
import { GuidedError } from '../config/guided-error.js';
import type { Category } from '../config/options.js';
import { ExchangeClock } from '../ws-gateway/live/exchange-clock.js';
import type { ExchangeTarget } from '../ws-gateway/live/exchange-target.js';
import { learnClock, openAccount, type OpenAccount } from '../ws-gateway/live/open-account.js';
import { RestClient } from '../ws-gateway/live/rest-client.js';
import { credentialsOf, targetOf, type ExchangeOptions } from './exchange-options.js';

export interface OpenExchange {
  readonly target: ExchangeTarget;
  readonly clock: ExchangeClock;
  readonly accounts: readonly OpenAccount[];
}

/** Learns the exchange's time and opens the account of every key. Throws a GuidedError for keys that will not do. */
export async function openExchange(options: ExchangeOptions & { readonly categories: readonly Category[] }, log: Logger, signal: AbortSignal, mostAttempts?: number): Promise<OpenExchange> {
  const credentials = credentialsOf(options);
  const target = targetOf(options);
  const clock = new ExchangeClock();
  const [first] = credentials;
  if (first === undefined) throw new GuidedError('there is no account to connect', 'give keys');
  const patience = mostAttempts === undefined ? {} : { mostAttempts };
  const timeKeeper = new RestClient({
    credentials: first, target, clock, signal, ...patience,
    onRetry: (_what, attempt, why) => {
      if ((attempt & (attempt - 1)) === 0) log.warn({ attempt, why }, 'the exchange does not answer; asking again');
    },
  });
  await learnClock(timeKeeper, clock, log);
  const accounts: OpenAccount[] = [];
  for (const each of credentials) accounts.push(await openAccount({ credentials: each, target, categories: options.categories, clock, signal, log, ...patience }));
  const names = accounts.map(({ account }) => account);
  if (new Set(names).size < names.length) throw new GuidedError(`two keys are of one account: ${names.join(', ')}`, 'one key an account; for two connections use --redundant');
  return { target, clock, accounts };
}
