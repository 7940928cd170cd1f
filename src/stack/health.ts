import { probeBrokers } from '../kafka/broker-probe.js';
import { probeDatabase } from '../postgres/database-probe.js';
import type { PieceName } from './state.js';

/** `KAFKA_BROKERS` and its like: names separated by commas. */
export function brokerList(address: string): string[] {
  return address
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
}

const probes: Readonly<Record<PieceName, (address: string, timeoutMs: number) => Promise<void>>> = {
  kafka: (address, timeoutMs) => probeBrokers(brokerList(address), timeoutMs),
  registry: probeRegistry,
  postgres: probeDatabase,
};

async function probeRegistry(address: string, timeoutMs: number): Promise<void> {
  const response = await fetch(`${address}/subjects`, { signal: AbortSignal.timeout(timeoutMs) });
  const body = await response.text();
  if (!response.ok || !body.startsWith('[')) throw new Error(`GET ${address}/subjects answered ${response.status}`);
}

/** Null when the piece does what it is for; otherwise what went wrong, in a few words. */
export async function ailment(piece: PieceName, address: string, timeoutMs: number): Promise<string | null> {
  try {
    await probes[piece](address, timeoutMs);
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const text = cause instanceof Error ? cause.message || cause.name : String(cause);
    return text === '' ? 'no answer' : text;
  }
}
