import { GuidedError } from '../../config/guided-error.js';
import { isAccountName } from '../frame-parser.js';
import type { Credentials } from './credentials.js';
import type { ExchangeClock } from './exchange-clock.js';
import { shownTarget, type ExchangeTarget } from './exchange-target.js';
import { History, type HistoryCategory } from './history.js';
import { keyRights, rightsWarning, type KeyRights } from './key-rights.js';
import { localMs } from './local-clock.js';
import { RestClient, RestRefusedError } from './rest-client.js';

/** The machine's clock may be off by so much before a person hears of it. */
const CLOCK_OFF_MS = 5_000;

export interface OpenAccount {
  readonly account: string;
  readonly credentials: Credentials;
  readonly rest: RestClient;
  readonly history: History;
  /** Null where the exchange does not tell. */
  readonly rights: KeyRights | null;
  /** Those of the categories asked for of which this exchange has a history. */
  readonly categories: readonly HistoryCategory[];
  /** Whether it has a transaction log to ask. */
  readonly hasSettlements: boolean;
}

export interface OpenLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface OpenAccountOptions {
  readonly credentials: Credentials;
  readonly target: ExchangeTarget;
  readonly categories: readonly HistoryCategory[];
  readonly clock: ExchangeClock;
  readonly signal: AbortSignal;
  readonly log: OpenLog;
  readonly mostAttempts?: number;
}

/** Asks the exchange for its time and about the key, and whether the key may read what is needed. Throws a GuidedError if not. */
export async function openAccount(options: OpenAccountOptions): Promise<OpenAccount> {
  const { credentials, target, categories, clock, signal, log, mostAttempts } = options;
  const place = shownTarget(target);
  const rest = new RestClient({
    credentials, target, clock, signal, ...(mostAttempts === undefined ? {} : { mostAttempts }),
    onRetry: (what, attempt, why) => {
      // The first ones happen; of a long outage each doubling is said.
      if (attempt >= 2 && (attempt & (attempt - 1)) === 0) log.warn({ exchange: place, what, attempt, why }, 'REST does not answer; asking again');
    },
  });
  try {
    const rights = await rightsOf(rest, log);
    const account = credentials.account ?? rights?.uid ?? 'default';
    if (!isAccountName(account)) throw new GuidedError('the exchange gives no usable uid for the key', 'name the account in a key file');
    const history = new History(rest);
    const answered = await probe(history, categories, clock, log);
    const warning = rights === null ? null : rightsWarning(rights);
    if (warning !== null) log.warn({ account }, warning);
    return { account, credentials, rest, history, rights, ...answered };
  } catch (error) {
    if (error instanceof RestRefusedError) throw refusedError(error, credentials.account, place);
    throw error;
  }
}

/** Reads the exchange's clock; a machine whose own is wrong is told so, but it does not matter. */
export async function learnClock(rest: RestClient, clock: ExchangeClock, log: OpenLog): Promise<void> {
  try {
    await rest.synchronise();
  } catch (error) {
    if (!(error instanceof RestRefusedError)) throw error;
    if (error.refusal === 'silent') throw refusedError(error, null, 'the exchange');
  }
  if (clock.offsetMs === null) {
    log.warn({}, "the exchange does not tell its time; this machine's clock is taken");
    clock.take({ sentMs: localMs(), receivedMs: localMs(), serverMs: Date.now() });
  }
  const offMs = Math.round(Date.now() - clock.at(localMs()));
  if (Math.abs(offMs) >= CLOCK_OFF_MS) log.warn({ offMs }, `the clock of this machine is ${Math.abs(offMs) / 1_000} s ${offMs > 0 ? 'ahead of' : 'behind'} the exchange's; the exchange's is used, but set it right`);
}

async function rightsOf(rest: RestClient, log: OpenLog): Promise<KeyRights | null> {
  try {
    return keyRights((await rest.ask('key information', (client) => client.getQueryApiKey())).result);
  } catch (error) {
    if (!(error instanceof RestRefusedError) || error.refusal !== 'request') throw error;
    log.warn({ why: error.message }, 'the exchange says nothing about the key');
    return null;
  }
}

/**
 * One question of each kind: a key that may not ask is better found out now than after the first gap. A category, or a transaction
 * log, that this exchange does not have is left out from here on.
 */
async function probe(history: History, categories: readonly HistoryCategory[], clock: ExchangeClock, log: OpenLog): Promise<{ readonly categories: readonly HistoryCategory[]; readonly hasSettlements: boolean }> {
  const nowMs = clock.at(localMs());
  const window = { fromMs: nowMs - 1_000, toMs: nowMs };
  const isAnswered = async (what: string, questions: readonly (() => Promise<unknown>)[]): Promise<boolean> => {
    try {
      for (const question of questions) await question();
      return true;
    } catch (error) {
      if (!(error instanceof RestRefusedError) || error.refusal !== 'request') throw error;
      log.warn({ why: error.message }, `the exchange does not answer for ${what}: gaps of it are not fetched`);
      return false;
    }
  };
  const answered: HistoryCategory[] = [];
  let hasSettlements = true;
  for (const category of categories) {
    const isContract = category === 'linear' || category === 'inverse';
    const questions = [() => history.executions(category, window), () => history.orders(category, window), () => history.openOrders(category), ...(isContract ? [() => history.positions(category)] : [])];
    if (!(await isAnswered(`category ${category}`, questions))) continue;
    answered.push(category);
    if (isContract && hasSettlements) hasSettlements = await isAnswered('the transaction log', [() => history.settlements(category, window)]);
  }
  return { categories: answered, hasSettlements };
}

function refusedError({ refusal, message }: RestRefusedError, account: string | null, place: string): GuidedError {
  const whose = account === null ? 'the key' : `the key of account ${account}`;
  switch (refusal) {
    case 'key':
      return new GuidedError(`${place} does not accept ${whose}: ${message}`, 'check key and secret, and that they were made on this network (mainnet, testnet and demo have keys of their own)');
    case 'permission':
      return new GuidedError(`${whose} may not read what is needed: ${message}`, 'make a read-only key with "Contract: Orders, Positions" of the unified trading account, for the address of this machine');
    case 'expired':
      return new GuidedError(`${whose} has expired: ${message}`, 'make a new read-only key');
    case 'silent':
      return new GuidedError(`${place} does not answer: ${message}`, 'check --rest-url and --network, and that this machine reaches it');
    case 'request':
      return new GuidedError(`${place} cannot be asked: ${message}`, 'check --rest-url and --network, and that this machine reaches it');
  }
}
