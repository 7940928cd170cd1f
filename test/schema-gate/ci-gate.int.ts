import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { RULE_GROUPS } from '../../src/schema-gate/finding.js';
import type { Finding } from '../../src/schema-gate/gate.js';
import { runGate } from '../../src/schema-versions/run-gate.js';
import { BASE, BASE_FILE, BREAKING_EDITS, GATE_FILE_TEXT } from './breaking-edits.js';

const ROOT = resolve(import.meta.dirname, '../..');

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string; readonly uses?: string; readonly with?: Readonly<Record<string, unknown>> }[] }>>;
}

function git(cwd: string, ...args: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false', ...args], { cwd, stdio: 'pipe' });
}

function repository(fill: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'schema-gate-'));
  git(folder, 'init', '-q', '-b', 'main');
  fill(folder);
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'base');
  git(folder, 'checkout', '-qb', 'change');
  return folder;
}

describe('the gate of continuous integration', () => {
  const folders: string[] = [];
  after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

  it('runs on pull requests, with the whole history, by the script that a developer runs', () => {
    const workflow = parse(readFileSync(join(ROOT, '.github/workflows/schemas.yml'), 'utf8')) as Workflow;
    expect(workflow.on).to.have.property('pull_request');
    const steps = workflow.jobs['gate']?.steps ?? [];
    expect(steps.find((step) => step.uses?.startsWith('actions/checkout@'))?.with).to.deep.equal({ 'fetch-depth': 0 });
    expect(steps.at(-1)?.run).to.equal('scripts/schema-gate --format github-actions');
  });

  it('stops a breaking edit of each kind by its rule, at its line', async () => {
    const folder = repository((root) => {
      mkdirSync(join(root, 'schemas'));
      writeFileSync(join(root, 'schemas', BASE_FILE), BASE);
      writeFileSync(join(root, 'schemas', 'gate.yaml'), GATE_FILE_TEXT);
    });
    folders.push(folder);
    const schemas = join(folder, 'schemas');
    const findings = async (): Promise<readonly Finding[]> => (await runGate({ folder: schemas, baseline: { kind: 'git', reference: 'main' }, level: null, groups: RULE_GROUPS })).findings;
    expect(await findings()).to.deep.equal([]);
    for (const { rule, what, from, to, at } of BREAKING_EDITS) {
      const text = BASE.replace(from, to);
      expect(text, what).to.not.equal(BASE);
      writeFileSync(join(schemas, BASE_FILE), text);
      const found = (await findings()).filter((finding) => finding.rule === rule);
      expect(found, `${rule}: ${what}`).to.have.length.greaterThan(0);
      expect(text.split('\n')[(found[0]?.line ?? 0) - 1], `${rule}: ${what}`).to.include(at);
      expect(found[0]?.file).to.equal(join(schemas, BASE_FILE));
    }
    unlinkSync(join(schemas, BASE_FILE));
    writeFileSync(join(schemas, 'other.avsc'), BASE.replaceAll('Trade', 'Other'));
    writeFileSync(join(schemas, 'third.avsc'), BASE.replaceAll('Trade', 'Third'));
    expect((await findings()).map(({ rule, file }) => [rule, file])).to.deep.include(['record-removed', join(schemas, BASE_FILE)]);
  });

  it('ends the job with the exit code of its findings, and names each at its place', () => {
    const folder = repository((root) => {
      for (const part of ['src', 'schemas', 'scripts', 'topics.yaml', 'package.json', 'package-lock.json', 'tsconfig.json', '.gitignore']) cpSync(join(ROOT, part), join(root, part), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    });
    folders.push(folder);
    const fill = join(folder, 'schemas', 'fill.avsc');
    writeFileSync(fill, readFileSync(fill, 'utf8').replace('"scale": 18', '"scale": 8'));
    const { status, stdout } = spawnSync('scripts/schema-gate', ['--format', 'github-actions'], { cwd: folder, encoding: 'utf8', env: { ...process.env, TARGET_BRANCH: 'main' } });
    expect(status).to.equal(3);
    expect(stdout).to.match(/^::error file=schemas\/fill\.avsc,line=\d+,col=\d+,title=hazards\/decimal-changed::/m);
  });
});
