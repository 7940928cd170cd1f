import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: the checkout, or the installed package. */
export const packageRoot: string = fileURLToPath(new URL('../../', import.meta.url));

/** Where everything of one embedded stack lies. Two stacks with different folders do not know of each other. */
export interface StackPaths {
  readonly dir: string;
  readonly stateFile: string;
  readonly lockFile: string;
  readonly downloadsDir: string;
  readonly kafkaDir: string;
  readonly registryDir: string;
  readonly postgresDir: string;
}

/**
 * The stack's folder: POSITION_LINKER_STACK_DIR, else `.stack` of the checkout, else (where the package is installed and
 * its own folder may not be writable) `position-linker/stack` in the user's state folder.
 */
export function stackDir(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['POSITION_LINKER_STACK_DIR'];
  if (named !== undefined && named !== '') return resolve(named);
  if (existsSync(join(packageRoot, 'scripts', 'position-linker'))) return join(packageRoot, '.stack');
  const stateHome = env['XDG_STATE_HOME'];
  const base = stateHome !== undefined && stateHome !== '' ? stateHome : join(homedir(), '.local', 'state');
  return join(base, 'position-linker', 'stack');
}

/**
 * Downloads lie in the stack's folder, or in POSITION_LINKER_DOWNLOADS_DIR, which several stacks may share: a finished
 * download is never changed.
 */
export function stackPaths(dir: string, env: Readonly<Record<string, string | undefined>> = {}): StackPaths {
  const downloads = env['POSITION_LINKER_DOWNLOADS_DIR'];
  const at = (name: string): string => join(dir, name);
  return {
    dir,
    stateFile: at('state.json'),
    lockFile: at('lock'),
    downloadsDir: downloads !== undefined && downloads !== '' ? resolve(downloads) : at('downloads'),
    kafkaDir: at('kafka'),
    registryDir: at('registry'),
    postgresDir: at('postgres'),
  };
}
