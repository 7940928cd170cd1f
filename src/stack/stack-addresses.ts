import { addressList } from './health.js';
import { pieceNames, type PieceName, type StackState } from './state.js';

export type PieceSource = 'environment' | 'compose' | 'embedded';

/** One of the three servers everything else needs. */
export interface StackPiece {
  readonly name: PieceName;
  readonly source: PieceSource;
  readonly address: string;
  /** Of an embedded piece. */
  readonly pid?: number;
}

export interface StackAddresses {
  readonly kafkaBrokers: readonly string[];
  readonly schemaRegistryUrl: string;
  readonly databaseUrl: string;
  readonly pieces: readonly StackPiece[];
}

/** The environment variable that gives a piece's address. */
export const pieceVariables: Readonly<Record<PieceName, string>> = {
  kafka: 'KAFKA_BROKERS',
  registry: 'SCHEMA_REGISTRY_URL',
  postgres: 'DATABASE_URL',
};

/**
 * The pieces the environment names. An address that this stack gave out itself (`eval "$(position-linker stack env)"`) is not
 * the environment's: the stack may have to start that piece again.
 */
export function fromEnvironment(env: NodeJS.ProcessEnv, state: StackState): StackPiece[] {
  return pieceNames.flatMap((name) => {
    const address = (env[pieceVariables[name]] ?? '').trim().replace(name === 'registry' ? /\/+$/ : /^$/, '');
    if (address === '' || address === state.pieces[name]?.address) return [];
    return [{ name, source: 'environment' as const, address }];
  });
}

/** A database address fit for a screen or a log. */
export function hidePassword(address: string): string {
  return address.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1:***@');
}

/** Three pieces as the three addresses. */
export function addresses(pieces: readonly StackPiece[]): StackAddresses {
  const of = (name: PieceName): string => pieces.find((piece) => piece.name === name)?.address ?? '';
  return {
    kafkaBrokers: addressList(of('kafka')),
    schemaRegistryUrl: of('registry'),
    databaseUrl: of('postgres'),
    pieces: pieceNames.flatMap((name) => pieces.filter((piece) => piece.name === name)),
  };
}
