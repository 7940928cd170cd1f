import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { ailment } from './health.js';
import type { StackPaths } from './paths.js';
import { findByArgument, pause, stopByArgument } from './process-table.js';
import { lastLines } from './run-command.js';
import { StackError } from './stack-error.js';
import type { PieceName } from './state.js';
import type { ToolchainOptions } from './toolchain.js';

/** How to start one server. `uid`/`gid` where it must not run as the user of this process. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

/** A server that the stack runs itself as a process of its own, which outlives the command that started it. */
export interface EmbeddedPiece {
  readonly name: PieceName;
  /** Names of its ports in the state file. */
  readonly portNames: readonly string[];
  folder(paths: StackPaths): string;
  /** Arguments of which this piece of this stack, and no other process, carries one on its command line. */
  markers(paths: StackPaths): readonly string[];
  address(paths: StackPaths, ports: Readonly<Record<string, number>>): string;
  /** Everything before the start: downloads, data folder, configuration for these ports. */
  prepare(paths: StackPaths, ports: Readonly<Record<string, number>>, options: ToolchainOptions): Promise<Launch>;
  /** Once it is healthy for the first time in this process' life. */
  afterStart?(address: string): Promise<void>;
  /** Signals that end it, the kindest first. */
  readonly stopSteps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];
}

const healthTimeoutMs = 3_000;
const startDeadlineMs = 120_000;
const attempts = 3;

/** The address of `piece`, if this stack already runs it and it is healthy; one that is just starting gets `patienceMs`. */
export async function findRunning(
  piece: EmbeddedPiece,
  paths: StackPaths,
  ports: Readonly<Record<string, number>>,
  patienceMs: number,
): Promise<string | null> {
  if (piece.portNames.some((name) => ports[name] === undefined)) return null;
  const address = piece.address(paths, ports);
  const deadline = Date.now() + patienceMs;
  while (findByArgument(...piece.markers(paths)).length > 0) {
    if ((await ailment(piece.name, address, healthTimeoutMs)) === null) return address;
    if (Date.now() > deadline) return null;
    await pause(200);
  }
  return null;
}

/**
 * Starts the piece; what of it runs and does not answer is ended first. `taken` collects the ports of this run. `remember`
 * is called before the process starts, so that a killed run leaves its ports behind for the next one to find.
 */
export async function startPiece(
  piece: EmbeddedPiece,
  paths: StackPaths,
  ports: Readonly<Record<string, number>>,
  taken: Set<number>,
  remember: (ports: Readonly<Record<string, number>>) => void,
  options: ToolchainOptions,
): Promise<string> {
  // It does not answer, so it will hardly stop in order; all three servers recover from a kill.
  const impatient = piece.stopSteps.map((step) => ({ ...step, waitMs: Math.min(step.waitMs, 5_000) }));
  const leftover = await stopByArgument(piece.markers(paths), impatient);
  if (leftover.length > 0) options.say(`${piece.name}: ended a leftover that did not answer (pid ${leftover.join(', ')})`);

  for (let attempt = 1; ; attempt++) {
    const chosen: Record<string, number> = {};
    for (const name of piece.portNames) {
      const port = await freePort(attempt === 1 ? ports[name] : undefined, taken);
      taken.add(port);
      chosen[name] = port;
    }
    remember(chosen);
    const outcome = await launch(piece, paths, chosen, options);
    if (outcome === null) return piece.address(paths, chosen);
    await stopPiece(piece, paths);
    const portLost = /address already in use|bindexception|could not bind/i.test(outcome.log);
    if (!portLost || attempt === attempts) {
      throw new StackError(
        `${piece.name} did not start: ${outcome.cause}\n${lastLines(outcome.log, 12)}`,
        `read ${logFile(piece, paths)}; \`stack down --volumes\` starts it from nothing`,
      );
    }
    options.say(`${piece.name}: a port was taken in the meantime, trying others`);
  }
}

let queue: Promise<unknown> = Promise.resolve();

/** One preparation after the other: neither Maven nor apt-get likes company. The servers then start side by side. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = queue.then(work, work);
  queue = turn;
  return turn;
}

function logFile(piece: EmbeddedPiece, paths: StackPaths): string {
  return join(piece.folder(paths), 'server.log');
}

/** Null once it is healthy, else what went wrong and its log. */
async function launch(
  piece: EmbeddedPiece,
  paths: StackPaths,
  ports: Readonly<Record<string, number>>,
  options: ToolchainOptions,
): Promise<{ readonly cause: string; readonly log: string } | null> {
  mkdirSync(piece.folder(paths), { recursive: true });
  const how = await inTurn(() => piece.prepare(paths, ports, options));
  options.signal?.throwIfAborted();
  options.say(`${piece.name}: starting`);
  const log = logFile(piece, paths);
  if (existsSync(log)) renameSync(log, `${log}.1`);
  const output = openSync(log, 'a', 0o600);
  let ended: string | null = null;
  const child = spawn(how.program, how.args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: how.env,
    // Another user may not be able to enter the stack's folder.
    ...(how.uid === undefined || how.gid === undefined ? { cwd: piece.folder(paths) } : { uid: how.uid, gid: how.gid, cwd: '/' }),
  });
  closeSync(output);
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `it ended by itself (${signal ?? `exit code ${code}`})`));
  child.unref();

  const address = piece.address(paths, ports);
  const deadline = Date.now() + startDeadlineMs;
  for (;;) {
    await pause(100, options.signal);
    if (ended !== null) return { cause: ended, log: readFileSync(log, 'utf8') };
    const ails = await ailment(piece.name, address, healthTimeoutMs);
    if (ails === null && ended === null) break;
    if (Date.now() > deadline) return { cause: `no healthy answer within ${startDeadlineMs / 1000} s (${ails})`, log: readFileSync(log, 'utf8') };
  }
  await piece.afterStart?.(address);
  return null;
}

/** Ends the piece and waits until it is gone. Resolves to the pids it had. */
export function stopPiece(piece: EmbeddedPiece, paths: StackPaths): Promise<number[]> {
  return stopByArgument(piece.markers(paths), piece.stopSteps);
}
