import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GuidedError } from '../config/guided-error.js';
import type { RunningRole } from './role-table.js';

/** Megabytes. Most of what a role makes is dead a moment later: a larger young generation saves a fifth of all work. */
const YOUNG_GENERATION = '--max-semi-space-size';
const YOUNG_GENERATION_MB = 64;

const MAIN = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));

/** A process of several ended by itself. It has said why; its exit code, where it has one, tells the same. */
export class ProcessEnded extends Error {
  override name = 'ProcessEnded';
  readonly code: number | null;

  constructor(name: string, code: number | null, signal: NodeJS.Signals | null) {
    super(signal === null ? `${name} ended with exit code ${code}` : `${name} was ended by ${signal}`);
    this.code = code;
  }
}

/**
 * This program once more, as a process that runs what the same command line says, and ends when it is told to or when this
 * process is gone. It is in a process group of its own: a terminal's Ctrl-C reaches it through this process alone.
 */
export function startRoleProcess(name: string, argv: readonly string[]): RunningRole {
  const child = fork(MAIN, [...argv, '--processes=1', '--drain=false'], { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: nodeFlags() });
  let isStopping = false;
  const finished = new Promise<Awaited<RunningRole['finished']>>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'failed', error: new GuidedError(`${name} cannot be started: ${error.message}`, 'see that this machine may start more processes, or use --processes 1', { cause: error }) }));
    child.once('exit', (code, signal) => {
      // SIGTERM ends one that was still loading.
      const wasStopped = isStopping && (code === 0 || signal === 'SIGTERM');
      resolve(wasStopped ? { kind: 'stopped' } : { kind: 'failed', error: new ProcessEnded(name, code, signal) });
    });
  });
  return {
    name,
    finished,
    stop: () => {
      isStopping = true;
      child.kill('SIGTERM');
    },
    close: async () => undefined,
  };
}

/** This process's own, and a young generation of the right size unless somebody chose one. */
function nodeFlags(): string[] {
  const isChosen = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((flags) => flags.includes(YOUNG_GENERATION));
  return isChosen ? process.execArgv : [...process.execArgv, `${YOUNG_GENERATION}=${YOUNG_GENERATION_MB}`];
}
