import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { CaptureWriter } from '../../../src/ws-gateway/restore/capture-writer.js';

describe('the file of a capture', () => {
  const folder = mkdtempSync(join(tmpdir(), 'position-linker-'));
  after(() => rmSync(folder, { recursive: true }));

  it('appears when all of it is written, compressed if its name says so', async () => {
    for (const name of ['plain.jsonl', 'small.jsonl.gz']) {
      const path = join(folder, name);
      const writer = new CaptureWriter(path);
      for (let line = 0; line < 20_000; line++) {
        writer.write(line % 2 === 0 ? `{"line":${line}}` : Buffer.from('bytes'));
        await writer.flush();
      }
      expect(existsSync(path)).to.equal(false);
      await writer.finish();
      const bytes = readFileSync(path);
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      expect(text.split('\n')).to.have.length(20_001);
      expect(text.startsWith('{"line":0}\nbytes\n{"line":2}\n')).to.equal(true);
    }
  });

  it('is not there when writing was given up, or cannot be', async () => {
    const given = new CaptureWriter(join(folder, 'given-up.jsonl'));
    given.write('x');
    await given.discard();
    expect(existsSync(join(folder, 'given-up.jsonl'))).to.equal(false);
    expect(existsSync(join(folder, 'given-up.jsonl.part'))).to.equal(false);
    // Again and again: a file that was only being opened must not be made after it was removed.
    for (let i = 0; i < 500; i++) await new CaptureWriter(join(folder, `given-up-${i}.jsonl`)).discard();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(folder).filter((name) => name.startsWith('given-up'))).to.deep.equal([]);
    const nowhere = new CaptureWriter(join(folder, 'no', 'such', 'folder.jsonl.gz'));
    nowhere.write('x');
    const error = await nowhere.finish().then(() => null, (failure: unknown) => failure as Error & { nextStep: string });
    expect(error?.message).to.match(/^cannot write .*folder\.jsonl\.gz$/);
    expect(error?.nextStep).to.contain('a folder that is there');
    await nowhere.discard();
  });
});
