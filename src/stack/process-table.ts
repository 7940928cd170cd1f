import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** One process as the operating system shows it. */
export interface ProcessRow {
  readonly pid: number;
  readonly args: readonly string[];
}

/** All processes that can be seen. Linux: /proc, so that a slim container without `ps` will do. Elsewhere: `ps`. */
export function listProcesses(): ProcessRow[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

function fromProc(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const raw = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      // A zombie has an empty command line: it holds no port and no file, so it does not count as running.
      if (raw !== '') rows.push({ pid: Number(name), args: raw.split('\0').filter((arg) => arg !== '') });
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  return rows;
}

function fromPs(): ProcessRow[] {
  const listing = spawnSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' });
  return (listing.stdout ?? '').split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), args: (match[2] ?? '').split(' ') }];
  });
}

/**
 * The processes one of whose arguments is exactly one of `markers`. A piece of the stack always carries a path of its own stack
 * folder as an argument, so this finds what a killed run left behind without trusting a pid that may since be another's.
 */
export function findByArgument(...markers: readonly string[]): number[] {
  return listProcesses()
    .filter((row) => row.pid !== process.pid && row.args.some((arg) => markers.includes(arg)))
    .map((row) => row.pid);
}

/** Ends whatever carries one of `markers` at once and without waiting, for the last moment of this process. */
export function killByArgument(...markers: readonly string[]): void {
  for (const pid of findByArgument(...markers)) sendSignal(pid, 'SIGKILL');
}

/** Ends whatever carries one of `markers`: each signal in turn, with the time it is given. Resolves to the pids that were there. */
export async function stopByArgument(
  markers: readonly string[],
  steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[],
): Promise<number[]> {
  const first = findByArgument(...markers);
  for (const { signal, waitMs } of steps) {
    const pids = findByArgument(...markers);
    if (pids.length === 0) return first;
    for (const pid of pids) sendSignal(pid, signal);
    const deadline = Date.now() + waitMs;
    while (Date.now() < deadline && findByArgument(...markers).length > 0) await pause(50);
  }
  return first;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
