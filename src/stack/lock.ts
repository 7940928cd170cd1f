import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive, pause } from './process-table.js';
import { StackError } from './stack-error.js';

/**
 * Runs `work` while no other process holds the lock file. The file names its holder's pid; a holder that no longer lives
 * (a killed run) is cleared away. Waits up to `waitMs` for a living one.
 */
export async function withLock<T>(
  file: string,
  options: { readonly waitMs: number; readonly say: (line: string) => void; readonly signal: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const deadline = Date.now() + options.waitMs;
  let told = false;
  while (!take(file)) {
    const holder = holderOf(file);
    if (holder !== null && !sameProcess(holder)) {
      clear(file, holder.text);
      continue;
    }
    if (Date.now() > deadline) {
      throw new StackError(
        `another process (pid ${holder?.pid ?? 'unknown'}) has been starting or stopping this stack for ${options.waitMs / 1000} s`,
        `wait for it, or end it and remove ${file}`,
      );
    }
    if (!told) options.say(`waiting for pid ${holder?.pid ?? '?'}, which is starting or stopping this stack`);
    told = true;
    await pause(100, options.signal);
  }
  try {
    return await work();
  } finally {
    if (holderOf(file)?.pid === process.pid) rmSync(file, { force: true });
  }
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
  readonly text: string;
}

/** Link is atomic and refuses an existing name, and the file is complete from its first moment. */
function take(file: string): boolean {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${startOf(process.pid)}\n`);
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function holderOf(file: string): Holder | null {
  try {
    const text = readFileSync(file, 'utf8');
    const [pid = '', startedAt = ''] = text.trim().split(' ');
    return { pid: Number(pid), startedAt, text };
  } catch {
    return null;
  }
}

function sameProcess(holder: Holder): boolean {
  return Number.isInteger(holder.pid) && holder.pid > 0 && isAlive(holder.pid) && startOf(holder.pid) === holder.startedAt;
}

/** Removes a dead holder's lock, and only that: whoever took it in the meantime keeps it. */
function clear(file: string, deadText: string): void {
  if (holderOf(file)?.text === deadText) rmSync(file, { force: true });
}

/** The process' start in clock ticks since boot, which tells it from a later one with the same pid; "-" where unknown. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}
