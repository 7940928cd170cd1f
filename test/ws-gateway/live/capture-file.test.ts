import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { CaptureFile } from '../../../src/ws-gateway/live/capture-file.js';

const HOUR_MS = Date.UTC(2026, 0, 31, 10);

describe('file of a recorded session', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'record-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (name: string, rotation: { rotateBytes?: number; rotateHourly?: boolean } = {}): CaptureFile =>
    new CaptureFile({ path: join(folder, name), rotateBytes: rotation.rotateBytes ?? null, rotateHourly: rotation.rotateHourly ?? false, onFailure: (error) => { throw error; } });

  it('is one file without rotation, continued by the next run, compressed if its name says so', async () => {
    for (const [name, read] of [['a.jsonl', (bytes: Buffer) => bytes], ['a.jsonl.gz', gunzipSync]] as const) {
      for (const line of ['one', 'two']) {
        const file = open(name);
        file.append(line, HOUR_MS);
        await file.close();
      }
      expect(read(readFileSync(join(folder, name))).toString(), name).to.equal('one\ntwo\n');
    }
  });

  it('begins anew after so many bytes, and every hour, under names that sort by time', async () => {
    const file = open('s.jsonl.gz', { rotateBytes: 8, rotateHourly: true });
    for (const [index, atMs] of [0, 0, 0, 3_599_999, 3_600_000].entries()) file.append(`l${index}`, HOUR_MS + atMs);
    await file.close();
    expect(file.lines).to.equal(5);
    const names = readdirSync(folder).sort();
    expect(names).to.deep.equal(['s-20260131T100000Z.jsonl.gz', 's-20260131T105959Z.jsonl.gz', 's-20260131T110000Z.jsonl.gz']);
    expect(names.map((name) => gunzipSync(readFileSync(join(folder, name))).toString())).to.deep.equal(['l0\nl1\nl2\n', 'l3\n', 'l4\n']);
  });

  it('is closed only when every file before the last is whole, however long that takes to compress', async () => {
    const file = open('s.jsonl.gz', { rotateBytes: 8 });
    const long = Array.from({ length: 200_000 }, (_, n) => String(Math.imul(n, 0x9e3779b1))).join('');
    for (const line of [long, 'short']) file.append(line, HOUR_MS);
    await file.close();
    const names = readdirSync(folder).sort((a, b) => a.length - b.length);
    expect(names.map((name) => gunzipSync(readFileSync(join(folder, name))).toString())).to.deep.equal([`${long}\n`, 'short\n']);
  });

  it('says where it cannot write', () => {
    const file = open('no/such/folder.jsonl');
    expect(() => file.append('x', HOUR_MS)).to.throw('cannot write');
    void file.close();
  });
});
