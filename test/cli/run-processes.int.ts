import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { run, start } from '../e2e/pipeline.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from './temporary-namespace.js';

describe('run --processes', function () {
  this.timeout(120_000);
  const namespace = temporaryNamespace('processes');

  before(() => run('setup', '--namespace', namespace, '--partitions', '2'));
  after(() => removeNamespace(stackEnvironment(), namespace));

  /** Processes of this namespace but for the one that started them. */
  function startedBy(parent: number): number[] {
    return execFileSync('ps', ['-eo', 'pid=,ppid=,args=']).toString().split('\n').filter((line) => line.includes(namespace) && line.includes('--processes=1'))
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]).filter(([pid]) => pid !== parent).map(([pid]) => pid);
  }

  async function startedTwo(parent: number): Promise<number[]> {
    for (;;) {
      const pids = startedBy(parent);
      if (pids.length === 2) return pids;
      await pause(100);
    }
  }

  it('stops all with it on SIGTERM, and ends with 0', async () => {
    const parent = start(['run', 'all', '--processes', '2', '--namespace', namespace]);
    await startedTwo(parent.pid!);
    await pause(1_500);
    parent.kill('SIGTERM');
    expect(await once(parent, 'close')).to.deep.equal([0, null]);
    expect(startedBy(parent.pid!)).to.deep.equal([]);
  });

  it('leaves no process behind when it is killed with -9', async () => {
    const parent = start(['run', 'all', '--processes', '2', '--namespace', namespace]);
    await startedTwo(parent.pid!);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    for (let waited = 0; startedBy(parent.pid!).length > 0; waited++) {
      expect(waited).to.be.below(600);
      await pause(100);
    }
  });

  it('ends with a failure that names the process when one of them is killed', async () => {
    const parent = start(['run', 'all', '--processes', '2', '--namespace', namespace]);
    let errors = '';
    parent.stderr!.on('data', (chunk: Buffer) => { errors += chunk.toString(); });
    const [first] = await startedTwo(parent.pid!);
    process.kill(first!, 'SIGKILL');
    expect(await once(parent, 'close')).to.deep.equal([1, null]);
    expect(errors).to.match(/process [12] was ended by SIGKILL/);
    expect(startedBy(parent.pid!)).to.deep.equal([]);
  });
});
