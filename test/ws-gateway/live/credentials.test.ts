import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCredentials } from '../../../src/ws-gateway/live/credentials.js';

describe('keys of the exchange', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'keys-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  function file(text: string, mode = 0o600): string {
    const path = join(folder, 'keys');
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** What is thrown, with everything that a person would be shown of it. */
  function refusal(work: () => unknown): string {
    try {
      work();
    } catch (error) {
      return `${(error as Error).message} ${String((error as { nextStep?: string }).nextStep)} ${String((error as Error).cause)}`;
    }
    throw new Error('it was taken');
  }

  it('come from the environment', () => {
    expect(readCredentials(null, { BYBIT_API_KEY: 'k', BYBIT_API_SECRET: 's' })).to.deep.equal([{ account: null, key: 'k', secret: 's' }]);
    expect(refusal(() => readCredentials(null, { BYBIT_API_KEY: 'k' }))).to.include('there is no key');
  });

  it('come from a file, of one account or several', () => {
    expect(readCredentials(file('# mine\nexport BYBIT_API_KEY="k"\nBYBIT_API_SECRET=s\n'), {})).to.deep.equal([{ account: null, key: 'k', secret: 's' }]);
    expect(readCredentials(file('[{"account":"a","key":"k1","secret":"s1"},{"key":"k2","secret":"s2"}]'), {})).to.deep.equal([
      { account: 'a', key: 'k1', secret: 's1' }, { account: null, key: 'k2', secret: 's2' },
    ]);
  });

  it('are refused from a file that others can read', () => {
    for (const mode of [0o644, 0o640, 0o604]) expect(refusal(() => readCredentials(file('{}', mode), {}))).to.include('others than its owner can read');
  });

  it('never show in what is said about them', () => {
    const texts = [
      '{"key":"TOPKEY","secret":"TOPSECRET"', '[{"key":"TOPKEY"}]', '[{"account":"a b","key":"TOPKEY","secret":"TOPSECRET"}]', '[{"key":"TOP KEY","secret":"TOPSECRET"}]',
      '[{"key":"TOPKEY","secret":"TOPSECRET"},{"key":"TOPKEY","secret":"x"}]', 'BYBIT_API_KEY=TOPKEY', '[]', '[null]',
    ];
    for (const text of texts) {
      const said = refusal(() => readCredentials(file(text), {}));
      expect(said, text).not.to.match(/TOP/);
    }
    expect(refusal(() => readCredentials(join(folder, 'nothing'), {}))).to.include('ENOENT');
  });
});
