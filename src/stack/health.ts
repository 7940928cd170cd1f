import { BROKER_OPTIONS } from '../config/options.js';
import { resolveOptions } from '../config/resolve.js';
import { probeBrokers } from '../kafka/broker-probe.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { probeDatabase } from '../postgres/database-probe.js';
import type { PieceName } from './state.js';

/** `KAFKA_BROKERS` and `SCHEMA_REGISTRY_URL`: one or more, separated by commas. */
export function addressList(address: string): string[] {
  return address
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** fetch refuses an address with user and password in it; they go into a header. No trailing slash on the address. */
export function registryAccess(address: string): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(address);
  const { username, password } = url;
  url.username = url.password = '';
  const bare = url.href.replace(/\/+$/, '');
  if (username === '') return { url: bare, headers: {} };
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return { url: bare, headers: { authorization: `Basic ${credentials}` } };
}

const probes: Readonly<Record<PieceName, (address: string, timeoutMs: number, env: NodeJS.ProcessEnv | null) => Promise<void>>> = {
  kafka: (address, timeoutMs, env) => {
    const { brokers, ...access } = env === null ? { brokers: addressList(address) } : clusterAccess(resolveOptions(BROKER_OPTIONS, new Map(), { ...env, KAFKA_BROKERS: address }));
    return probeBrokers(brokers, timeoutMs, access);
  },
  registry: probeRegistry,
  postgres: probeDatabase,
};

/** Any one of several registries will do, as for whoever uses them. */
async function probeRegistry(address: string, timeoutMs: number): Promise<void> {
  await Promise.any(addressList(address).map((one) => probeOneRegistry(one, timeoutMs))).catch((error: AggregateError) => {
    throw error.errors[0];
  });
}

async function probeOneRegistry(address: string, timeoutMs: number): Promise<void> {
  const { url, headers } = registryAccess(address);
  const response = await fetch(`${url}/subjects`, { headers, signal: AbortSignal.timeout(timeoutMs) });
  const body = await response.text();
  if (!response.ok || !body.startsWith('[')) throw new Error(`GET ${url}/subjects answered ${response.status}`);
}

/**
 * Null when the piece does what it is for; otherwise what went wrong, in a few words. Of brokers that the environment names
 * it also says who asks; those of the stack itself ask nobody.
 */
export async function ailment(piece: PieceName, address: string, timeoutMs: number, env: NodeJS.ProcessEnv | null = null): Promise<string | null> {
  try {
    await probes[piece](address, timeoutMs, env);
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const text = cause instanceof Error ? cause.message || cause.name : String(cause);
    return text === '' ? 'no answer' : text;
  }
}
