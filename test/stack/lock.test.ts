import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../src/stack/lock.js';
import { StackError } from '../../src/stack/stack-error.js';

describe('stack lock', () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'stack-lock-'));
    file = join(dir, 'lock');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const options = { waitMs: 5_000, say: () => undefined, signal: undefined };

  it('lets one at a time in, and goes away after a failure too', async () => {
    let inside = 0;
    let most = 0;
    const visit = (): Promise<void> =>
      withLock(file, options, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside--;
      });
    await Promise.all([visit(), visit(), visit()]);
    expect(most).to.equal(1);
    const failing = withLock(file, options, () => Promise.reject(new Error('no')));
    expect(await failing.catch((error: Error) => error.message)).to.equal('no');
    expect(existsSync(file)).to.equal(false);
  });

  it('takes over from a process that is gone', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(file, `${gone} 12345\n`);
    expect(await withLock(file, options, () => Promise.resolve('in'))).to.equal('in');
  });

  it('takes over when the pid is now another process', async function () {
    if (process.platform !== 'linux') return;
    // This very process lives, but it did not start at tick 1.
    writeFileSync(file, `${process.pid} 1\n`);
    expect(await withLock(file, options, () => Promise.resolve('in'))).to.equal('in');
  });

  it('gives up on a living holder after its patience, naming it', async () => {
    await withLock(file, options, async () => {
      const waiting = withLock(file, { ...options, waitMs: 150 }, () => Promise.resolve());
      const error = await waiting.then(() => null, (caught: unknown) => caught);
      expect(error).to.be.instanceOf(StackError);
      expect((error as StackError).message).to.contain(String(process.pid));
      expect((error as StackError).nextStep).to.contain(file);
    });
  });

  it('stops waiting when aborted', async () => {
    await withLock(file, options, async () => {
      const abort = new AbortController();
      const waiting = withLock(file, { ...options, signal: abort.signal }, () => Promise.resolve());
      abort.abort(new Error('enough'));
      expect(await waiting.then(() => 'in', (error: Error) => error.message)).to.equal('enough');
    });
  });
});
