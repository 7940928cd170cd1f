import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, type StackPaths } from './paths.js';
import { isAlive } from './process-table.js';
import { lastLines, runCommand } from './run-command.js';
import { StackError } from './stack-error.js';
import { requireJava, requireMaven, type ToolchainOptions } from './toolchain.js';

/** What a Maven goal does with the artefacts of `stack/<name>/pom.xml`. */
const goals = {
  kafka: 'dependency:copy-dependencies',
  'kafka-tools': 'dependency:copy-dependencies',
  registry: 'dependency:unpack-dependencies',
} as const;

/**
 * The folder with the jars of one piece, downloaded by Maven the first time. Its name carries a digest of the pom, so a new
 * version is a new folder; it gets its name only when it is complete, so a torn download is never used;
 * the partial folders of killed runs are removed.
 */
export async function artefactFolder(name: keyof typeof goals, paths: StackPaths, options: ToolchainOptions): Promise<string> {
  const pom = join(packageRoot, 'stack', name, 'pom.xml');
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const folder = join(paths.downloadsDir, `${name}-${digest}`);
  if (existsSync(folder)) return folder;

  const java = await requireJava(options);
  await requireMaven(options);
  options.say(`${name}: downloading with Maven (once; a minute or two on a slow line)`);
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(paths.downloadsDir, { recursive: true });
  for (const entry of readdirSync(paths.downloadsDir)) {
    const owner = /\.(\d+)\.partial/.exec(entry)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(paths.downloadsDir, entry), { recursive: true, force: true });
  }
  const args = ['-B', '-q', '-f', pom, goals[name], `-DoutputDirectory=${partial}`, `-DmarkersDirectory=${partial}.markers`];
  const env = { ...options.env, JAVA_HOME: java.home };
  let run = await runCommand('mvn', args, { env, signal: options.signal });
  // One more try: a broken connection is the usual cause, and Maven keeps what it already has.
  if (run.code !== 0) run = await runCommand('mvn', args, { env, signal: options.signal });
  rmSync(`${partial}.markers`, { recursive: true, force: true });
  if (run.code !== 0) {
    throw new StackError(
      `Maven could not download the ${name} of the embedded stack:\n${lastLines(run.output, 8)}`,
      `check the network, then try: mvn -f ${pom} ${goals[name]} -DoutputDirectory=/tmp/${name}`,
    );
  }
  try {
    renameSync(partial, folder);
  } catch (error) {
    // Another stack that shares the downloads was faster.
    if (!existsSync(folder)) throw error;
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}
