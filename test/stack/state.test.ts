import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyState, readState, writeState, type StackState } from '../../src/stack/state.js';

describe('stack state file', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'stack-state-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const state: StackState = {
    version: 1,
    ports: { kafka: 40001, registry: 40002 },
    pieces: { kafka: { source: 'embedded', address: '127.0.0.1:40001' } },
  };

  it('gives back what was written', () => {
    const file = join(dir, 'deep', 'state.json');
    writeState(file, state);
    expect(readState(file)).to.deep.equal(state);
  });

  it('is readable by its owner only, for it holds a password, and leaves no second file', () => {
    const file = join(dir, 'state.json');
    writeState(file, state);
    expect(statSync(file).mode & 0o077).to.equal(0);
    expect(readdirSync(dir)).to.deep.equal(['state.json']);
  });

  const unusable: readonly (readonly [string, string])[] = [
    ['torn', '{"version": 1, "ports": {"kaf'],
    ['of a later version', JSON.stringify({ ...state, version: 2 })],
    ['with a port that is none', JSON.stringify({ ...state, ports: { kafka: 70000 } })],
    ['with a port that is text', JSON.stringify({ ...state, ports: { kafka: '40001' } })],
    ['with a piece nobody knows', JSON.stringify({ ...state, pieces: { zookeeper: { source: 'embedded', address: 'x' } } })],
    ['with a source nobody knows', JSON.stringify({ ...state, pieces: { kafka: { source: 'cloud', address: 'x' } } })],
    ['that is no object', 'null'],
  ];
  for (const [what, text] of unusable) {
    it(`counts a file ${what} as none`, () => {
      const file = join(dir, 'state.json');
      writeFileSync(file, text);
      expect(readState(file)).to.deep.equal(emptyState);
    });
  }

  it('counts an absent file as none', () => {
    expect(readState(join(dir, 'nothing.json'))).to.deep.equal(emptyState);
  });
});
