import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type PieceName = 'kafka' | 'registry' | 'postgres';
export const pieceNames: readonly PieceName[] = ['kafka', 'registry', 'postgres'];

/** The three addresses everything else needs. */
export interface PieceAddresses {
  /** `host:port,host:port` */
  readonly kafka: string;
  /** Base address of Confluent's registry API, without a trailing slash. */
  readonly registry: string;
  /** `postgres://user:password@host:port/database` */
  readonly postgres: string;
}

/** What the stack remembers between commands. Pids are not in it: processes are found by their arguments. */
export interface StackState {
  readonly version: 1;
  /** Ports that embedded pieces used last; they are asked for again. */
  readonly ports: Readonly<Record<string, number>>;
  /** Which pieces this stack runs itself, and at which address. */
  readonly pieces: Partial<Record<PieceName, { readonly source: 'embedded' | 'compose'; readonly address: string }>>;
}

export const emptyState: StackState = { version: 1, ports: {}, pieces: {} };

/** The remembered state; an absent, torn or foreign file counts as none, since everything in it can be found again. */
export function readState(file: string): StackState {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return emptyState;
  }
  return isState(parsed) ? parsed : emptyState;
}

function isState(value: unknown): value is StackState {
  if (typeof value !== 'object' || value === null) return false;
  const { version, ports, pieces } = value as Partial<Record<keyof StackState, unknown>>;
  if (version !== 1 || typeof ports !== 'object' || ports === null || typeof pieces !== 'object' || pieces === null) return false;
  const portsFit = Object.values(ports).every((port) => Number.isInteger(port) && port > 0 && port < 65536);
  const piecesFit = Object.entries(pieces).every(([name, piece]) => {
    const { source, address } = (piece ?? {}) as { source?: unknown; address?: unknown };
    return pieceNames.includes(name as PieceName) && (source === 'embedded' || source === 'compose') && typeof address === 'string';
  });
  return portsFit && piecesFit;
}

/** Writes the whole file or nothing (a rename), readable by its owner only: the database address holds a password. */
export function writeState(file: string, state: StackState): void {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}
