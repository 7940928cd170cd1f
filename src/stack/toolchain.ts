import { existsSync, readFileSync } from 'node:fs';
import { findJava, javaMajorLeast, onPath, type Java } from './java.js';
import { lastLines, runCommand } from './run-command.js';
import { StackError } from './stack-error.js';

export interface ToolchainOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** A Java that Kafka runs on; installed where it is missing and that may be done without asking. */
export async function requireJava(options: ToolchainOptions): Promise<Java> {
  const found = findJava(options.env);
  if (found !== null) return found;
  await install(`Java ${javaMajorLeast} or newer`, await javaPackage(options), options);
  const installed = findJava(options.env);
  if (installed !== null) return installed;
  throw new StackError('Java was installed but is not found', `set JAVA_HOME to a Java ${javaMajorLeast} or newer`);
}

/** Sees to it that `mvn` is on PATH, in the same way. */
export async function requireMaven(options: ToolchainOptions): Promise<void> {
  if (onPath('mvn', options.env)) return;
  await install('Maven', 'maven', options);
  if (!onPath("mvn", options.env)) throw new StackError("Maven was installed but `mvn` is not on PATH", "add its folder to PATH");
}

/** Runtimes that Kafka is known to run on, the best known first; distributions carry some of them. */
const runtimePackages: readonly string[] = ['openjdk-17-jre-headless', 'openjdk-21-jre-headless', 'openjdk-25-jre-headless'];

async function javaPackage(options: ToolchainOptions): Promise<string> {
  const first = runtimePackages[0] ?? 'default-jre-headless';
  if (!mayInstall(options.env)) return first;
  await aptGet(['update'], options);
  for (const name of runtimePackages) {
    const known = await runCommand('apt-cache', ['show', name], { env: options.env, signal: options.signal });
    if (known.code === 0) return name;
  }
  return 'default-jre-headless';
}

/** Root on Debian, Ubuntu or one of their children: there a package may be added without asking. */
function mayInstall(env: NodeJS.ProcessEnv): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !onPath('apt-get', env)) return false;
  return existsSync("/etc/os-release") && isDebianLike(readFileSync("/etc/os-release", "utf8"));
}

/** Whether the text of /etc/os-release names Debian or Ubuntu, as itself or as a parent. */
export function isDebianLike(osRelease: string): boolean {
  const names = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((match) => (match[1] ?? "").split(" "));
  return names.includes('debian') || names.includes('ubuntu');
}

async function install(what: string, packageName: string, options: ToolchainOptions): Promise<void> {
  if (!mayInstall(options.env)) throw new StackError(`${what} is missing`, installAdvice(packageName));
  options.say(`${what} is missing: installing ${packageName} with apt-get`);
  let run = await aptGet(['install', '-y', '--no-install-recommends', '--no-upgrade', packageName], options);
  if (run.code !== 0) {
    await aptGet(['update'], options);
    run = await aptGet(['install', '-y', '--no-install-recommends', '--no-upgrade', packageName], options);
  }
  if (run.code !== 0) {
    throw new StackError(`${what} is missing, and apt-get could not install it:\n${lastLines(run.output, 8)}`, installAdvice(packageName));
  }
}

function aptGet(args: readonly string[], options: ToolchainOptions): ReturnType<typeof runCommand> {
  const env = { ...options.env, DEBIAN_FRONTEND: 'noninteractive' };
  return runCommand('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env, signal: options.signal });
}

function installAdvice(packageName: string): string {
  if (process.platform === 'darwin') return packageName === 'maven' ? 'run: brew install maven' : 'run: brew install openjdk@21';
  return `run: sudo apt-get install -y ${packageName}   (or your system's package of the same program)`;
}
