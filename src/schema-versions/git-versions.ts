import { execFile, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { GuidedError } from '../config/guided-error.js';
import type { EarlierFile } from './earlier-file.js';
import { folderOf } from './schema-folder.js';

/** Git could not be asked, or does not know the reference. */
export class GitError extends GuidedError {
  override name = 'GitError';
}

export interface GitVersions {
  readonly files: readonly EarlierFile[];
  /** Whether the clone lacks history, so that older versions may be missing. */
  readonly isShallow: boolean;
}

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * Every version that the schemas of the folder had on the branch: in each commit of its first-parent history that touched
 * them, the reference's own state last. Commits of a merged branch are not versions: nobody ran them.
 */
export async function readGitVersions(folder: string, reference: string): Promise<GitVersions> {
  const cwd = folderOf(folder);
  const top = (await git(cwd, ['rev-parse', '--show-toplevel'], `${cwd} is not in a git repository`, 'run it in a clone, or use --against dir:PATH')).trim();
  const commit = (await git(cwd, ['rev-parse', '--verify', '--end-of-options', `${reference}^{commit}`], `git does not know ${reference}`, 'fetch the branch first (in CI: a checkout with full history), or name another')).trim();
  const inside = relative(realpathSync(top), realpathSync(resolve(folder))).split(sep).join('/') || '.';
  const commits = (await git(top, ['rev-list', '--first-parent', '--reverse', commit, '--', inside])).split('\n').filter((line) => line !== '');
  if (commits.at(-1) !== commit) commits.push(commit);
  const isShallow = (await git(top, ['rev-parse', '--is-shallow-repository'])).trim() === 'true';

  // The last commit in which a file had a content is that version's place: what was reverted to comes after what it undid.
  const versions = new Map<string, { readonly path: string; readonly blob: string; readonly commit: string }>();
  for (const one of commits) {
    for (const { path, blob } of await schemaBlobs(top, one, inside)) {
      versions.delete(`${path}\0${blob}`);
      versions.set(`${path}\0${blob}`, { path, blob, commit: one });
    }
  }
  const listed = [...versions.values()];
  const texts = await readBlobs(top, listed.map(({ blob }) => blob));
  const files = listed.map((version, index) => {
    const isLatest = version.commit === commit;
    const within = inside === '.' ? version.path : version.path.slice(inside.length + 1);
    // A single file was asked for: its name is the path.
    const path = within === '' ? (version.path.split('/').at(-1) as string) : within;
    return { path, text: texts[index] as string, file: join(cwd, path), label: `${isLatest ? reference : version.commit.slice(0, 10)}:${version.path}`, isLatest };
  });
  return { files, isShallow };
}

async function schemaBlobs(top: string, commit: string, inside: string): Promise<readonly { readonly path: string; readonly blob: string }[]> {
  const listing = await git(top, ['ls-tree', '-r', '-z', '--full-tree', commit, '--', ...(inside === '.' ? [] : [inside])]);
  return listing.split('\0').flatMap((line) => {
    const [, type, blob, path] = /^\d+ (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return type === 'blob' && blob !== undefined && path?.endsWith('.avsc') === true ? [{ path, blob }] : [];
  });
}

/** Contents in the order of the ids, by one process. */
async function readBlobs(top: string, blobs: readonly string[]): Promise<readonly string[]> {
  if (blobs.length === 0) return [];
  const output = await new Promise<Buffer>((done, fail) => {
    const child = spawn('git', ['cat-file', '--batch'], { cwd: top, stdio: ['pipe', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', fail);
    child.on('close', () => done(Buffer.concat(chunks)));
    child.stdin.end(`${blobs.join('\n')}\n`);
  });
  let at = 0;
  return blobs.map((blob) => {
    const lineEnd = output.indexOf(0x0a, at);
    const size = Number(output.toString('utf8', at, Math.max(lineEnd, at)).split(' ')[2]);
    if (lineEnd < 0 || !Number.isInteger(size)) throw new GitError(`git does not give out object ${blob}`, 'run `git fsck`; a partial clone needs `git fetch --refetch`');
    const text = output.toString('utf8', lineEnd + 1, lineEnd + 1 + size);
    at = lineEnd + 1 + size + 1;
    return text;
  });
}

async function git(cwd: string, args: readonly string[], message = `git ${args[0]} failed`, nextStep = 'see that git works in this folder'): Promise<string> {
  try {
    return (await run('git', [...args], { cwd, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (error) {
    const isMissing = (error as { readonly code?: unknown }).code === 'ENOENT';
    throw new GitError(isMissing ? 'git is not installed' : message, isMissing ? 'install git, or use --against dir:PATH' : nextStep, { cause: causeOf(error) });
  }
}

function causeOf(error: unknown): unknown {
  const stderr = (error as { readonly stderr?: unknown }).stderr;
  return typeof stderr === 'string' && stderr.trim() !== '' ? new Error(stderr.trim().split('\n').at(-1)) : error;
}
