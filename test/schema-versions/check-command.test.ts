import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { runCommandLine } from '../../src/cli/run-command-line.js';
import { schemaCommands } from '../../src/cli/schemas.js';
import type { Finding } from '../../src/schema-gate/gate.js';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function schemas(...words: readonly string[]): Promise<Outcome> {
  const out = { stdout: '', stderr: '' };
  const code = await runCommandLine([{ words: ['schemas'], load: async () => schemaCommands }], ['schemas', ...words], {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    signal: new AbortController().signal,
    env: {},
  });
  return { code, ...out };
}

const record = (...fields: readonly object[]): string => JSON.stringify({ type: 'record', name: 'R', namespace: 'n', doc: 'R.', fields }, null, 2);
const A = { name: 'a', type: 'int', doc: 'A.' };
const B = { name: 'b', type: 'int', default: 0, doc: 'B.' };

describe('schemas check', () => {
  const root = mkdtempSync(join(tmpdir(), 'schemas-check-'));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  after(() => rmSync(root, { recursive: true, force: true }));

  it('ends with 0 where nothing is found, 3 with findings, 1 where it cannot be done, 2 where it is called wrongly', async () => {
    put('new/r.avsc', record(A, B));
    put('old/r.avsc', record(A));
    put('broken/r.avsc', record({ ...A, type: 'string' }));
    mkdirSync(join(root, 'empty'));
    expect((await schemas('check', join(root, 'new'), '--against', `dir:${join(root, 'old')}`)).code).to.equal(0);
    expect((await schemas('check', join(root, 'new'), '--against', `dir:${join(root, 'broken')}`)).code).to.equal(3);
    expect((await schemas('check', join(root, 'new'), '--against', `dir:${join(root, 'broken')}`, '--level', 'NONE')).code).to.equal(0);
    for (const words of [[join(root, 'none')], [join(root, 'empty')], [join(root, 'new'), '--against', `dir:${join(root, 'none')}`], [join(root, 'new'), '--against', 'git:main']]) {
      const { code, stderr, stdout } = await schemas('check', ...words);
      expect([code, stdout], words.join(' ')).to.deep.equal([1, '']);
      expect(stderr).to.include('next:');
    }
    for (const words of [['--level', 'STRICT'], ['--rules', 'all'], ['--against', 'svn:1'], ['--format', 'xml'], ['a', 'b']]) expect((await schemas('check', ...words)).code, words.join(' ')).to.equal(2);
  });

  it('compares with every version of a folder at a transitive level, with the latest at another', async () => {
    put('folder/r.avsc', record({ ...A, type: 'long' }));
    for (const [version, type] of [['9', 'string'], ['10', 'int']] as const) put(`versions/r/${version}.avsc`, record({ ...A, type }));
    put('versions/package.json', '{}');
    const against = ['check', join(root, 'folder'), '--against', `dir:${join(root, 'versions')}`, '--format', 'json', '--rules', 'compatibility', '--level'];
    expect((await schemas(...against, 'BACKWARD')).code).to.equal(0);
    const { code, stdout } = await schemas(...against, 'BACKWARD_TRANSITIVE');
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
    expect(code).to.equal(3);
    expect(findings).to.have.length(1);
    expect(findings[0]).to.include({ file: join(root, 'folder', 'r.avsc'), line: 9, column: 15, path: '/fields/0/type', rule: 'type-mismatch' });
    expect(findings[0]?.against).to.deep.equal([join(root, 'versions', 'r', '9.avsc')]);
  });

  it('knows every version that a branch has had, its own last, and no others', async () => {
    const repository = join(root, 'repository');
    const git = (...args: readonly string[]): void => void execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args], { cwd: repository, stdio: 'pipe' });
    const commit = (text: string): void => {
      put('repository/schemas/r.avsc', text);
      git('add', '-A');
      git('commit', '-qm', 'change');
    };
    mkdirSync(repository);
    git('init', '-q', '-b', 'main');
    put('repository/schemas/gone.avsc', record(A).replace('"R"', '"Gone"'));
    commit(record(A));
    rmSync(join(repository, 'schemas', 'gone.avsc'));
    commit(record(A, B));
    commit(record(A));
    git('checkout', '-qb', 'side');
    commit(record({ ...A, type: 'string' }));
    commit(record(A, { ...B, name: 'c' }));
    git('checkout', '-q', 'main');
    git('merge', '-q', '--no-ff', 'side');
    put('repository/schemas/r.avsc', record(A, { ...B, name: 'c' }, { ...B, type: 'string', default: '' }));
    const check = (level: string): Promise<Outcome> => schemas('check', join(repository, 'schemas'), '--against', 'git:main', '--level', level, '--format', 'json', '--rules', 'compatibility');
    expect((await check('FULL')).code).to.equal(0);
    // What was reverted to is the latest again.
    expect((await schemas('check', join(repository, 'schemas'), '--against', 'git:main~1', '--level', 'FULL', '--rules', 'compatibility')).code).to.equal(0);
    const { findings, versions } = JSON.parse((await check('FULL_TRANSITIVE')).stdout) as { readonly findings: readonly Finding[]; readonly versions: number };
    expect(versions).to.equal(3);
    expect(new Set(findings.map(({ path }) => path))).to.deep.equal(new Set(['/fields/2/type']));
    expect(findings[0]?.against).to.have.length(1);

    // A record that is long gone is still in the log, unless only the latest state counts.
    const removed = async (level: string): Promise<readonly string[]> => {
      const { stdout } = await schemas('check', join(repository, 'schemas'), '--against', 'git:main', '--level', level, '--format', 'json', '--rules', 'hazards');
      return (JSON.parse(stdout) as { readonly findings: readonly Finding[] }).findings.filter(({ rule }) => rule === 'record-removed').map(({ file, subject }) => `${file} ${subject}`);
    };
    expect(await removed('FULL_TRANSITIVE')).to.deep.equal([`${join(repository, 'schemas', 'gone.avsc')} n.Gone`]);
    expect(await removed('FULL')).to.deep.equal([]);
  });
});
