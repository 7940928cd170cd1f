import { spawn } from 'node:child_process';

export interface CommandRun {
  /** Null where the program could not be started, was stopped, or ran out of time. */
  readonly code: number | null;
  /** Standard output and standard error together. */
  readonly output: string;
}

/** Runs a program to its end without a terminal. It never rejects but for an abort, which also ends the program. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined; readonly uid?: number; readonly gid?: number } = {},
): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    const identity = options.uid === undefined || options.gid === undefined ? {} : { uid: options.uid, gid: options.gid, cwd: '/' };
    // A group of its own, so that an abort ends what the program itself started too (mvn is a script that starts a JVM).
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: options.env, detached: true, ...identity });
    let output = '';
    const endGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Ended already.
      }
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(endGroup, options.timeoutMs);
    options.signal?.addEventListener('abort', endGroup, { once: true });
    process.once('exit', endGroup);
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-20_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', endGroup);
      process.removeListener('exit', endGroup);
      if (options.signal?.aborted === true) reject(options.signal.reason);
      else resolve({ code, output: output.trim() });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(null);
    });
    child.once('close', finish);
  });
}

/** The last lines of a text, indented, for an error message. */
export function lastLines(text: string, count: number): string {
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}
