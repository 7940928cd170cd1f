import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Kafka 4 needs Java 17. */
export const javaMajorLeast = 17;

export interface Java {
  /** What JAVA_HOME is for it. */
  readonly home: string;
  readonly executable: string;
  readonly major: number;
}

/** Folders where Linux distributions and the usual installers put JVMs. */
const jvmFolders: readonly string[] = ["/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines"];

/** Candidate executables in the order they are asked: JAVA_HOME, PATH, then what lies in the system's JVM folders. */
export function javaCandidates(env: Readonly<Record<string, string | undefined>>, folders: readonly string[] = jvmFolders): string[] {
  const found: string[] = [];
  const home = env['JAVA_HOME'];
  if (home !== undefined && home !== '') found.push(join(home, 'bin', 'java'));
  for (const folder of (env['PATH'] ?? '').split(delimiter)) if (folder !== '') found.push(join(folder, 'java'));
  for (const folder of folders) {
    for (const name of namesIn(folder)) {
      found.push(join(folder, name, 'bin', 'java'), join(folder, name, 'Contents', 'Home', 'bin', 'java'));
    }
  }
  return [...new Set(found.flatMap((path) => realExecutable(path)))];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function realExecutable(path: string): string[] {
  try {
    accessSync(path, constants.X_OK);
    return [realpathSync(path)];
  } catch {
    return [];
  }
}

/** The major version that `java -version` prints: `"17.0.15"` is 17, `"1.8.0_412"` is 8. Null where it prints none. */
export function javaMajor(versionText: string): number | null {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(versionText);
  if (match === null) return null;
  return match[1] === '1' ? Number(match[2]) : Number(match[1]);
}

/** The first candidate that is new enough; later ones are not even run. */
export function chooseJava(candidates: readonly string[], majorOf: (executable: string) => number | null): Java | null {
  for (const executable of candidates) {
    const major = majorOf(executable);
    if (major !== null && major >= javaMajorLeast) return { home: dirname(dirname(executable)), executable, major };
  }
  return null;
}

export function findJava(env: Readonly<Record<string, string | undefined>>): Java | null {
  return chooseJava(javaCandidates(env), (executable) => {
    const run = spawnSync(executable, ['-version'], { encoding: 'utf8', timeout: 20_000 });
    return run.error === undefined ? javaMajor(`${run.stderr}${run.stdout}`) : null;
  });
}

/** Whether a program of this name is on PATH. */
export function onPath(program: string, env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => folder !== '' && realExecutable(join(folder, program)).length > 0);
}
