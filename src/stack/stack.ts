import { existsSync, rmSync } from 'node:fs';
import { abortAny } from '../runtime/abort-any.js';
import { composeDown, composeEngine, composeUp } from './compose.js';
import { embeddedKafka } from './embedded-kafka.js';
import { findRunning, startPiece, stopPiece, type EmbeddedPiece } from './embedded-piece.js';
import { embeddedPostgres, outsideDir } from './embedded-postgres.js';
import { embeddedRegistry } from './embedded-registry.js';
import { ailment } from './health.js';
import { withLock } from './lock.js';
import { stackDir, stackPaths, type StackPaths } from './paths.js';
import { findByArgument, killByArgument } from './process-table.js';
import { addresses, fromEnvironment, hidePassword, pieceVariables, type StackAddresses, type StackPiece } from './stack-addresses.js';
import { StackError } from './stack-error.js';
import { pieceNames, readState, writeState, type PieceName, type StackState } from './state.js';

/** A piece and how it is: `ailment` is null when it is healthy. */
export interface PieceStatus extends StackPiece {
  readonly ailment: string | null;
}

export interface StackOptions {
  /** Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Progress, a line at a time. Default: nowhere. */
  readonly say?: (line: string) => void;
  /** Do not ask for a container engine. */
  readonly embeddedOnly?: boolean;
  /** Ends the work; whatever this call started is stopped again. */
  readonly signal?: AbortSignal;
}

const embedded: Readonly<Record<PieceName, EmbeddedPiece>> = {
  kafka: embeddedKafka,
  registry: embeddedRegistry,
  postgres: embeddedPostgres,
};

const lockWaitMs = 600_000;
const healthTimeoutMs = 5_000;
/** For a server that a killed run had just begun to start. */
const patienceMs = 15_000;

function settle(options: StackOptions): { env: NodeJS.ProcessEnv; say: (line: string) => void; signal: AbortSignal | undefined; paths: StackPaths } {
  const env = options.env ?? process.env;
  return { env, say: options.say ?? (() => undefined), signal: options.signal, paths: stackPaths(stackDir(env), env) };
}

/**
 * Every piece, healthy: from the environment, else what this stack already runs, else from Docker Compose where an engine
 * answers, else as processes of this machine. They keep running when the caller ends.
 */
export async function stackUp(options: StackOptions = {}): Promise<StackAddresses> {
  const { env, say, signal, paths } = settle(options);
  return withLock(paths.lockFile, { waitMs: lockWaitMs, say, signal }, async () => {
    const given = fromEnvironment(env, readState(paths.stateFile));
    await Promise.all(given.map((piece) => requireHealthy(piece, env)));
    const missing = pieceNames.filter((name) => !given.some((piece) => piece.name === name));
    const ours = await startMissing(missing, paths, options.embeddedOnly ?? false, { env, say, signal });
    return addresses([...given, ...ours]);
  });
}

async function requireHealthy(piece: StackPiece, env: NodeJS.ProcessEnv): Promise<void> {
  const ails = await ailment(piece.name, piece.address, healthTimeoutMs, env);
  if (ails === null) return;
  const variable = pieceVariables[piece.name];
  const shown = piece.name === 'postgres' ? hidePassword(piece.address) : piece.address;
  throw new StackError(`${variable} is ${shown}, and nothing healthy answers there: ${ails}`, `start it, or \`unset ${variable}\` to have one started`);
}

interface Work {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function startMissing(missing: readonly PieceName[], paths: StackPaths, embeddedOnly: boolean, work: Work): Promise<StackPiece[]> {
  const state = readState(paths.stateFile);
  const running: StackPiece[] = [];
  await Promise.all(
    missing.map(async (name) => {
      const found = await findRunning(embedded[name], paths, state.ports, patienceMs);
      if (found !== null) running.push({ name, source: 'embedded', address: found, ...pidOf(name, paths) });
    }),
  );
  const rest = missing.filter((name) => !running.some((piece) => piece.name === name));
  if (rest.length === 0) return remember(paths, running);

