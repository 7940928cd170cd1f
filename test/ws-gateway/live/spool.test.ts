import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Backlog } from '../../../src/ws-gateway/live/backlog.js';
import { Spool, SpoolFullError } from '../../../src/ws-gateway/live/spool.js';

describe('spool', () => {
  let folder: string;
  const open: Spool[] = [];

  function spool(limitBytes = 1_000_000): Spool {
    const opened = new Spool({ folder, limitBytes, onFailure: (error) => { throw error; } });
    open.push(opened);
    return opened;
  }

  function close(opened: Spool): void {
    open.splice(open.indexOf(opened), 1);
    opened.close();
  }

  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'spool-')); });
  afterEach(() => {
    for (const opened of open.splice(0)) opened.close();
    rmSync(folder, { recursive: true });
  });

  const all = (opened: Spool): string[] => {
    const lines: string[] = [];
    for (let more = opened.read(); more.length > 0; more = opened.read()) lines.push(...more);
    return lines;
  };

  it('gives lines back in order, and what was read and released goes from the disk', () => {
    const opened = spool();
    for (let i = 0; i < 1_000; i++) opened.append(`line ${i}`);
    expect(all(opened)).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => `line ${i}`));
    expect(opened.isEmpty).to.equal(false);
    opened.release();
    expect(opened.isEmpty).to.equal(true);
    expect(readdirSync(join(folder, '0'))).to.deep.equal(['lock']);
    opened.append('again');
    expect(all(opened)).to.deep.equal(['again']);
  });

  it('is read by the next process from the beginning, unless it was released; a torn last line is none', () => {
    const first = spool();
    first.append('a');
    first.append('b');
    all(first);
    close(first);
    appendFileSync(join(folder, '0', 'spool-00000001.jsonl'), 'torn');
    const second = spool();
    expect(second.inheritedLines).to.equal(2);
    second.append('c');
    expect(all(second)).to.deep.equal(['a', 'b', 'c']);
    second.release();
    expect(second.isEmpty).to.equal(true);
  });

  it('takes no more than its limit', () => {
    const opened = spool(10);
    opened.append('12345678');
    expect(() => opened.append('9')).to.throw(SpoolFullError);
    expect(all(opened)).to.deep.equal(['12345678']);
  });

  it('says that it is full where the disk takes nothing, keeps what it had taken, and goes on when there is room', () => {
    const failures: Error[] = [];
    const opened = new Spool({ folder, limitBytes: 1_000_000, onFailure: (error) => failures.push(error) });
    open.push(opened);
    const own = join(folder, '0');
    // A device that is always full, where the system has one; anywhere, a folder in which no file can be made.
    const hasFullDevice = existsSync('/dev/full');
    if (hasFullDevice) symlinkSync('/dev/full', join(own, 'spool-00000001.jsonl'));
    else mkdirSync(join(own, 'spool-00000001.jsonl'));
    opened.append('kept');
    expect(() => opened.append('x'.repeat(70_000))).to.throw(SpoolFullError, hasFullDevice ? 'ENOSPC' : 'EISDIR');
    expect(all(opened)).to.deep.equal(['kept', 'x'.repeat(70_000)]);
    expect(failures.every((error) => error instanceof SpoolFullError), 'a full disk is no reason to end the process').to.equal(true);
    rmSync(join(own, 'spool-00000001.jsonl'), { recursive: true });
    opened.append('later');
    expect(all(opened)).to.deep.equal(['later']);
  });

  it('of two processes are two: a living one keeps its folder', () => {
    writeFileSync(join(folder, 'x'), '');
    const opened = spool();
    // The lock of this test's parent, which lives.
    writeFileSync(join(folder, '0', 'lock'), String(process.ppid));
    const other = spool();
    other.append('mine');
    expect(readdirSync(folder).sort()).to.deep.equal(['0', '1', 'x']);
    expect(all(opened)).to.deep.equal([]);
  });

  describe('backlog', () => {
    const never = new AbortController().signal;
    function backlog(over: Spool, memoryMs = 1e9): Backlog {
      return new Backlog({ spool: over, memoryMs, memoryBytes: 1_000, onSpooling: () => undefined });
    }

    it('hands over in order and says when everything is handed over', async () => {
      const opened = backlog(spool());
      opened.push('a');
      opened.push('b');
      let isDone = false;
      const done = opened.caughtUp().then(() => { isDone = true; });
      expect(await opened.take(never)).to.deep.equal(['a', 'b']);
      await Promise.resolve();
      expect(isDone).to.equal(false);
      opened.handled(2);
      await done;
      opened.acknowledged(2);
      open.pop();
      opened.close();
    });

    it('goes to disk when it waits too long, with what is under way, and comes back to memory', async () => {
      const disk = spool();
      const opened = backlog(disk, 1);
      opened.push('a');
      expect(await opened.take(never)).to.deep.equal(['a']);
      opened.push('b');
      while (!opened.isSpooling) await new Promise((resolve) => setTimeout(resolve, 20));
      opened.push('c');
      expect(disk.bytes).to.be.greaterThan(0);
      // What is under way is on disk, but not given out a second time.
      expect(await opened.take(never)).to.deep.equal(['b', 'c']);
      opened.handled(3);
      disk.release();
      expect(disk.isEmpty).to.equal(true);
      opened.push('d');
      expect(await opened.take(never)).to.deep.equal(['d']);
      open.pop();
      opened.close();
    });

    it('that went to disk while somebody waited is read, though nothing new comes', async () => {
      const told: boolean[] = [];
      const opened = new Backlog({ spool: spool(), memoryMs: 1, memoryBytes: 1_000, onSpooling: (isSpooling) => void told.push(isSpooling) });
      opened.push('a');
      await opened.take(never);
      const controller = new AbortController();
      const waiting = opened.take(controller.signal);
      while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(told, 'all of it was under way already').to.deep.equal([true, false]);
      controller.abort();
      expect(await waiting).to.deep.equal([]);
      open.pop();
      opened.close();
    });

    it('closed, leaves on disk whatever was not acknowledged', async () => {
      const opened = backlog(spool());
      opened.push('a');
      opened.push('b');
      await opened.take(never);
      opened.handled(1);
      opened.acknowledged(1);
      opened.push('c');
      open.pop();
      opened.close();
      expect(all(spool())).to.deep.equal(['b', 'c']);
    });

    it('begins with what an earlier run left', async () => {
      const first = spool();
      first.append('old');
      close(first);
      const opened = backlog(spool());
      opened.push('new');
      const caught = opened.caughtUp();
      expect(await opened.take(never)).to.deep.equal(['old']);
      opened.handled(1);
      expect(await opened.take(never)).to.deep.equal(['new']);
      opened.handled(1);
      await caught;
      open.pop();
      opened.close();
    });
  });
});
