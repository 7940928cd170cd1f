import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EmbeddedPiece } from './embedded-piece.js';
import type { StackPaths } from './paths.js';
import { postgresBinaries, serverUser, type ServerUser } from './postgres-binaries.js';
import { lastLines, runCommand } from './run-command.js';
import { StackError } from './stack-error.js';
import type { ToolchainOptions } from './toolchain.js';

const userName = 'position_linker';

const settings: Readonly<Record<string, string | number>> = {
  listen_addresses: '127.0.0.1',
  // No socket file: its folder would have to exist and be writable for the server's user.
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  shared_buffers: '256MB',
  max_connections: 200,
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  // Parallel queries want /dev/shm, of which containers often have 64 MB.
  max_parallel_workers_per_gather: 0,
};

/** Where the cluster lies: in the stack's folder, or where a link there points to (see `linkOutside`). */
export function postgresDataDir(paths: StackPaths): string {
  const inside = join(paths.postgresDir, 'data');
  try {
    return readlinkSync(inside);
  } catch {
    return inside;
  }
}

/** For a server whose user cannot enter the stack's folder. `stack down --volumes` removes it with the rest. */
export function outsideDir(paths: StackPaths): string {
  return join('/var/tmp', `position-linker-${createHash('sha256').update(paths.dir).digest('hex').slice(0, 12)}`);
}

/** The superuser's password: random, made once, readable by the owner of the stack only. */
function password(paths: StackPaths): string {
  const file = join(paths.postgresDir, 'password');
  if (!existsSync(file)) {
    mkdirSync(paths.postgresDir, { recursive: true });
    writeFileSync(file, `${randomBytes(12).toString('hex')}\n`, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}

export const embeddedPostgres: EmbeddedPiece = {
  name: 'postgres',
  portNames: ['postgres'],
  folder: (paths) => paths.postgresDir,
  // Both places: the link to the one outside is lost when somebody removes the stack's folder by hand.
  markers: (paths) => [join(paths.postgresDir, 'data'), join(outsideDir(paths), 'data')],
  address: (paths, ports) => `postgres://${userName}:${password(paths)}@127.0.0.1:${ports['postgres']}/postgres`,

  async prepare(paths, ports, options) {
    const user = serverUser();
    if (!reaches(user, paths.postgresDir)) linkOutside(paths, options);
    const binaries = postgresBinaries(join(dirname(postgresDataDir(paths)), 'binaries'), user);
    const dataDir = postgresDataDir(paths);
    if (!existsSync(join(dataDir, 'PG_VERSION'))) await initialise(paths, dataDir, binaries, user, options);
    return {
      program: join(binaries, 'bin', 'postgres'),
      args: ['-D', dataDir, '-p', String(ports['postgres']), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env: { ...options.env, LC_ALL: 'C' },
      ...user,
    };
  },

  stopSteps: [
    // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for clients to leave.
    { signal: 'SIGINT', waitMs: 20_000 },
    { signal: 'SIGQUIT', waitMs: 5_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ],
};

function reaches(user: ServerUser, folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', folder], { cwd: '/', ...user }).status === 0;
}

/**
 * The server's user cannot enter this checkout (root's own home folder, for one), so the cluster has to lie elsewhere. A link
 * in the stack's folder says where, and `stack down --volumes` removes both.
 */
function linkOutside(paths: StackPaths, options: ToolchainOptions): void {
  const inside = join(paths.postgresDir, 'data');
  if (postgresDataDir(paths) !== inside) return;
  const outside = outsideDir(paths);
  mkdirSync(outside, { recursive: true, mode: 0o755 });
  if (statSync(outside).uid !== process.getuid?.()) throw new StackError(`${outside} belongs to somebody else`, 'remove it, or set POSITION_LINKER_STACK_DIR');
  // What a removed stack of the same path left there has another password.
  rmSync(join(outside, 'data'), { recursive: true, force: true });
  options.say(`postgres: its user cannot enter ${paths.dir}, so its data goes to ${outside}`);
  symlinkSync(join(outside, 'data'), inside);
}

/** Makes a new cluster. A torn one from a killed run, which has no PG_VERSION yet or was never finished, is replaced. */
async function initialise(paths: StackPaths, dataDir: string, binaries: string, user: ServerUser, options: ToolchainOptions): Promise<void> {
  options.say('postgres: creating the database cluster');
  const partial = `${dataDir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { mode: 0o700 });
  const passwordFile = `${dataDir}.password`;
  writeFileSync(passwordFile, `${password(paths)}\n`, { mode: 0o600 });
  for (const path of [partial, passwordFile]) if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
  const run = await runCommand(
    join(binaries, 'bin', 'initdb'),
    ['-D', partial, '-U', userName, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'],
    { env: { ...options.env, LC_ALL: 'C' }, signal: options.signal, ...user },
  ).finally(() => rmSync(passwordFile, { force: true }));
  if (run.code !== 0) {
    throw new StackError(`the database cluster could not be created:\n${lastLines(run.output, 8)}`, `check that ${dataDir} can be written`);
  }
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(partial, dataDir);
}
