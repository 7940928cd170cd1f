import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { findByArgument, isAlive, stopByArgument } from '../../src/stack/process-table.js';

describe('processes by their arguments', () => {
  const start = async (script: string, marker: string): Promise<number> => {
    const child = spawn(process.execPath, ['-e', `${script}; setInterval(() => {}, 1000); console.log('up')`, marker]);
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  };
  const steps = [
    { signal: 'SIGTERM', waitMs: 300 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ] as const;

  it('finds exactly the one that carries the whole argument', async () => {
    const marker = `/tmp/${randomUUID()}/data`;
    const pid = await start('', marker);
    try {
      expect(findByArgument(marker)).to.deep.equal([pid]);
      expect(findByArgument(marker.slice(0, -1))).to.deep.equal([]);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('ends one that ignores the first signal, and says which it was', async () => {
    const marker = randomUUID();
    const pid = await start("process.on('SIGTERM', () => {})", marker);
    expect(await stopByArgument([marker], steps)).to.deep.equal([pid]);
    expect(findByArgument(marker)).to.deep.equal([]);
  });

  it('has nothing to do where nothing runs', async () => {
    expect(await stopByArgument([randomUUID()], steps)).to.deep.equal([]);
  });

  it('sees that this process lives and pid 2^22+1 does not', () => {
    expect(isAlive(process.pid)).to.equal(true);
    expect(isAlive(4_194_305)).to.equal(false);
  });
});