  // What was embedded stays embedded: its data is there. Compose comes in where nothing of this stack was ever embedded.
  const neverEmbedded = Object.values(state.pieces).every((piece) => piece.source !== 'embedded');
  if (!embeddedOnly && neverEmbedded && (await composeEngine(work))) {
    const composed = await composeUp(rest, paths, state.ports, work);
    if (composed !== null) return remember(paths, [...running, ...composed.pieces], composed.ports);
  }
  return remember(paths, [...running, ...(await startEmbedded(rest, paths, state.ports, work))]);
}

async function startEmbedded(names: readonly PieceName[], paths: StackPaths, ports: StackState['ports'], work: Work): Promise<StackPiece[]> {
  const taken = new Set<number>();
  const keepPorts = (fresh: StackState['ports']): void => {
    const state = readState(paths.stateFile);
    writeState(paths.stateFile, { ...state, ports: { ...state.ports, ...fresh } });
  };
  // A failure of one ends the waiting of the others.
  const failure = new AbortController();
  const signal = abortAny([failure.signal, ...(work.signal === undefined ? [] : [work.signal])]);
  const starts = names.map((name) =>
    startPiece(embedded[name], paths, ports, taken, keepPorts, { ...work, signal }).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  // Whoever asks a second time to stop gets it at once, and still no half-started server.
  const atExit = (): void => names.forEach((name) => killByArgument(...embedded[name].markers(paths)));
  process.once('exit', atExit);
  const outcomes = await Promise.allSettled(starts);
  process.removeListener('exit', atExit);
  if (signal.aborted) {
    await Promise.all(names.map((name) => stopPiece(embedded[name], paths)));
    throw signal.reason;
  }
  return outcomes.flatMap((outcome, index) => {
    const name = names[index];
    if (name === undefined || outcome.status === 'rejected') return [];
    return [{ name, source: 'embedded' as const, address: outcome.value, ...pidOf(name, paths) }];
  });
}

function pidOf(name: PieceName, paths: StackPaths): { pid?: number } {
  const pid = findByArgument(...embedded[name].markers(paths))[0];
  return pid === undefined ? {} : { pid };
}

/** Notes who runs these pieces and where, for `stack env`, `status` and `down`. */
function remember(paths: StackPaths, pieces: StackPiece[], ports: StackState['ports'] = {}): StackPiece[] {
  const state = readState(paths.stateFile);
  const noted = { ...state.pieces };
  for (const { name, source, address } of pieces) if (source !== 'environment') noted[name] = { source, address };
  writeState(paths.stateFile, { ...state, ports: { ...state.ports, ...ports }, pieces: noted });
  return pieces;
}

/** The pieces as they are known without starting or asking anything: environment first, then the state file. */
function knownPieces(env: NodeJS.ProcessEnv, paths: StackPaths): StackPiece[] {
  const state = readState(paths.stateFile);
  const given = fromEnvironment(env, state);
  return pieceNames.flatMap((name): StackPiece[] => {
    const fromEnv = given.find((piece) => piece.name === name);
    if (fromEnv !== undefined) return [fromEnv];
    const own = state.pieces[name];
    if (own === undefined) return [];
    return [{ name, ...own, ...(own.source === 'embedded' ? pidOf(name, paths) : {}) }];
  });
}

/** Each piece that is known, and how it is; empty where nothing was ever started here. */
export async function stackStatus(options: StackOptions = {}): Promise<PieceStatus[]> {
  const { env, paths } = settle(options);
  return Promise.all(
    knownPieces(env, paths).map(async (piece) => ({ ...piece, ailment: await ailment(piece.name, piece.address, healthTimeoutMs, piece.source === 'environment' ? env : null) })),
  );
}

/** The three addresses, without starting anything. Rejects where a piece is unknown or does not answer. */
export async function stackEnv(options: StackOptions = {}): Promise<StackAddresses> {
  const status = await stackStatus(options);
  const broken = pieceNames.flatMap((name) => {
    const piece = status.find((candidate) => candidate.name === name);
    if (piece === undefined) return [`${name} is not started`];
    return piece.ailment === null ? [] : [`${name} does not answer (${piece.ailment})`];
  });
  if (broken.length > 0) throw new StackError(`the stack is not up: ${broken.join('; ')}`, 'run: position-linker stack up');
  return addresses(status.map(({ ailment: _healthy, ...piece }) => piece));
}

export interface StackDown {
  /** Pids of embedded pieces that were ended. */
  readonly ended: readonly number[];
  readonly composeStopped: boolean;
  readonly volumesRemoved: boolean;
}

/** Stops what this stack runs itself and leaves no process. `volumes`: removes its data too; downloads stay. */
export async function stackDown(options: StackOptions & { readonly volumes?: boolean } = {}): Promise<StackDown> {
  const { env, say, signal, paths } = settle(options);
  const volumes = options.volumes ?? false;
  // Servers may outlive their folder, where somebody removed it by hand.
  const running = pieceNames.some((name) => findByArgument(...embedded[name].markers(paths)).length > 0);
  if (!existsSync(paths.dir) && !running && !volumes) return { ended: [], composeStopped: false, volumesRemoved: false };
  return withLock(paths.lockFile, { waitMs: lockWaitMs, say, signal }, async () => {
    const state = readState(paths.stateFile);
    const ended = (await Promise.all(pieceNames.map((name) => stopPiece(embedded[name], paths)))).flat();
    const composeStopped = Object.values(state.pieces).some((piece) => piece.source === 'compose');
    if (composeStopped) await composeDown(paths, volumes, { env, say, signal });
    if (volumes) removeData(paths);
    // Ports and kinds are kept while the data is: the next start wants the same. Without data nothing is worth keeping.
    if (volumes) rmSync(paths.stateFile, { force: true });
    return { ended, composeStopped, volumesRemoved: volumes };
  });
}

function removeData(paths: StackPaths): void {
  for (const folder of [paths.kafkaDir, paths.registryDir, paths.postgresDir, outsideDir(paths)]) rmSync(folder, { recursive: true, force: true });
}
