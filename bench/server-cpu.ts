import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/*
 * CPU time of the servers a benchmark talks to, where they are processes of this machine and this machine is Linux: whoever
 * listens on the port, and all that it started. Elsewhere there is nothing to read, and null says so.
 */

/** What the kernel counts CPU time in, on every Linux there is. */
const TICKS_A_SECOND = 100;
const LISTENING = '0A';

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/** CPU seconds so far of the process that listens on this port of this machine, and of its children, ended ones included. */
export function serverCpuSeconds(port: number): number | null {
  try {
    const root = listenerOf(port);
    return root === null ? null : treeTicks(root) / TICKS_A_SECOND;
  } catch {
    return null;
  }
}

function listenerOf(port: number): number | null {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTENING && inode !== undefined && Number.parseInt(local?.split(':')[1] ?? '', 16) === port) inodes.add(`socket:[${inode}]`);
    }
  }
  if (inodes.size === 0) return null;
  const holders = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => holdsAny(pid, inodes));
  // Children inherit a listening socket; the server is the first of them.
  return holders.length === 0 ? null : Math.min(...holders);
}

function holdsAny(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

function treeTicks(root: number): number {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => timesOf(Number(name)) ?? []);
  const family = new Set([root]);
  // Parents have no order in the listing: until nobody joins any more.
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0);
}

function timesOf(pid: number): ProcessTimes | null {
  try {
    // The name, in brackets, may hold anything; fields are counted behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
    return { pid, parent: Number(fields[1]), ticks };
  } catch {
    return null;
  }
}
